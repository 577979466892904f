"""A searcher over small galaxies with storms and orders: turns, arrival, reasons, conservation.

Each case is a number; what fails is played again by it alone. `make long` looks at many more.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any, NamedTuple

import pytest

from gamekit.game import Event, Join, PlayerId, Rejected, advance_some
from gamekit.space import SpaceGame, SpaceState, check
from gamekit.space.commands import MoveShip, Target
from gamekit.space.events import ShipHolding, ShipStopped
from gamekit.space.gates import close_gate, open_gate
from gamekit.space.model import NEVER, Ship
from gamekit.space.status import status_of

GAME = SpaceGame()
ADA = PlayerId("ada")
ROUNDS = int(os.environ.get("GAMEKIT_LONG", "1"))
CASES = 8
#: So many galaxies in a case.
GALAXIES = 8
#: No trip in these galaxies takes longer.
FOR_EVER = 20_000_000


class Galaxy(NamedTuple):
    """A small galaxy in some weather."""

    sectors: list[dict[str, Any]]
    gates: list[list[str]]
    rules: dict[str, int]
    seed: int


def drawn(number: int) -> Galaxy:
    """Three to seven sectors, joined somehow, in some weather; the gates beyond those that join all come last."""
    dice = random.Random(number)
    count = dice.randrange(3, 8)
    sectors = [
        {"id": f"s{i}", "name": f"S{i}", "x": 300 * (i % 3) + dice.randrange(-60, 60), "y": 300 * (i // 3)}
        for i in range(count)
    ]
    gates = [[f"s{dice.randrange(i)}", f"s{i}"] for i in range(1, count)]
    for _ in range(dice.randrange(count)):
        one, other = dice.sample(range(count), 2)
        if [f"s{one}", f"s{other}"] not in gates and [f"s{other}", f"s{one}"] not in gates:
            gates.append([f"s{one}", f"s{other}"])
    rules = {
        "storm_rate": dice.choice([100, 500, 2_000, 5_000, 12_000, 36_000]),
        "storm_ticks": dice.choice([1, 50, 300, 1_000, 3_000, 30_000]),
        "sector_size_m": dice.choice([500, 2_000, 20_000, 100_000]),
        "dock_ticks": dice.choice([0, 10]),
    }
    return Galaxy(sectors, gates, rules, number)


def begun(galaxy: Galaxy, goals: list[str]) -> tuple[SpaceState, Ship]:
    """A game in which a ship was sent from the first sector to each goal in turn."""
    definition = {
        "name": "drawn",
        "sectors": galaxy.sectors,
        "gates": galaxy.gates,
        "stations": [{"sector": "s0", "recipe": "hub", "x": 0, "y": 0}],
    }
    state = GAME.new({"scenario": definition, "rules": galaxy.rules}, galaxy.seed)
    GAME.apply(state, ADA, Join("Ada"))
    [ship] = state.ships.values()
    for goal in goals:
        answer = GAME.apply(state, ADA, MoveShip(ship.id, Target(sector=goal, x=0, y=0), append=True))
        assert not isinstance(answer, Rejected), f"{galaxy.seed}: {answer}"
    return state, ship


def looked_at(galaxy: Galaxy, state: SpaceState, ship: Ship, events: list[Event]) -> None:
    """What must hold after everything that happens: the laws, and a reason for standing still that names a gate."""
    check(state, events)
    status, reason = status_of(state, ship)
    if ship.queue and ship.due == NEVER:
        assert status == "holding", f"{galaxy.seed}: {status} with orders"
        assert "the gate from " in reason, f"{galaxy.seed}: {reason}"
    for event in events:
        if isinstance(event, ShipHolding):
            assert " is closed" in event.reason, f"{galaxy.seed}: {event}"


def arrived(galaxy: Galaxy, goals: list[str]) -> tuple[int, Counter[int]]:
    """When all orders are done, and how often each of them turned the ship."""
    state, ship = begun(galaxy, goals)
    turns: Counter[int] = Counter()
    while ship.queue:
        order, due = ship.queue[0].order, GAME.next_due(state)
        assert due is not None
        assert due < FOR_EVER, f"{galaxy.seed}: under way for ever"
        events = GAME.advance(state, due)
        turns[order] += sum(isinstance(event, ShipStopped) for event in events)
        looked_at(galaxy, state, ship, events)
    return state.tick, turns


@pytest.mark.parametrize("case", range(CASES * ROUNDS))
def test_orders_arrive_and_turn_their_ship_twice_at_most(case: int) -> None:
    for number in range(case * GALAXIES, (case + 1) * GALAXIES):
        galaxy = drawn(number)
        dice = random.Random(number + 1)
        goals = [dice.choice(galaxy.sectors)["id"] for _ in range(3)]
        _, turns = arrived(galaxy, goals)
        assert all(times <= 2 for times in turns.values()), f"{number}: {turns}"


@pytest.mark.parametrize("case", range(CASES * ROUNDS))
def test_galaxy_with_one_more_way_is_never_much_slower(case: int) -> None:
    for number in range(case * GALAXIES, (case + 1) * GALAXIES):
        more = drawn(number)
        if len(more.gates) < len(more.sectors):
            continue
        goal = more.sectors[-1]["id"]
        fewer = more._replace(gates=more.gates[:-1])
        with_it, without = (arrived(galaxy, [goal])[0] for galaxy in (more, fewer))
        # At worst each of two turns meets a storm that could not be known.
        assert with_it <= without * 3 // 2 + 2 * more.rules["storm_ticks"], f"{number}: {with_it} after {without}"


@pytest.mark.parametrize("case", range(CASES * ROUNDS))
def test_gates_closed_by_hand_stop_nobody_who_can_go_on(case: int) -> None:
    for number in range(case * GALAXIES, (case + 1) * GALAXIES):
        galaxy, dice = drawn(number), random.Random(number + 2)
        state, ship = begun(galaxy, [galaxy.sectors[-1]["id"], "s0"])
        turns: Counter[int] = Counter()
        for _ in range(12):
            gate = dice.choice(list(state.gates.values()))
            if not state.gates[min(gate.id, gate.to)].stormy and not state.gates[max(gate.id, gate.to)].stormy:
                order = ship.queue[0].order if ship.queue else 0
                events = close_gate(state, gate.id) if gate.open else open_gate(state, gate.id)
                turns[order] += sum(isinstance(event, ShipStopped) for event in events)
                looked_at(galaxy, state, ship, events)
            state = GAME.decode(GAME.encode(state), GAME.version)
            ship = state.ships[ship.id]
            until = state.tick + dice.randrange(1, 2 + galaxy.rules["sector_size_m"] // 10)
            while state.tick < until or state.rest is not None:
                order = ship.queue[0].order if ship.queue else 0
                progress = advance_some(GAME, state, until, lambda: True)
                turns[order] += sum(isinstance(event, ShipStopped) for event in progress.events)
                if not progress.inside:
                    looked_at(galaxy, state, ship, progress.events)
        assert all(times <= 2 for times in turns.values()), f"{number}: {turns}"
        for gate in state.gates.values():
            if not gate.open and not gate.stormy and not state.gates[gate.to].stormy:
                open_gate(state, gate.id)
        while ship.queue:
            due = GAME.next_due(state)
            assert due is not None, f"{number}: {status_of(state, ship)}"
            assert due < FOR_EVER, f"{number}: under way for ever"
            GAME.advance(state, due)
