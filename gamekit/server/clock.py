"""Game time against real time, on a grid, in integers: no drift and no rounding surprises."""

from __future__ import annotations

from gamekit.game import TICK_HZ, Tick

#: One slot of the grid in microseconds: sessions tick in different slots of the 100 ms, so that work spreads evenly.
SLOT_US = 5_000
SLOTS_PER_TICK = 1_000_000 // TICK_HZ // SLOT_US


class GameClock:
    """Maps the monotonic clock to ticks for one session.

    The clock is anchored at a slot of the session's own phase, so at speed 1 every tick falls on such a slot. At other
    speeds ticks fall between slots; the session still wakes in its own slots only, ten times a second.

    Args:
        phase: which of the `SLOTS_PER_TICK` slots in 100 ms is this session's.
    """

    def __init__(self, phase: int) -> None:
        self.phase = phase % SLOTS_PER_TICK
        self._anchor_us = 0
        #: False until it was set for the first time.
        self.running = False
        self._anchor_tick: Tick = 0
        self._speed_milli = 1000

    def anchor(self, now_us: int, tick: Tick, speed: float) -> None:
        """Let `tick` be the tick of this session's last slot before now, and go on at `speed`."""
        self.running = True
        self._anchor_us = self._slot_at_or_before(now_us)
        self._anchor_tick = tick
        self._speed_milli = round(speed * 1000)

    def resume(self, at_us: int, tick: Tick, speed: float) -> None:
        """Go on as a clock that showed `tick` from `at_us` on, however long ago that was."""
        self.running = True
        self._anchor_us = at_us
        self._anchor_tick = tick
        self._speed_milli = round(speed * 1000)

    def delay(self, lost_us: int) -> None:
        """Let `lost_us` pass that do not count: every tick to come falls so much later. Whole slots keep the phase."""
        self._anchor_us += lost_us

    def time_of(self, tick: Tick) -> int:
        """The first microsecond at which the clock shows `tick`."""
        return self._anchor_us - (-(tick - self._anchor_tick) * 1_000_000_000 // (self._speed_milli * TICK_HZ))

    def since(self, tick: Tick) -> int:
        """From when on a clock must be resumed so that it shows no tick later than this one: what is lost is no time.

        The exact time of `tick`, or less than a microsecond before it.
        """
        return self._anchor_us + (tick - self._anchor_tick) * 1_000_000_000 // (self._speed_milli * TICK_HZ)

    def tick_at(self, now_us: int) -> Tick:
        """The tick that the clock shows."""
        elapsed_us = max(now_us - self._anchor_us, 0)
        return self._anchor_tick + elapsed_us * self._speed_milli * TICK_HZ // 1_000_000_000

    def slot_of(self, tick: Tick) -> int:
        """The time of the session's first slot at which the clock shows at least `tick`, in microseconds."""
        needed = max(tick - self._anchor_tick, 0) * 1_000_000_000
        rate = self._speed_milli * TICK_HZ
        due_us = self._anchor_us - (-needed // rate)
        before = self._slot_at_or_before(due_us)
        return before if before == due_us else before + SLOTS_PER_TICK * SLOT_US

    def next_slot(self, now_us: int) -> int:
        """The session's first slot after now."""
        return self._slot_at_or_before(now_us) + SLOTS_PER_TICK * SLOT_US

    def _slot_at_or_before(self, time_us: int) -> int:
        period = SLOTS_PER_TICK * SLOT_US
        offset = self.phase * SLOT_US
        return (time_us - offset) // period * period + offset
