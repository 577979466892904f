"""How fast the bundled game runs headless, how large its state is, and what a ship costs.

    python benchmarks/simulate.py                 # every run, a minute or two
    python benchmarks/simulate.py crowded year    # some of them
    python benchmarks/simulate.py --tiny          # every run, a few seconds of game time each; a test does this

Prints one line of JSON for each run:

- `run`, `scenario`, `seed`, `ticks`, `events`, `digest`: the same everywhere for the same arguments
- `cpu_s`, `events_per_cpu_s`, `times_real_time`: processor seconds of the simulation alone, without making the galaxy
- `ships`, `busy_ships`: how many there are, and how many of them have something to do, on average over the game minutes
- `state_bytes`, `encode_ms`: the encoded state, and the best of several encodings
- `ship_bytes`: Python memory of a ship with all that only it refers to, on average
- `peak_mb`: the most resident memory of the process so far; meaningful for the first run of a process

The runs: every shipped scenario; `traders`, nearest-stars with 200 trading ships in four companies, most of which wait
for work because 48 stations have not enough of it; `traders-busy`, the same with cycles that are 15 percent as long, so
that nearly all are under way; `year`, a year of ticks in 1,000 sectors without stations.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import msgspec

from gamekit.lab.simulate import simulate
from gamekit.space import SpaceGame, SpaceState, scenarios
from gamekit.space.worldgen import resolved

GAME = SpaceGame()
MINUTE = 600
_ENCODINGS = 20


def traders() -> dict[str, Any]:
    """Nearest Stars with 200 ships."""
    return {
        "name": "nearest-stars",
        "companies": [{"name": f"Traders {number}", "ships": 50, "credits": 50_000_000} for number in range(1, 5)],
    }


def empty(sectors: int) -> dict[str, Any]:
    """A galaxy in which nothing is."""
    made = resolved(f"procedural:{sectors}", 1)
    bare = msgspec.structs.replace(made, stations=(), companies=(), recipes=(), name=f"empty:{sectors}")
    plain: dict[str, Any] = msgspec.to_builtins(bare)
    return plain


#: {run: (scenario, rules, hours)}
RUNS: dict[str, tuple[Callable[[], Any], dict[str, int], float]] = {
    "traders": (traders, {}, 10),
    "traders-busy": (traders, {"cycle_percent": 15}, 2),
    **{
        info.name: (lambda name=info.name: name, {}, 0.5 if info.ships > 500 else 10)  # type: ignore[misc]
        for info in scenarios()
    },
    "year": (lambda: empty(1_000), {}, 8_760),
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", choices=[[], *RUNS], help="which runs; all when none is named")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, help="game time of each run, in the place of its own")
    parser.add_argument("--tiny", action="store_true", help="half a minute of game time each")
    asked = parser.parse_args()
    for run in asked.runs or RUNS:
        make, rules, hours = RUNS[run]
        hours = 0.01 if asked.tiny else hours if asked.hours is None else asked.hours
        print(json.dumps({"run": run, **measured(make(), rules, asked.seed, hours)}), flush=True)
    return 0


def measured(scenario: Any, rules: dict[str, int], seed: int, hours: float) -> dict[str, Any]:
    """One run's line."""
    busy: list[int] = []
    done = simulate(scenario, rules, seed, hours)
    state = done.state
    ships = len(state.ships)
    if ships:
        busy = _busy(scenario, rules, seed, min(hours, 1.0))
    return {
        "scenario": done.scenario,
        "seed": seed,
        "ticks": done.ticks,
        "events": done.events,
        "digest": done.digest,
        "cpu_s": round(done.cpu_s, 4),
        "events_per_cpu_s": round(done.events / done.cpu_s) if done.cpu_s else 0,
        "times_real_time": round(done.times_real_time),
        "ships": ships,
        "busy_ships": round(sum(busy) / len(busy)) if busy else 0,
        "state_bytes": len(GAME.encode(state)),
        "encode_ms": _encode_ms(state),
        "ship_bytes": _ship_bytes(state),
        "peak_mb": round(_peak_bytes() / 1e6, 1),
    }


def _busy(scenario: Any, rules: dict[str, int], seed: int, hours: float) -> list[int]:
    """How many ships have something to do, minute by minute; in a run of its own, so that counting costs nothing."""
    state = GAME.new({"scenario": scenario, "rules": rules}, seed)
    counts = []
    while state.tick < max(MINUTE, hours * 36_000):
        GAME.advance(state, state.tick + MINUTE)
        counts.append(sum(bool(ship.queue) for ship in state.ships.values()))
    return counts


def _encode_ms(state: SpaceState) -> float:
    best = float("inf")
    for _ in range(_ENCODINGS):
        started = time.perf_counter()
        GAME.encode(state)
        best = min(best, time.perf_counter() - started)
    return round(1_000 * best, 3)


def _ship_bytes(state: SpaceState) -> int:
    """What a ship's objects take on average: itself, its place, queue, hold and job, and all that only it refers to."""
    if not state.ships:
        return 0
    seen: set[int] = set()
    for table in (state.wares, state.sectors, state.gates, state.stations, state.players):
        _size(table, seen)
    return sum(_size(ship, seen) for ship in state.ships.values()) // len(state.ships)


def _size(thing: Any, seen: set[int]) -> int:
    """Bytes of an object and of everything it refers to that was not seen before."""
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    size = sys.getsizeof(thing)
    if isinstance(thing, dict):
        size += sum(_size(key, seen) + _size(value, seen) for key, value in thing.items())
    elif isinstance(thing, list | tuple):
        size += sum(_size(one, seen) for one in thing)
    elif isinstance(thing, msgspec.Struct):
        size += sum(_size(getattr(thing, name), seen) for name in thing.__struct_fields__)
    return size


def _peak_bytes() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


if __name__ == "__main__":
    sys.exit(main())
