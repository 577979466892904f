"""Who is due a word in the silence: runners in buckets of one second, so that nobody else is looked at.

A game in which nothing is said speaks more and more rarely, and says with each heartbeat when the next one comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from gamekit import wire
from gamekit.server.frames import frame

if TYPE_CHECKING:
    from gamekit.server.runner import Runner


@lru_cache(maxsize=64)
def silent_frame(next_s: int, binary: bool) -> bytes:
    """A heartbeat that tells no tick, framed: of a game that sleeps, or keeps secrets.

    Args:
        next_s: within how many seconds the next message comes.
        binary: True for MessagePack, False for JSON.
    """
    beat = wire.Heartbeat(tick=None, next_s=float(next_s))
    return frame(wire.encode(beat, binary=binary), binary=binary)


class Beats:
    """The seconds to come, and who speaks in each. A runner is planned once; a new plan makes the former void."""

    def __init__(self) -> None:
        self._second = 0
        self._buckets: dict[int, list[Runner]] = {}

    @property
    def second(self) -> int:
        """How many seconds have passed."""
        return self._second

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
