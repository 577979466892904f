"""Connections that wait, creep or never read keep nobody out: caps, deadlines, and a process without descriptors."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from gamekit.server import connections, held
from gamekit.server.connections import BoundedServer, room_for_connections
from tests.live import LiveServer

ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.contextmanager
def limited(directory: Path, descriptors: int, *options: str) -> Iterator[LiveServer]:
    """A server that may have so many descriptors open."""
    server = LiveServer(directory, options=options)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    server.start()
    # From outside, and once it runs: the limit of this process is not touched.
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (descriptors, limits[1]))
    try:
        yield server
    finally:
        server.stop()


def opened(server: LiveServer, number: int, said: bytes = b"") -> list[socket.socket]:
    """So many connections, each of which says something and then nothing."""
    lines = []
    for _ in range(number):
        line = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        with contextlib.suppress(OSError):
            line.sendall(said)
        lines.append(line)
    return lines


def cpu_s(pid: int) -> float:
    """Processor time of a process, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize(
    ("said", "cap"),
    [(b"", "1000"), (b"GET /healthz HTTP/1.1\r\nHost: loc", "20"), (ASK, "20")],
    ids=["silent, and a limit that the server meets before its cap", "half a head", "asked"],
)
def test_eighty_idle_connections_keep_nobody_out_under_a_low_limit_of_descriptors(
    tmp_path: Path, said: bytes, cap: str
) -> None:
    with limited(tmp_path / "data", 64, "--max-connections", cap) as server:
        made = server.new_game()
        lines = opened(server, 80, said)
        before_s, before_log = cpu_s(server.pid), server.log.stat().st_size
        for _ in range(3):
            assert server.state(made["id"], made["token"])["view"]
        # An accept loop that spins writes megabytes, and takes all of a core.
        assert server.log.stat().st_size - before_log < 2_000
        assert cpu_s(server.pid) - before_s < 2
        assert "Traceback" not in server.log.read_text()
        for line in lines:
            line.close()
        assert server.state(made["id"], made["token"])["view"]


def test_the_cap_follows_the_limit_of_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, room in ((64, 32), (256, 128), (1024, 896), (resource.RLIM_INFINITY, 20_000), (1_000_000, 20_000)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert room_for_connections() == room


class Slow(RequestHandler):
    """Answers at once, largely, or never."""

    def initialize(self, never: asyncio.Event) -> None:
        self.never = never

    async def get(self, what: str) -> None:
        if what == "large":
            self.write(b"x" * 8_000_000)
        elif what == "never":
            await self.never.wait()
        else:
            self.write("ok")

    def post(self, _: str) -> None:
        self.write("ok")


@contextlib.asynccontextmanager
async def serving(**options: Any) -> Any:
    """A bounded server in this loop, and its port."""
    never = asyncio.Event()
    server = BoundedServer(
        Application([(r"/(.*)", Slow, {"never": never})]),
        **{"most": 100, "per_address": None, "idle_s": 30.0, "uncapped": lambda _: False, **options},
    )
    listening, port = bind_unused_port("127.0.0.1")
    server.add_sockets([listening])
    assert isinstance(server, HTTPServer)
    try:
        yield server, port
    finally:
        never.set()
        server.stop()
        await server.close_all_connections()


async def line_to(port: int, said: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that has said something."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    await writer.drain()
    return reader, writer


def asked(what: str) -> bytes:
    return f"GET /{what} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


async def ends(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes."""
    try:
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionResetError:
        return b""


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HT",
        asked("quick"),
        asked("quick") + b"GET /a",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
    ],
    ids=["silent", "half a head", "idle", "half of the next", "half a body", "half a chunk"],
)
def test_a_connection_that_keeps_the_server_waiting_is_closed(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "HEAD_S", 0.2)
    monkeypatch.setattr(connections, "BODY_S", 0.3)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)

    async def check() -> None:
        async with serving(idle_s=0.5) as (server, port):
            reader, writer = await line_to(port, said)
            patient, its_writer = await line_to(port, asked("never"))
            answer = await ends(reader)
            assert answer.count(b"200 OK") == said.count(b"quick")
            writer.close()
            # One whose answer is awaited is not idle.
            assert server.open_connections == 1
            its_writer.close()
            await ends(patient)

    asyncio.run(check())


def test_a_head_that_creeps_in_is_closed_though_each_byte_comes_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "HEAD_S", 0.3)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)

    async def check() -> None:
        async with serving() as (_, port):
            reader, writer = await line_to(port)
            closed = asyncio.ensure_future(ends(reader))
            while not closed.done():
                with contextlib.suppress(ConnectionError):
                    writer.write(b"a")
                    await writer.drain()
                await asyncio.wait([closed], timeout=0.02)
            writer.close()

    asyncio.run(asyncio.wait_for(check(), 30))


def test_an_answer_that_is_not_read_is_given_up_and_one_that_is_read_slowly_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held, "UNREAD_S", 0.5)
    monkeypatch.setattr(connections, "LOOK_S", 0.05)

    async def check() -> None:
        async with serving() as (server, port):
            plain = socket.socket()
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            plain.connect(("127.0.0.1", port))
            plain.sendall(asked("large"))
            reader, writer = await line_to(port, asked("large"))
            began_s, got = time.monotonic(), 0
            while got < 8_000_000:
                piece = await reader.read(200_000)
                assert piece, "closed while it was read"
                got += len(piece)
                if time.monotonic() - began_s < 1.5:
                    await asyncio.sleep(0.05)
            async with asyncio.timeout(30):
                while server.open_connections > 1:
                    await asyncio.sleep(0.01)
            plain.close()
            writer.close()

    asyncio.run(check())


def test_where_the_cap_is_reached_who_waits_longest_makes_room_and_who_works_stays() -> None:
    async def check() -> None:
        async with serving(most=4) as (server, port):
            busy = [await line_to(port, asked("never")) for _ in range(2)]
            first = await line_to(port, asked("quick"))
            assert b"200 OK" in await first[0].readuntil(b"ok")
            second = await line_to(port, asked("quick"))
            assert b"200 OK" in await second[0].readuntil(b"ok")
            third = await line_to(port, asked("quick"))
            assert b"200 OK" in await third[0].readuntil(b"ok")
            assert await ends(first[0]) == b""
            assert server.open_connections == 4
            # Nobody is idle any more: the next one is told so.
            more = [await line_to(port, asked("never")) for _ in range(2)]
            assert await ends(second[0]) == await ends(third[0]) == b""
            refused = await line_to(port)
            assert (await ends(refused[0])).startswith(b"HTTP/1.1 503")
            assert server.refused == 1
            for _, writer in (*busy, *more, first, second, third, refused):
                writer.close()

    asyncio.run(check())


def test_an_address_has_a_cap_of_its_own_and_a_proxy_has_none() -> None:
    async def check(uncapped: bool) -> tuple[int, int]:
        async with serving(per_address=3, uncapped=lambda _: uncapped) as (server, port):
            lines = []
            async with asyncio.timeout(30):
                for number in range(1, 6):
                    lines.append(await line_to(port, asked("never")))
                    # Each is at work before the next one comes, so none of them may make room.
                    while sum(one.busy for one in server._held.values()) + server.refused < number:
                        await asyncio.sleep(0.01)
            counts = (server.open_connections, server.refused)
            for _, writer in lines:
                writer.close()
        return counts

    assert asyncio.run(check(False)) == (3, 2)
    assert asyncio.run(check(True)) == (5, 0)


def test_a_stranger_that_pipelines_without_end_is_read_no_further_than_one_buffer() -> None:
    async def check() -> None:
        async with serving() as (_, port):
            _, writer = await line_to(port, asked("never"))
            flood = asked("never") * 1_000
            sent = 0
            with contextlib.suppress(TimeoutError, ConnectionError):
                while sent < 64_000_000:
                    writer.write(flood)
                    await asyncio.wait_for(writer.drain(), 1)
                    sent += len(flood)
            # Whatever was taken lies in the buffers of the system, not in the server's.
            assert sent < 32_000_000
            writer.transport.abort()

    asyncio.run(check())


def test_bodies_that_are_on_their_way_are_bounded_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BODIES_BYTES", 100_000)

    async def check() -> None:
        async with serving() as (server, port):
            head = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40001\r\n\r\n"
            half = [await line_to(port, head + b"x" * 40_000) for _ in range(2)]
            async with asyncio.timeout(30):
                while server.body_bytes < 80_000:
                    await asyncio.sleep(0.01)
            third = await line_to(port, head + b"x" * 40_000)
            assert (await ends(third[0])).startswith(b"HTTP/1.1 400")
            # What is whole, or gone, is held no longer.
            half[0][1].write(b"x")
            assert b"200 OK" in await half[0][0].readuntil(b"ok")
            half[1][1].close()
            async with asyncio.timeout(30):
                while server.body_bytes:
                    await asyncio.sleep(0.01)
            half[0][1].close()
            third[1].close()

    asyncio.run(check())
