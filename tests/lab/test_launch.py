"""`gamekit.launch`: a private server that starts clearly, ends surely and leaves nothing."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import gamekit
from gamekit.errors import ServerError, SessionError
from gamekit.lab import launch as launch_module
from tests.bots import Wanderer
from tests.live import LiveServer


def children() -> set[int]:
    """The processes that this one has started and not yet seen the end of."""
    listing = subprocess.Popen(["ps", "-A", "-o", "pid=,ppid="], stdout=subprocess.PIPE, text=True)
    listed, _ = listing.communicate(timeout=30)
    rows = (line.split() for line in listed.splitlines())
    return {int(pid) for pid, parent in rows if int(parent) == os.getpid()} - {listing.pid}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_launched_server_is_played_on_and_goes_with_its_data() -> None:
    with gamekit.launch() as client:
        assert client.url.startswith("http://127.0.0.1:")
        assert client.admin_token == client.token
        game = client.new_game(seed=7, name="Launched")
        assert game.join("Red").name == "Red"
        assert [row["name"] for row in client.games()] == ["Launched"]
        assert (client.data / "gamekit.db").exists()
        assert "gamekit server at" in client.log()
        assert os.getsid(client.pid) != os.getsid(0), "interrupting a cell must not interrupt the server"
    assert not client.data.exists()
    assert not alive(client.pid)
    client.close()
    with pytest.raises(SessionError, match="closed"):
        client.games()


def test_data_that_is_given_stays_and_is_found_again(tmp_path: Path) -> None:
    with gamekit.launch(data=tmp_path / "games") as client:
        game = client.new_game(seed=7)
        game.join("Red").ship.go("Sol", x=5).result(20)
        tick = game.tick
    with gamekit.launch(data=tmp_path / "games") as client:
        again = client.game(game.id)
        assert again.about()["seed"] == 7
        assert again.tick >= tick
        assert list(again.frame.commands["type"]) == ["join", "join", "move"]


#: Launches in the leak test: a hundred and more on request.
LAUNCHES = 8 * int(os.environ.get("GAMEKIT_LONG", "1"))


def test_many_launches_leave_no_process_thread_socket_file_or_task(tmp_path: Path) -> None:
    with gamekit.launch() as client:
        client.new_game()
    gc.collect()
    threads, files, processes = {t.ident for t in threading.enumerate()}, os.listdir("/dev/fd"), children()
    # One client stays open: the thread that all share stays, and with it whatever task or socket was left on it.
    with LiveServer(tmp_path / "games") as server, gamekit.Client(server.url, token=server.admin_token) as lasting:
        io, open_files = lasting.io, len(os.listdir("/dev/fd"))
        tasks = io.call(lambda: len(asyncio.all_tasks()))

        def launch_some(worker: int) -> None:
            for number in range(LAUNCHES // 4):
                with gamekit.launch() as client:
                    game = client.new_game()
                    game.join("Red").ship.go("Sirius")
                    crew = game.bots(Wanderer("Bob"))
                    # Closing must be enough, whatever is still open.
                    if (worker + number) % 2:
                        crew.stop()

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(launch_some, range(4)))
        gc.collect()
        assert io.call(lambda: len(asyncio.all_tasks())) == tasks
        assert len(os.listdir("/dev/fd")) <= open_files
    gc.collect()
    assert {t.ident for t in threading.enumerate()} == threads
    assert len(os.listdir("/dev/fd")) == len(files)
    assert children() <= processes


def test_server_that_cannot_start_shows_the_end_of_its_log() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        before = children()
        with pytest.raises(ServerError, match=f"Port {port}.*cannot be used"):
            gamekit.launch(port=port)
    assert children() <= before


def test_slow_start_is_noted_and_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sleeper = tmp_path / "sleeper"
    sleeper.write_text(f"#!{sys.executable}\nimport sys\nprint('I am slow', flush=True)\nsys.stdin.read()\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(sleeper))
    monkeypatch.setattr(launch_module, "PATIENCE_S", 0.5)
    before = children()
    with pytest.raises(ServerError, match=r"not ready within 0\.8 s.\nI am slow"):
        gamekit.launch(timeout_s=0.8)
    assert capsys.readouterr().err.count("Starting a gamekit server") == 1
    assert children() <= before


def test_server_that_is_killed_is_no_trouble_for_close(tmp_path: Path) -> None:
    client = gamekit.launch(data=tmp_path)
    os.kill(client.pid, signal.SIGKILL)
    client.close()
    assert not alive(client.pid)


@pytest.mark.parametrize("end", ["exit", "kill", "error"])
def test_server_ends_with_whoever_launched_it(end: str, tmp_path: Path) -> None:
    ends = {"exit": "sys.exit()", "kill": "os.kill(os.getpid(), 9)", "error": "raise RuntimeError"}
    script = (
        "import os, sys, json, gamekit\n"
        "client = gamekit.launch()\n"
        "red = client.new_game().join('Red')\n"
        "print(json.dumps([client.server.ready['port'], str(client.data)]), flush=True)\n"
        "sys.stdin.read()\n"
        f"{ends[end]}\n"
    )
    pipe = subprocess.PIPE
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    owner = subprocess.Popen([sys.executable, "-c", script], stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    assert owner.stdout is not None
    port, data = json.loads(owner.stdout.readline())
    with socket.create_connection(("127.0.0.1", port), timeout=60) as life_line:
        _, err = owner.communicate(timeout=60)
        # The server says nothing on its own: this ends when the connection does, and that with the server.
        assert life_line.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    deadline = time.monotonic() + 30
    while Path(data).exists():
        # The server of a killed owner removes the directory itself, as the last thing that it does.
        assert time.monotonic() < deadline, "the temporary data directory was left behind"
    if end != "kill":
        assert (b"RuntimeError" in err) == (end == "error")
        assert b"Warning" not in err


def test_forgotten_client_takes_its_server_along() -> None:
    client = gamekit.launch()
    pid, server = client.pid, client.server
    del client
    gc.collect()
    for thread in threading.enumerate():
        if thread.name == "gamekit-close":
            thread.join(30)
    assert not alive(pid)
    assert not server.directory.exists()


def test_forked_child_neither_ends_nor_keeps_its_parents_server() -> None:
    script = (
        "import os, sys, gamekit\n"
        "client = gamekit.launch()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    client.close()\n"
        "    sys.exit()\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "print(client.new_game().join('Red').name, client.data.exists())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("Red True\n", 0), done.stderr


def test_importing_gamekit_imports_nothing_heavy() -> None:
    script = (
        "import sys, gamekit\n"
        "assert gamekit.__version__ and set(gamekit.__all__) <= set(dir(gamekit))\n"
        "heavy = {'pandas', 'altair', 'anywidget', 'tornado', 'msgspec'} & set(sys.modules)\n"
        "gamekit.Client, gamekit.launch, gamekit.errors\n"
        "heavy |= {'altair', 'anywidget', 'ipywidgets', 'IPython'} & set(sys.modules)\n"
        "print(heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"


def test_unknown_name_in_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gamekit.nonsense  # noqa: B018 - reading is the test
