"""How many games a sweep gets through, and whether more workers make it faster by as much.

    python benchmarks/sweep.py                          # 1,000 games of an hour with 50 ships, with 1 and 2 workers
    python benchmarks/sweep.py --games 100 --workers 2  # some of it
    python benchmarks/sweep.py --tiny                   # a few short games; a test does this

Prints one line of JSON for each number of workers:

- `games`, `hours`, `ships`, `workers`: what was run
- `wall_s`: from the call to the frame, with starting the workers
- `cpu_s`: processor seconds of all runs; `cpu_s_per_game`
- `busy_workers`: `cpu_s / wall_s`: how many workers were at work on average
- `speedup`: wall time with the first number of workers over this one's; equal to `workers` when it is linear and the
  machine has nothing else to do
- `games_per_s`, `times_real_time`: of the whole
- `failed`: runs that failed
- `digest`: over the digests of all last states; the same for any number of workers
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from typing import Any

from gamekit.lab import sweep

SHIPS = 50


def scenario() -> dict[str, Any]:
    """Nearest Stars with 50 trading ships."""
    companies = [{"name": f"Traders {number}", "ships": SHIPS // 2, "credits": 50_000_000} for number in (1, 2)]
    return {"name": "nearest-stars", "companies": companies}


def main() -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=1_000)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--tiny", action="store_true", help="eight games of a few minutes")
    asked = parser.parse_args()
    games, hours = (8, 0.05) if asked.tiny else (asked.games, asked.hours)
    first_s = 0.0
    for workers in asked.workers:
        line = measured(games, hours, workers)
        first_s = first_s or line["wall_s"]
        print(json.dumps({**line, "speedup": round(first_s / line["wall_s"], 2)}), flush=True)
    return 0


def measured(games: int, hours: float, workers: int) -> dict[str, Any]:
    """One line: storms at a few rates, so that seeds and rules both count."""
    grid = {"storm_rate": [500, 1_000, 2_000, 4_000]}
    started = time.perf_counter()
    done = sweep(grid, games // 4, scenario=scenario(), hours=hours, workers=workers, progress=sys.stderr.isatty())
    frame = done.frame
    wall_s = time.perf_counter() - started
    return {
        "games": len(done),
        "hours": hours,
        "ships": SHIPS,
        "workers": workers,
        "processors": os.cpu_count(),
        "wall_s": round(wall_s, 2),
        "cpu_s": round(done.cpu_s, 2),
        "cpu_s_per_game": round(done.cpu_s / len(done), 4),
        "busy_workers": round(done.cpu_s / wall_s, 2),
        "games_per_s": round(len(done) / wall_s, 2),
        "times_real_time": round(len(done) * hours * 3_600 / wall_s),
        "failed": len(done.failures),
        "digest": hashlib.blake2b("".join(frame["digest"]).encode(), digest_size=16).hexdigest(),
    }


if __name__ == "__main__":
    sys.exit(main())
