"""How many sessions one server holds: the workload `many`, grown step by step until ticks come late.

A session is one player with 50 ships always under way and a move every two seconds. Sessions are added to one server
while the others play on; each step is measured in windows of its own. A step *holds* if the 99th percentile of tick
lateness is under the limit in the median window and players got what they asked for. `search` decides what is tried
next; a number below what is running gets a server of its own, because sessions cannot be taken away again (they run on
when nobody watches). In the end half of what held is measured on a fresh server.

The load must not be what gives out: it gets a further process for every 2,000 seats, its CPU is in every step, and a
step in which a process of it took more than 70 percent of a core says so (`load_busy`).
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol

import msgspec

from gamekit.bench.fit import FEWEST, power_law
from gamekit.bench.harness import Generators
from gamekit.bench.machine import machine
from gamekit.bench.processes import BenchServer, resident_kb
from gamekit.bench.search import Plan, Search
from gamekit.bench.workloads import WORKLOADS, Progress, Workload, summary, window
from gamekit.errors import GamekitError

#: The share of a core above which the load may be what gives out.
BUSY_LOAD = 0.7
#: The share of a step's orders that may be without an acknowledgement in the end, and how many of each window besides,
#: because some are always under way.
_UNANSWERED, _UNDER_WAY = 0.05, 2

#: What `gamekit bench --capacity` measures without `--full`: a few sessions, to see that it works.
SMALL = (
    Plan(first=4, factor=2.0, most=16, halvings=1),
    msgspec.structs.replace(WORKLOADS["many"], warm_s=1.5, window_s=1.5, windows=2),
)
#: And with it. Three windows of 20 s see every session's snapshot of each minute.
FULL = (Plan(), msgspec.structs.replace(WORKLOADS["many"], warm_s=5.0, window_s=20.0, windows=3))


#: What a step without an answer does not have.
FIGURES = (
    *("server_cpu_per_s", "generator_cpu_per_s", "others_cpu_per_s", "late_ms_p50", "late_ms_p99"),
    *("ack_ms_p50", "ack_ms_p99", "frames_per_s", "bytes_per_s", "resident_kb_per_session"),
)


class Tried(Protocol):
    """Whatever can be asked how it does with so many sessions: servers here, pretended ones in tests."""

    def __call__(self, sessions: int) -> dict[str, Any]:
        """A step: `late_ms_p99` and what else `holds` and `result` look at."""
        ...


class Steps:
    """One server that grows; a fresh one when fewer sessions are asked for than there are.

    Args:
        server: a key of `processes.SERVERS`.
        workload: what players do; its number of sessions does not matter.
        seed: of the galaxies and of what players do.
        progress: told what is being done.
    """

    def __init__(self, server: str, workload: Workload, seed: int, progress: Progress) -> None:
        self._server, self._workload, self._seed, self._progress = server, workload, seed, progress
        self._life = ExitStack()
        self._sessions = 0
        self._lives = 0
        self._empty_kb = 0
        self._served: BenchServer
        self._load: Generators

    def __enter__(self) -> Steps:
        return self

    def __exit__(self, *_: object) -> None:
        self._life.close()

    def __call__(self, sessions: int) -> dict[str, Any]:
        """Measure so many sessions; a server that does not even take them in has failed, and the next one is fresh."""
        try:
            return self._measured(sessions)
        except (GamekitError, OSError, HTTPException) as error:
            self._sessions = 0
            with suppress(GamekitError, OSError, HTTPException):
                self._life.close()
            nothing = dict.fromkeys(FIGURES)
            return {"sessions": sessions, "life": self._lives, "load_busy": False, **nothing, "error": str(error)}

    def _measured(self, sessions: int) -> dict[str, Any]:
        work = self._workload
        if not self._sessions or sessions < self._sessions:
            self._begin()
        self._grow(sessions)
        windows = []
        for number in range(work.windows):
            self._progress(f"{self._server}: {sessions} sessions, window {number + 1} of {work.windows}")
            windows.append(window(self._served, self._load, work.window_s))
        row = {"sessions": sessions, "life": self._lives} | summary(windows)
        grown_kb = resident_kb(self._served.pid) - self._empty_kb
        row["sent"] = sum(one["seen"]["sent"] for one in windows)
        row["acknowledged"] = sum(len(one["acks"]) for one in windows)
        row["windows"] = len(windows)
        row["late_ms_p99_windows"] = [_or_none(one["late_p99"]) for one in windows]
        row["resident_kb_per_session"] = round(grown_kb / sessions, 1)
        busiest = statistics.median(one["seen"]["busiest_cpu_s"] / one["seen"]["wall_s"] for one in windows)
        row["load_busy"] = busiest > BUSY_LOAD
        return row

    def _begin(self) -> None:
        self._life.close()
        self._sessions, self._lives = 0, self._lives + 1
        place = self._life.enter_context(tempfile.TemporaryDirectory(prefix="gamekit-bench-"))
        self._served = self._life.enter_context(BenchServer(self._server, Path(place)))
        self._load = self._life.enter_context(Generators(self._workload.every_s, self._seed))
        self._empty_kb = resident_kb(self._served.pid)

    def _grow(self, sessions: int) -> None:
        work, more = self._workload, sessions - self._sessions
        if not more:
            return
        self._progress(f"{self._server}: {more} sessions more, {sessions} in all")
        seats = self._served.seats(more, work.players, work.ships, self._seed + self._sessions)
        self._load.more(seats)
        self._sessions = sessions
        time.sleep(work.warm_s)


def holds(step: dict[str, Any], limit_ms: float) -> bool:
    """Whether a step is good enough: ticks in time, nobody refused or disconnected, orders acknowledged."""
    late = step["late_ms_p99"]
    if late is None:
        return False
    missing = step["sent"] - step["acknowledged"]
    return (
        late < limit_ms
        and missing <= _UNANSWERED * step["sent"] + _UNDER_WAY * step["windows"]
        and not step["refused"]
        and step["sockets_open"] >= step["sessions"]
    )


def find(
    plan: Plan, limit_ms: float, tried: Tried, found: Callable[[int | None], None] = lambda _: None
) -> dict[str, Any]:
    """Search, look at half of what held, fit.

    Args:
        plan: where to begin and when to stop.
        limit_ms: what the 99th percentile of lateness must stay under.
        tried: measures one number of sessions.
        found: told what is tried next, and None when the search is over.

    Returns:
        `capacity` (0 if nothing held), `failed` (the smallest that failed twice, None if all held), `load_was_busy` (at
        that number), `steps`, `half` (a step, or None), and the fit of CPU over the steps that held: `exponent`,
        `exponent_low`, `exponent_high`, `scale` (None with fewer than three sizes).
    """
    search = Search(plan)
    steps = []
    while search.next is not None:
        found(search.next)
        step = tried(search.next)
        step["held"] = holds(step, limit_ms)
        search.tell(step["held"])
        steps.append(step)
    found(None)
    half = None
    if search.held > 1:
        half = tried(search.held // 2)
        half["held"] = holds(half, limit_ms)
    beyond = [step for step in steps if search.failed is not None and step["sessions"] == search.failed]
    return {
        "capacity": search.held,
        "failed": search.failed,
        "load_was_busy": any(step["load_busy"] for step in beyond),
        **_growth(steps),
        "half": half,
        "steps": steps,
    }


def _growth(steps: list[dict[str, Any]]) -> dict[str, float | None]:
    """The exponent of cost, over the median step of each size that held."""
    by_size: dict[int, list[float]] = {}
    for step in steps:
        if step["held"] and step["server_cpu_per_s"] > 0:
            by_size.setdefault(step["sessions"], []).append(step["server_cpu_per_s"])
    if len(by_size) < FEWEST:
        return dict.fromkeys(("exponent", "exponent_low", "exponent_high", "scale"))
    fit = power_law(list(by_size), [statistics.median(costs) for costs in by_size.values()])
    return {
        "exponent": round(fit.exponent, 4),
        "exponent_low": round(fit.low, 4),
        "exponent_high": round(fit.high, 4),
        "scale": fit.scale,
    }


def run(
    server: str = "gamekit",
    seed: int = 1,
    *,
    plan: Plan = SMALL[0],
    workload: Workload = SMALL[1],
    limit_ms: float = 50.0,
    progress: Progress = lambda _: None,
    found: Callable[[int | None], None] = lambda _: None,
) -> dict[str, Any]:
    """Find the capacity of one server.

    Args:
        server: a key of `processes.SERVERS`.
        seed: of the galaxies and of what players do.
        plan: where to begin and when to stop.
        workload: what players do, and how long is measured.
        limit_ms: what the 99th percentile of tick lateness must stay under.
        progress: told what is being done.
        found: told which number of sessions is tried next, and None when the search is over.

    Returns:
        One row, as `find` gives it, with what was measured and on what.
    """
    row = {
        "benchmark": "capacity",
        "server": server,
        "seed": seed,
        "limit_ms": limit_ms,
        "players": workload.players,
        "ships": workload.ships,
        "every_s": workload.every_s,
        "window_s": workload.window_s,
        "windows": workload.windows,
    }
    with Steps(server, workload, seed, progress) as steps:
        return row | find(plan, limit_ms, steps, found) | machine()


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 2)
