"""Turns on the loop: games whose work does not fit into one slice of time go on one after the other, slice by slice.

A slice ends at the first point after `SLICE_US` at which the rules can stop (`Game.advance_some`). Between two slices
the loop has everything else that is due: sockets, commits, the ticks of games that are soon done. So a small game's
tick comes before the next slice of a large one, and several large ones share what is left.

What cannot be divided is paid for afterwards: a game whose call took long rests (`rest_us`) before its next turn, so
that its share of the loop is bounded whatever its rules do. While a game has no turn nothing of its state moves: its
commands are journaled and acknowledged, pings and heartbeats are answered, and whoever comes is welcomed at its turn.

Owns the order of turns. Does not know what a game does in its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from gamekit.server.settings import LONG_CALL_US, REST_AFTER_LONG, SLICE_US


class Sharing(Protocol):
    """A game that takes turns."""

    #: Until when it rests, on the host's clock.
    rest_until_us: int
    #: True while it waits for a turn.
    queued: bool

    def turn(self) -> None:
        """Do a slice of its work; never raises."""
        ...


def rest_us(spent_us: int) -> int:
    """How long a game rests after a call that took `spent_us`, in microseconds.

    Half as long again leaves a third of the loop to the others, in times that they do not notice; after a call that
    others did notice, a game has a small share of the loop only.
    """
    if spent_us <= 2 * SLICE_US:
        return 0
    return spent_us // 2 if spent_us <= LONG_CALL_US else spent_us * REST_AFTER_LONG


class Turns:
    """The games of one host that have more to do, in the order of their turns.

    Args:
        now_us: the host's clock.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._waiting: dict[Sharing, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._going = False
        self._closed = False
        #: Until when the loop is the others' after the latest turn, on the host's clock.
        self._free_us = 0
        self._next: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, one: Sharing) -> None:
        """Let a game go on, after those that wait already."""
        if self._closed:
            return
        one.queued = True
        self._waiting.setdefault(one)
        if self._timer is None and not self._going:
            self._plan()

    def discard(self, one: Sharing) -> None:
        """A game has nothing more to do here."""
        one.queued = False
        self._waiting.pop(one, None)

    def close(self) -> None:
        """Give no more turns."""
        self._closed = True
        for one in list(self._waiting):
            self.discard(one)
        if self._timer is not None:
            self._timer.cancel()

    async def next(self, within_s: float) -> None:
        """Wait until some game has had its turn, or for so long."""
        if self._next is None or self._next.done():
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._next], timeout=within_s)

    def _plan(self) -> None:
        """Set the alarm for the next turn."""
        loop = asyncio.get_running_loop()
        at_us = max(self._free_us, min(one.rest_until_us for one in self._waiting))
        self._timer = loop.call_at(loop.time() + max(at_us - self._now_us(), 0) / 1e6, self._go)

    def _go(self) -> None:
        """Give one game its turn, and plan the next."""
        self._timer = None
        begun_us = self._now_us()
        one = next((one for one in self._waiting if one.rest_until_us <= begun_us), None)
        if one is not None:
            self.discard(one)
            self._going = True
            one.turn()
            self._going = False
            now_us = self._now_us()
            self._free_us = now_us + self._pause_us(now_us - begun_us)
            if self._next is not None and not self._next.done():
                self._next.set_result(None)
        if self._waiting:
            self._plan()

    def _pause_us(self, turn_us: int) -> int:
        """How long the loop is the others' after a turn that took so long."""
        return turn_us // 2
