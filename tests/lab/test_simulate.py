"""Running the bundled game headless."""

from __future__ import annotations

from pathlib import Path

import pytest

from gamekit.errors import ConfigError
from gamekit.game import Event
from gamekit.journal import digest_of
from gamekit.lab import Simulation, simulate
from gamekit.lab.simulate import traffic
from gamekit.space import SpaceGame, SpaceState, check


def test_run_is_what_the_game_does_by_itself() -> None:
    run = simulate("procedural:3", {"cycle_percent": 50}, seed=9, hours=0.1)
    game = SpaceGame()
    state = game.new({"scenario": "procedural:3", "rules": {"cycle_percent": 50}}, 9)
    events = game.advance(state, 3_600)
    assert isinstance(run, Simulation)
    assert (run.scenario, run.seed, run.ticks, run.events) == ("procedural:3", 9, 3_600, len(events))
    assert run.digest == digest_of(game.encode(state))
    assert run.state.tick == 3_600
    assert run.cpu_s > 0
    assert run.times_real_time > 0


def test_hours_are_rounded_to_ticks() -> None:
    assert simulate(hours=1 / 36_000).ticks == 1
    assert simulate(hours=0).ticks == 0
    for hours in (-1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="hours"):
            simulate(hours=hours)


def test_progress_is_told_until_the_end() -> None:
    told: list[tuple[int, int]] = []
    simulate("procedural:2", hours=0.05, progress=lambda done, total: told.append((done, total)))
    assert told == [(600, 1_800), (1_200, 1_800), (1_800, 1_800)]


def test_setup_may_return_a_driver_that_is_asked_before_every_slice() -> None:
    asked: list[int] = []

    def drive(state: SpaceState, _game: SpaceGame) -> list[Event]:
        asked.append(state.tick)
        return []

    simulate("procedural:2", hours=0.05, setup=lambda state, game: drive)
    assert asked == [0, 600, 1_200]


def test_traffic_keeps_ships_flying_and_stations_working() -> None:
    run = simulate(hours=0.5, setup=traffic(20))
    check(run.state)
    driven = [ship for ship in run.state.ships.values() if not run.state.players[ship.owner].company]
    assert len(driven) == 20
    assert all(ship.queue for ship in driven)
    assert any(ship.hold for ship in run.state.ships.values())


def test_traffic_needs_no_stations() -> None:
    empty = {"sectors": [{"id": "void", "name": "Void", "x": 0, "y": 0}]}
    assert simulate(empty, hours=0.1, setup=traffic(2)).events == 0


def test_wrong_scenario_is_told() -> None:
    with pytest.raises(ConfigError, match="andromeda"):
        simulate("andromeda")


def test_scenario_file_is_run_and_complaints_name_it(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('name = "own"\nsectors = [{ id = "here", name = "Here", x = 0, y = 0 }]\n')
    assert simulate(path, hours=0.1).scenario == "own"
    assert simulate(str(path), hours=0.1).scenario == "own"
    path.write_text('sectors = [{ id = "here", name = "Here", x = 0 }]\n')
    with pytest.raises(ConfigError, match=r"own\.toml: line 1: sectors\[0\]: y is missing"):
        simulate(path)


def test_a_year_of_nothing_is_over_at_once() -> None:
    told: list[tuple[int, int]] = []
    run = simulate(
        {"sectors": [{"id": "void", "name": "Void", "x": 0, "y": 0}]},
        hours=8760,
        progress=lambda done, total: told.append((done, total)),
    )
    assert run.ticks == 315_360_000
    assert told == [(315_360_000, 315_360_000)], "it is one step"
