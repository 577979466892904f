"""What was live when a server died is live again before anybody asks, as its history tells it."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from benchmarks.sleeping import children, make, metric, reserved_after
from gamekit.game import GameId
from gamekit.history import rebuild, verify
from gamekit.journal import SqliteReader, digest_of
from gamekit.server.openings import BATCH_GAMES
from gamekit.space import SpaceGame
from tests.live import LiveServer, until
from tests.virtual import ID, Place, run

GAMES = 50
COMMANDS = 8


@pytest.mark.parametrize("killed", [False, True], ids=["replayers", "replayers-killed"])
def test_live_games_come_back_by_themselves_as_their_history_tells(tmp_path: Path, killed: bool) -> None:
    directory = tmp_path / "data"
    ids = make(directory, GAMES, COMMANDS)
    with LiveServer(directory) as server:
        if killed:
            until(lambda: bool(children(server.pid)) or metric(server, "gamekit_wakes_total") == GAMES)
            for child in children(server.pid):
                os.kill(child, signal.SIGKILL)
        until(lambda: metric(server, "gamekit_wakes_total") == GAMES)
        until(lambda: not children(server.pid))
        assert metric(server, "gamekit_sessions") == GAMES
        tick = server.state(ids[7])["tick"]
        assert tick >= reserved_after(COMMANDS), "what was shown before the death lies behind"
    assert " ERROR " not in server.log.read_text()
    assert server.log.read_text().count(f"{GAMES} games that were live") == 1
    with SqliteReader(directory / "gamekit.db") as reader:
        for row in reader.games():
            # Snapshots were made of what the replayers sent; each must be what the history gives.
            [*_, verdict] = verify(reader, row, SpaceGame())
            assert verdict.problem is None
            assert verdict.snapshots == 2
            assert row.epoch == 2
        assert not reader.unsettled(0.0, 10), "an orderly end leaves nothing to reopen"
    with LiveServer(directory) as again:
        assert metric(again, "gamekit_wakes_total") == 0


def test_a_server_that_is_stopped_in_the_middle_of_it_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    make(directory, 2 * GAMES, COMMANDS)
    server = LiveServer(directory).start()
    until(lambda: metric(server, "gamekit_wakes_total") >= 1)
    assert server.stop() == 0
    assert " ERROR " not in server.log.read_text()
    with SqliteReader(directory / "gamekit.db") as reader:
        left = len(reader.unsettled(0.0, 2 * GAMES))
    assert left < 2 * GAMES
    with server:
        until(lambda: metric(server, "gamekit_wakes_total") == left)
    with SqliteReader(directory / "gamekit.db") as reader:
        assert not reader.unsettled(0.0, 1)


def test_a_game_that_stands_still_when_empty_is_put_to_sleep_where_it_was(tmp_path: Path) -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1}})
        await place.join()
        await place.admin(type="set_policy", when_empty="pause")
        await asyncio.sleep(20)
        place.crash()
        reserved = place.journal.clock(ID)
        assert reserved is not None
        row = place.journal.game(ID)
        assert row is not None
        told = digest_of(rebuild(place.journal, row, place.game).snapshot())
        await asyncio.sleep(1)
        assert place.asleep
        assert place.journal.unsettled(0.0, 1) == []
        kept = place.journal.snapshot(ID)
        assert kept is not None
        assert (kept.tick, kept.digest) == (reserved.tick, told)
        place.stop()

    run(check)


def test_a_game_that_goes_on_is_live_before_anybody_asks() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1}})
        await place.join()
        await asyncio.sleep(20)
        place.crash()
        await asyncio.sleep(0)
        assert place.journal.unsettled(0.0, 1) == [ID]
        await asyncio.sleep(0.5)
        assert not place.asleep
        await asyncio.sleep(90)
        assert place.asleep, "nobody asked for it, so it is not used"
        place.stop()

    run(check)


def test_those_that_somebody_waits_for_are_brought_back_before_the_others() -> None:
    async def check() -> None:
        place = Place()
        openings = place.host.openings
        order: list[GameId] = []
        take_over = openings._take_over

        def noting(games: list[GameId]) -> object:
            order.extend(games)
            return take_over(games)

        openings._take_over = noting  # type: ignore[method-assign,assignment]
        others = [GameId(f"other-{number}") for number in range(100)]
        for game in others:
            openings.begin(game)
        asked = openings.begin(ID, asked=True)
        await asked
        await asyncio.sleep(1)
        assert order[0] == ID
        assert sorted(order) == sorted([ID, *others])
        place.stop()

    run(check)


def test_games_that_are_asked_for_together_are_taken_over_in_few_commits() -> None:
    async def check() -> None:
        place = Place()
        openings = place.host.openings
        batches: list[int] = []
        take_over = openings._take_over

        def counting(games: list[GameId]) -> object:
            batches.append(len(games))
            return take_over(games)

        openings._take_over = counting  # type: ignore[method-assign,assignment]
        await asyncio.wait([openings.begin(GameId(f"other-{number}"), asked=True) for number in range(100)])
        assert sum(batches) == 100
        assert len(batches) == -(-100 // BATCH_GAMES)
        place.stop()

    run(check)
