"""What can never move is told before the start; and what is told is so when the galaxy is played."""

from __future__ import annotations

import copy
import tomllib
from typing import Any

import pytest

from gamekit.lab import simulate
from gamekit.space import review, scenario
from gamekit.space.events import WareBought
from tests.space.galaxies import only

HENS: dict[str, Any] = tomllib.loads("""
name = "hens"
sectors = [{ id = "one", name = "One", x = -300, y = 0 }, { id = "two", name = "Two", x = 300, y = 0 }]
gates = [["one", "two"]]
stations = [
    { sector = "one", recipe = "hatchery", x = 100, y = 0 },
    { sector = "two", recipe = "coop", x = 100, y = 0 },
    { sector = "one", recipe = "hub", x = 0, y = 200 },
]
companies = [{ name = "Co", ships = 4, credits = 10_000_000 }]
wares = [
    { id = "eggs", name = "Eggs", tier = 1, volume = 2, base_price = 1_000 },
    { id = "hens", name = "Hens", tier = 1, volume = 2, base_price = 1_000 },
]
recipes = [
    { id = "hatchery", name = "Hatchery", kind = "plant", inputs = { eggs = 10 }, outputs = { hens = 10 } },
    { id = "coop", name = "Coop", kind = "plant", inputs = { hens = 10 }, outputs = { eggs = 12 } },
    { id = "hub", name = "Hub", kind = "hub", trades = ["eggs", "hens"] },
]
[rules]
initial_stock_percent = 0
""")
NEST = {"id": "nest", "name": "Nest", "kind": "mine", "outputs": {"hens": 20}}
CITY = {"id": "city", "name": "City", "kind": "habitat", "inputs": {"hens": 10}}
HUB = {"id": "hub", "name": "Hub", "kind": "hub", "trades": ["hens"]}
#: A nest, a city and a hub, and hens between them.
CITY_OF_HENS: dict[str, Any] = HENS | {
    "rules": {},
    "wares": [HENS["wares"][1]],
    "recipes": [NEST, CITY, HUB],
    "stations": [
        {"sector": "one", "recipe": "nest", "x": 100, "y": 0},
        {"sector": "two", "recipe": "city", "x": 100, "y": 0},
        {"sector": "one", "recipe": "hub", "x": 0, "y": 200},
    ],
}


def changed(galaxy: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A galaxy, altered."""
    return copy.deepcopy(galaxy) | changes


def warned(galaxy: dict[str, Any]) -> list[str]:
    """What the check warns of."""
    return list(review.warnings(scenario.definition("own", galaxy)))


def trades(galaxy: dict[str, Any], hours: float = 2) -> int:
    """How often ships buy something when the galaxy is played."""
    run = simulate(galaxy, hours=hours, record_minutes=hours * 60)
    return len(only(WareBought, [event for _, event in run.history.events]))


def ring(count: int, *, stock: int = 0) -> dict[str, Any]:
    """So many makers in a circle, each of what the next one needs; and one that only waits for the first."""
    names = [f"w{at}" for at in range(count)]
    wares = [
        {"id": name, "name": name.upper(), "tier": 1, "volume": 1, "base_price": 1_000} for name in [*names, "toy"]
    ]
    makers = [
        {
            "id": f"m{at}",
            "name": f"Maker {at}",
            "kind": "plant",
            "inputs": {names[at]: 10},
            "outputs": {names[(at + 1) % count]: 11},
        }
        for at in range(count)
    ]
    toys = {"id": "toys", "name": "Toys", "kind": "factory", "inputs": {"w0": 1}, "outputs": {"toy": 1}}
    shop = {"id": "shop", "name": "Shop", "kind": "hub", "trades": [*names, "toy"]}
    recipes = [*makers, toys, shop]
    stations = [
        {"sector": ("one", "two")[at % 2], "recipe": recipe["id"], "x": 20 * at, "y": 20 * at}
        for at, recipe in enumerate(recipes)
    ]
    return changed(
        HENS,
        wares=wares,
        recipes=recipes,
        stations=stations,
        rules={"initial_stock_percent": stock, "least_load_percent": 1},
    )


@pytest.mark.parametrize("count", [2, 3, 7])
def test_a_circle_of_makers_without_stock_is_told_with_those_in_it_alone(count: int) -> None:
    [circle] = warned(ring(count))
    assert circle.startswith("wares.w0: the makers of W0")
    assert "need each other's products and none has enough to begin" in circle
    assert "Maker 0 lacks W0" in circle
    assert "Toys" not in circle, "it only waits for the others"
    assert "raise rules.initial_stock_percent (0), or add a station" in circle
    assert trades(ring(count)) == 0
    assert warned(ring(count, stock=50)) == []
    assert trades(ring(count, stock=50)) > 0


def test_a_circle_that_a_source_elsewhere_feeds_is_none() -> None:
    fed = changed(
        HENS,
        recipes=[*HENS["recipes"], NEST],
        stations=[*HENS["stations"], {"sector": "two", "recipe": "nest", "x": 300, "y": 0}],
    )
    assert warned(fed) == []
    assert trades(fed) > 0
    apart = changed(
        fed,
        sectors=[*HENS["sectors"], {"id": "far", "name": "Far", "x": 600, "y": 0}],
        stations=[*HENS["stations"], {"sector": "far", "recipe": "nest", "x": 300, "y": 0}],
    )
    told = warned(apart)
    assert any(one.startswith("wares.eggs: the makers of Eggs and Hens need each other's") for one in told)


def test_a_ware_that_is_made_on_another_island_only_is_told() -> None:
    told = warned(changed(CITY_OF_HENS, gates=[], rules={"initial_stock_percent": 0}))
    assert "wares.hens: City need it, and no gates lead there from its makers; add a connection or a maker." in told


def test_a_sound_galaxy_is_not_warned_of() -> None:
    assert warned(CITY_OF_HENS) == []
    assert trades(CITY_OF_HENS) > 0


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        (
            {"wares": [HENS["wares"][1] | {"volume": 500}]},
            "wares.hens.volume: one unit takes 500, and the ships that companies and newcomers have hold 400, so they "
            "carry none (the largest class: Hauler 1,200); lower the volume, or raise rules.ship_capacity.",
        ),
        ({"rules": {"ship_capacity": 1}}, "wares.hens.volume: one unit takes 2, and the ships that companies"),
        (
            {"rules": {"trade_fee_permille": 500, "minimum_stock_percent": 90, "least_load_percent": 100}},
            "rules.trade_fee_permille: at 500, paid at both ends, and a spread of 30 % no load of Hens ever earns "
            "anything; lower the fee, or raise rules.price_spread_percent.",
        ),
        ({"rules": {"price_spread_percent": 0}}, "rules.price_spread_percent: with 0 everything costs the same"),
        (
            {"rules": {"least_load_percent": 100, "minimum_stock_percent": 90, "ship_capacity": 1_000}},
            "wares.hens: ships leave with 500 units at least, and never more than 240 are worth moving; lower "
            "rules.least_load_percent (100) to 48, or let stations store more.",
        ),
        (
            {"companies": [{"name": "Co", "ships": 4, "credits": 1_000}]},
            "companies[0].credits: 1,000 centi-credits do not pay the cheapest load, 35,175, so its ships never leave",
        ),
        (
            {"stations": CITY_OF_HENS["stations"][:2], "rules": {"trade_range_jumps": 0}},
            "wares.hens: its nearest buyer is 1 gates from its makers, and auto-trade goes 0; raise "
            "rules.trade_range_jumps to 1, or build one nearer.",
        ),
        ({"stations": []}, "companies: there are no stations, so their ships have nothing to trade; add some."),
    ],
)
def test_what_keeps_every_ship_at_its_dock_is_told_before_the_start(changes: dict[str, Any], warning: str) -> None:
    galaxy = changed(CITY_OF_HENS, **changes)
    told = warned(galaxy)
    assert any(one.startswith(warning) for one in told), told
    assert trades(galaxy) == 0, "what is told is so"


def test_rules_of_a_game_go_before_those_of_the_scenario() -> None:
    definition = scenario.definition("own", CITY_OF_HENS)
    assert review.warnings(definition, {"ship_capacity": 1})
    assert review.warnings(definition, {"ship_capacity": 1_000}) == ()


@pytest.mark.parametrize(("percent", "dead"), [(0, True), (1, True), (50, False)])
def test_a_circle_needs_enough_for_one_cycle_and_not_just_something(percent: int, dead: bool) -> None:
    galaxy = ring(3)
    galaxy["rules"] |= {"initial_stock_percent": percent}
    # Each store takes two cycles, so one per cent of it is nothing, and of the hub's 400 it is 4 units of the 10.
    for recipe in galaxy["recipes"]:
        if recipe["id"].startswith("m"):
            recipe["capacity"] = dict.fromkeys([*recipe["inputs"], *recipe["outputs"]], 22)
    assert bool([one for one in warned(galaxy) if "need each other's products" in one]) == dead
    made = simulate(galaxy, hours=2).state.ledger.wares["made"]
    assert (not any(made[f"w{at}"] for at in range(3))) == dead
