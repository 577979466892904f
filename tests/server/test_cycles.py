"""Connections and requests leave nothing behind that only the garbage collector could find, for it hardly looks."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

from tornado.httpclient import AsyncHTTPClient

from gamekit.server.app import Server
from gamekit.server.settings import Settings
from tests.rawclient import RawSocket

TIMES = 10


def _of_the_server(found: list[object]) -> list[str]:
    """Names of server-side classes among what was collected; the client in this process is not the server's."""
    names = [f"{type(one).__module__}.{type(one).__qualname__}" for one in found]
    wanted = ("gamekit.server.", "gamekit.session.", "tornado.web.", "tornado.httpserver.")
    return sorted({name for name in names if name.startswith(wanted) or name.endswith(".ReadAhead")})


def test_closed_connections_and_answered_requests_are_gone_without_a_collection(tmp_path: Path) -> None:
    async def main() -> list[str]:
        server = Server(Settings(port=0, directory=tmp_path))
        await server.start()
        runner, _ = await server.host.new_game({"scenario": "duel"}, 1, "Test", "Ada")
        url = f"{server.url.replace('http', 'ws')}api/game/{runner.id}/ws?token="

        async def use() -> None:
            socket = await RawSocket.open(url)
            await socket.of("snapshot")
            await socket.close()
            await AsyncHTTPClient().fetch(f"{server.url}api/scenarios")
            while server.sockets:
                await asyncio.sleep(0.001)

        await use()
        gc.collect()
        gc.disable()
        try:
            for _ in range(TIMES):
                await use()
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            return _of_the_server(gc.garbage)
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
            await server.drain()

    assert asyncio.run(asyncio.wait_for(main(), 60)) == []
