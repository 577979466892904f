"""How one runner's clock keeps with its session when that comes late: what is made up for, and what is given up.

Owns when a session was joined and how late it may become; the measures are in `overload`, the clock is the runner's.
Only a watched session is overloaded. What it missed before the first connection came is made up for whatever its
policy; an unwatched one goes on in large steps, late by choice. Neither may fall behind for ever: beyond
`MAKE_UP_US` (or what it was late by already when that began) time is given up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gamekit.game import Tick
from gamekit.server.clock import SLOT_US, SLOTS_PER_TICK
from gamekit.server.settings import MAKE_UP_US
from gamekit.session import Session

if TYPE_CHECKING:
    from gamekit.server.runner import Runner


class Pace:
    """One runner's.

    Args:
        runner: whose clock it is.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        #: Until this tick the session makes up for what was missed before the first connection came, whatever its
        #: policy, and that is no overload; and how many ticks that is.
        self._joined_tick: Tick = 0
        self._missed: Tick = 0
        #: How late the session may be, and when it was behind for the last time.
        self._allowed_us = self._behind_us = 0

    def join(self, session: Session[Any], now_us: int) -> None:
        """The first connection came, or the session is back in memory."""
        self._joined_tick = self._runner.clock.tick_at(now_us)
        self._missed = self._joined_tick - session.tick

    def anchored(self) -> None:
        """The clock goes on from the session's tick: it is late by nothing."""
        self._joined_tick = self._missed = 0
        self._allowed_us = 0

    def target(self, session: Session[Any], now_us: int) -> Tick:
        """The tick at which the session should be."""
        tick = self._runner.clock.tick_at(now_us)
        return tick if session.hold_at is None else min(tick, session.hold_at)

    def lag(self, session: Session[Any], now_us: int) -> Tick:
        """How many ticks the session is behind its clock."""
        return max(self.target(session, now_us) - session.tick, 0)

    def late_us(self, session: Session[Any], now_us: int) -> int:
        """How late the session's next tick is."""
        if not self.lag(session, now_us):
            return 0
        tick = max(session.tick, session.intake.last_tick)
        return max(now_us - self._runner.clock.time_of(tick + 1), 0)

    def told(self, session: Session[Any], now_us: int) -> tuple[Tick, float]:
        """What readers are told of it: how many ticks are not done that could be, and how late that is in seconds.

        Ticks in which nothing falls due are done; a session that nobody watches is late only when its next look at
        itself is.
        """
        runner, target = self._runner, self.target(session, now_us)
        due = session.next_due()
        lag = 0 if due is None or due > target else max(target - max(session.tick, due - 1), 0)
        if runner.queued or session.midway or session.cut:
            return max(lag, 1), self.late_us(session, now_us) / 1e6
        return lag, max(now_us - runner.due_us, 0) / 1e6 if lag and runner.due_us is not None else 0.0

    def dilate(self, session: Session[Any], late_us: int) -> None:
        """A tick of a session that dilates begins late: that is given up, unless it makes up for what it missed."""
        if self._runner.sockets and session.tick >= self._joined_tick:
            self.lose(late_us)

    def overdue(self, session: Session[Any], now_us: int) -> None:
        """One call could not do all that is due: that is overload as well, unless nobody watched until now."""
        runner = self._runner
        lag = self.lag(session, now_us)
        if not lag:
            return
        late_us = self.late_us(session, now_us)
        if now_us - self._behind_us > MAKE_UP_US or not self._allowed_us:
            self._allowed_us = max(late_us, MAKE_UP_US)
        self._behind_us = now_us
        self.lose(late_us - self._allowed_us)
        if not runner.sockets or session.tick < self._joined_tick:
            return
        if lag <= self._missed // 2:
            # Most is made up for; what passed meanwhile is made up for as well.
            self.join(session, now_us)
            return
        self._missed = 0
        runner.load.late(min(late_us, self._allowed_us))
        if session.policy.overload == "dilate":
            self.lose(late_us)

    def lose(self, late_us: int) -> None:
        """Give lateness up, for good and in whole slots."""
        period_us = SLOT_US * SLOTS_PER_TICK
        lost_us = late_us // period_us * period_us
        if lost_us <= 0:
            return
        runner = self._runner
        runner.clock.delay(lost_us)
        runner.load.lost(lost_us)
        runner.host.metrics.dilated.inc(lost_us / 1e6)
