"""Every second all games are looked after, and none of them waits for it."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, cast

import pytest

from gamekit.server.housekeeping import A_TURN
from tests.virtual import ID, Place, run

GAMES = 10 * A_TURN


class Quiet:
    """A runner of which nothing is known but that it speaks."""

    def __init__(self, heard: list[Quiet], *, broken: bool = False) -> None:
        self.id = "quiet"
        self.beat_at = 0
        self.heard = heard
        self.broken = broken

    def beat(self) -> None:
        """Say a word."""
        if self.broken:
            raise RuntimeError("a fault of the host")
        self.heard.append(self)


def test_others_have_their_turn_while_a_second_is_spent_on_many_games() -> None:
    async def main() -> tuple[list[int], int]:
        place = Place()
        heard: list[Quiet] = []
        for _ in range(GAMES):
            place.host.beats.plan(cast(Any, Quiet(heard)), 1)
        turns = [0]

        async def look_on() -> None:
            while len(heard) < GAMES:
                turns.append(len(heard))
                await asyncio.sleep(0)
            turns.append(len(heard))

        looking = asyncio.create_task(look_on())
        await place.host.housekeeping.second()
        await looking
        place.stop()
        return turns, len(heard)

    turns, heard = run(main)
    assert heard == GAMES
    assert max(after - before for before, after in pairwise(turns)) <= A_TURN


def test_one_that_fails_is_alone_with_it(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> tuple[int, int]:
        place = Place(config={"rules": {"every_ticks": 1}})
        await place.connect(await place.join())
        heard: list[Quiet] = []
        for number in range(5):
            place.host.beats.plan(cast(Any, Quiet(heard, broken=number == 2)), 1)
        await asyncio.sleep(3)
        rows = len(place.journal.latency(ID))
        place.stop()
        return len(heard), rows

    heard, rows = run(main)
    assert heard == 4
    assert rows >= 2, "measured times were lost with it"
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_an_overloaded_game_that_left_memory_meanwhile_is_not_overloaded_for_ever() -> None:
    async def main() -> list[int]:
        place = Place(config={"rules": {"every_ticks": 1}})
        await place.connect(await place.join())
        runner = await place.runner()
        housekeeping = place.host.housekeeping
        counted = []
        for there in (True, False):
            runner.load.active = True
            housekeeping.measured[runner] = None
            if not there:
                place.host.forget(runner)
                housekeeping.measured[runner] = None
            await housekeeping.second()
            counted.append(len(housekeeping.overloaded))
        place.stop()
        return counted

    assert run(main) == [1, 0]


def test_a_game_that_fell_asleep_meanwhile_is_not_considered_again() -> None:
    async def main() -> bool:
        place = Place(sleep_after_s=1)
        runner = await place.runner()
        await asyncio.sleep(5)
        # It raises when it reads a session that is not there.
        place.host.dormitory.consider(runner)
        place.stop()
        return place.asleep and runner.asleep

    assert run(main)
