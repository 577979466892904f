"""A client that does not read is put aside and in the end disconnected; the others notice nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
import urllib.request

from tornado.iostream import IOStream, StreamClosedError

from tests.large import large_game
from tests.live import LiveServer
from tests.rawclient import RawSocket


async def unread_socket(server: LiveServer, game: str) -> IOStream:
    """A WebSocket that was opened by hand and whose receive buffer is tiny."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream = IOStream(plain)
    await stream.connect(("127.0.0.1", server.port))
    await stream.write(
        f"GET /api/game/{game}/ws HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    await stream.read_until(b"\r\n\r\n")
    return stream


def frame(message: object) -> bytes:
    """A masked text frame, as clients send them (RFC 6455, section 5.2)."""
    payload = json.dumps(message).encode()
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def counter(server: LiveServer, name: str) -> float:
    """One metric's value."""
    with urllib.request.urlopen(server.url + "metrics") as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
    raise AssertionError(f"no metric {name}")


def test_a_client_that_never_reads_is_put_aside_then_disconnected(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    before = counter(server, "gamekit_slow_clients_total")

    async def check() -> None:
        good = await RawSocket.open(made["ws_url"], token=made["token"])
        await good.of("snapshot")
        bad = await unread_socket(server, made["id"])
        connected = counter(server, "gamekit_connections")
        # Every hello is answered with a snapshot; none of them is read.
        with contextlib.suppress(StreamClosedError):
            for number in range(600):
                await bad.write(frame({"type": "hello"}))
                if number % 20 == 0:
                    await good.send(type="ping", t=number)
                    await good.of("pong", t=number)
        async with asyncio.timeout(60):
            while counter(server, "gamekit_connections") >= connected:
                await good.send(type="ping", t=-2)
                await good.of("pong", t=-2)
        bad.close()
        await good.send(type="ping", t=-1)
        await good.of("pong", t=-1)
        await good.close()

    asyncio.run(check())
    assert counter(server, "gamekit_slow_clients_total") > before


def test_a_snapshot_larger_than_every_mark_is_no_slowness(server: LiveServer) -> None:
    made = large_game(server)
    before = counter(server, "gamekit_slow_clients_total")

    async def check() -> None:
        line = await unread_socket(server, made["id"])
        await line.write(frame({"type": "hello", "token": made["token"]}))
        got, began_s = 0, time.monotonic()
        # At 12 MB a second, in pieces, as over a good line that is not this machine's own; the whole of it.
        while got < 5_300_000:
            got += len(await line.read_bytes(60_000, partial=True))
            await asyncio.sleep(max(began_s + got / 12_000_000 - time.monotonic(), 0))
        # It is connected still: it is answered, not told to come again.
        await line.write(frame({"type": "ping", "t": 4711}))
        async with asyncio.timeout(30):
            await line.read_until(b'"t":4711')
        line.close()

    asyncio.run(check())
    assert counter(server, "gamekit_slow_clients_total") == before
