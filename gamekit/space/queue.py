"""Carrying out a ship's queue: entries begin, take their time, end, and the next one begins.

A ship is never silently idle. While its queue has entries, the first of them is under way (`due` says until when), or
the ship holds and says why (`blocked`). A gate that is closed when a ship stands before it makes the ship look for
another way to the order's destination; only when there is none does it hold, until a gate opens again.

This module owns the ship's `at`, `due` and `blocked`. What enters and leaves the queue by command is `orders`.
"""

from __future__ import annotations

from enum import Enum, auto
from itertools import count

from gamekit.game import Event, PlayerId, Rejected
from gamekit.space import discovery, jobs, trading
from gamekit.space.events import (
    EntryDone,
    EntryFailed,
    QueueChanged,
    ShipArrived,
    ShipDeparted,
    ShipDocked,
    ShipDocking,
    ShipEmerged,
    ShipHolding,
    ShipJumped,
    ShipStopped,
    ShipUndocked,
)
from gamekit.space.model import (
    NEVER,
    Buy,
    Dock,
    Docked,
    Entry,
    Fly,
    Gate,
    InGate,
    InSpace,
    Jump,
    OnLeg,
    Sell,
    Ship,
)
from gamekit.space.parts import STEPS, Parts
from gamekit.space.state import SpaceState
from gamekit.space.travel import Place, leg_ticks


class _Begun(Enum):
    """What became of an entry when it began."""

    DONE = auto()
    FAILED = auto()
    TAKES_TIME = auto()
    REPLANNED = auto()
    HOLDS = auto()


def complete(state: SpaceState, ship: Ship, events: list[Event]) -> bool:
    """End the entry under way, which is due now, and begin the next ones; whether its owner discovered a sector."""
    at, learned = ship.at, False
    if isinstance(at, OnLeg):
        ship.at = InSpace(at.sector, at.to_x, at.to_y)
        events.append(ShipArrived(ship.id, at.sector, at.to_x, at.to_y))
    elif isinstance(at, InGate):
        gate = state.gates[at.exit]
        ship.at = InSpace(gate.sector, gate.x, gate.y)
        events.append(ShipEmerged(ship.id, gate.id, gate.sector))
        learned = discovery.arrive(state, ship, gate.sector, events)
    else:
        entry = ship.queue[0]
        assert isinstance(entry, Dock), "at rest, only docking takes time"
        ship.at = Docked(entry.station)
        events.append(ShipDocked(ship.id, entry.station))
    ship.due = NEVER
    _done(ship, events)
    proceed(state, ship, events)
    return learned


def look_again(state: SpaceState, owner: PlayerId | None, events: list[Event]) -> Parts[None]:
    """Let the ships that hold look for a way again, because their owner (None: everybody) knows more gates."""
    for number, ship in enumerate(state.ships.values(), 1):
        if not number % STEPS:
            yield
        if ship.blocked and owner in (None, ship.owner):
            proceed(state, ship, events)
            yield


def proceed(state: SpaceState, ship: Ship, events: list[Event]) -> None:
    """Begin entries until one takes time, the ship must hold, or nothing is left to do."""
    while ship.queue:
        entry = ship.queue[0]
        if isinstance(entry, Fly):
            begun = _fly(state, ship, entry, events)
        elif isinstance(entry, Jump):
            begun = _jump(state, ship, entry, events)
        elif isinstance(entry, Dock):
            begun = _dock(state, ship, entry, events)
        else:
            begun = _trade(state, ship, entry, events)
        if begun is _Begun.HOLDS:
            jobs.holds(state, ship)
            return
        ship.blocked = ""
        jobs.goes_on(ship)
        if begun is _Begun.TAKES_TIME:
            return
        if begun is _Begun.DONE:
            _done(ship, events)
        elif begun is _Begun.FAILED:
            del ship.queue[0]
            if ship.job is not None:
                assert isinstance(events[-1], EntryFailed), "a failure is told where it happens"
                jobs.abandon(state, ship, events[-1].message, events)
                ship.queue.clear()
    jobs.call_if_free(state, ship)


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

    There is always at least one. Their ids follow the ship's last one; who puts them into the queue counts them as
    given (`given`).
    """
    route = state.atlas_of(ship.owner).route(ship.speed, start, goal)
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


def given(ship: Ship, entries: list[Entry]) -> list[Entry]:
    """The same entries, their ids counted as given to the ship."""
    ship.entries = entries[-1].id
    return entries


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
    given(ship, new)
    if first == 0 and isinstance(ship.at, OnLeg):
        if continues(ship, new):
            new[0] = queue[0]
        else:
            halt(state, ship, events)
    queue[first:end] = new
    events.append(QueueChanged(ship.owner, ship.id, "replanned"))
    return True


def _destination(state: SpaceState, ship: Ship, end: int) -> Place:
    """Where the order to move that ends before index `end` of the queue leads."""
    goal = place_after(state, ship.queue[end - 1])
    assert goal is not None, "only orders to move are planned"
    return goal


def _same_point(one: Fly, other: Fly) -> bool:
    return (one.sector, one.x, one.y) == (other.sector, other.x, other.y)


def _done(ship: Ship, events: list[Event]) -> None:
    entry = ship.queue.pop(0)
    events.append(EntryDone(ship.owner, ship.id, entry.id, entry.order))


def _undock(ship: Ship, place: Place, events: list[Event]) -> None:
    if isinstance(ship.at, Docked):
        events.append(ShipUndocked(ship.id, ship.at.station))
        ship.at = InSpace(place.sector, place.x, place.y)


def _fly(state: SpaceState, ship: Ship, entry: Fly, events: list[Event]) -> _Begun:
    place = state.atlas.place(ship.at, state.tick)
    if place.sector != entry.sector:
        return _other_way(state, ship, None, events)
    _undock(ship, place, events)
    ticks = leg_ticks(ship.speed, entry.x - place.x, entry.y - place.y)
    if ticks == 0:
        return _Begun.DONE
    arrive = state.tick + ticks
    ship.at = OnLeg(entry.sector, place.x, place.y, entry.x, entry.y, state.tick, arrive)
    state.agenda.put(ship, arrive)
    events.append(ShipDeparted(ship.id, entry.sector, entry.x, entry.y, arrive))
    return _Begun.TAKES_TIME


def _jump(state: SpaceState, ship: Ship, entry: Jump, events: list[Event]) -> _Begun:
    gate = state.gates[entry.gate]
    place = state.atlas.place(ship.at, state.tick)
    if not gate.open:
        return _other_way(state, ship, gate, events)
    if (place.sector, place.x, place.y) != (gate.sector, gate.x, gate.y):
        return _other_way(state, ship, None, events)
    _undock(ship, place, events)
    arrive = state.tick + gate.jump_ticks
    ship.at = InGate(gate.id, gate.to, state.tick, arrive)
    state.agenda.put(ship, arrive)
    exit_gate = gate.to if state.knows(ship.owner, gate.to_sector) else None
    events.append(ShipJumped(ship.id, gate.id, exit_gate, arrive))
    return _Begun.TAKES_TIME


def _dock(state: SpaceState, ship: Ship, entry: Dock, events: list[Event]) -> _Begun:
    if isinstance(ship.at, Docked) and ship.at.station == entry.station:
        return _Begun.DONE
    place = state.atlas.place(ship.at, state.tick)
    station = state.stations[entry.station]
    if (place.sector, place.x, place.y) != (station.sector, station.x, station.y):
        return _other_way(state, ship, None, events)
    _undock(ship, place, events)
    ticks = state.rules.dock_ticks
    if ticks == 0:
        ship.at = Docked(station.id)
        events.append(ShipDocked(ship.id, station.id))
        return _Begun.DONE
    state.agenda.put(ship, state.tick + ticks)
    events.append(ShipDocking(ship.id, station.id, state.tick + ticks))
    return _Begun.TAKES_TIME


def _trade(state: SpaceState, ship: Ship, entry: Buy | Sell, events: list[Event]) -> _Begun:
    agreed = trading.deal(state, ship, entry)
    if isinstance(agreed, Rejected):
        events.append(EntryFailed(ship.owner, ship.id, entry.id, entry.order, agreed.code, agreed.message))
        return _Begun.FAILED
    trading.carry_out(state, ship, entry, agreed, events)
    if isinstance(entry, Buy):
        jobs.loaded(state, ship, agreed.units)
    else:
        jobs.finish(state, ship, events)
    return _Begun.DONE


def _other_way(state: SpaceState, ship: Ship, closed: Gate | None, events: list[Event]) -> _Begun:
    """The order cannot go on as planned: find another way, or hold and say why."""
    if replan(state, ship, 0, events):
        return _Begun.REPLANNED
    goal = _destination(state, ship, order_at(ship, 0)[1])
    name = state.stations[goal.station].name if goal.station else state.called(ship.owner, goal.sector)
    reason = f"holding: no route to {name}"
    if closed is not None:
        here, there = state.called(ship.owner, closed.sector), state.called(ship.owner, closed.to_sector)
        reason += f", the gate from {here} to {there} is closed"
    if ship.blocked != reason:
        ship.blocked = reason
        events.append(ShipHolding(ship.id, reason))
    return _Begun.HOLDS
