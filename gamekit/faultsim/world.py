"""Virtual time, and the story of what happened in it.

Everything in the simulated world (hosts, disk, network, clients) is an event on one heap; nothing else ever waits. A
step is one event. The order of events is decided by their times and, at one time, by who came first: so a seed decides
everything, on every machine and under every hash seed.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import deque
from collections.abc import Callable

from gamekit.errors import GamekitError

#: Lines of the story that are told when a promise is broken.
STORY_LINES = 60


class PromiseBroken(GamekitError):
    """The auditor found a promise broken.

    Attributes:
        promise: its number in the README.
        expected, seen: what should have been, and what was.
    """

    def __init__(self, promise: int, expected: str, seen: str) -> None:
        super().__init__(f"promise {promise}: expected {expected}; seen: {seen}")
        self.promise = promise
        self.expected = expected
        self.seen = seen


class Timer:
    """Something that will happen, unless it is cancelled."""

    __slots__ = ("cancelled", "what")

    def __init__(self, what: Callable[[], None]) -> None:
        self.what = what
        self.cancelled = False

    def cancel(self) -> None:
        """It will not happen."""
        self.cancelled = True


class World:
    """One seed's world.

    Args:
        seed: decides everything.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        #: Virtual time in microseconds.
        self.now_us = 0
        #: How many events have happened.
        self.steps = 0
        #: The first promise broken; the world stops at it.
        self.broken: PromiseBroken | None = None
        self.story: deque[str] = deque(maxlen=STORY_LINES)
        #: How often each kind of fault has happened: {name: times}
        self.faults: dict[str, int] = {}
        self._digest = hashlib.blake2b(digest_size=16)
        self._events: list[tuple[int, int, Timer]] = []
        self._numbered = 0

    def chance(self, name: str) -> random.Random:
        """A stream of random numbers of its own, so that what one part draws does not move another's."""
        # Seeded by text: that goes through SHA-512, not through the hash of this process.
        return random.Random(f"{self.seed}/{name}")

    def after(self, delay_us: int, what: Callable[[], None]) -> Timer:
        """Let something happen later."""
        return self.at(self.now_us + delay_us, what)

    def at(self, time_us: int, what: Callable[[], None]) -> Timer:
        """Let something happen at a time; at once (after what waits already) when that is past."""
        timer = Timer(what)
        self._numbered += 1
        heapq.heappush(self._events, (max(time_us, self.now_us), self._numbered, timer))
        return timer

    def step(self) -> bool:
        """Let the next event happen; False when there is none left."""
        while self._events:
            self.now_us, _, timer = heapq.heappop(self._events)
            if not timer.cancelled:
                self.steps += 1
                timer.what()
                return True
        return False

    def tell(self, line: str) -> None:
        """Add a line to the story; all lines together make the trace that a seed reproduces."""
        line = f"{self.now_us / 1e6:12.6f}  {line}"
        self.story.append(line)
        self._digest.update(line.encode())

    def fault(self, name: str, line: str) -> None:
        """Add a fault to the story."""
        self.faults[name] = self.faults.get(name, 0) + 1
        self.tell(f"FAULT {name}: {line}")

    def break_promise(self, promise: int, expected: str, seen: str) -> None:
        """Note that a promise was broken; only the first one counts, for what follows may follow from it."""
        if self.broken is None:
            self.broken = PromiseBroken(promise, expected, seen)
            self.tell(f"BROKEN {self.broken}")

    @property
    def digest(self) -> str:
        """BLAKE2b-128 over all lines of the story so far, as 32 hex digits."""
        return self._digest.hexdigest()
