"""Who is due a word in the silence: runners in buckets of one second, so that nobody else is looked at.

A game in which nothing is said speaks more and more rarely, and says with each heartbeat when the next one comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gamekit import wire
from gamekit.server.frames import frame
from gamekit.server.settings import HEARTBEAT_MAX_S

if TYPE_CHECKING:
    from gamekit.server.runner import Runner


#: What every socket of every sleeping game is sent: {binary: frame}. It tells no tick, so it is the same for all.
ASLEEP_FRAMES = {
    binary: frame(wire.encode(wire.Heartbeat(tick=None, next_s=float(HEARTBEAT_MAX_S)), binary=binary), binary=binary)
    for binary in (False, True)
}


class Beats:
    """The seconds to come, and who speaks in each. A runner is planned once; a new plan makes the former void."""

    def __init__(self) -> None:
        self._second = 0
        self._buckets: dict[int, list[Runner]] = {}

    def plan(self, runner: Runner, in_s: int) -> None:
        """Let the runner speak in so many seconds, from 1 on."""
        runner.beat_at = self._second + in_s
        self._buckets.setdefault(runner.beat_at, []).append(runner)

    def plan_soon(self, runner: Runner) -> None:
        """Let the runner speak within a second, whatever was planned."""
        if runner.beat_at != self._second + 1:
            self.plan(runner, 1)

    def due(self) -> Iterator[Runner]:
        """A second has passed: who speaks now."""
        self._second += 1
        for runner in self._buckets.pop(self._second, ()):
            if runner.beat_at == self._second:
                runner.beat_at = 0
                yield runner
