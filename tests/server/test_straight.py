"""Frames that go straight to the kernel arrive whole and in order, whether or not it takes them."""

from __future__ import annotations

import asyncio
import socket

import pytest
from tornado.iostream import IOStream, StreamClosedError

from gamekit.server.straight import write_straight

FRAMES = [
    bytes([65 + number % 26]) * size for number, size in enumerate((10, 300_000, 5, 1, 900_000, 0, 70, 2_000_000))
]


def test_what_the_kernel_does_not_take_waits_in_order() -> None:
    async def main() -> tuple[list[int], bytes]:
        ours, theirs = socket.socketpair()
        stream, reader = IOStream(ours), IOStream(theirs, max_buffer_size=10_000_000)
        waiting = [write_straight(stream, frame) for frame in FRAMES]
        got = await reader.read_bytes(sum(map(len, FRAMES)))
        # Nothing waits any more: the next one goes straight again.
        waiting.append(write_straight(stream, b"end"))
        got += await reader.read_bytes(3)
        stream.close()
        reader.close()
        return waiting, got

    waiting, got = asyncio.run(main())
    assert got == b"".join(FRAMES) + b"end"
    assert (waiting[0], waiting[-1]) == (0, 0)
    assert 0 < waiting[1] < len(FRAMES[1])
    assert waiting[2] == waiting[1] + len(FRAMES[2])


def test_an_idle_socket_costs_no_future_and_no_buffer() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        stream = IOStream(ours)
        for _ in range(10):
            assert write_straight(stream, b"x" * 200) == 0
        assert stream._total_write_index == 0, "the stream's own buffer was not needed"
        stream.close()
        theirs.close()

    asyncio.run(main())


def test_a_broken_connection_is_found_out_by_the_stream() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        stream = IOStream(ours)
        theirs.close()
        write_straight(stream, b"x")
        assert stream.closed()
        with pytest.raises(StreamClosedError):
            write_straight(stream, b"x")

    asyncio.run(main())
