"""Every kind of station by the shipped recipes: what stops it, what it says, for how long, and what sets it going."""

from __future__ import annotations

import pytest

from gamekit.game import Event
from gamekit.space.events import StationStatusChanged
from gamekit.space.model import NEVER, Station
from gamekit.space.scenario import catalogue
from tests.space.galaxies import Play, only
from tests.space.test_economy import refilled

RECIPES = {row.id: row for row in catalogue().recipes}
#: One recipe of each kind, and those with several inputs.
MADE_OF_SEVERAL = ["polymer-refinery", "farm", "electronics-factory", "parts-factory"]
MADE = ["smelter", *MADE_OF_SEVERAL]


def alone(recipe: str) -> tuple[Play, Station]:
    """A galaxy with nothing but a hub and one station of a recipe, half full."""
    scenario = {
        "sectors": [{"id": "here", "name": "Here", "x": 0, "y": 0}],
        "stations": [
            {"sector": "here", "recipe": "hub", "x": 0, "y": 0},
            {"sector": "here", "recipe": recipe, "x": 500, "y": 0},
        ],
    }
    play = Play(scenario)
    return play, play.state.stations[f"here-{recipe}"]


def stops(play: Play, station: Station) -> list[StationStatusChanged]:
    """Let a station run until it stands still; the changes of its status on the way."""
    events: list[Event] = []
    while station.due != NEVER:
        events += play.run(station.due - play.state.tick)
    return only(StationStatusChanged, events)


def names(play: Play, wares: dict[str, int]) -> str:
    """The names of wares as a reason lists them."""
    return ", ".join(play.state.wares[ware].name for ware in sorted(wares))


@pytest.mark.parametrize("kind", ["mine", "plant", "refinery", "factory", "hub", "habitat"])
def test_stations_of_every_kind_begin_at_tick_0_and_show_it(kind: str) -> None:
    for recipe in (row.id for row in RECIPES.values() if row.kind == kind):
        play, station = alone(recipe)
        shown = play.game.view(play.state, None)["stations"][station.id]
        says = {"hub": ("trading", "trading"), "habitat": ("producing", "consuming")}
        assert (shown["status"], shown["reason"]) == says.get(kind, ("producing", "producing")), recipe
        assert shown["since"] == 0
        assert (station.due == NEVER) == (kind == "hub")


def test_hub_only_trades_and_never_changes_by_itself() -> None:
    play, _ = alone("hub")
    play.run(10_000)
    hubs = [one for one in play.state.stations.values() if one.kind == "hub"]
    assert [(one.status, one.since, one.due, one.stock) for one in hubs] == [
        ("trading", 0, NEVER, {ware: units // 2 for ware, units in one.capacity.items()}) for one in hubs
    ]


@pytest.mark.parametrize("recipe", [row.id for row in RECIPES.values() if row.kind == "mine"])
def test_mine_clogs_and_tells_for_how_long_it_produced(recipe: str) -> None:
    play, mine = alone(recipe)
    (changed,) = stops(play, mine)
    reason = f"no room for more {names(play, RECIPES[recipe].outputs)}"
    assert changed == StationStatusChanged(mine.id, "clogged", reason, "producing", play.state.tick)
    assert (mine.status, mine.since) == ("clogged", play.state.tick)
    assert play.game.view(play.state, None)["stations"][mine.id]["since"] == play.state.tick


@pytest.mark.parametrize("recipe", MADE)
def test_station_that_makes_names_every_ware_it_is_short_of(recipe: str) -> None:
    play, station = alone(recipe)
    refilled(play, station.id, **dict.fromkeys(RECIPES[recipe].inputs, 0) | RECIPES[recipe].inputs)
    refilled(play, station.id, **dict.fromkeys(RECIPES[recipe].outputs, 0))
    (changed,) = stops(play, station)
    assert changed.status == station.status == "starved"
    assert changed.reason == f"short of {names(play, RECIPES[recipe].inputs)}"
    assert (changed.previous, changed.lasted) == ("producing", play.state.tick)


@pytest.mark.parametrize("recipe", MADE)
def test_station_that_makes_clogs_when_its_outputs_have_no_room(recipe: str) -> None:
    play, station = alone(recipe)
    refilled(play, station.id, **{ware: station.capacity[ware] for ware in station.stock})
    refilled(play, station.id, **{ware: station.capacity[ware] - n for ware, n in RECIPES[recipe].outputs.items()})
    (changed,) = stops(play, station)
    assert (changed.status, changed.previous) == ("clogged", "producing")
    assert changed.reason == f"no room for more {names(play, RECIPES[recipe].outputs)}"


def test_station_with_both_troubles_is_starved_and_names_both() -> None:
    play, station = alone("electronics-factory")
    refilled(play, station.id, metals=8, silicon=36, electronics=station.capacity["electronics"] - 15)
    (changed,) = stops(play, station)
    assert (changed.status, changed.reason) == ("starved", "short of Metals, Silicon; no room for more Electronics")


@pytest.mark.parametrize("recipe", [row.id for row in RECIPES.values() if row.kind == "habitat"])
def test_habitat_that_lacks_more_and_more_keeps_its_status_and_changes_its_reason(recipe: str) -> None:
    play, habitat = alone(recipe)
    inputs = RECIPES[recipe].inputs
    for cycles, ware in enumerate(sorted(inputs), start=1):
        refilled(play, habitat.id, **{ware: inputs[ware] * cycles})
    changed = stops(play, habitat)
    assert [one.status for one in changed] == ["starved"] * len(inputs)
    assert [one.reason for one in changed] == [
        f"short of {names(play, dict.fromkeys(sorted(inputs)[:count], 0))}" for count in range(1, len(inputs) + 1)
    ]
    # The first change ends "producing"; the others only say since when it has been starving.
    assert [one.previous for one in changed] == ["producing"] + ["starved"] * (len(inputs) - 1)
    recipe_ticks = RECIPES[recipe].cycle_ticks
    assert [one.lasted for one in changed[1:]] == [recipe_ticks * number for number in range(1, len(inputs))]
    assert habitat.since == changed[0].lasted
