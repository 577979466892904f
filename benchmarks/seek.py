"""How quickly any tick of a long game's past can be looked at.

    python benchmarks/seek.py                 # an hour of 200 trading ships, a minute or so
    python benchmarks/seek.py --busy          # the same with nearly all of them under way
    python benchmarks/seek.py --tiny          # half a minute of game time, no server; a test does this

Prints one line of JSON for each source of the past: `played`, a game that was played here and has no snapshot but the
first; and `live`, a game of a running server, as its journal has it.

- `source`, `ships`, `ticks`, `snapshots`: what is looked through
- `seeks`: how many random ticks were looked at, in any order, from the moment the past was opened
- `first_ms`, `median_ms`, `p95_ms`, `max_ms`: processor time of one seek; the first one may have to play from far away
- `median_wall_ms`: the same by the clock
- `median_replayed_ticks`, `max_replayed_ticks`: ticks that were played again for one seek; after the first pass at most
  the distance of two keyframes, 600
- `digest`: of the state at the last tick; the same everywhere for the same arguments
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import simulate as runs
from msgspec.structs import replace

import gamekit
from gamekit.game import Event, Tick
from gamekit.journal import Past
from gamekit.lab.replay import Replay
from gamekit.lab.sources import new_past, read_past
from gamekit.space import SpaceGame, SpaceState


class Counting(SpaceGame):
    """The bundled game, which counts the ticks that it plays."""

    name = "counting"
    ticks = 0

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        """Let time pass, and count it."""
        self.ticks += to_tick - state.tick
        return super().advance(state, to_tick)


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeks", type=int, default=300)
    parser.add_argument("--busy", action="store_true", help="cycles at 15 percent of their length")
    parser.add_argument("--tiny", action="store_true", help="half a minute of game time, and no server")
    asked = parser.parse_args()
    rules = {"cycle_percent": 15} if asked.busy else {}
    ticks, seeks = (300, 20) if asked.tiny else (36_000, asked.seeks)
    past = new_past(runs.traders(), rules, 1)
    print(json.dumps({"source": "played", **measured(past, ticks, seeks)}), flush=True)
    if not asked.tiny:
        print(json.dumps({"source": "live", **measured(live(rules, ticks), ticks, seeks)}), flush=True)
    return 0


def live(rules: dict[str, int], ticks: Tick) -> Past:
    """The past of a game that a server has run."""
    with tempfile.TemporaryDirectory() as directory, gamekit.launch() as client:
        game = client.new_game(scenario=runs.traders(), rules=rules, seed=1)
        game.join("Watcher")
        game.speed = 1_000
        while game.tick < ticks:
            time.sleep(0.05)
        game.pause()
        path = game.export(Path(directory) / "live.capsule")
        return read_past(path)


def measured(past: Past, ticks: Tick, seeks: int) -> dict[str, Any]:
    """One line."""
    past = replace(past, tick=max(past.tick, ticks))
    game, chance = Counting(), random.Random(1)
    looked = Replay(past, game)
    cpu_ms, wall_ms, replayed = [], [], []
    for _ in range(seeks):
        tick = chance.randint(0, ticks)
        before = game.ticks
        cpu, wall = time.process_time(), time.perf_counter()
        looked.seek(tick)
        cpu_ms.append(1_000 * (time.process_time() - cpu))
        wall_ms.append(1_000 * (time.perf_counter() - wall))
        replayed.append(game.ticks - before)
    return {
        "ships": len(looked.state.ships),
        "ticks": ticks,
        "snapshots": len(past.snapshots),
        "seeks": seeks,
        "first_ms": round(cpu_ms[0], 2),
        "median_ms": round(statistics.median(cpu_ms), 2),
        "p95_ms": round(sorted(cpu_ms)[int(0.95 * seeks)], 2),
        "max_ms": round(max(cpu_ms), 2),
        "median_wall_ms": round(statistics.median(wall_ms), 2),
        "median_replayed_ticks": round(statistics.median(replayed)),
        "max_replayed_ticks": max(replayed),
        "digest": looked.seek(ticks).digest,
    }


if __name__ == "__main__":
    sys.exit(main())
