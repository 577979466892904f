"""Time passes in parts: none of them is long, whatever a game is made of, and what is broken off is told as such."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

from gamekit.game import Event, Join, PlayerId
from gamekit.space import SpaceGame, SpaceState

GAME = SpaceGame()
EXTREME = {"dispatch_ticks": 1, "cycle_percent": 1}


def heavy(sectors: int, ships: int, **rules: int) -> SpaceState:
    """A galaxy with two companies of many ships, at the extremes of the rules."""
    companies = [{"name": name, "ships": ships // 2, "credits": 10**12} for name in ("One", "Two")]
    scenario = {"name": "procedural", "sectors": sectors, "companies": companies}
    return GAME.new({"scenario": scenario, "rules": EXTREME | rules}, 1)


def longest_part(state: SpaceState, ticks: int) -> tuple[int, int]:
    """The most calls of functions between two questions over so many ticks, and how many questions there were."""
    calls = longest = questions = 0

    def count(_frame: Any, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    def enough() -> bool:
        nonlocal calls, longest, questions
        longest, questions, calls = max(longest, calls), questions + 1, 0
        return False

    until = state.tick + ticks
    sys.setprofile(count)
    try:
        while state.tick < until:
            calls = 0
            GAME.advance_some(state, state.tick + 1, enough)
            longest = max(longest, calls)
    finally:
        sys.setprofile(None)
    return longest, questions


def in_parts(state: SpaceState, until: int, patience: int) -> list[Event]:
    """Let time pass, broken off after every so many questions."""
    events: list[Event] = []
    asked = 0

    def enough() -> bool:
        nonlocal asked
        asked += 1
        return asked % patience == 0

    while True:
        progress = GAME.advance_some(state, until, enough)
        events += progress.events
        if not progress.inside and state.tick == until:
            return events


@pytest.mark.parametrize("patience", [1, 7])
@pytest.mark.parametrize("rules", [{}, {"storm_rate": 36_000, "storm_ticks": 100}], ids=["calm", "stormy"])
def test_busy_galaxy_lives_the_same_in_parts(rules: dict[str, int], patience: int) -> None:
    whole, parts = (heavy(40, 400, **rules) for _ in range(2))
    assert in_parts(parts, 60, patience) == GAME.advance(whole, 60)
    assert GAME.encode(parts) == GAME.encode(whole)


def stopped_inside() -> SpaceState:
    """A state in the middle of tick 1."""
    state = heavy(40, 400)
    progress = GAME.advance_some(state, 1, lambda: True)
    assert progress.inside
    return state


@pytest.mark.parametrize(
    "ask",
    [
        GAME.encode,
        lambda state: GAME.view(state, None),
        lambda state: GAME.apply(state, PlayerId("ada"), Join("Ada")),
        lambda state: GAME.set_rules(state, {"dock_ticks": 3}),
    ],
    ids=["encode", "view", "apply", "set_rules"],
)
def test_state_inside_a_tick_is_refused_whatever_needs_a_whole_one(ask: Callable[[SpaceState], Any]) -> None:
    state = stopped_inside()
    with pytest.raises(ValueError, match=r"inside tick 1.* call `advance_some`"):
        ask(state)
    GAME.advance(state, 1)
    ask(state)


def test_advance_finishes_the_tick_under_way_first() -> None:
    state, whole = heavy(40, 400), heavy(40, 400)
    events = list(GAME.advance_some(state, 1, lambda: True).events)
    for _ in range(5):
        events += GAME.advance_some(state, 9, lambda: True).events
    events += GAME.advance(state, 9)
    assert events == GAME.advance(whole, 9)
    assert GAME.encode(state) == GAME.encode(whole)


@pytest.mark.parametrize(
    ("sectors", "ships", "rules", "ticks"),
    [
        (24, 8_000, {}, 12),
        (300, 6_000, {}, 24),
        (300, 2_000, {"trade_range_jumps": 1_000}, 3),
        (200, 3_000, {"storm_rate": 36_000, "storm_ticks": 100}, 12),
    ],
    ids=["many ships", "many stations", "far trade", "storms"],
)
def test_no_part_of_the_costliest_galaxies_is_long(sectors: int, ships: int, rules: dict[str, int], ticks: int) -> None:
    # A call takes a fraction of a microsecond; in one go, a round here makes a million.
    longest, questions = longest_part(heavy(sectors, ships, **rules), ticks)
    assert longest < 20_000
    assert questions > 100
