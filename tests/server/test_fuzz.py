"""Random and damaged HTTP and WebSocket traffic under a fixed seed: no 500, no traceback, and others play on.

Twenty seconds; longer under GAMEKIT_LONG, which multiplies the time and goes on with further seeds.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import struct
import time
from pathlib import Path
from typing import Any

from tests.large import memory_kb
from tests.live import LiveServer
from tests.rawclient import RawSocket

SECONDS = 20 * int(os.environ.get("GAMEKIT_LONG", "1"))
SEED = 14
#: Who attack at the same time.
ATTACKERS = 6
#: What the server may grow by while it is attacked, in kilobytes.
GROWTH_KB = 150_000

ODD_NUMBERS = [0, -1, 1.5, 2**31, 2**53, 2**63, 10**30, -(10**18), 1e308, True, None]
ODD_TEXTS = [
    "",
    " ",
    "\0",
    "\ud800",
    "a" * 5000,
    "../..",
    "%00",
    "٣",
    "\u202e",
    "<b>",
    "'; --",
    "@admin",
    "nan",
    "\r\nX: y",
]
METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "G\x00T", "get"]
POSTS = {"new", "join", "commands", "pause", "resume", "speed", "step", "policy", "fork", "import", "skip"}
QUERIES = ["after_seq", "limit", "since_s", "after_s", "tick", "after", "token", "client", "parts", "game", "new_id"]
HEADERS = [
    "Content-Encoding: gzip",
    "Content-Type: multipart/form-data; boundary=x",
    "Content-Type: application/x-www-form-urlencoded",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 7",
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    "Origin: null",
    "Origin: http://localhost",
    "X-Forwarded-For: 1.2.3.4",
    "X-Forwarded-Host: evil.example",
    "Range: bytes=5-2",
    "If-None-Match: *",
    "Accept-Encoding: gzip",
    "Cookie: " + "a=b;" * 300,
    "Host: evil.example",
    "Content-Length: 7",
    "Content-Length: -1",
    "Content-Length: 99999999999999999999",
]


class Attack:
    """Traffic of one attacker, decided by a seed.

    Args:
        seed: decides everything that is sent.
        made: the game that is attacked.
        admin: the server's admin token.
    """

    def __init__(self, seed: int, made: dict[str, Any], admin: str) -> None:
        self.random = random.Random(seed)
        self.made = made
        self.admin = admin

    # --- pieces -----------------------------------------------------------------------------------------------

    def value(self, depth: int = 0) -> Any:
        """Any JSON value, odd ones first of all."""
        choose = self.random.random()
        if depth > 3 or choose < 0.35:
            return self.random.choice(ODD_NUMBERS)
        if choose < 0.7:
            return self.random.choice([*ODD_TEXTS, self.made["id"], self.made["player"], "move", "sirius"])
        if choose < 0.85:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {str(self.value(4)): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def odd(self, value: dict[str, Any]) -> dict[str, Any]:
        """A body in which some fields are something else, missing or new."""
        changed = dict(value)
        for key in value:
            if self.random.random() < 0.3:
                changed[key] = self.value()
            elif self.random.random() < 0.1:
                del changed[key]
        if self.random.random() < 0.1:
            changed[str(self.value(4))] = self.value()
        return changed

    def damaged(self, sent: bytes) -> bytes:
        """Bytes of which some are others, twice there, or missing."""
        data = bytearray(sent)
        for _ in range(self.random.choice([0, 0, 1, 1, 3, 10])):
            at = self.random.randrange(len(data) + 1)
            how = self.random.randrange(4)
            if how == 0 and at < len(data):
                data[at] = self.random.randrange(256)
            elif how == 1:
                data[at:at] = self.random.randbytes(self.random.choice([1, 4, 200]))
            elif how == 2:
                del data[at : at + self.random.choice([1, 5, 50])]
            else:
                data[at:at] = data[max(at - 20, 0) : at]
        return bytes(data)

    def body(self, path: str) -> bytes:
        """A body for a route, more or less what it wants."""
        wanted: dict[str, Any] = {
            "new": {"seed": 1, "name": "Fuzz", "scenario": "starter", "rules": {"fog": False}, "player_name": "Eve"},
            "join": {"name": "Eve"},
            "commands": {"cid": self.random.randrange(1, 99), "body": self.command(), "client": "f"},
            "speed": {"speed": 2.0},
            "step": {"ticks": 3},
            "policy": {"when_empty": "pause", "overload": "dilate"},
            "rules": {"storm_percent": 1},
            "fork": {"tick": 0, "name": "f"},
        }.get(path.rpartition("/")[2], {"a": 1})
        nested = b"[" * 3000 if self.random.random() < 0.02 else b""
        return nested + json.dumps(self.odd(wanted)).encode("utf-8", "surrogatepass")

    def command(self) -> dict[str, Any]:
        """A command, more or less."""
        return self.odd({"type": "move", "ship": "s1", "to": {"sector": "sirius", "x": 0, "y": 0}, "append": True})

    def path(self) -> str:
        """A path of the API, or nearly."""
        game = self.random.choice([self.made["id"]] * 6 + ["none", "..%2f..", "a" * 65, "%ff"])
        routes = ["", "/state", "/join", "/commands", "/latency", "/rules", "/pause", "/resume", "/speed", "/step"]
        routes += ["/policy", "/fork", "/export", "/ws", "/skip", "/nowhere"]
        others = [
            "/api/games",
            "/api/games/import",
            "/api/rules",
            "/api/scenarios",
            "/healthz",
            "/metrics",
            "/web/../x",
        ]
        others += ["/", "/play/x", "/admin", "//", "/api/game/new", "/web/js/app.js"]
        path = (
            f"/api/game/{game}{self.random.choice(routes)}"
            if self.random.random() < 0.7
            else self.random.choice(others)
        )
        if self.random.random() < 0.4:
            pairs = [
                f"{self.random.choice(QUERIES)}={self.random.choice(['1', '-1', 'nan', '%ff', '1e9', '', 'x' * 99])}"
            ]
            path += "?" + "&".join(pairs * self.random.choice([1, 1, 2]))
        return path

    # --- whole things -----------------------------------------------------------------------------------------

    def request(self) -> bytes:
        """One HTTP request, damaged or not."""
        path = self.path()
        body = self.damaged(self.body(path.partition("?")[0])) if self.random.random() < 0.7 else b""
        last = path.partition("?")[0].rpartition("/")[2]
        right = "PATCH" if last == "rules" else "POST" if last in POSTS else "GET"
        method = self.random.choice([right] * 9 + METHODS)
        lines = [f"{method} {path} HTTP/1.{self.random.choice('1110')}", "Host: localhost"]
        # Else the connection stays, and how long to wait for more is not known.
        lines += ["Connection: close"] if self.random.random() < 0.8 else []
        token = self.random.choice([self.made["token"], self.admin, self.admin, "p1.x", "", "\xff"])
        lines.append(f"Authorization: Bearer {token}")
        if self.random.random() < 0.9:
            lines.append(f"Content-Length: {len(body)}")
        lines += self.random.sample(HEADERS, self.random.choice([0, 0, 0, 1, 2, 4]))
        sent = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body
        return self.damaged(sent) if self.random.random() < 0.25 else sent

    def frame(self) -> bytes:
        """One WebSocket frame, damaged or not."""
        said = self.random.choice(
            [
                {"type": "hello", "token": self.made["token"], "client": "f", "resume": {"epoch": 1, "n": 3}},
                {"type": "hello"},
                {"type": "command", "cid": self.random.randrange(1, 300), "body": self.command()},
                {"type": "ping", "t": 1.5},
            ]
        )
        payload = json.dumps(self.odd(said) if self.random.random() < 0.5 else said).encode("utf-8", "surrogatepass")
        if self.random.random() < 0.3:
            payload = self.damaged(payload)
        first = self.random.choice([0x81] * 12 + [0x82, 0x89, 0x8A, 0x88, 0x01, 0x00, 0x80, 0xC1, 0x8F])
        size = len(payload)
        head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0xFE]) + struct.pack("!H", size % 65536)
        mask = self.random.randbytes(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        sent = head + mask + masked
        return self.damaged(sent) if self.random.random() < 0.1 else sent

    # --- the attack -------------------------------------------------------------------------------------------

    async def run(self, port: int, until_s: float, statuses: dict[int, int]) -> None:
        """Attack until the time is over."""
        while time.monotonic() < until_s:
            by_socket = self.random.random() < 0.4
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    if by_socket:
                        await self.by_socket(reader, writer)
                    else:
                        await self.by_http(reader, writer, statuses)
                finally:
                    if self.random.random() < 0.3:
                        writer.transport.abort()
                    writer.close()

    async def by_http(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, statuses: dict[int, int]
    ) -> None:
        sent = b"".join(self.request() for _ in range(self.random.choice([1, 1, 1, 4])))
        writer.write(sent[: len(sent) // 2] if self.random.random() < 0.1 else sent)
        await writer.drain()
        if self.random.random() < 0.5:
            writer.write_eof()
        # Whatever comes, and for how long: a request that is not whole is answered never.
        answer = b""
        with contextlib.suppress(TimeoutError):
            while chunk := await asyncio.wait_for(reader.read(1 << 16), 0.1):
                answer += chunk
                if len(answer) > 1 << 20:
                    break
        for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer):
            statuses[int(status)] = statuses.get(int(status), 0) + 1

    async def by_socket(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"GET /api/game/{self.made['id']}/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        writer.write(b"".join(self.frame() for _ in range(self.random.choice([1, 5, 50, 300]))))
        await asyncio.wait_for(writer.drain(), 1)
        with contextlib.suppress(TimeoutError):
            for _ in range(20):
                await asyncio.wait_for(reader.read(1 << 16), 0.02)


def test_random_traffic_harms_nobody_else(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data", options=("--limit", "games=500")) as server:
        attacked, played = server.new_game(seed=1), server.new_game(seed=2)
        statuses: dict[int, int] = {}

        async def check() -> int:
            until_s = time.monotonic() + SECONDS
            attacks = [
                asyncio.ensure_future(
                    Attack(SEED + number, attacked, server.admin_token).run(server.port, until_s, statuses)
                )
                for number in range(ATTACKERS)
            ]
            player = await RawSocket.open(played["ws_url"], token=played["token"])
            await player.of("snapshot")
            before, most, pings = memory_kb(server.pid), 0, 0
            while not all(attack.done() for attack in attacks):
                pings += 1
                await player.send(type="ping", t=pings)
                await player.of("pong", 10, t=pings)
                most = max(most, memory_kb(server.pid))
                await asyncio.sleep(0.02)
            await asyncio.gather(*attacks)
            await player.close()
            assert most - before < GROWTH_KB
            return pings

        assert asyncio.run(check()) > SECONDS
        # It was an attack, and much of it got through to the routes.
        assert sum(statuses.values()) > 20 * SECONDS
        assert {200, 400, 401, 404} <= set(statuses)
        assert 500 not in statuses, statuses
        # The player's game has gone on, and the attacked one still answers.
        assert server.state(played["id"], played["token"])["tick"] > 5 * SECONDS
        assert server.call("GET", f"/api/game/{attacked['id']}")[0] == 200
    log = server.log.read_text()
    assert "Traceback" not in log, log[-5000:]
    assert " ERROR " not in log, log[-5000:]
    assert len(log) < 50_000
    assert attacked["token"].partition(".")[2] not in log
