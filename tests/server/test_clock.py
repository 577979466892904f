"""The clock: an exact grid, no drift, no tick early."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gamekit.server.clock import SLOT_US, SLOTS_PER_TICK, GameClock

TIMES = st.integers(0, 10**13)
SPEEDS = st.sampled_from([0.1, 0.5, 1.0, 1.7, 10.0, 333.3, 1000.0])


@given(phase=st.integers(0, 50), start=TIMES, tick=st.integers(0, 10**9), speed=SPEEDS, ahead=st.integers(0, 10**6))
def test_a_session_is_woken_in_its_first_slot_at_which_the_tick_is_due(
    phase: int, start: int, tick: int, speed: float, ahead: int
) -> None:
    clock = GameClock(phase)
    clock.anchor(start, tick, speed)
    due_us = clock.slot_of(tick + ahead)
    assert due_us % (SLOTS_PER_TICK * SLOT_US) == (phase % SLOTS_PER_TICK) * SLOT_US
    assert clock.tick_at(due_us) >= tick + ahead
    before = due_us - SLOTS_PER_TICK * SLOT_US
    assert ahead == 0 or clock.tick_at(before) < tick + ahead


@given(start=TIMES, tick=st.integers(0, 10**9), hours=st.integers(1, 10_000))
def test_at_speed_one_ten_ticks_are_exactly_a_second_for_ever(start: int, tick: int, hours: int) -> None:
    clock = GameClock(3)
    clock.anchor(start, tick, 1.0)
    slot = clock.slot_of(tick)
    assert clock.tick_at(slot + hours * 3_600_000_000) == tick + hours * 36_000


@given(start=TIMES, speed=SPEEDS, steps=st.lists(st.integers(0, 10**7), max_size=20))
def test_ticks_never_go_back(start: int, speed: float, steps: list[int]) -> None:
    clock = GameClock(0)
    clock.anchor(start, 0, speed)
    now, last = start, 0
    for step in steps:
        now += step
        assert clock.tick_at(now) >= last
        last = clock.tick_at(now)


@given(now=TIMES, phase=st.integers(0, 9))
def test_the_next_slot_is_later_and_within_one_tick(now: int, phase: int) -> None:
    clock = GameClock(phase)
    assert 0 < clock.next_slot(now) - now <= SLOTS_PER_TICK * SLOT_US


@given(start=TIMES, speed=SPEEDS, passed=st.integers(0, 10**8), later=st.integers(0, 10**8))
def test_a_clock_that_is_resumed_is_never_behind_and_not_a_microsecond_ahead(
    start: int, speed: float, passed: int, later: int
) -> None:
    clock, resumed = GameClock(0), GameClock(0)
    clock.anchor(start, 0, speed)
    tick = clock.tick_at(start + passed)
    resumed.resume(clock.since(tick), tick, speed)
    # Also when a tick begins in this very microsecond.
    for now in (start + passed + later, clock.time_of(tick + later)):
        assert clock.tick_at(now) <= resumed.tick_at(now) <= clock.tick_at(now + 1)
