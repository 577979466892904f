"""What a host does every second: heartbeats, pings, news of overload, measured times into the journal, sleep.

A few games at a time: between two turns the loop has ticks, commands and commits, so that a thousand games are looked
after without one of them being late for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from gamekit.journal import LatencyRow, PutLatency
from gamekit.server.guard import FAULTS
from gamekit.server.settings import HEARTBEAT_S
from gamekit.server.wall import ALIVE_S

if TYPE_CHECKING:
    from gamekit.server.host import Host
    from gamekit.server.runner import Runner

log = logging.getLogger("gamekit.server")

T = TypeVar("T")

#: Games, or connections, that are looked after in one go; it takes half a millisecond.
A_TURN = 16


class Housekeeping:
    """The seconds of one host.

    Args:
        host: whose games are looked after.
    """

    def __init__(self, host: Host) -> None:
        self.host = host
        #: Runners that ticked in this second, in the order in which they did.
        self.measured: dict[Runner, None] = {}
        #: Runners whose players were told of an overload that is not over.
        self.overloaded: dict[Runner, None] = {}
        #: When a sign of life was left last, on the host's clock.
        self._alive_us = 0

    async def run(self) -> None:
        """Go on until cancelled."""
        self._alive_us = self.host.now_us()
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self.second()
            except Exception:
                log.exception("what is done every second failed; it is tried again in the next")

    async def second(self) -> None:
        """Do what one second asks for."""
        host = self.host
        host.storage.look()
        await self._each(host.beats.due(), lambda runner: runner.beat())
        await self._each(host.pings.due(), lambda connection: connection.check())
        await self._look_and_measure()
        await self._each(host.dormitory.unused(), host.dormitory.consider)
        if host.now_us() - self._alive_us >= ALIVE_S * 1e6:
            self._alive_us = host.now_us()
            await host.note_alive()

    def forget(self, runner: Runner) -> None:
        """A session is not in memory any more."""
        self.measured.pop(runner, None)
        self.overloaded.pop(runner, None)

    async def _look_and_measure(self) -> None:
        host = self.host
        at_s = host.wall_s()
        measured, self.measured = self.measured, {}
        rows: list[LatencyRow] = []

        def look(runner: Runner) -> None:
            runner.look(host.now_us())
            # It may have left memory since the second began.
            if runner.load.active and host.runners.get(runner.id) is runner:
                self.overloaded[runner] = None
            else:
                self.overloaded.pop(runner, None)
            if row := runner.times.row(runner.id, at_s):
                rows.append(row)

        await self._each(measured | self.overloaded, look)
        host.metrics.overloaded.set(len(self.overloaded))
        if rows and not host.draining:
            host.journal.submit([PutLatency(tuple(rows))])

    async def _each(self, ones: Iterable[T], do: Callable[[T], None]) -> None:
        """Do something for each, and let others have their turn in between."""
        for number, one in enumerate(ones, 1):
            try:
                do(one)
            except FAULTS:
                log.exception("what is done every second failed for one of many; it is done for the others")
            if number % A_TURN == 0:
                await asyncio.sleep(0)
