"""A wall clock that is wrong by days or years costs no game its time: nothing is lived through that did not pass."""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import Any

import pytest

from gamekit.journal import MemoryJournal, SqliteJournal
from gamekit.server import housekeeping
from gamekit.server.wall import Wall
from tests.virtual import ID, Place, run

DAY_S = 86_400.0
CONFIG = {"rules": {"every_ticks": 1}}


def shifted(place: Place, by_s: float) -> None:
    """Let the wall clock be wrong by so much from the next start on."""
    right = type(place).wall
    place.wall = lambda: right(place) + by_s  # type: ignore[method-assign]


async def restarted(place: Place, by_s: float, **how: Any) -> int:
    """Stop in order, start with the wall clock wrong by so much; the game's tick when it is asked for."""
    await place.host.drain()
    shifted(place, by_s)
    place.journal = MemoryJournal(wall=place.wall, storage=place.journal.storage)
    place.wall = Wall(place.wall, **how) if how else place.wall  # type: ignore[method-assign,assignment]
    place.host = place._host()
    tick = (await place.now()).session.tick
    place.wall = getattr(place.wall, "read", place.wall)  # type: ignore[method-assign]
    return tick


@pytest.mark.parametrize("days", [-10_000, -365, -1, 4, 30, 365, 10_000])
def test_a_wrong_clock_leaves_each_game_where_it_was_and_the_right_one_finds_it_there(
    days: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        place = Place(config=CONFIG)
        await place.join()
        await asyncio.sleep(100)
        before = (await place.now()).session.tick
        wrong = await restarted(place, days * DAY_S)
        assert before <= wrong <= before + 100
        assert place.host.wall.doubt is not None
        assert place.host.wall.doubt.days == pytest.approx(days, abs=0.01)
        # It goes on by the time that really passes, awake and asleep, also over another start with the wrong clock.
        await asyncio.sleep(1_000)
        assert wrong + 10_000 <= (await place.now()).session.tick <= wrong + 10_100
        again = await restarted(place, days * DAY_S)
        assert wrong + 10_000 <= again <= wrong + 10_200
        await asyncio.sleep(50)
        await place.host.drain()
        await asyncio.sleep(3_600)
        right = await restarted(place, 0.0)
        assert place.host.wall.doubt is None
        assert again + 36_500 <= right <= again + 36_700, "the hour in which nothing ran did pass"
        place.stop()

    run(check)
    assert "clock" in caplog.text
    caplog.clear()


HOUR_S = 3_600.0


@pytest.mark.parametrize(
    ("how", "lived_s"),
    [({"trust": True}, 2 * HOUR_S), ({"max_catch_up_s": 2.5 * HOUR_S}, 2 * HOUR_S), ({"skip": True}, 0.0)],
)
def test_an_absence_that_is_long_and_real_counts_as_the_owner_says(
    how: dict[str, Any], lived_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    usual = {"max_catch_up_s": HOUR_S}

    async def check() -> None:
        place = Place(config=CONFIG)
        await place.join()
        await asyncio.sleep(10)
        before = (await place.now()).session.tick
        assert await restarted(place, 2 * HOUR_S, **usual) < before + 100
        after = await restarted(place, 2 * HOUR_S, **(usual | how))
        assert after - before == pytest.approx(lived_s * 10, abs=300)
        assert place.host.wall.doubt is None
        # From here on the clock is believed, and what passes without a server counts again.
        await place.host.drain()
        await asyncio.sleep(600)
        assert await restarted(place, 2 * HOUR_S, **usual) - after == pytest.approx(6_000, abs=300)
        assert place.host.wall.doubt is None
        place.stop()

    run(check)
    caplog.clear()


def test_what_sleeps_for_long_on_a_server_that_is_up_is_what_it_would_have_been_awake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(housekeeping, "ALIVE_S", HOUR_S / 2)

    async def check() -> None:
        place = Place(config=CONFIG)
        await place.join()
        await asyncio.sleep(3 * HOUR_S)
        assert place.asleep
        # It died, so only the sign of life now and then tells that it was up all the time.
        place.stop()
        slept_s = place.loop.time() - 1_000
        right = place.wall
        place.wall = Wall(right, max_catch_up_s=HOUR_S)  # type: ignore[method-assign,assignment]
        place.journal = MemoryJournal(wall=right, storage=place.journal.storage)
        place.host = place._host()
        session = (await place.now()).session
        assert place.host.wall.doubt is None
        assert session.tick == pytest.approx(slept_s * 10, abs=300)
        assert session.state.bumps == session.tick
        place.stop()

    run(check)


@pytest.mark.parametrize("wall_s", [math.nan, math.inf, -math.inf, -1.0, 1e18, 9e300])
def test_a_clock_row_that_is_no_time_stops_nothing(wall_s: float) -> None:
    async def check() -> None:
        place = Place(config=CONFIG)
        await place.join()
        await asyncio.sleep(100)
        assert place.asleep
        book = place.journal.storage.books[ID]
        assert book.clock is not None
        before = book.clock.tick
        book.clock = type(book.clock)(before, wall_s)
        assert (await place.now()).session.tick == before
        place.journal.storage.alive_s = wall_s
        place.crash()
        assert (await place.now()).session.tick < before + 1_000
        place.stop()

    run(check)


def test_what_is_measured_and_made_carries_times_that_are_believed(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        place = Place(config=CONFIG)
        await place.join()
        await restarted(place, 365 * DAY_S)
        await asyncio.sleep(20)
        now_s = type(place).wall(place)
        assert abs(place.host.wall_s() - now_s) < 60
        clock = place.journal.clock(ID)
        assert clock is not None
        assert abs(clock.wall_s - now_s) < 60
        place.stop()

    run(check)
    caplog.clear()


def test_what_is_taken_in_under_a_wrong_clock_is_not_brought_back_by_the_right_one(tmp_path: Path) -> None:
    right = time.time()
    believed = [right - 365 * DAY_S, right]
    path = tmp_path / "gamekit.db"
    with SqliteJournal(path) as journal:
        journal.start(lambda done: None)
        journal.note_alive(right)
    for wall_s in believed:
        wall = Wall(lambda wall_s=wall_s: wall_s)  # type: ignore[misc]
        journal = SqliteJournal(path, wall=wall.now_s)
        journal.start(lambda done: None)
        wall.start(journal, lambda: 0)
        assert wall.now_s() == pytest.approx(right, abs=1)
        journal.close()
