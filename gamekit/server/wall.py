"""The wall clock: how much time passed while no server ran, and whether that can be believed.

Within one run of a server all time is the monotonic clock's; the wall clock is asked once, at the start, for how long
nothing ran. It is an outside value, and may be wrong by years (a dead battery, a wrong time source). So it is compared
with the latest *sign of life* in the journal, which a server leaves at its end, and every few hours before.

Where the wall clock has gone back behind that sign, or on by more than is plausible, it is not believed: game time goes
on from the sign, nothing is lived through, and what is written carries times that follow on those before. So a start
with the right clock finds everything as it was. Where the clock is right all the same, the owner says so.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable

import msgspec

from gamekit.errors import JournalError
from gamekit.journal import Journal

log = logging.getLogger("gamekit.server")

#: An absence of more than this is not believed by itself, in seconds: three days.
MAX_CATCH_UP_S = 3 * 86_400.0
#: Clocks are set back by a little now and then; that is no doubt, in seconds.
BACK_S = 60.0
#: How often a server that runs leaves a sign of life, in seconds.
ALIVE_S = 6 * 3600.0
#: Unix times outside of these are not times, in seconds: the years 1970 to about 5138.
EARLIEST_S, LATEST_S = 0.0, 1e11


class Doubt(msgspec.Struct, frozen=True):
    """Why the wall clock is not believed.

    Attributes:
        missing_s: how far it is ahead of the time that is believed, in seconds; negative when it is behind.
    """

    missing_s: float

    @property
    def days(self) -> float:
        """The same in days."""
        return self.missing_s / 86_400

    @property
    def message(self) -> str:
        """A sentence for people: what is the matter, and what to do."""
        if self.missing_s < 0:
            return (
                f"The server's clock is {-self.days:.1f} days behind the time at which its database was last used, so "
                "game time goes on from there. If the clock is right now, start the server once with --trust-clock."
            )
        return (
            f"The server's clock says that {self.days:.1f} days have passed in which no server ran, which is more than "
            "--max-catch-up; games go on where they were. If the clock is right, start the server once with "
            "--trust-clock, and games live through these days, or with --skip-missing-time, and they never passed."
        )


class Wall:
    """The wall clock of one host, as far as it is believed.

    Args:
        read: Unix time in seconds.
        max_catch_up_s: an absence of more than this is not believed, in seconds.
        trust: believe the clock whatever it says.
        skip: believe the clock, but let the time in which no server ran not have passed for any game, where it is more
            than `max_catch_up_s`.
    """

    def __init__(
        self,
        read: Callable[[], float],
        *,
        max_catch_up_s: float = MAX_CATCH_UP_S,
        trust: bool = False,
        skip: bool = False,
    ) -> None:
        self.read = read
        self.doubt: Doubt | None = None
        self._max_s = max_catch_up_s
        self._trust = trust
        self._skip = skip
        self._now_us: Callable[[], int] | None = None
        #: What to add to the host's clock for Unix time, in microseconds.
        self._offset_us = 0

    def start(self, journal: Journal, now_us: Callable[[], int]) -> None:
        """Compare the wall clock with the journal's last sign of life.

        Args:
            journal: started.
            now_us: the host's clock.
        """
        wall_s = believed_s = self.read()
        alive_s = journal.last_alive()
        if alive_s is None or not _is_time(alive_s):
            self._note(journal, wall_s)
        elif not self._trust and not -BACK_S <= wall_s - alive_s <= self._max_s:
            if self._skip and wall_s > alive_s:
                log.warning("the %.1f days in which no server ran are left out", (wall_s - alive_s) / 86_400)
                journal.move_clocks(wall_s - alive_s)
                self._note(journal, wall_s)
            else:
                believed_s = alive_s
                self.doubt = Doubt(wall_s - alive_s)
                log.warning("%s", self.doubt.message)
        elif self._trust:
            self._note(journal, wall_s)
        self._now_us = now_us
        self._offset_us = round(believed_s * 1e6) - now_us()

    def _note(self, journal: Journal, wall_s: float) -> None:
        # A journal that cannot be written says so by itself, and is served to be read.
        with contextlib.suppress(JournalError):
            journal.note_alive(wall_s)

    def to_wall(self, time_us: int) -> float:
        """A time on the host's clock as Unix time in seconds."""
        return (time_us + self._offset_us) / 1e6

    def from_wall(self, wall_s: float) -> int | None:
        """A Unix time in seconds on the host's clock; None when it is no time."""
        return round(wall_s * 1e6) - self._offset_us if _is_time(wall_s) else None

    def now_s(self) -> float:
        """Unix time in seconds, for people to read: the wall clock's, unless that is far from what is believed."""
        wall_s = self.read()
        believed_s = wall_s if self._now_us is None else self.to_wall(self._now_us())
        return wall_s if abs(wall_s - believed_s) <= self._max_s else believed_s


def _is_time(wall_s: object) -> bool:
    return isinstance(wall_s, int | float) and math.isfinite(wall_s) and EARLIEST_S <= wall_s <= LATEST_S
