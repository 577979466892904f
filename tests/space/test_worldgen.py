"""How games begin: the shipped scenarios, generated galaxies, own definitions, and what a wrong setting is told."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import msgspec
import pytest

from gamekit.errors import ConfigError
from gamekit.space import SpaceGame, SpaceState, check
from gamekit.space.commands import BuyWare
from gamekit.space.rng import Stream
from tests.space.galaxies import LINE, Play

GAME = SpaceGame()


def new(scenario: Any = "nearest-stars", seed: int = 1, **rules: int) -> SpaceState:
    """A new game's state."""
    return GAME.new({"scenario": scenario, "rules": rules}, seed)


def reachable(state: SpaceState) -> set[str]:
    """The sectors that can be reached from the first one."""
    seen, ahead = set(), [next(iter(state.sectors))]
    while ahead:
        sector = ahead.pop()
        if sector not in seen:
            seen.add(sector)
            ahead += [state.gates[gate].to_sector for gate in state.sectors[sector].gates]
    return seen


def crossings(state: SpaceState) -> Iterator[tuple[str, str]]:
    """Pairs of connections that cross on the map."""

    def left(a: Any, b: Any, c: Any) -> bool:
        return bool((b.x - a.x) * (c.y - a.y) > (b.y - a.y) * (c.x - a.x))

    at = state.sectors
    gates = [gate for gate in state.gates.values() if gate.id < gate.to]
    for one, other in combinations(gates, 2):
        a, b, c, d = at[one.sector], at[one.to_sector], at[other.sector], at[other.to_sector]
        apart = len({a.id, b.id, c.id, d.id}) == 4
        if apart and left(a, b, c) != left(a, b, d) and left(c, d, a) != left(c, d, b):
            yield one.id, other.id


def floats(plain: Any) -> list[float]:
    """Every float in plain values."""
    if isinstance(plain, float):
        return [plain]
    inner = plain.values() if isinstance(plain, dict) else plain if isinstance(plain, list | tuple) else ()
    return [found for value in inner for found in floats(value)]


def test_nearest_stars_is_sixteen_sectors_of_three_stations() -> None:
    state = new()
    assert state.scenario == "nearest-stars"
    assert [sector.name for sector in state.sectors.values()] == [
        "Sol",
        "Alpha Centauri",
        "Barnard's Star",
        "Luhman 16",
        "WISE 0855-0714",
        "Wolf 359",
        "Lalande 21185",
        "Sirius",
        "Luyten 726-8",
        "Ross 154",
        "Ross 248",
        "Epsilon Eridani",
        "Lacaille 9352",
        "Ross 128",
        "EZ Aquarii",
        "61 Cygni",
    ]
    assert [sum(one.sector == sector for one in state.stations.values()) for sector in state.sectors] == [3] * 16
    assert len(state.wares) == 20
    assert {ware.tier for ware in state.wares.values()} == {1, 2, 3, 4}


def test_nearest_stars_is_a_readable_map() -> None:
    state = new()
    for one, other in combinations(state.sectors.values(), 2):
        assert max(abs(one.x - other.x), abs(one.y - other.y)) >= 300
    assert not list(crossings(state))
    assert all(2 <= len(sector.gates) <= 4 for sector in state.sectors.values())


def test_nearest_stars_has_no_gate_whose_closing_cuts_a_sector_off() -> None:
    for gate in new().gates:
        state = new()
        for sector in state.sectors.values():
            kept = tuple(one for one in sector.gates if one not in {gate, state.gates[gate].to})
            state.sectors[sector.id] = msgspec.structs.replace(sector, gates=kept)
        assert len(reachable(state)) == 16


def test_gates_stand_at_the_edge_on_the_side_of_their_neighbour() -> None:
    state = new()
    for gate in state.gates.values():
        here, there = state.sectors[gate.sector], state.sectors[gate.to_sector]
        assert max(abs(gate.x), abs(gate.y)) == 900
        assert gate.x * (there.x - here.x) >= 0
        assert gate.y * (there.y - here.y) >= 0
    for sector in state.sectors.values():
        for one, other in combinations([state.gates[gate] for gate in sector.gates], 2):
            assert (one.x - other.x) ** 2 + (one.y - other.y) ** 2 > 600**2


def test_flights_between_gates_take_tens_of_seconds() -> None:
    state = new()
    speed = state.rules.ship_speed_mm_per_tick
    for sector in state.sectors.values():
        for one, other in combinations([state.gates[gate] for gate in sector.gates], 2):
            metres_squared = (one.x - other.x) ** 2 + (one.y - other.y) ** 2
            assert (speed * 140) ** 2 <= metres_squared * 1_000_000 <= (speed * 450) ** 2


@pytest.mark.parametrize("scenario", ["nearest-stars", "procedural:2", "procedural:5", "procedural", "procedural:48"])
def test_every_ware_that_is_used_is_made_somewhere(scenario: str) -> None:
    recipes = [station.recipe for station in new(scenario).stations.values() if station.recipe]
    made = {ware for recipe in recipes for ware in recipe.outputs}
    assert {ware for recipe in recipes for ware in recipe.inputs} <= made


@pytest.mark.parametrize("count", [2, 3, 4, 7, 24, 100, 1000])
@pytest.mark.parametrize("seed", [0, 1, -(2**63)])
def test_procedural_galaxy_is_connected_planar_and_spaced(count: int, seed: int) -> None:
    state = new({"name": "procedural", "sectors": count}, seed)
    assert state.scenario == f"procedural:{count}"
    assert len(state.sectors) == count
    assert len(reachable(state)) == count
    assert all(1 <= len(sector.gates) <= 4 for sector in state.sectors.values())
    assert len({sector.name for sector in state.sectors.values()}) == count
    check(state)
    if count <= 100:
        assert not list(crossings(state))
        for one, other in combinations(state.sectors.values(), 2):
            assert max(abs(one.x - other.x), abs(one.y - other.y)) >= 140
        for here, there in combinations(state.stations.values(), 2):
            assert here.sector != there.sector or abs(here.x - there.x) + abs(here.y - there.y) >= 150


def test_procedural_galaxy_depends_on_the_seed_alone() -> None:
    assert GAME.encode(new("procedural:9", 5)) == GAME.encode(new({"name": "procedural", "sectors": 9}, 5))
    assert new("procedural:9", 5).sectors != new("procedural:9", 6).sectors
    assert len(new("procedural").sectors) == 24


@pytest.mark.parametrize("scenario", ["nearest-stars", "procedural:6"])
def test_state_holds_no_floats(scenario: str) -> None:
    state = new(scenario)
    GAME.advance(state, 5_000)
    assert floats(msgspec.to_builtins(state.saved())) == []


def test_sector_size_scales_gates_and_stations() -> None:
    small, large = new(sector_size_m=1_000), new(sector_size_m=4_000)
    assert max(gate.x for gate in small.gates.values()) == 450
    assert max(gate.x for gate in large.gates.values()) == 1_800
    assert large.stations["sol-hub"].x == 900
    assert small.stations["sol-hub"].x == 225
    check(small)


def test_own_definition_uses_the_shipped_recipes_unless_it_brings_its_own() -> None:
    sectors = [{"id": "here", "name": "Here", "x": 0, "y": 0}]
    stations = [{"sector": "here", "recipe": "smelter", "x": 0, "y": 0} for _ in range(2)]
    state = new({"sectors": sectors, "stations": stations, "title": "Tiny", "name": "tiny"})
    assert list(state.stations) == ["here-smelter", "here-smelter-2"]
    assert state.stations["here-smelter-2"].name == "Here Smelter 2"
    assert len(state.wares) == 20
    assert state.scenario == "tiny"
    assert list(new(LINE).wares) == ["ore", "metals", "food"]


def changed(**changes: Any) -> dict[str, Any]:
    """A configuration with the line galaxy, altered."""
    return {"scenario": LINE | changes}


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"seed": 1}, "config: unknown key 'seed'; allowed are 'scenario' and 'rules'"),
        ({"scenario": "andromeda"}, "scenario: 'andromeda' is unknown; allowed are 'nearest-stars', 'duel'"),
        ({"scenario": "nearest-stars:3"}, "scenario: 'nearest-stars:3' is unknown"),
        ({"scenario": 5}, "scenario: 5 is unknown"),
        ({"scenario": {"name": "andromeda"}}, "is unknown; allowed are"),
        ({"scenario": "procedural:1"}, "scenario.sectors: expected a whole number from 2 to 1000, got 1"),
        ({"scenario": "procedural:1001"}, "from 2 to 1000, got 1001"),
        ({"scenario": "procedural:many"}, "scenario: 'procedural:many' is unknown"),
        ({"scenario": {"name": "procedural", "sectors": 2.5}}, "got 2.5"),
        ({"scenario": {"name": "procedural", "sectors": True}}, "got True"),
        (
            {"scenario": {"name": "procedural", "size": 3}},
            "scenario.size: unknown key for procedural; allowed are companies",
        ),
        (
            {"scenario": {"name": "nearest-stars", "sectors": 3}},
            "unknown key for nearest-stars; allowed are companies, name",
        ),
        ({"rules": 3}, "rules: expected a table"),
        ({"rules": {"warp": 9}}, "rules: unknown key 'warp'; allowed are version, sector_size_m"),
        ({"rules": {"jump_ticks": 0}}, "rules.jump_ticks: expected a whole number of ticks from 1 to 36000, got 0"),
        ({"rules": {"jump_ticks": "5"}}, "got '5'"),
        ({"rules": {"jump_ticks": True}}, "got True"),
        ({"rules": {"dock_ticks": 1.0}}, "got 1.0"),
        (changed(gates=[["west", "far"]]), "gates[0]: unknown sector 'far'; allowed are west, mid, east"),
        (changed(gates=[["west", "west"]]), "gates[0]: ['west', 'west'] joins a sector to itself"),
        (
            changed(gates=[["west", "mid"], ["mid", "west"]]),
            "gates[1]: ['mid', 'west'] joins the same two as gates[0], in the other direction; keep one of them.",
        ),
        (changed(sectors=[]), "scenario: sectors: expected 1 to 1000 of them, got 0"),
        (changed(colour="red"), "scenario: unknown key 'colour'; allowed are sectors, gates, stations, title"),
        (
            changed(sectors=[{"id": "a", "name": "A", "x": 0, "z": 0}]),
            "scenario: sectors[0].z: unknown key 'z'; allowed are id, name, x, y",
        ),
        (
            changed(sectors=[{"id": "A b", "name": "A", "x": 0, "y": 0}]),
            "scenario: sectors[0].id: 'A b' is no id (small letters a to z, digits and -, up to 60); 'a-b' would do.",
        ),
        (
            changed(sectors=[LINE["sectors"][0]] * 2),
            "sectors[1].id: the id 'west' is given twice, first in sectors[0]; every id must be its own, 'west-2' is",
        ),
        (
            changed(sectors=[*LINE["sectors"], {"id": "twin", "name": "Twin", "x": 0, "y": 0}]),
            "sectors.twin: x, y are those of mid",
        ),
        (
            changed(stations=[{"sector": "west", "recipe": "palace", "x": 0, "y": 0}]),
            "stations[0].recipe: unknown recipe 'palace'; allowed are store, mine, smelter, town",
        ),
        (
            changed(recipes=[{"id": "mine", "name": "Mine", "kind": "mine", "outputs": {"gold": 1}}]),
            "recipes.mine.outputs: unknown ware 'gold'; allowed are ore, metals, food",
        ),
        (
            changed(recipes=[{"id": "mine", "name": "Mine", "kind": "mine"}]),
            "recipes.mine: give either trades, or inputs and outputs",
        ),
    ],
)
def test_wrong_setting_is_told_with_its_key_and_what_is_allowed(config: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        GAME.new(config, 1)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.5, "1"])
def test_seed_that_is_no_integer_of_64_bits_is_refused(seed: Any) -> None:
    with pytest.raises(ConfigError, match="64 bits"):
        GAME.new({}, seed)


def test_config_that_is_no_table_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected a table"):
        GAME.new([], 1)  # type: ignore[arg-type]


def test_stations_whose_generated_ids_would_be_the_same_are_all_made() -> None:
    recipes = [
        {"id": one, "name": one, "kind": "mine", "outputs": {"ore": 1}, "cycle_ticks": 10} for one in ("c", "c-2")
    ]
    definition = {
        "sectors": [{"id": "a", "name": "A", "x": 0, "y": 0}],
        "gates": [],
        "stations": [{"sector": "a", "recipe": one, "x": 0, "y": y} for y, one in enumerate(("c", "c", "c-2"))],
        "wares": [{"id": "ore", "name": "Ore", "tier": 1, "volume": 1, "base_price": 100}],
        "recipes": recipes,
    }
    state = SpaceGame().new({"scenario": definition}, 1)
    assert sorted(state.stations) == ["a-c", "a-c-2", "a-c-2-2"]


@pytest.mark.parametrize(("sector", "recipe"), [("ship", "1"), ("c1", "ship-1")])
def test_no_station_has_the_id_of_a_ship(sector: str, recipe: str) -> None:
    """Patches are made from the ids in events, so one id for two things would hide one of them."""
    definition = LINE | {
        "sectors": [{"id": sector, "name": "Harbour", "x": 0, "y": 0}],
        "gates": [],
        "stations": [{"sector": sector, "recipe": recipe, "x": 0, "y": 0}],
        "recipes": [{"id": recipe, "name": "Store", "kind": "hub", "trades": ["ore", "metals", "food"]}],
        "companies": [{"name": "Old Hands", "ships": 1, "credits": 10_000_000}],
    }
    play = Play(definition)
    assert not play.state.stations.keys() & play.state.ships.keys()
    play.accepted(BuyWare("ship-1", "ore", 5))


@pytest.mark.parametrize(
    "scenario",
    [
        {"name": "duel", "companies": [{"name": "Fleet", "ships": 10_000, "credits": 0}] * 6},
        LINE | {"companies": [{"name": "Fleet", "ships": 10_000, "credits": 0}] * 6},
    ],
)
def test_an_absurd_number_of_ships_is_refused(scenario: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"60000 ships together.*allowed are up to 50000"):
        GAME.new({"scenario": scenario}, 1)


def test_an_absurd_number_of_sectors_is_refused() -> None:
    with pytest.raises(ConfigError):
        SpaceGame().new({"scenario": "procedural:" + "9" * 5000}, 1)


def test_gates_that_lead_the_same_way_stand_beside_each_other() -> None:
    row = [{"id": name, "name": name.title(), "x": 300 * at, "y": 0} for at, name in enumerate(("one", "two", "three"))]
    state = new({"sectors": row, "gates": [["one", "two"], ["two", "three"], ["one", "three"]]})
    assert {gate.id: (gate.x, gate.y) for gate in state.gates.values()} == {
        "one:two": (900, 0),
        "two:one": (-900, 0),
        "two:three": (900, 0),
        "three:two": (-900, 0),
        "one:three": (900, 60),
        "three:one": (-900, -60),
    }


@pytest.mark.parametrize(("count", "size"), [(5, 2_000), (40, 2_000), (300, 2_000), (300, 200), (20, 100_000)])
def test_no_two_gates_of_a_sector_stand_on_one_point(count: int, size: int) -> None:
    chance = Stream(count, 1)
    places = dict.fromkeys((chance.between(-9, 9) * 300, chance.between(-9, 9) * 300) for _ in range(count))
    sectors = [{"id": f"s{at}", "name": f"S {at}", "x": x, "y": y} for at, (x, y) in enumerate(places)]
    # The first is joined with all others, and each with the next.
    pairs = {(0, at) for at in range(1, len(places))} | {(at, at + 1) for at in range(len(places) - 1)}
    state = new(
        {"sectors": sectors, "gates": [[f"s{one}", f"s{other}"] for one, other in sorted(pairs)]}, sector_size_m=size
    )
    for sector in state.sectors.values():
        spots = [(state.gates[gate].x, state.gates[gate].y) for gate in sector.gates]
        assert len(set(spots)) == len(spots)
        assert all(max(abs(x), abs(y)) == size * 9 // 20 for x, y in spots), "at the edge"
    check(state)
