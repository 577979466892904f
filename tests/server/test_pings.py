"""Who is gone without a word is let go, and who lives is not: told by pings, through a real socket."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from gamekit.server.app import Server
from gamekit.server.pings import PING, PING_S, Pings
from gamekit.server.settings import Settings
from tests.rawclient import RawSocket

UPGRADE = (
    "GET {} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Connection:
    """A connection that is looked at."""

    def check(self) -> None:
        raise AssertionError("the ring only tells who is due")


def test_each_is_looked_at_in_its_own_second_until_it_is_over() -> None:
    pings = Pings()
    first, second, third = Connection(), Connection(), Connection()
    seen: dict[Connection, list[int]] = {first: [], second: [], third: []}
    for now in range(3 * PING_S + 5):
        for one in pings.due():
            seen[cast(Connection, one)].append(now)
        if now < 3:
            pings.add((first, second, third)[now])
        if now == 2 * PING_S:
            pings.discard(second)
            pings.discard(second)
    assert seen == {
        first: [PING_S, 2 * PING_S, 3 * PING_S],
        second: [PING_S + 1],
        third: [PING_S + 2, 2 * PING_S + 2, 3 * PING_S + 2],
    }


class Client:
    """A client of few words: it takes all it is sent and counts the pings in it; by itself it answers none."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.ended = asyncio.Event()
        self.pinged = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, url: str) -> Client:
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection("127.0.0.1", parts.port)
        writer.write(UPGRADE.format(f"{parts.path}?{parts.query}").encode())
        await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    async def _read(self) -> None:
        while head := await self.reader.read(2):
            if head == PING:
                self.pinged.set()
            size = head[1]
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            await self.reader.readexactly(size)
            if head[0] == 0x88:
                break
        self.ended.set()

    def say(self, head: int) -> None:
        """Send an empty frame."""
        self.writer.write(bytes((head, 0x80, 1, 2, 3, 4)))

    def close(self) -> None:
        self._reading.cancel()
        self.writer.close()


async def _look(server: Server) -> None:
    """All connections are looked at once."""
    for _ in range(PING_S):
        await server.host.housekeeping.second()


async def _heard(server: Server, connections: int) -> None:
    """Wait until so many have been heard of since they were looked at."""
    while sum(getattr(socket.ws_connection, "heard", False) for socket in server.sockets) < connections:
        await asyncio.sleep(0.001)


def test_who_gives_no_sign_of_life_is_let_go_and_who_does_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        server = Server(Settings(port=0, directory=tmp_path))
        await server.start()
        runner, _ = await server.host.new_game({"scenario": "duel"}, 1, "Test", "Ada")
        url = f"{server.url.replace('http', 'ws')}api/game/{runner.id}/ws?token="
        mute, answering = await Client.open(url), await Client.open(url)
        library = await RawSocket.open(url)
        reading = asyncio.create_task(library.closed())
        while len(runner.sockets) < 3:
            await asyncio.sleep(0.001)

        await _look(server)
        await asyncio.gather(mute.pinged.wait(), answering.pinged.wait())
        answering.say(0x8A)
        await _heard(server, 2)
        answering.pinged.clear()
        await _look(server)
        await mute.ended.wait()
        assert not answering.ended.is_set()
        assert not reading.done()
        assert not answering.pinged.is_set(), "who was just heard is not asked"

        await _look(server)
        await answering.pinged.wait()
        await _heard(server, 1)
        await _look(server)
        await answering.ended.wait()
        assert not reading.done()
        mute.close()
        answering.close()
        await asyncio.gather(server.drain(), reading)
        assert not any(server.host.pings.due() for _ in range(PING_S)), "who is gone is forgotten"

    asyncio.run(asyncio.wait_for(main(), 60))
