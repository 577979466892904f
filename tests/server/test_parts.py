"""Large messages in parts: the same content for those who ask, whole for the others, and in time on a slow line."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from typing import Any

import msgspec
import pytest
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from gamekit.client import link as link_module
from gamekit.client.link import Link
from gamekit.errors import ServerError
from gamekit.server.frames import frame
from gamekit.server.parts import PART_BYTES, WHOLE_BYTES, framed
from tests.live import LiveServer
from tests.rawclient import RawSocket
from tests.slowline import SlowLine

#: A galaxy whose picture is large, and which does not move of itself.
LARGE = {"scenario": "crowded", "seed": 3}


@pytest.fixture(scope="module")
def large(server: LiveServer) -> dict[str, Any]:
    """One large game, paused."""
    made = server.new_game(**LARGE)
    server.admin(made["id"], "pause")
    return made


async def picture(made: dict[str, Any], query: str, protocols: list[str]) -> tuple[dict[str, Any], int]:
    """The first picture of a player, put together by hand, and in how many messages it came."""
    connection = await websocket_connect(
        HTTPRequest(f"{made['ws_url']}?token={made['token']}{query}"), subprotocols=protocols, max_message_size=1 << 26
    )
    decode = msgspec.msgpack.decode if protocols else json.loads
    data, count = b"", 0
    while True:
        message = decode(await connection.read_message())  # type: ignore[arg-type]
        count += 1
        if message["type"] == "part":
            piece = message["data"] if protocols else base64.b64decode(message["data"])
            assert len(piece) <= PART_BYTES
            data += piece
            if message["i"] == message["of"]:
                message = decode(zlib.decompress(data))  # type: ignore[arg-type]
        if message["type"] == "snapshot":
            connection.close()
            while await connection.read_message() is not None:
                pass
            return message, count


@pytest.mark.parametrize("protocols", [[], ["gamekit.msgpack"]], ids=["json", "msgpack"])
def test_who_asks_gets_parts_and_who_does_not_gets_the_whole_of_the_same(
    large: dict[str, Any], protocols: list[str]
) -> None:
    async def check() -> None:
        whole, one = await picture(large, "", protocols)
        again, many = await picture(large, "&parts=deflate", protocols)
        unknown, _ = await picture(large, "&parts=other", protocols)
        assert (one, many > 5) == (2, True)
        assert again == whole == unknown
        assert whole["view"]["players"][large["player"]]["credits"] > 0, "it is the player's own view"

    asyncio.run(check())


def test_small_messages_stay_whole() -> None:
    small = b'"' + b"x" * (WHOLE_BYTES - 2) + b'"'
    assert framed(small, binary=False, parts=True) == frame(small, binary=False)
    larger = b'"' + b"x" * WHOLE_BYTES + b'"'
    assert framed(larger, binary=False, parts=False) == frame(larger, binary=False)
    assert len(framed(larger, binary=False, parts=True)) < 1000


def link_through(line: SlowLine, made: dict[str, Any]) -> Link:
    """The Python client's connection over a slow line."""
    return Link(f"ws://127.0.0.1:{line.port}/api/game/{made['id']}/ws", made["token"], "py")


def test_a_picture_that_takes_longer_than_the_watch_for_silence_arrives_on_one_connection(
    server: LiveServer, large: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # 39 kB in parts of 5.5 kB: each takes a quarter of a second, all together eight times the patience.
    monkeypatch.setattr(link_module, "SILENCE_S", 0.5)

    async def check() -> None:
        async with SlowLine(server.url, 20_000) as line:
            link = link_through(line, large)
            parts_of: list[float] = []
            async with asyncio.timeout(60):
                while (seen := link.seen) is None:
                    await link.moved()
                    parts_of += [link.receiving or 0.0]
            assert line.sockets == 1
            assert len(set(parts_of)) > 3
            assert len(seen.view["ships"]) > 1000
            await link.close()

    asyncio.run(check())


def test_a_picture_that_is_cut_in_the_middle_comes_again_whole_and_commands_go_on(
    server: LiveServer, large: dict[str, Any]
) -> None:
    async def check() -> None:
        async with SlowLine(server.url, 200_000) as line:
            line.cut_after = 20_000
            link = link_through(line, large)
            seen = await link.attached(60)
            assert line.sockets == 2
            assert len(seen.view["ships"]) > 1000
            order = link.order({"type": "no such command"})
            with pytest.raises(Exception, match="could not be read"):
                await order
            await link.close()

    asyncio.run(check())


def test_whoever_waits_for_a_picture_waits_while_more_of_it_comes_and_is_told_how_far_it_came(
    server: LiveServer, large: dict[str, Any]
) -> None:
    async def check() -> None:
        async with SlowLine(server.url, 40_000) as line:
            link = link_through(line, large)
            await link.attached(0.5)
            await link.close()
        async with SlowLine(server.url, 8_000) as line:
            link = link_through(line, large)
            while link.receiving is None:
                await asyncio.sleep(0.02)
            line._bytes_per_s = 1
            with pytest.raises(ServerError, match=r"its picture stopped at \d+ %"):
                await link.attached(0.5)
            await link.close()

    asyncio.run(check())


def test_a_resumed_connection_gets_no_picture_and_a_lost_position_gets_one_in_parts(large: dict[str, Any]) -> None:
    async def check() -> None:
        url = f"{large['ws_url']}?parts=deflate"
        first = await RawSocket.open(url, token=large["token"], client="r")
        epoch = (await first.of("welcome"))["epoch"]
        await first.until(lambda message: message["type"] == "part" and message["i"] == message["of"])
        data = b"".join(base64.b64decode(one["data"]) for one in first.messages if one["type"] == "part")
        position = {"epoch": epoch, "n": json.loads(zlib.decompress(data))["n"]}
        second = await RawSocket.open(url, token=large["token"], client="r", resume=position)
        await second.of("welcome")
        await second.send(type="ping", t=1)
        await second.of("pong")
        assert [one["type"] for one in second.messages if one["type"] == "part"] == []
        third = await RawSocket.open(url, token=large["token"], client="r", resume={"epoch": epoch, "n": 99_999})
        await third.of("part")
        for socket in (first, second, third):
            socket.connection.close()
            await socket.closed()

    asyncio.run(check())
