"""One broken thing stays one broken thing: a reset connection, a fault in the rules, a damaged snapshot."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import struct
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tornado.iostream import StreamClosedError

from gamekit.game import Command, Event, PlayerId, Rejected, Tick
from gamekit.server.app import Server
from gamekit.server.settings import Settings
from tests.counter_game import CounterGame, CounterState
from tests.live import LiveServer
from tests.rawclient import RawSocket
from tests.server.test_slow import frame, unread_socket


def test_connections_that_are_reset_under_way_stop_nobody_else(server: LiveServer) -> None:
    made = server.new_game(seed=1)

    async def check() -> None:
        good = await RawSocket.open(made["ws_url"], token=made["token"], client="good")
        ships = (await good.of("snapshot"))["view"]["ships"]
        [ship] = [id_ for id_, ship in ships.items() if ship["owner"] == made["player"]]
        for round_ in range(10):
            bad = await unread_socket(server, made["id"])
            with contextlib.suppress(StreamClosedError):
                for _ in range(5):
                    await bad.write(frame({"type": "hello"}))
            # A reset instead of a goodbye.
            bad.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            bad.close()
            order = {"type": "move", "ship": ship, "to": {"sector": "sirius", "x": round_, "y": 0}}
            await good.send(type="command", cid=round_ + 1, body=order)
            await good.of("ack", cid=round_ + 1)
        await good.close()

    asyncio.run(check())
    assert server.state(made["id"])["tick"] > 0


class BrittleGame(CounterGame):
    """A counter whose rules fail when it reaches `fails_at`."""

    fails_at = 10**9

    def advance(self, state: CounterState, to_tick: Tick) -> list[Event]:
        """Fail in the middle."""
        events = super().advance(state, to_tick)
        if state.value >= self.fails_at:
            state.value += 1_000_000
            raise ZeroDivisionError("a fault in the rules")
        return events

    def apply(self, state: CounterState, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Fail as well, and in a way that could be mistaken."""
        if state.value >= self.fails_at:
            raise KeyError("a fault in the rules")
        return super().apply(state, player, command)


@contextlib.asynccontextmanager
async def serving(directory: Path, game: Any) -> AsyncIterator[Server]:
    """A server in this process, drained at the end."""
    server = Server(Settings(port=0, directory=directory), games={"counter": game})
    await server.start()
    try:
        yield server
    finally:
        await server.drain()


def test_a_fault_in_the_rules_stops_one_game_and_harms_its_history_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    game = BrittleGame()
    config: Mapping[str, Any] = {"rules": {"every_ticks": 1}}

    async def check() -> None:
        async with serving(tmp_path, game) as server:
            sick, player = await server.host.new_game(config, 1, "Sick", "Ada")
            well, _ = await server.host.new_game(config, 2, "Well", "Bob")
            token = server.tokens.of(sick.id, PlayerId(player))
            watcher = await RawSocket.open(f"{server.url.replace('http', 'ws')}api/game/{sick.id}/ws", token=token)
            await watcher.of("snapshot")
            game.fails_at = sick.session.state.value + 5
            assert await watcher.closed() == 1013
            shown = [m["changes"]["counters"]["main"]["value"] for m in watcher.messages if m["type"] == "delta"]
            assert all(value < game.fails_at for value in shown), "half-done work was shown"
            outcome = await server.host.command(sick, PlayerId(player), "c", 1, {"type": "reset"})
            assert outcome.code == "unavailable"
            assert well.ended is None or sick.ended is not None
        game.fails_at = 10**9
        async with serving(tmp_path, game) as server:
            again = await server.host.runner(sick.id)
            assert again.session.state.value < 1_000_000, "the fault was made durable"

    asyncio.run(check())
    assert "a fault in the rules" in caplog.text
    caplog.clear()


def test_a_damaged_latest_snapshot_only_means_a_longer_replay(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    with server:
        made = server.new_game(seed=1)
        tick = server.state(made["id"])["tick"]
    with sqlite3.connect(tmp_path / "data" / "gamekit.db") as connection:
        last = "(select max(rowid) from snapshots)"
        assert connection.execute(f"update snapshots set data = x'00' where rowid = {last}").rowcount == 1
    connection.close()
    with server:
        assert server.state(made["id"], made["token"])["tick"] >= tick
