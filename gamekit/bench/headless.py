"""The model of the benchmarks without a server: gamekit beside Mesa, the usual library for agents in Python.

What is played is `swarm`: sessions with players whose ships are always under way, one session after the other, from
tick 0 to the last one. Nobody gives orders, so all engines must end with the same legs, and `run` makes sure of it by
their digest. Engines, by name:

- `gamekit`: the rules by `advance`, a minute of game time a call, as `lab.simulate` does.
- `gamekit-ticks`: the same rules called at every tick, as one would who does not know what is due.
- `mesa`: an agent a ship with a `step` that a model calls at every tick, as Mesa's documentation teaches. In order,
  which is cheaper than shuffled and makes no difference here, and without positions, which nobody asked for.
- `mesa-events`: Mesa's discrete-event simulator; ships schedule their own arrivals.

Each run has a process of its own, so that its memory is its own and nobody inherits another's garbage. Processor time
is that of playing alone; making the sessions stands beside it.

Mesa is in the extra `bench`; without it only gamekit is measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import msgspec

from gamekit.bench.machine import machine
from gamekit.bench.processes import peak_kb, resident_kb
from gamekit.bench.swarm import Leg, Live, Swarm, digest
from gamekit.errors import ConfigError, GamekitError
from gamekit.game import TICK_HZ, Join, PlayerId, Tick

#: Ticks that `gamekit` plays in one call: a minute.
SLICE_TICKS = 60 * TICK_HZ
#: What to do when there is nothing to compare with.
NO_MESA = "Mesa is not installed, with which headless runs are compared: pip install 'gamekit[bench]'."
#: How long a run may take, in seconds.
_RUN_S = 3_600


class Crowd(msgspec.Struct, frozen=True):
    """What is played: so many sessions with so many players of so many ships each, for so many ticks."""

    sessions: int = 100
    players: int = 2
    ships: int = 50
    ticks: Tick = 6_000
    seed: int = 1


class Played(msgspec.Struct, frozen=True):
    """What came of one session: the legs of its ships at the end, and how many were begun on the way."""

    legs: list[Leg]
    begun: int


#: A session that was made and can be played to the last tick.
Session = Callable[[], Played]


def made(engine: str, crowd: Crowd) -> list[Session]:
    """The sessions of a crowd, ready to be played.

    Raises:
        ConfigError: there is no such engine, or its library is not installed.
    """
    if engine not in ENGINES:
        raise ConfigError(f"engine: there is no {engine!r}; there are {', '.join(ENGINES)}.")
    if not installed(engine):
        raise ConfigError(NO_MESA)
    make = ENGINES[engine]
    return [make(crowd, crowd.seed + number) for number in range(crowd.sessions)]


def _gamekit(crowd: Crowd, seed: int) -> Session:
    return _swarm(crowd, seed, SLICE_TICKS)


def _gamekit_ticks(crowd: Crowd, seed: int) -> Session:
    return _swarm(crowd, seed, 1)


def _swarm(crowd: Crowd, seed: int, every: Tick) -> Session:
    game = Swarm()
    state: Live = game.new({"rules": {"ships": crowd.ships}}, seed)
    for number in range(1, crowd.players + 1):
        game.apply(state, PlayerId(f"p{number}"), Join(name=f"Player {number}"))

    def play() -> Played:
        for tick in range(every, crowd.ticks, every):
            game.advance(state, tick)
        game.advance(state, crowd.ticks)
        ships = state.saved.ships
        return Played([ship.leg for ship in ships], sum(ship.begun - 1 for ship in ships))

    return play


def _mesa(crowd: Crowd, seed: int) -> Session:
    from gamekit.bench.mesa_swarm import Stepped  # Here, because Mesa may be missing.

    model = Stepped(crowd.players * crowd.ships, seed)

    def play() -> Played:
        for _ in range(crowd.ticks):
            model.step()
        return Played(model.legs(), model.begun())

    return play


def _mesa_events(crowd: Crowd, seed: int) -> Session:
    from gamekit.bench.mesa_swarm import Scheduled

    model = Scheduled(crowd.players * crowd.ships, seed)

    def play() -> Played:
        model.play(crowd.ticks)
        return Played(model.legs(), model.begun())

    return play


#: {engine: makes a session}
ENGINES: dict[str, Callable[[Crowd, int], Session]] = {
    "gamekit": _gamekit,
    "gamekit-ticks": _gamekit_ticks,
    "mesa": _mesa,
    "mesa-events": _mesa_events,
}


def installed(engine: str) -> bool:
    """Whether what an engine needs is there."""
    return not engine.startswith("mesa") or find_spec("mesa") is not None


def measured(engine: str, crowd: Crowd) -> dict[str, Any]:
    """Play in this process; one flat row.

    `times_real_time` is that of all sessions together on one core; `ticks_per_cpu_s` counts each session's ticks.
    """
    made(engine, Crowd(1, 1, 1, 1))  # So that imports are none of the sessions' making.
    before_kb, started = resident_kb(os.getpid()), time.process_time()
    sessions = made(engine, crowd)
    making_s = time.process_time() - started
    made_kb = resident_kb(os.getpid()) - before_kb
    started = time.process_time()
    played = [play() for play in sessions]
    cpu_s = time.process_time() - started
    legs = [leg for one in played for leg in one.legs]
    begun = sum(one.begun for one in played)
    return {
        "benchmark": "headless",
        "engine": engine,
        **msgspec.structs.asdict(crowd),
        "digest": digest(legs),
        "legs": begun,
        "cpu_s": round(cpu_s, 4),
        "making_cpu_s": round(making_s, 4),
        "ticks_per_cpu_s": round(crowd.sessions * crowd.ticks / cpu_s),
        "legs_per_cpu_s": round(begun / cpu_s),
        "times_real_time": round(crowd.ticks / TICK_HZ / cpu_s, 1),
        "bytes_per_ship": round(1024 * made_kb / max(len(legs), 1)),
        "peak_mb": round(peak_kb() / 1024, 1),
        "mesa": version("mesa") if find_spec("mesa") is not None else None,
        **machine(),
    }


def run(engine: str, crowd: Crowd) -> dict[str, Any]:
    """Play in a process of its own; `measured`'s row.

    Raises:
        ConfigError: there is no such engine, or its library is not installed.
        GamekitError: the process failed; the message has its last words.
    """
    made(engine, Crowd(0))
    plan = json.dumps(msgspec.structs.asdict(crowd))
    command = [sys.executable, "-m", "gamekit.bench.headless", engine, plan]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_RUN_S, check=False)
    if done.returncode:
        raise GamekitError(f"The run on {engine} failed; it said:\n{done.stderr[-2000:]}")
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def agreed(rows: Sequence[dict[str, Any]]) -> str:
    """The digest that all rows of one crowd have.

    Raises:
        GamekitError: two of them differ: these engines did not play the same game, so their times say nothing.
    """
    digests: dict[str, str] = {row["engine"]: row["digest"] for row in rows}
    if len(set(digests.values())) > 1:
        told = ", ".join(f"{engine} {one}" for engine, one in digests.items())
        raise GamekitError(f"The engines did not end alike, so their times say nothing: {told}.")
    return next(iter(digests.values()))


def main() -> None:
    """Started by `run`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine")
    parser.add_argument("plan")
    asked = parser.parse_args()
    print(json.dumps(measured(asked.engine, msgspec.json.decode(asked.plan, type=Crowd))))


if __name__ == "__main__":
    main()
