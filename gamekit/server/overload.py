"""How one session keeps up with its clock, and what its players are told when it does not.

Owns the measure and the announcements, not the clock: the runner delays that. Only a watched session can be
overloaded; one that nobody looks at goes on in large steps, late by choice.

Under `catch-up` the ticks that came late are made up for, in steps that leave the loop to others. Under `dilate` the
time that was lost is not made up for: the game keeps `factor` of its speed, and everything in it slows down alike,
because everything in it is counted in ticks.
"""

from __future__ import annotations

import msgspec

from gamekit.server.settings import HEAVY_US, LEAD_US, LONG_CALL_US
from gamekit.session import Overload

#: Lateness of a tick from which players are told, in microseconds: two and a half ticks at speed 1.
LATE_US = 250_000
#: The share of its speed below which a dilated game is said to be slow, and the change that is said anew.
SLOW_FACTOR = 0.9
FACTOR_STEP = 0.1
#: Seconds in order after which it is over.
GOOD_SECONDS = 3
#: So much work is remembered for what a tick costs, in microseconds: two seconds of a game that always works.
REMEMBERED_US = 2_000_000


class Announcement(msgspec.Struct, frozen=True):
    """What players are to be told."""

    kind: str
    message: str
    late_ms: float
    factor: float


class Load:
    """One session's load. Times in microseconds on the host's clock."""

    def __init__(self) -> None:
        #: True from the announcement until it is taken back.
        self.active = False
        #: The share of its speed that the game keeps.
        self.factor = 1.0
        #: The worst lateness of the latest second.
        self.late_us = 0
        self._worst_us = 0
        self._lost_us = 0
        self._since_us = 0
        self._good = 0
        self._told_us = 0
        self._told_factor = 1.0
        #: Ticks that passed lately, and the work that they took.
        self._ticks = self._work_us = 0.0
        #: Until when the game waits for its turn with all that it does, on the host's clock.
        self.heavy_until_us = 0
        #: The longest call of this overload, or of the latest second, that held others up in one piece; or 0.
        self.long_call_us = 0
        self._longest_us = 0
        #: Why the server paused the game, until it goes on.
        self.stopped: str | None = None

    def late(self, late_us: int) -> None:
        """A tick began, or is still to begin, so late."""
        self._worst_us = max(self._worst_us, late_us)

    def lost(self, lost_us: int) -> None:
        """So much time was given up for good."""
        self._lost_us += lost_us

    def worked(self, ticks: int, work_us: int) -> None:
        """So many ticks took so long, or a part of one tick when it is none."""
        self._ticks += ticks
        self._work_us += work_us
        if self._work_us > REMEMBERED_US:
            self._ticks /= 2
            self._work_us /= 2

    def stride(self, most: int) -> int:
        """How many ticks a command may be ahead: what `LEAD_US` allows by what ticks have cost, and at least one."""
        if not self._work_us:
            return most
        return max(1, min(most, int(LEAD_US * self._ticks / self._work_us)))

    def cut(self, now_us: int) -> None:
        """A call had to end before its work was done."""
        self.heavy_until_us = now_us + HEAVY_US

    def called(self, spent_us: int) -> None:
        """A call took so long."""
        if spent_us > LONG_CALL_US:
            self._longest_us = max(self._longest_us, spent_us)

    def look(self, now_us: int, policy: Overload) -> Announcement | None:
        """A second (about) has passed: what is to be said, if anything."""
        elapsed_us = now_us - self._since_us if self._since_us else 1_000_000
        self._since_us = now_us
        self.late_us, self._worst_us = self._worst_us, 0
        lost_us, self._lost_us = self._lost_us, 0
        longest_us, self._longest_us = self._longest_us, 0
        self.long_call_us = max(longest_us, self.long_call_us if self.active else 0)
        # Half of the second before still counts, so that the factor does not flicker.
        fresh = max(0.01, 1.0 - min(lost_us / max(elapsed_us, 1), 1.0))
        self.factor = round((self.factor + fresh) / 2, 3) if self.active else round(fresh, 3)
        slow = self.factor < SLOW_FACTOR if policy == "dilate" else self.late_us >= LATE_US
        if slow:
            return self._trouble(policy)
        self._good += 1
        if not self.active or self._good < GOOD_SECONDS:
            return None
        self.active, self.factor = False, 1.0
        return Announcement("overload_over", "The game keeps up again.", 0.0, 1.0)

    def _trouble(self, policy: Overload) -> Announcement | None:
        self._good = 0
        if policy == "dilate":
            news = not self.active or abs(self.factor - self._told_factor) >= FACTOR_STEP
            text = f"The server is overloaded: time passes at {100 * self.factor:.0f} % of its speed, none is skipped."
        else:
            news = not self.active or not self._told_us / 2 <= self.late_us <= 2 * self._told_us
            text = f"The server is overloaded: ticks come {self.late_us / 1e6:.1f} s late, and are made up for."
            if self.factor < SLOW_FACTOR:
                news = news or abs(self.factor - self._told_factor) >= FACTOR_STEP
                text = (
                    f"The server is overloaded: ticks come {self.late_us / 1e6:.1f} s late, no more is made up for, "
                    f"and time passes at {100 * self.factor:.0f} % of its speed."
                )
        if self.long_call_us:
            text += (
                f" One step of this game takes {self.long_call_us / 1e6:.1f} s at once, so it gets few of them, for "
                "the sake of other games; its owner makes the step cheaper, or pauses the game."
            )
        if not news:
            return None
        self.active = True
        self._told_us, self._told_factor = self.late_us, self.factor
        factor = self.factor if policy == "dilate" or self.factor < SLOW_FACTOR else 1.0
        return Announcement("overload", text, self.late_us / 1000, factor)
