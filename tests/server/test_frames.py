"""Frames made once are what a WebSocket library reads, at every length that changes their form."""

from __future__ import annotations

import asyncio
import json

import pytest

from gamekit.server.frames import frame
from tests.live import LiveServer
from tests.rawclient import RawSocket


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_the_head_tells_kind_and_length(size: int, head: bytes) -> None:
    assert frame(b"x" * size, binary=False) == head + b"x" * size
    assert frame(b"x" * size, binary=True)[0] == 0x82


def test_a_real_client_reads_small_and_large_messages(server: LiveServer) -> None:
    made = server.new_game(scenario="procedural:300", seed=1)

    async def check() -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"])
        snapshot = await socket.of("snapshot")
        assert len(json.dumps(snapshot)) > 65536
        assert len(snapshot["view"]["sectors"]) == 300
        await socket.send(type="ping", t=1)
        await socket.of("pong", t=1)
        await socket.close()

    asyncio.run(check())
