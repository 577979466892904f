"""A game that lives more slowly than its clock runs is not made up for without end: it is awake, and late."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from gamekit.game import Event, GameId, Tick
from gamekit.history import first_session, stored
from gamekit.journal import Clock, GameRow, MemoryJournal
from gamekit.server import sleep
from gamekit.server.host import Host
from tests.counter_game import CounterGame

ID = GameId("slow")


class BurningGame(CounterGame):
    """One whose every tick computes for 5 ms: 200 ticks in a second, where ten pass."""

    def advance(self, state: Any, to: Tick) -> list[Event]:
        """Time passes, with work."""
        until_s = time.thread_time() + 0.005 * (to - state.tick)
        while time.thread_time() < until_s:
            pass
        return super().advance(state, to)


@pytest.mark.parametrize(("speed", "late"), [(100.0, True), (1.0, False)])
def test_making_up_ends_for_a_game_that_will_never_be_done(
    speed: float, late: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sleep, "HOPELESS_AFTER_S", 0.2)
    monkeypatch.setattr(sleep, "STEP_S", 0.1)
    game = BurningGame()
    journal = MemoryJournal()
    row = GameRow(ID, game.name, game.version, "Slow", json.dumps({"rules": {"every_ticks": 1}}), 1, time.time())
    first = first_session(game, row)
    first.speed = speed

    async def check() -> None:
        host = Host(journal, {game.name: game})
        host.start()
        journal.create(row, stored(first, first.snapshot(), tick=0, seq=0))
        journal.storage.books[ID].clock = Clock(0, time.time() - 20)
        runner = await asyncio.wait_for(host.runner(ID), 60)
        lag = runner.clock.tick_at(host.now_us()) - runner.session.tick
        clock = journal.clock(ID)
        assert clock is not None
        assert 0 < runner.session.tick <= clock.tick
        assert (lag > 10_000) == late
        await host.drain()

    asyncio.run(check())
    assert ("lives more slowly" in caplog.text) == late
    caplog.clear()
