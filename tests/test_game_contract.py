"""Every game keeps every law of the contract."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamekit.game import Command, PlayerId, View
from gamekit.space import SpaceGame, SpaceState
from tests.coming_game import Draw, Sparks, Throw
from tests.counter_game import Add, CounterGame, Reset
from tests.designer_game import Donate, FoodFirst, InTurn
from tests.game_contract import LAWS, Subject
from tests.small_game import Dig, Nuggets
from tests.space.strategies import commands as space_commands
from tests.space.strategies import explorers as fog_commands


def counter_commands(_view: View) -> st.SearchStrategy[Command]:
    """Commands of the counter game, in and out of bounds."""
    return st.builds(Add, n=st.integers(-5, 120)) | st.just(Reset())


def digging(_view: View) -> st.SearchStrategy[Command]:
    """Commands of the small game, in and out of bounds."""
    return st.builds(Dig, nuggets=st.integers(-1, 30))


def sparking(_view: View) -> st.SearchStrategy[Command]:
    """Commands of the game in which things come and go, in and out of bounds."""
    return st.builds(Throw, sparks=st.integers(-1, 5)) | st.builds(Draw, card=st.integers(-1, 3))


def designer_commands(view: View) -> st.SearchStrategy[Command]:
    """The bundled commands, and gifts."""
    gifts = st.builds(Donate, to=st.sampled_from([*view["players"], "nobody"]), credits=st.integers(-1, 11_000_000))
    return space_commands(view) | gifts


#: A small galaxy in which orders are soon carried out and queues soon full.
SMALL = {
    "scenario": "procedural:4",
    "rules": {"jump_ticks": 3, "dock_ticks": 0, "ship_speed_mm_per_tick": 90_000, "queue_limit": 6},
}
#: One in which companies trade.
TRADING = {"scenario": "procedural:4", "rules": {"company_percent": 100, "jump_ticks": 3, "storm_rate": 1_000}}
#: The same in fog: few sectors are charted, and surveyors are at work. Names and ids are long enough to search for.
FOG = {
    "scenario": "procedural:8",
    "rules": SMALL["rules"] | {"fog": 1, "discovery_ticks": 700, "company_percent": 100, "storm_rate": 5_000},
}


def unknown_words(state: SpaceState, viewer: PlayerId | None) -> list[str]:
    """Ids and names of all that a viewer must never have heard of."""
    known = state.known_to(viewer)
    assert known is not None
    hidden = [sector for sector in state.sectors.values() if sector.id not in known]
    words = [word for sector in hidden for word in (sector.id, sector.name, *sector.gates)]
    for station in state.stations.values():
        if station.sector not in known:
            words += [station.id, station.name]
    return words


SUBJECTS = [
    Subject("counter", CounterGame(), {"rules": {"every_ticks": 7}}, counter_commands, longest_wait=40),
    Subject("still-counter", CounterGame(), {"rules": {"every_ticks": 0}}, counter_commands, longest_wait=40),
    Subject("nuggets", Nuggets(), {"rules": {"growth": 2}}, digging, longest_wait=40),
    Subject("sparks", Sparks(), {"rules": {"rest": 1}}, sparking, longest_wait=40),
    Subject("space-small", SpaceGame(), SMALL, space_commands, longest_wait=300),
    Subject("space-nearest-stars", SpaceGame(), {}, space_commands, longest_wait=2_000),
    Subject("food-first", FoodFirst(), TRADING, designer_commands, longest_wait=2_000),
    Subject("in-turn", InTurn(), TRADING, space_commands, longest_wait=2_000),
    Subject("space-in-fog", SpaceGame(), FOG, fog_commands, longest_wait=300, unknown=unknown_words),
]


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_game_keeps_the_law(subject: Subject, law, data: st.DataObject) -> None:  # noqa: ANN001 - one of LAWS
    law(subject, data)
