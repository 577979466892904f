"""The ways of a ship's orders: planning them, and what a plan means for what is under way.

An order to move is a run of queue entries with one number: fly, jump, fly on, dock. It is planned as a whole, by what
its owner knows: open gates, and storms with their known ends, at which a ship may wait. This module puts entries into a
queue and breaks off legs; it begins none, which is for `queue`.
"""

from __future__ import annotations

from itertools import count

from gamekit.game import Event, Tick
from gamekit.space.events import QueueChanged, ShipStopped
from gamekit.space.model import NEVER, Dock, Docked, Entry, Fly, Gate, InGate, InSpace, Jump, OnLeg, Ship
from gamekit.space.state import SpaceState
from gamekit.space.travel import Place, leg_ticks


def halt(state: SpaceState, ship: Ship, events: list[Event]) -> None:
    """Break off what is under way; the ship is then at rest in space or docked. A ship inside a gate stays in it."""
    at = ship.at
    if isinstance(at, InGate):
        return
    if ship.due != NEVER or ship.blocked:
        place = state.atlas.place(at, state.tick)
        if not isinstance(at, Docked):
            ship.at = InSpace(place.sector, place.x, place.y)
        ship.due = NEVER
        ship.blocked = ""
        events.append(ShipStopped(ship.id, place.sector, place.x, place.y))


def continues(ship: Ship, entries: list[Entry]) -> bool:
    """Whether the ship is on the very leg with which these entries begin."""
    if not isinstance(ship.at, OnLeg) or not ship.queue:
        return False
    old, new = ship.queue[0], entries[0]
    return isinstance(old, Fly) and isinstance(new, Fly) and _same_point(old, new)


def place_before(state: SpaceState, ship: Ship, index: int) -> Place:
    """Where the ship is (or will be) when the entry at `index` of its queue begins; also for `len(queue)`."""
    for entry in reversed(ship.queue[:index]):
        place = place_after(state, entry)
        if place is not None:
            return place
    return state.atlas.place(ship.at, state.tick)


def place_after(state: SpaceState, entry: Entry) -> Place | None:
    """Where a ship is when `entry` is done; None when it is wherever it was before."""
    if isinstance(entry, Fly):
        return Place(entry.sector, entry.x, entry.y)
    if isinstance(entry, Jump):
        return state.atlas.at_gate(entry.exit)
    return state.atlas.at_station(entry.station) if isinstance(entry, Dock) else None


def planned(state: SpaceState, ship: Ship, start: Place, goal: Place, order: int) -> list[Entry] | None:
    """The entries that bring a ship from `start` to `goal` (and into its dock), or None when there is no way.

    Storms whose end is known are waited for where that is soonest. There is always at least one. Their ids follow the
    ship's last one; who puts them into the queue counts them as given (`given`).
    """
    depart = ship.due if isinstance(ship.at, InGate) else state.tick
    route = state.atlas_of(ship.owner).route(ship.speed, start, goal, depart)
    if route is None:
        return None
    ids = count(ship.entries + 1)
    entries: list[Entry] = []
    here = start
    for gate in route:
        if (here.x, here.y) != (gate.x, gate.y):
            entries.append(Fly(next(ids), order, gate.sector, gate.x, gate.y))
        entries.append(Jump(next(ids), order, gate.id, gate.to))
        here = state.atlas.at_gate(gate.to)
    if (here.x, here.y) != (goal.x, goal.y) or (goal.station is None and not entries):
        entries.append(Fly(next(ids), order, goal.sector, goal.x, goal.y))
    if goal.station is not None:
        entries.append(Dock(next(ids), order, goal.station))
    return entries


def planned_through(state: SpaceState, ship: Ship, start: Place, gate: Gate, order: int) -> list[Entry] | None:
    """The entries that bring a ship from `start` to `gate` and through it, or None when there is no open way."""
    front = state.atlas.at_gate(gate.id)
    entries = planned(state, ship, start, front, order) if gate.open else None
    if entries is None:
        return None
    if (start.sector, start.x, start.y) == (front.sector, front.x, front.y):
        entries.clear()
    return [*entries, Jump(entries[-1].id + 1 if entries else ship.entries + 1, order, gate.id, gate.to)]


def planned_again(state: SpaceState, ship: Ship, start: Place, last: Entry, order: int) -> list[Entry] | None:
    """The entries of an order to move that ended with `last`, from another place, or None when there is no way."""
    if isinstance(last, Jump) and not state.knows(ship.owner, state.gates[last.exit].sector):
        # Into the unknown there is no other way than the gate that was named.
        return planned_through(state, ship, start, state.gates[last.gate], order)
    goal = place_after(state, last)
    assert goal is not None, "only orders to move are planned"
    return planned(state, ship, start, goal, order)


def obstacle(state: SpaceState, ship: Ship) -> Gate | None:
    """The first closed gate on the way to where the order under way leads; None where no gates lead at all."""
    last = ship.queue[order_at(ship, 0)[1] - 1]
    here, atlas = state.atlas.place(ship.at, state.tick), state.atlas_of(ship.owner)
    if isinstance(last, Jump) and not state.knows(ship.owner, state.gates[last.exit].sector):
        through = state.gates[last.gate]
        way = [*(atlas.way(ship.speed, here, atlas.at_gate(through.id)) or []), through]
    else:
        goal = place_after(state, last)
        assert goal is not None, "only orders to move are planned"
        way = atlas.way(ship.speed, here, goal) or []
    return next((gate for gate in way if not gate.open), None)


def given(ship: Ship, entries: list[Entry]) -> list[Entry]:
    """The same entries, their ids counted as given to the ship."""
    ship.entries = entries[-1].id
    return entries


def arrival(
    state: SpaceState, ship: Ship, start: Place, begins: Tick, entries: list[Entry]
) -> tuple[Tick, Tick] | None:
    """When a ship has carried out `entries`, as far as can be told, and how long it waits for storms on the way.

    Args:
        state, ship: whose way it is.
        start: where the first entry begins.
        begins: when.
        entries: of one order to move.

    Returns:
        The tick, and ticks of waiting; None when a gate on the way is closed and nobody can tell until when.
    """
    here, tick, waiting = start, begins, 0
    for entry in entries:
        if isinstance(entry, Fly):
            tick += leg_ticks(ship.speed, entry.x - here.x, entry.y - here.y)
            here = Place(entry.sector, entry.x, entry.y)
        elif isinstance(entry, Jump):
            gate = state.gates[entry.gate]
            if not gate.open:
                until = state.atlas.opens(gate)
                if until is None:
                    return None
                waiting += max(until - tick, 0)
                tick = max(until, tick)
            tick += gate.jump_ticks
            here = state.atlas.at_gate(entry.exit)
        elif isinstance(entry, Dock):
            tick += state.rules.dock_ticks
    return tick, waiting


def order_at(ship: Ship, index: int) -> tuple[int, int]:
    """First and one past the last index of the entries that belong to the same order as the one at `index`."""
    queue = ship.queue
    order = queue[index].order
    first, end = index, index + 1
    while first > 0 and queue[first - 1].order == order:
        first -= 1
    while end < len(queue) and queue[end].order == order:
        end += 1
    return first, end


def replan(state: SpaceState, ship: Ship, index: int, events: list[Event]) -> bool:
    """Find another way for the order that the entry at `index` belongs to; False when there is none.

    A jump under way is finished first and a leg that the new way begins with as well goes on. The caller lets the
    ship proceed if it then has nothing under way.
    """
    first, end = order_at(ship, index)
    if first == 0 and isinstance(ship.at, InGate):
        first = 1
        if end == 1:
            return True
    queue = ship.queue
    new = planned_again(state, ship, place_before(state, ship, first), queue[end - 1], queue[index].order)
    if new is None:
        return False
    adopt(state, ship, (first, end), new, events)
    return True


def adopt(state: SpaceState, ship: Ship, span: tuple[int, int], new: list[Entry], events: list[Event]) -> None:
    """Put a new way in the place of the entries of an order that are not under way yet; see `replan`."""
    first, end = span
    queue = ship.queue
    given(ship, new)
    if first == 0 and isinstance(ship.at, OnLeg):
        if continues(ship, new):
            new[0] = queue[0]
        else:
            halt(state, ship, events)
    queue[first:end] = new
    events.append(QueueChanged(ship.owner, ship.id, "replanned"))


def _same_point(one: Fly, other: Fly) -> bool:
    return (one.sector, one.x, one.y) == (other.sector, other.x, other.y)
