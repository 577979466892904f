"""The shipped scenarios: their list, their files, and that each is alive, and would be dead without its ships."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gamekit.errors import ConfigError
from gamekit.game import Join, PlayerId, Rejected
from gamekit.space import SpaceGame, SpaceState, check, ledger, review, scenario, scenarios
from gamekit.space.commands import MoveShip, Target
from gamekit.space.events import StationStatusChanged, WareSold
from gamekit.space.model import NEVER, Docked
from gamekit.space.worldgen import resolved
from tests.space.galaxies import LINE, Play, only

GAME = SpaceGame()
HOUR = 36_000
#: Set by `make long`: all scenarios run for as long as the figures in the documentation.
LONG = bool(os.environ.get("GAMEKIT_LONG"))
NAMES = [info.name for info in scenarios()]
#: {scenario: hours it runs in the tests; two thousand ships take their time}
HOURS = dict.fromkeys(NAMES, 10) | {"crowded": 10 if LONG else 1}


def new(config: Any = "nearest-stars", seed: int = 1, **rules: int) -> SpaceState:
    """A new game's state."""
    return GAME.new({"scenario": config, "rules": rules}, seed)


def worth(state: SpaceState, player: str) -> int:
    """What an owner has, in centi-credits: credits, and the wares on board at their base prices."""
    cargo = sum(
        state.wares[ware].base_price * units
        for ship in state.ships.values()
        if ship.owner == player
        for ware, units in ship.hold.items()
    )
    return ledger.credits_of(state.ledger, PlayerId(player)) + cargo


def pinned(state: SpaceState) -> list[str]:
    """The wares whose price is within two percent of the same end at every station."""
    found = []
    for ware in state.wares:
        fullness = [100 * one.stock[ware] // one.capacity[ware] for one in state.stations.values() if ware in one.stock]
        if max(fullness) < 2 or min(fullness) > 97:
            found.append(ware)
    return found


@pytest.mark.parametrize("info", scenarios(), ids=lambda info: info.name)
def test_list_says_what_a_scenario_is(info: Any) -> None:
    state = new(info.name)
    companies = [player for player in state.players.values() if player.company]
    assert (len(state.sectors), len(state.stations)) == (info.sectors, info.stations)
    assert (len(companies), len(state.ships)) == (info.companies, info.ships)
    assert info.title
    assert info.sentence.endswith((".", "?"))
    check(state)


def test_list_begins_with_the_default_and_has_every_file() -> None:
    assert NAMES[:2] == ["nearest-stars", "procedural"]
    assert set(NAMES) == {"nearest-stars", "procedural", "duel", "lifeline", "crowded"}
    assert scenarios()[1].most_sectors == 1_000


@pytest.mark.parametrize("name", NAMES)
def test_scenario_is_alive_from_its_first_hour_on(name: str) -> None:
    state = new(name)
    start = {player: worth(state, player) for player in state.players}
    carried: Counter[str] = Counter()
    for _hour in range(HOURS[name]):
        sold = only(WareSold, GAME.advance(state, state.tick + HOUR))
        carried.update(one.ware for one in sold)
        assert {state.wares[one.ware].tier for one in sold} == {ware.tier for ware in state.wares.values()}
        assert pinned(state) == []
        for player, had in start.items():
            assert worth(state, player) >= had * 95 // 100, f"{player} loses money by design"
    check(state)
    assert set(carried) == set(state.wares), "every ware moves"
    works = sum(station.status in {"producing", "trading"} for station in state.stations.values())
    assert works >= len(state.stations) * 9 // 10, Counter(station.status for station in state.stations.values())
    assert all(worth(state, player) > had for player, had in start.items()), "every company earns"


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("count", [2, 5, 11])
def test_grown_galaxy_of_any_size_is_in_balance(count: int, seed: int) -> None:
    state = new(f"procedural:{count}", seed)
    GAME.advance(state, 10 * HOUR)
    assert pinned(state) == []
    works = sum(station.status in {"producing", "trading"} for station in state.stations.values())
    assert works >= len(state.stations) * 8 // 10


def test_lifeline_starves_without_ships_and_lives_with_them() -> None:
    dead = new("lifeline", company_percent=0)
    cities = [station for station in dead.stations.values() if station.kind == "habitat"]
    GAME.advance(dead, HOUR)
    assert {city.status for city in cities} == {"starved"}
    GAME.advance(dead, 3 * HOUR)
    assert all(station.due == NEVER for station in dead.stations.values()), "nothing is left that could happen"
    assert GAME.next_due(dead) is None

    alive = new("lifeline")
    GAME.advance(alive, HOUR)
    for _hour in range(9):
        events = GAME.advance(alive, alive.tick + HOUR)
        hungry = [one for one in only(StationStatusChanged, events) if one.status == "starved"]
        assert not [one for one in hungry if alive.stations[one.station].kind == "habitat"]


def test_duel_is_the_same_from_both_sides() -> None:
    state = new("duel")
    assert list(state.sectors) == ["dawn", "dusk"]
    for station in state.stations.values():
        if station.sector == "dawn":
            other = state.stations[station.id.replace("dawn", "dusk")]
            assert (other.x, other.y) == (-station.x, -station.y)
            assert (other.recipe, other.stock, other.capacity) == (station.recipe, station.stock, station.capacity)
    one, other = state.gates.values()
    assert (one.x, one.y) == (-other.x, -other.y)
    for player in ("p1", "p2"):
        GAME.apply(state, PlayerId(player), Join(player))
    homes = [ship.at for ship in state.ships.values() if ship.owner in {"p1", "p2"}]
    assert homes == [Docked("dawn-hub"), Docked("dusk-hub")]


def test_rules_of_a_scenario_give_way_to_those_of_the_game() -> None:
    definition = LINE | {"rules": {"jump_ticks": 7, "dock_ticks": 3}}
    rules = new(definition, dock_ticks=4).rules
    assert (rules.jump_ticks, rules.dock_ticks) == (7, 4)


def test_units_percent_sizes_cycles_and_stocks_and_no_prices() -> None:
    plain, large = new(LINE), new(LINE | {"units_percent": 250})
    for one, other in zip(plain.stations.values(), large.stations.values(), strict=True):
        assert other.capacity == {ware: -(-units * 5 // 2) for ware, units in one.capacity.items()}
        assert one.recipe is None or other.recipe is None or other.recipe.cycle_ticks == one.recipe.cycle_ticks
    recipe = large.stations["west-mine"].recipe
    assert recipe is not None
    assert recipe.outputs == {"ore": 35}
    assert large.wares == plain.wares


def test_capacity_of_a_recipe_goes_before_what_two_hours_make() -> None:
    recipes = [row | {"capacity": {"ore": 99}} if row["id"] == "smelter" else row for row in LINE["recipes"]]
    smelter = new(LINE | {"recipes": recipes}).stations["mid-smelter"]
    assert smelter.capacity == {"metals": 600, "ore": 99}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"recipes": [row | {"capacity": {"ore": 7}} for row in LINE["recipes"] if row["id"] == "smelter"]},
            "own.toml: recipes.smelter.capacity.ore: 7 is less than the 8 of one cycle, so the recipe could never run",
        ),
        (
            {"recipes": [row | {"capacity": {"food": 700}} for row in LINE["recipes"] if row["id"] == "smelter"]},
            "own.toml: recipes.smelter.capacity: unknown ware 'food'; allowed are ore, metals",
        ),
        ({"rules": {"jump_ticks": 0}}, "own.toml: rules.jump_ticks: expected a whole number of ticks from 1 to 36000"),
        ({"rules": {"warp": 9}}, "own.toml: rules: unknown key 'warp'; allowed are version"),
        (
            {"stations": [{"sector": "west", "recipe": "store", "x": 1_001, "y": 0}]},
            "own.toml: stations[0].x: expected a whole number from -1000 to 1000, got 1001.",
        ),
        ({"units_percent": 0}, "own.toml: units_percent: expected a whole number from 1 to 100000, got 0."),
        (
            {"companies": [{"name": "C", "ships": -1, "credits": 0}]},
            "own.toml: companies[0].ships: expected a whole number from 0 to 10000, got -1.",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_key_and_what_is_allowed(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        scenario.definition("own.toml", LINE | changes)
    assert complaint in str(caught.value)


def test_example_in_the_documentation_is_a_scenario() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "game.md").read_text()
    plain = tomllib.loads(page.split("```toml\n", 1)[1].split("```", 1)[0])
    assert review.warnings(scenario.definition("example", plain)) == ()
    state = new(plain)
    assert only(WareSold, GAME.advance(state, 2 * HOUR))


COMPANY = {"name": "C", "ships": 1, "credits": 0}
WITHOUT_HUB = [row for row in LINE["stations"] if row["recipe"] != "store"]


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({}, "wares.food: stations use it and no station makes it"),
        (
            {"stations": [row for row in LINE["stations"] if row["recipe"] == "mine"]},
            "wares.ore: stations make it and no station buys it",
        ),
        (
            {"gates": [["west", "mid"]]},
            "sectors.east: no gates lead there from the other 2; add",
        ),
        ({"stations": WITHOUT_HUB, "companies": [COMPANY]}, "companies: there is no hub to start from"),
        ({"stations": WITHOUT_HUB}, "stations: there is no hub, so new players start at the other stations"),
        ({"stations": WITHOUT_HUB}, "recipes.store: no station has it"),
        ({"stations": [*LINE["stations"], LINE["stations"][0]]}, "stations[4]: it stands exactly where stations[0]"),
        (
            {"recipes": [row | {"kind": "mine"} if row["id"] == "smelter" else row for row in LINE["recipes"]]},
            "recipes.smelter.kind: a mine has no inputs and outputs",
        ),
        (
            {"recipes": [row | {"kind": "factory"} if row["id"] == "store" else row for row in LINE["recipes"]]},
            "recipes.store.kind: what only trades is a hub",
        ),
        (
            {"recipes": [row | {"kind": "hub"} if row["id"] == "mine" else row for row in LINE["recipes"]]},
            "recipes.mine.kind: a hub only trades",
        ),
    ],
)
def test_what_is_odd_is_a_warning_and_stops_nobody(changes: dict[str, Any], warning: str) -> None:
    definition = scenario.definition("own.toml", LINE | changes)
    assert [one for one in review.warnings(definition) if one.startswith(warning)]
    check(new(LINE | changes))


@pytest.mark.parametrize("name", [*NAMES, "procedural:2", "procedural:7"])
def test_shipped_scenarios_are_not_odd(name: str) -> None:
    assert review.warnings(resolved(name, 5)) == ()


def sectors(*names: str) -> list[dict[str, Any]]:
    """Sectors in a row."""
    return [{"id": name, "name": name.title(), "x": 300 * at, "y": 0} for at, name in enumerate(names)]


def oddities(**plain: Any) -> list[str]:
    """What is odd about a definition's sectors."""
    found = review.warnings(scenario.definition("own", plain))
    return [one for one in found if one.startswith("sectors")]


def test_islands_are_told_once_each_and_from_the_largest() -> None:
    mainland = [f"main-{at}" for at in range(12)]
    gates = [["far", "away"], *([one, other] for one, other in pairwise(mainland))]
    assert oddities(sectors=sectors("far", "away", *mainland), gates=gates) == [
        "sectors: 2 sectors (far, away) hang together but no gates lead there from the other 12; add a connection to "
        "`gates`."
    ]
    several = sectors("far", "away", "lone", *mainland, "left")
    assert oddities(sectors=several, gates=gates) == [
        "sectors: 2 sectors (far, away) hang together but no gates lead there from the largest part, 12 around main-0; "
        "add a connection to `gates`.",
        "sectors: 2 sectors (lone, left) have no gates at all; add connections to `gates`.",
    ]


def test_an_order_to_another_island_is_refused_for_what_it_is() -> None:
    play = Play(LINE | {"gates": [["west", "mid"]]})
    for command in (MoveShip("ship-1", Target(sector="east")), MoveShip("ship-1", Target(station="east-town"))):
        answer = play.game.apply(play.state, PlayerId("p1"), command)
        assert answer == Rejected(
            "no_route",
            "No gates at all lead from West to East, which is an island of its own; choose a place on this side.",
        )
    play = Play()
    play.close("mid:east")
    answer = play.game.apply(play.state, PlayerId("p1"), MoveShip("ship-1", Target(sector="east")))
    assert isinstance(answer, Rejected)
    assert "wait for a gate to open" in answer.message


def test_under_fog_an_island_is_not_told_from_what_is_unknown() -> None:
    hub = {"sector": "east", "recipe": "store", "x": 500, "y": 0}
    for gates in ([["west", "mid"]], LINE["gates"]):
        play = Play(LINE | {"gates": gates, "stations": [*LINE["stations"], hub]}, {"fog": 1})
        answer = play.game.apply(play.state, PlayerId("p1"), MoveShip("ship-1", Target(sector="east")))
        assert isinstance(answer, Rejected)
        assert answer.message == "No gates that you know lead from West to East; explore, or choose another place."


def test_names_that_look_the_same_are_warned_of() -> None:
    rows = sectors("one", "two", "three")
    rows[1]["name"], rows[2]["name"] = "\u039f\u03b7e", "One"
    assert "sectors: names that look the same (three like one); give one of each another name." in oddities(
        sectors=rows
    )
    companies = [{"name": name, "ships": 0, "credits": 0} for name in ("Co", "\u0421o", "Coo")]
    found = review.warnings(scenario.definition("own", LINE | {"companies": companies}))
    assert "companies: names that look the same (1 like 0); give one of each another name." in found


def test_many_stations_on_one_spot_are_one_warning() -> None:
    spot = {"sector": "west", "recipe": "store", "x": 0, "y": 0}
    found = review.warnings(scenario.definition("own", LINE | {"stations": [*LINE["stations"], *[spot] * 30]}))
    told = [one for one in found if one.startswith("stations")]
    assert len(told) == 1
    assert told[0].startswith(
        "stations: 30 of them stand exactly where another one stands (stations[4] where stations[0]"
    )
    assert len(told[0]) < 400
