"""Seeking is quick because it plays little again: counted, not timed. The benchmarks run tiny, so that none rots."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import gamekit
from gamekit.game import Event, Tick
from gamekit.lab import begin, replay
from gamekit.lab.replay import KEYFRAME_TICKS, Replay
from gamekit.space import SpaceGame, SpaceState
from tests.live import LiveServer

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


class Counting(SpaceGame):
    """Counts the ticks that it plays."""

    name = "counting"
    ticks = 0

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        self.ticks += to_tick - state.tick
        return super().advance(state, to_tick)


def test_a_seek_plays_at_most_one_keyframe_interval_again_once_the_past_was_gone_through() -> None:
    past = replace(begin("duel", {"storm_rate": 2_000}, 3).past, tick=12_000)
    game, chance = Counting(), random.Random(1)
    looked = Replay(past, game).seek(past.tick)
    assert game.ticks == past.tick, "the first pass plays everything once"
    for _ in range(60):
        tick, before = chance.randint(0, past.tick), game.ticks
        looked.seek(tick)
        assert game.ticks - before <= KEYFRAME_TICKS
        assert looked.tick == tick


def test_every_tick_is_played_at_most_once_to_lay_keyframes_whatever_the_order() -> None:
    past = replace(begin("duel", {}, 3).past, tick=12_000)
    game, chance = Counting(), random.Random(2)
    looked = Replay(past, game)
    seeks = [chance.randint(0, past.tick) for _ in range(40)]
    for tick in seeks:
        looked.seek(tick)
    assert game.ticks <= past.tick + len(seeks) * KEYFRAME_TICKS


def test_live_sleeping_and_finished_games_and_capsules_are_replayed_alike(tmp_path: Path) -> None:
    options = ("--sleep-after", "0.5")
    with (
        LiveServer(tmp_path / "data", options=options) as server,
        gamekit.Client(server.url, token=server.admin_token) as client,
    ):
        made = server.new_game(scenario="duel", seed=4)
        game = client.game(made["id"])
        game.speed = 100
        live = replay(game)
        while game.about()["tick"] <= live.end_tick:
            pass  # It plays on.
        # Nothing falls due in a paused game, so nothing but somebody who asks can wake it.
        game.pause()
        while game.about()["state"] != "asleep":
            game.about()  # Asking does not wake it.
        asleep = replay(game)
        assert game.about()["state"] == "asleep", "looking at its past does not wake it"
        assert live.end_tick < asleep.end_tick
        capsule = game.export(tmp_path / "one.capsule")
    finished = replay(tmp_path / "data" / "gamekit.db", game=made["id"])
    for tick in (0, live.end_tick // 2, live.end_tick):
        digests = {one.seek(tick).digest for one in (live, asleep, finished, replay(capsule))}
        assert len(digests) == 1, tick


@pytest.mark.parametrize("name", ["seek", "sweep"])
def test_benchmark_runs_in_its_tiny_form(name: str, report: Callable[[str], None]) -> None:
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--tiny"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    if name == "seek":
        [line] = lines
        assert (line["ships"], line["seeks"]) == (200, 20)
        report(f"seek: {line['median_ms']} ms of processor time at the median, 200 ships")
    else:
        assert [(line["workers"], line["games"], line["failed"]) for line in lines] == [(1, 8, 0), (2, 8, 0)]
        assert len({line["digest"] for line in lines}) == 1
