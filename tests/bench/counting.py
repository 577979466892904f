"""Run `gamekit` with everything counted that costs, and tell the counts when asked.

    python -m tests.bench.counting FILE serve --port 0 ...

On SIGUSR1 a line of JSON goes to the file, a named pipe: `{what: how often so far}`. Counted are calls of Python
functions in all threads (`calls`), of some of them by name, of C functions that are system calls at their core, the
syncs that SQLite asks for, and the server's own counters.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from gamekit.bench import swarm
from gamekit.server import frames, measure
from gamekit.server.counters import LoopCounter, LoopHistogram
from tests.journal.watched import Door

#: C functions, by qualified name, that are a system call each.
CALLS = {
    "socket.send": "sends",
    "socket.recv_into": "receives",
    "epoll.poll": "polls",
    "epoll.modify": "epoll_changes",
    "epoll.register": "epoll_changes",
    "epoll.unregister": "epoll_changes",
}
#: Python functions that stand for what is done in them.
DONE: dict[CodeType, str] = {swarm.random_leg.__code__: "legs", frames.frame.__code__: "framed"}

counts: Counter[str] = Counter()


def count(frame: FrameType, event: str, argument: Any) -> None:
    """The profiler of every thread."""
    if event == "call":
        counts["calls"] += 1
        if done := DONE.get(frame.f_code):
            counts[done] += 1
    elif event == "c_call" and (call := CALLS.get(argument.__qualname__)):
        counts[call] += 1


class SyncDoor(Door):
    """SQLite's syncs, counted."""

    def note(self, call: str, name: str, text: str, result: int) -> None:
        """One call more."""
        if call == "fsync":
            counts["syncs"] += 1


class Known(CollectorRegistry):
    """A registry that tells the server's own counters."""

    def register(self, collector: Collector) -> None:
        """Note it as well."""
        super().register(collector)
        if isinstance(collector, LoopCounter | LoopHistogram):
            counters.append(collector)


counters: list[LoopCounter | LoopHistogram] = []


def own() -> dict[str, float]:
    """The server's counters; of a histogram, how much was observed."""
    return {
        one._name.removeprefix("gamekit_"): one.total if isinstance(one, LoopCounter) else sum(one._counts)
        for one in counters
    }


def main() -> None:
    """Count, and serve."""
    told = os.open(sys.argv[1], os.O_WRONLY)
    sys.argv = ["gamekit", *sys.argv[2:]]
    door = SyncDoor(Path(os.devnull), 0)
    assert door.syncs == 0

    def tell() -> None:
        os.write(told, json.dumps(dict(counts) | own()).encode() + b"\n")

    def asked(number: int, frame: FrameType | None) -> None:
        # Not here: a signal comes in the middle of anything, when one thing is counted and its fellow is not yet.
        asyncio.get_running_loop().call_soon_threadsafe(tell)

    measure.CollectorRegistry = Known  # type: ignore[misc]
    signal.signal(signal.SIGUSR1, asked)
    from gamekit.cli import main as gamekit

    threading.setprofile(count)
    sys.setprofile(count)
    gamekit()


if __name__ == "__main__":
    main()
