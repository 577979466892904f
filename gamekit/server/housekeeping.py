"""What a host does every second: heartbeats, news of overload, measured times into the journal, sleep for the unused.

A few games at a time: between two turns the loop has ticks, commands and commits, so that a thousand games are looked
after without one of them being late for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gamekit.journal import LatencyRow, PutLatency
from gamekit.server.settings import HEARTBEAT_S

if TYPE_CHECKING:
    from gamekit.server.host import Host
    from gamekit.server.runner import Runner

log = logging.getLogger("gamekit.server")

#: Games that are looked after in one go: half a millisecond of rows, or two of heartbeats to cold sockets.
GAMES_A_TURN = 16


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

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self.second()
            except Exception:
                log.exception("what is done every second failed; it is tried again in the next")

    async def second(self) -> None:
        """Do what one second asks for."""
        host = self.host
        await self._each(host.beats.due(), lambda runner: runner.beat())
        await self._look_and_measure()
        await self._each(host.dormitory.unused(), host.dormitory.consider)

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
            if runner.load.active:
                self.overloaded[runner] = None
            else:
                self.overloaded.pop(runner, None)
            if row := runner.times.row(runner.id, at_s):
                rows.append(row)

        await self._each(measured | self.overloaded, look)
        host.metrics.overloaded.set(len(self.overloaded))
        if rows and not host.draining:
            host.journal.submit([PutLatency(tuple(rows))])

    async def _each(self, runners: Iterable[Runner], do: Callable[[Runner], None]) -> None:
        """Do something for each, and let others have their turn in between."""
        for number, runner in enumerate(runners, 1):
            try:
                do(runner)
            except Exception:
                log.exception("what is done for game %s every second failed; others go on", runner.id)
            if number % GAMES_A_TURN == 0:
                await asyncio.sleep(0)
