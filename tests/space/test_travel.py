"""Distances, times and routes."""

from __future__ import annotations

import random
from itertools import permutations
from math import isqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamekit.space import SpaceGame, SpaceState
from gamekit.space.model import Gate, OnLeg
from gamekit.space.travel import Atlas, Place, along, leg_ticks

metres = st.integers(-50_000, 50_000)


@given(st.integers(1, 1_000_000), metres, metres)
def test_leg_takes_the_fewest_ticks_that_cover_its_length(speed: int, dx: int, dy: int) -> None:
    ticks = leg_ticks(speed, dx, dy)
    length_mm = isqrt((dx * dx + dy * dy) * 1_000_000)
    assert speed * ticks >= length_mm > speed * (ticks - 1)
    assert (ticks == 0) == (dx == dy == 0)


@given(st.tuples(metres, metres, metres, metres), st.integers(1, 10_000), st.integers(0, 10_000))
def test_ship_on_a_leg_is_on_the_line_and_never_ahead(ends: tuple[int, int, int, int], length: int, gone: int) -> None:
    leg = OnLeg("s", *ends, 100, 100 + length)
    x, y = along(leg, 100 + gone)
    share = min(gone, length)
    for flown, whole in ((x - ends[0], ends[2] - ends[0]), (y - ends[1], ends[3] - ends[1])):
        assert flown * whole >= 0
        assert 0 <= abs(whole) * share - abs(flown) * length < length
    assert along(leg, 100) == ends[:2]
    assert along(leg, 100 + length) == ends[2:]
    assert along(leg, 0) == ends[:2]


def time_of(state: SpaceState, speed: int, start: Place, goal: Place, gates: list[Gate]) -> int:
    """How long the way through `gates` takes."""
    ticks, here = 0, start
    for gate in gates:
        assert gate.sector == here.sector
        ticks += leg_ticks(speed, gate.x - here.x, gate.y - here.y) + gate.jump_ticks
        here = state.atlas.at_gate(gate.to)
    assert here.sector == goal.sector
    return ticks + leg_ticks(speed, goal.x - here.x, goal.y - here.y)


def quickest(state: SpaceState, speed: int, start: Place, goal: Place) -> int:
    """The least time of all ways, by trying: relax every passage until nothing improves (Bellman and Ford)."""
    reached = {
        gate: leg_ticks(speed, state.gates[gate].x - start.x, state.gates[gate].y - start.y)
        for gate in state.sectors[start.sector].gates
    }
    for _ in state.gates:
        for gate, ticks in list(reached.items()):
            out = state.gates[state.gates[gate].to]
            for further in state.sectors[out.sector].gates:
                other = state.gates[further]
                total = ticks + 50 + leg_ticks(speed, other.x - out.x, other.y - out.y)
                reached[further] = min(total, reached.get(further, total))
    exits = [state.gates[gate] for gate in reached if state.gates[gate].to_sector == goal.sector]
    return min(
        reached[gate.id] + 50 + leg_ticks(speed, goal.x - state.gates[gate.to].x, goal.y - state.gates[gate.to].y)
        for gate in exits
    )


@pytest.mark.parametrize("speed", [6_000, 400_000])
def test_route_takes_least_time(speed: int) -> None:
    state = SpaceGame().new({}, 1)
    for origin, destination in list(permutations(state.sectors, 2))[::7]:
        start, goal = Place(origin, -100, 300), Place(destination, 250, 0)
        route = state.atlas.route(speed, start, goal)
        assert route is not None
        assert time_of(state, speed, start, goal, route) == quickest(state, speed, start, goal)


def test_of_equal_ways_the_one_with_lower_gate_numbers_is_taken() -> None:
    square = [("a", 0, 0), ("b", 300, 0), ("c", 0, 300), ("d", 300, 300)]
    sectors = [{"id": name, "name": name, "x": x, "y": y} for name, x, y in square]
    for links in ([["a", "b"], ["b", "d"], ["a", "c"], ["c", "d"]], [["a", "c"], ["c", "d"], ["a", "b"], ["b", "d"]]):
        state = SpaceGame().new({"scenario": {"sectors": sectors, "gates": links}}, 1)
        route = state.atlas.route(6_000, Place("a", 0, 0), Place("d", 0, 0))
        assert [gate.id for gate in route or []] == [":".join(links[0]), ":".join(links[1])]


def test_route_within_a_sector_is_straight() -> None:
    state = SpaceGame().new({}, 1)
    assert state.atlas.route(6_000, Place("sol", -900, 0), Place("sol", 900, 0)) == []


def test_no_route_leads_through_closed_gates() -> None:
    state = SpaceGame().new({}, 1)
    for gate in state.gates.values():
        gate.open = "sol" not in {gate.sector, gate.to_sector}
    assert state.atlas.route(6_000, Place("sirius", 0, 0), Place("sol", 0, 0)) is None
    assert state.atlas.route(6_000, Place("sol", 0, 0), Place("sirius", 0, 0)) is None
    assert state.atlas.route(6_000, Place("sirius", 0, 0), Place("ross-154", 0, 0))


def grid(side: int) -> SpaceState:
    """A square of sectors with no jitter, in which many ways take equally long."""
    sectors = [
        {"id": f"s{x}-{y}", "name": f"{x} {y}", "x": 300 * x, "y": 300 * y} for x in range(side) for y in range(side)
    ]
    gates = [[f"s{x}-{y}", f"s{x + 1}-{y}"] for x in range(side - 1) for y in range(side)]
    gates += [[f"s{x}-{y}", f"s{x}-{y + 1}"] for x in range(side) for y in range(side - 1)]
    definition = {"name": "grid", "sectors": sectors, "gates": gates, "stations": []}
    return SpaceGame().new({"scenario": definition}, 1)


@pytest.mark.parametrize("number", range(6))
def test_ways_read_off_the_trees_of_all_are_those_that_each_search_finds(number: int) -> None:
    dice = random.Random(number)
    state = grid(6)
    for passage in dice.sample([gate for gate in state.gates.values() if gate.number % 2 == 0], 12):
        # Some are closed for good, and some by storms that end soon or late.
        passage.open = state.gates[passage.to].open = False
        if dice.random() < 0.5:
            passage.stormy, passage.due = True, dice.choice([100, 400, 30_000])
    names = list(state.sectors)
    ways = [[Place(dice.choice(names), dice.randrange(-900, 900), dice.randrange(-900, 900)) for _ in "12"]]
    ways += [[Place(ways[0][0].sector, 10 * step, 0), Place(name, 0, 0)] for step, name in enumerate(names)]
    for depart in (None, 0):
        shared = state.atlas
        for start, goal in ways:
            alone = Atlas(state.sectors, state.gates, state.stations)
            assert shared.route(6_000, start, goal, depart) == alone.route(6_000, start, goal, depart)


def test_many_ships_of_one_sector_are_planned_by_a_few_searches() -> None:
    state = grid(12)
    searches = 0
    search = Atlas._route

    def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal searches
        searches += 1
        return search(*arguments, **options)

    goals = [Place(name, 0, 0) for name in list(state.sectors)[1:]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Atlas, "_route", counted)
        for number in range(300):
            assert state.atlas.route(6_000, Place("s0-0", number, number), goals[number % len(goals)], 0)
    assert searches < 10


def test_nothing_is_searched_for_among_sectors_that_do_not_hang_together() -> None:
    state = grid(4)
    for name in ("s3-3:s2-3", "s3-3:s3-2"):
        gate = next(one for one in state.gates.values() if {one.sector, one.to_sector} == set(name.split(":")))
        gate.open = state.gates[gate.to].open = False
    state.atlas.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Atlas, "_route", lambda *_arguments, **_options: pytest.fail("searched in vain"))
        assert state.atlas.route(6_000, Place("s0-0", 0, 0), Place("s3-3", 0, 0), 0) is None
    # A storm whose end is known keeps them together.
    gate.stormy, gate.due = True, 500
    first = min(gate, state.gates[gate.to], key=lambda end: end.number)
    first.stormy, first.due = True, 500
    state.atlas.storm_begins()
    assert state.atlas.route(6_000, Place("s0-0", 0, 0), Place("s3-3", 0, 0), 0) is not None
    assert state.atlas.route(6_000, Place("s0-0", 0, 0), Place("s3-3", 0, 0)) is None
