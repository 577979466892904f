"""Between a server and the load: the generator as a process, and what servers say of themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import msgspec

from gamekit.bench.processes import BenchServer, many_files
from gamekit.errors import GamekitError

#: Seats that one process plays for, where there may be several: about half a core.
SEATS_A_LOAD = 2_000
#: Counters of `/metrics` that belong into a run's line: {metric: name there}.
_COUNTERS = {
    "gamekit_records_total": "records",
    "gamekit_commits_total": "commits",
    "gamekit_messages_sent_total": "messages",
    "gamekit_messages_encoded_total": "encodings",
    "gamekit_tick_work_seconds_count": "ticks",
}
_LATE = re.compile(r'gamekit_tick_lateness_seconds_bucket\{le="([^"]+)"\} (\S+)')


class Generator:
    """The load for the length of a block.

    Args:
        seats: as `BenchServer.seats` gives them.
        every_s: seconds between a player's commands; 0 for silence.
        seed: of what players do.
    """

    def __init__(self, seats: list[dict[str, Any]], every_s: float, seed: int) -> None:
        self._plan = {"seats": [], "every_s": every_s, "seed": seed}
        self._first = seats
        self._seated = 0
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Generator:
        many_files()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gamekit.bench.generator"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._ask(self._plan | self._named(self._first))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def measure(self, seconds: float) -> dict[str, Any]:
        """What is received in so many seconds; see `generator`."""
        return self._ask({"measure": seconds})

    def more(self, seats: list[dict[str, Any]]) -> None:
        """Let these in as well, while the others play on."""
        self._ask(self._named(seats))

    def _named(self, seats: list[dict[str, Any]]) -> dict[str, Any]:
        first = self._seated
        self._seated += len(seats)
        return {
            "seats": [
                {"url": f"{seat['ws_url']}?token={seat['token']}&client=b{number}", "player": seat["player"]}
                for number, seat in enumerate(seats, first)
            ]
        }

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise GamekitError("The load generator ended; what it said is above.")
        answer: dict[str, Any] = json.loads(line)
        return answer


class Generators:
    """As many loads as it takes: the seats of one are another process's burden.

    Args:
        every_s, seed: as of `Generator`.
        most: seats that one process gets.
    """

    def __init__(self, every_s: float, seed: int, most: int = SEATS_A_LOAD) -> None:
        self._every_s, self._seed, self._most = every_s, seed, most
        self._stack = ExitStack()
        self._loads: list[Generator] = []
        #: Seats of the newest load.
        self._newest = 0

    def __enter__(self) -> Generators:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def more(self, seats: list[dict[str, Any]]) -> None:
        """Let these in as well, while the others play on."""
        while seats:
            if not self._loads or self._newest == self._most:
                here, seats = seats[: self._most], seats[self._most :]
                seed = self._seed + len(self._loads) * self._most
                self._loads.append(self._stack.enter_context(Generator(here, self._every_s, seed)))
                self._newest = len(here)
            else:
                room = self._most - self._newest
                here, seats = seats[:room], seats[room:]
                self._loads[-1].more(here)
                self._newest += len(here)

    def measure(self, seconds: float) -> dict[str, Any]:
        """What all of them receive in so many seconds, and `busiest_cpu_s`, what the busiest of them took."""
        with ThreadPoolExecutor(len(self._loads)) as asking:
            seen = list(asking.map(lambda load: load.measure(seconds), self._loads))
        together: dict[str, Any] = {
            "ack_ms": [ms for one in seen for ms in one["ack_ms"]],
            "errors": [error for one in seen for error in one["errors"]],
            "wall_s": max(one["wall_s"] for one in seen),
            "busiest_cpu_s": max(one["cpu_s"] for one in seen),
        }
        summed = ("frames", "bytes", "deltas", "sent", "lost", "refused", "open", "cpu_s")
        return together | {key: sum(one[key] for one in seen) for key in summed}


class Figures(msgspec.Struct, frozen=True):
    """What a server says of itself at one moment.

    Attributes:
        counted: counters, since its start.
        late_buckets: [(upper bound in milliseconds, how many ticks were at most so late)], cumulative.
        late: single values in milliseconds, of a server that keeps them.
    """

    counted: dict[str, float]
    late_buckets: list[tuple[float, float]] = []
    late: list[float] = []

    def late_ms(self, before: Figures, percent: float) -> float:
        """How late ticks came since `before`, by linear interpolation within a bucket; NaN without ticks."""
        if self.late:
            ordered = sorted(self.late)
            return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]
        earlier = dict(before.late_buckets)
        counts = [(bound, count - earlier.get(bound, 0.0)) for bound, count in self.late_buckets]
        if not counts or not counts[-1][1]:
            return float("nan")
        wanted = counts[-1][1] * percent / 100
        low, below = 0.0, 0.0
        for bound, count in counts:
            if count >= wanted and count > below:
                return low if bound == float("inf") else low + (bound - low) * (wanted - below) / (count - below)
            low, below = bound, count
        return low


def figures(served: BenchServer) -> Figures:
    """Ask a server what it counted."""
    if served.kind != "gamekit":
        answer = json.loads(served.call("GET", "/figures"))
        return Figures({"records": answer["records"]}, late=answer["late_ms"])
    text = served.call("GET", "/metrics").decode()
    counted = {}
    for row in text.splitlines():
        name, _, value = row.partition(" ")
        if name in _COUNTERS:
            counted[_COUNTERS[name]] = float(value)
    buckets = [(float(bound) * 1000, float(count)) for bound, count in _LATE.findall(text)]
    return Figures(counted, late_buckets=buckets)
