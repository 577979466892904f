"""From every sector of the nearest stars to every other: the ship arrives, and is never idle without a reason."""

from __future__ import annotations

from itertools import permutations

from gamekit.game import Event, Join, PlayerId, Rejected
from gamekit.space import SpaceGame, SpaceState, check
from gamekit.space.commands import MoveShip, Target
from gamekit.space.events import EntryDone, EntryFailed, ShipEmerged, ShipHolding
from gamekit.space.model import Fly, InSpace, Jump
from gamekit.space.status import status_of

GAME = SpaceGame()


def send(state: SpaceState, number: int, sector: str) -> None:
    """Order player `number`'s ship to a point in a sector."""
    answer = GAME.apply(state, PlayerId(f"p{number}"), MoveShip(f"ship-{number}", Target(sector=sector, x=77, y=-55)))
    assert not isinstance(answer, Rejected), answer


def watched(state: SpaceState) -> dict[str, list[tuple[int, Event]]]:
    """Run until every queue is empty; at each due tick no ship is without a reason.

    Returns:
        For each ship, its events and when they fell.
    """
    told: dict[str, list[tuple[int, Event]]] = {ship: [] for ship in state.ships}
    while any(ship.queue for ship in state.ships.values()):
        due = GAME.next_due(state)
        assert due is not None
        assert due < 20_000, "some ship never arrives"
        for event in GAME.advance(state, due):
            if isinstance(event, EntryDone | EntryFailed | ShipEmerged | ShipHolding):
                told[event.ship].append((due, event))
        for ship in state.ships.values():
            status, reason = status_of(state, ship)
            assert reason
            assert bool(ship.queue) == (status in {"flying", "jumping", "waiting"})
    check(state)
    return told


def test_ships_arrive_from_every_sector_in_every_other() -> None:
    state = GAME.new({"scenario": {"name": "nearest-stars", "companies": []}}, 1)
    pairs = list(permutations(state.sectors, 2))
    assert len(pairs) == 240
    for number, (origin, _) in enumerate(pairs, start=1):
        GAME.apply(state, PlayerId(f"p{number}"), Join(f"Captain {number}"))
        send(state, number, origin)
    watched(state)
    plans = {}
    for number, (_, goal) in enumerate(pairs, start=1):
        send(state, number, goal)
        ship = state.ships[f"ship-{number}"]
        view = GAME.view(state, ship.owner)["ships"][ship.id] if number % 20 == 1 else None
        plans[ship.id] = (list(ship.queue), [row["eta"] for row in view["queue"]] if view else None)
    told = watched(state)
    for number, (origin, goal) in enumerate(pairs, start=1):
        ship = state.ships[f"ship-{number}"]
        entries, etas = plans[ship.id]
        assert ship.at == InSpace(goal, 77, -55)
        done = [(tick, event) for tick, event in told[ship.id] if isinstance(event, EntryDone)]
        # Each step was in the queue from the beginning, was done in order, and at the tick foretold.
        assert [event.entry for _, event in done] == [entry.id for entry in entries]
        assert etas is None or [tick for tick, _ in done] == etas
        # The steps lead from sector to sector through gates that join them.
        here = origin
        for entry in entries:
            if isinstance(entry, Jump):
                gate = state.gates[entry.gate]
                assert (gate.sector, gate.to) == (here, entry.exit)
                here = gate.to_sector
            else:
                assert isinstance(entry, Fly)
                assert entry.sector == here
        assert here == goal
        jumps = [event.sector for _, event in told[ship.id] if isinstance(event, ShipEmerged)]
        assert jumps == [state.gates[entry.gate].to_sector for entry in entries if isinstance(entry, Jump)]
        assert not [event for _, event in told[ship.id] if isinstance(event, EntryFailed | ShipHolding)]
