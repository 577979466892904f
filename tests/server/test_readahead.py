"""Frames read ahead arrive whole and in order, however the bytes were torn, and no more is read than may be."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from gamekit.bench.wirefast import masked
from gamekit.server.readahead import CHUNK_BYTES, ReadAhead

MESSAGES = [b"a", b"b" * 125, b"c" * 126, b"", b"d" * 60_000, b"e" * 3]
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
_END, _PING, _CONTINUATION = b"end", 0x89, 0x80


class Listener(WebSocketHandler):
    """Keeps what it is told; as long as `held` is not set, after the first message it takes no other."""

    def initialize(self, got: list[bytes], held: asyncio.Event, whole: asyncio.Event, seen: list[Any]) -> None:
        self.got, self.held, self.whole, self.seen = got, held, whole, seen

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        protocol = super().get_websocket_protocol()
        assert isinstance(protocol, WebSocketProtocol13)
        self.seen.append(ReadAhead(self, mask_outgoing=False, params=protocol.params))
        return self.seen[-1]  # type: ignore[no-any-return]

    def control_frame(self) -> None:
        """Pings and pongs cost nothing here."""

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        self.got.append(message.encode() if isinstance(message, str) else message)
        if self.got[-1] == _END:
            self.whole.set()
        return None if self.held.is_set() else self._wait()

    async def _wait(self) -> None:
        await self.held.wait()


async def received(stream: bytes, step: int, together: bool, hold: bool = False) -> tuple[list[bytes], int]:
    """What a listener makes of a stream of bytes that comes in steps, and how much was held while it did not listen."""
    got: list[bytes] = []
    seen: list[Any] = []
    held, whole = asyncio.Event(), asyncio.Event()
    if not hold:
        held.set()
    shared = {"got": got, "held": held, "whole": whole, "seen": seen}
    listening, port = bind_unused_port("127.0.0.1")
    server = HTTPServer(Application([(r"/", Listener, shared)]))
    server.add_sockets([listening])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPGRADE + stream if together else UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    if not together:
        for at in range(0, len(stream), step):
            writer.write(stream[at : at + step])
            if step < 50:
                await writer.drain()
                await asyncio.sleep(0)
    most = 0
    if hold:
        # All that the system takes: the rest waits at the client.
        while not got:
            await asyncio.sleep(0.001)
        for _ in range(50):
            await asyncio.sleep(0.001)
            most = max(most, len(seen[0]._ahead) - seen[0]._had + seen[0].stream._read_buffer_size)
        held.set()
    await asyncio.wait_for(whole.wait(), 30)
    writer.close()
    server.stop()
    await server.close_all_connections()
    return got, most


@pytest.mark.parametrize("step", [1, 7, 10_000_000])
def test_frames_are_put_together_however_they_were_torn(step: int) -> None:
    messages = MESSAGES if step > 7 else MESSAGES[:4]
    stream = b"".join(masked(message) for message in messages)
    # A message in two fragments with a ping between them.
    first = bytearray(masked(b"one "))
    first[0] &= 0x7F
    stream += bytes(first) + masked(b"?", _PING) + masked(b"two", _CONTINUATION) + masked(_END)
    got, _ = asyncio.run(received(stream, step, together=False))
    assert got == [*messages, b"one two", _END]


def test_what_came_with_the_handshake_is_not_lost() -> None:
    stream = b"".join(masked(message) for message in [*MESSAGES[:3], _END])
    got, _ = asyncio.run(received(stream, 0, together=True))
    assert got == [*MESSAGES[:3], _END]


def test_a_client_whose_messages_have_to_wait_is_not_read_any_further() -> None:
    stream = b"".join([masked(b"x" * 1_000)] * 5_000) + masked(_END)
    got, most = asyncio.run(received(stream, len(stream), together=False, hold=True))
    assert len(got) == 5_001
    assert most <= 3 * CHUNK_BYTES
