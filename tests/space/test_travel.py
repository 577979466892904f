"""Distances, times and routes."""

from __future__ import annotations

from itertools import permutations
from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamekit.space import SpaceGame, SpaceState
from gamekit.space.model import Gate, OnLeg
from gamekit.space.travel import Place, along, leg_ticks

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
