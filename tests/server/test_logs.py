"""No token reaches the log, at any level and by any way; what is on disk is its owner's alone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import select
import signal
import socket
import stat
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import WebSocketClosedError

from gamekit.game import GameId, PlayerId
from gamekit.server.auth import SECRET_FILE, Tokens, load_tokens
from gamekit.server.logs import redacted
from tests.live import LiveServer
from tests.rawclient import RawSocket

#: A game whose view fails for players, and says so with the address that it was asked by.
BROKEN = """
from tests.counter_game import CounterGame

class Broken(CounterGame):
    name = "broken"

    def view(self, state, player):
        if player is not None:
            raise RuntimeError(open(__file__ + ".said").read())
        return super().view(state, player)
"""

TOKENS = Tokens(b"x" * 32)
TOKEN = TOKENS.of(GameId("g"), PlayerId("p1"))
SIGNATURE = TOKEN.partition(".")[2]


def encoded(text: str, times: int = 1) -> str:
    """Every character percent-encoded."""
    for _ in range(times):
        text = "".join(f"%{byte:02X}" for byte in text.encode())
    return text


@pytest.mark.parametrize(
    "line",
    [
        f"404 GET /api/game/g/state?token={TOKEN} (127.0.0.1) 1.2ms",
        f"uri='/api/game/g/state?client=a&token={TOKEN}', version='HTTP/1.1'",
        f'uri="/x?a=\'&token={TOKEN}"',
        f"/x?a='&t%6Fken={TOKEN}",
        f"open http://127.0.0.1:8642/play/g#token={TOKEN} now",
        f"#%74oken={urllib.parse.quote(TOKEN, safe='')}",
        f"bad body: {{'type': 'hello', 'token': '{TOKEN}'}}",
        f"Authorization: Bearer {TOKEN}",
        f"Authorization: bearer {TOKEN[:20]}",
        f"told {encoded(TOKEN)} and more",
        f"told {encoded(TOKEN).lower()}",
        f"told {TOKEN}xyz",
        f"admin {TOKENS.admin}",
        f"token={TOKEN[:-3]}",
        f"ws://h/api/game/g/ws?x={TOKEN}",
    ],
)
def test_whatever_holds_a_token_is_blotted(line: str) -> None:
    shown = urllib.parse.unquote(redacted(line))
    assert SIGNATURE[:12] not in shown
    assert TOKENS.admin[6:18] not in shown


@pytest.mark.parametrize(
    "line",
    [
        'File "/srv/gamekit/server/runner.py", line 183, in _perform_what_the_session_says_and_more',
        "game 1f0c3a99d2: disk I/O error",
        "gamekit server at http://127.0.0.1:8642/ (games are kept in data/gamekit.db)",
        "the state 0123456789abcdef0123456789abcdef does not match its digest",
    ],
)
def test_what_holds_none_stays(line: str) -> None:
    assert redacted(line) == line


@pytest.mark.parametrize("options", [(), ("--verbose",)], ids=["", "verbose"])
def test_no_line_of_a_real_log_holds_a_token(tmp_path: Path, options: tuple[str, ...]) -> None:
    module = tmp_path / "broken.py"
    module.write_text(BROKEN)
    server = LiveServer(tmp_path / "data", options=("--game", "broken:Broken", *options))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
        server.start()
    try:
        made = server.new_game(game="broken")
        at, token = f"/api/game/{made['id']}", made["token"]
        Path(f"{module}.said").write_text(f"cannot show {at}/state?token={token} or {encoded(token)}")
        statuses = [
            raw(server, method, path, body, headers)
            for method, path, body, headers in (
                ("GET", f"{at}/state?token={token}", b"", {}),
                ("GET", f"{at}/state?{encoded('token')}={encoded(token)}", b"", {}),
                ("GET", f"{at}/state?token={token}&token=%ff", b"", {}),
                ("GET", f"{at}/state?x=%27&token={token}", b"", {"Authorization": f"Bearer {token}"}),
                ("GET", f"{at}/nowhere?token={token}", b"", {}),
                ("GET", f"/web/../x?token={token}", b"", {}),
                ("GET", f"/play/{made['id']}?token={token}", b"", {}),
                ("POST", f"{at}/join?token={token}", b"x", {"Content-Type": "multipart/form-data; boundary=z"}),
                ("POST", f"{at}/join?token={token}", b"x", {"Content-Encoding": "gzip"}),
                ("POST", f"{at}/commands", b'{"token": "' + token.encode(), {}),
                ("GET", f"/api/games?token={server.admin_token}", b"", {}),
                ("BREW", f"{at}?token={token}", b"", {}),
                ("GET", f"{at}/state?token={token}" + "&a=1" * 3000, b"", {}),
            )
        ]
        assert statuses[0] >= 500, "the game was to fail"
        asyncio.run(by_socket(made["ws_url"], token))
    finally:
        server.stop()
    log = server.log.read_text()
    for held in (token, server.admin_token):
        for form in (held, held.partition(".")[2], urllib.parse.quote(held, safe=""), encoded(held)):
            assert form not in log
    assert "cannot show" in log, "the failure itself is told"
    assert ("/nowhere" in log) == bool(options)


def raw(server: LiveServer, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
    """One request, however malformed; its status, 0 for none."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        answer = b""
        while chunk := line.recv(65536):
            answer += chunk
    return int(answer.split()[1]) if answer else 0


async def by_socket(url: str, token: str) -> None:
    """Connect with the token in the address, in a hello, and in what cannot be read."""
    for address in (f"{url}?token={token}", url):
        socket_ = await RawSocket.open(address)
        # The game fails when it is to be shown, and lets go.
        with contextlib.suppress(WebSocketClosedError):
            await socket_.send_raw(json.dumps({"type": "hello", "token": token, "more": token}))
            await socket_.send(type="hello", token=token)
        await socket_.close()


# --- the admin's link, permissions --------------------------------------------------------------------------------


def serve(directory: Path, stdout: int, **options: Any) -> subprocess.Popen[bytes]:
    """A server whose standard output is a given descriptor."""
    command = [sys.executable, "-m", "gamekit", "serve", "--port", "0", "--data", str(directory)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT, **options)


def test_the_admins_link_is_written_to_a_terminal_only(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    process = serve(tmp_path / "seen", follower)
    os.close(follower)
    shown = b""
    while b"admin:" not in shown or not shown.endswith(b"\n"):
        assert select.select([leader], [], [], 60)[0]
        shown += os.read(leader, 65536)
    assert load_tokens(tmp_path / "seen").admin.encode() in shown
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    os.close(leader)

    process = serve(tmp_path / "kept", subprocess.PIPE)
    assert process.stdout is not None
    lines = [process.stdout.readline().decode() for _ in range(3)]
    process.send_signal(signal.SIGTERM)
    said = "".join(lines) + process.communicate(timeout=60)[0].decode()
    admin = load_tokens(tmp_path / "kept").admin
    assert admin.partition(".")[2] not in said
    # The way to it is told, and leads there.
    assert "gamekit token --data" in said
    told = subprocess.run(
        [sys.executable, "-m", "gamekit", "token", "--data", str(tmp_path / "kept"), "--url", "http://localhost:1/"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert told.stdout == f"http://localhost:1/admin#token={admin}\n"


def test_the_token_of_a_directory_without_a_secret_makes_none(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gamekit", "token", "--data", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert SECRET_FILE in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_a_server_keeps_is_its_owners_alone_also_what_was_there_before(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with LiveServer(directory) as server:
        server.new_game()
    for path in (directory, *directory.iterdir()):
        path.chmod(0o777 if path.is_dir() else 0o666)
    with LiveServer(directory) as server:
        server.new_game()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.iterdir())}
    assert modes.pop("data") & 0o077 == 0
    assert {"gamekit.db", "gamekit.db-wal", SECRET_FILE} <= set(modes)
    assert {name: mode for name, mode in modes.items() if mode & 0o177} == {}
