"""The agenda: which thing has something due next.

A heap of `(tick, key)` pairs over the things that have a `due` tick. It is an index, not a part of the state: what is
due stands in the things themselves, so an agenda is never saved and can be rebuilt at any time. At one tick, things
come in the order of their keys, whatever the order in which they were entered.

A thing whose plan changed leaves its old pair behind; a pair counts only while the thing's `due` is its tick.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Protocol

from gamekit.game import Tick


class Scheduled(Protocol):
    """What the agenda needs of a thing."""

    due: Tick

    @property
    def key(self) -> int:
        """Its number, which no other thing has."""
        ...


class Agenda:
    """What falls due, soonest first.

    Attributes:
        heap: the `(tick, key)` pairs, some of them stale.
        things: `{key: thing}` for every thing that can have something due.
    """

    __slots__ = ("heap", "things")

    def __init__(self, things: Iterable[Scheduled]) -> None:
        self.things: dict[int, Scheduled] = {thing.key: thing for thing in things}
        self.heap: list[tuple[Tick, int]] = [(thing.due, thing.key) for thing in self.things.values() if thing.due >= 0]
        heapify(self.heap)

    def add(self, thing: Scheduled) -> None:
        """Take in a new thing; nothing of it may be due yet."""
        self.things[thing.key] = thing

    def remove(self, thing: Scheduled) -> None:
        """Forget a thing that is gone, and whatever it had due."""
        del self.things[thing.key]
        self.heap[:] = [pair for pair in self.heap if pair[1] != thing.key]
        heapify(self.heap)

    def put(self, thing: Scheduled, tick: Tick) -> None:
        """Let `thing` be due at `tick`, and at no other."""
        thing.due = tick
        heappush(self.heap, (tick, thing.key))

    def pop(self, until: Tick) -> Scheduled | None:
        """The next thing that is due at `until` at the latest, whose pair is then gone; or None."""
        heap, things = self.heap, self.things
        while heap and heap[0][0] <= until:
            tick, key = heappop(heap)
            thing = things[key]
            if thing.due == tick:
                return thing
        return None

    def next_due(self) -> Tick | None:
        """The next tick at which something is due, or None."""
        heap, things = self.heap, self.things
        while heap:
            tick, key = heap[0]
            if things[key].due == tick:
                return tick
            heappop(heap)
        return None
