"""Carrying out a ship's queue: entries begin, take their time, end, and the next one begins.

A ship is never silently idle. While its queue has entries, the first of them is under way (`due` says until when), or
the ship holds and says why (`blocked`). A gate that is closed when a ship stands before it makes the ship wait for its
storm to end or take another way, whichever is sooner (`detours`); when neither can be, it holds until a gate opens.

This module owns the ship's `at`, `due` and `blocked`, with `courses`, which plans ways and breaks off legs. What enters
and leaves the queue by command is `orders`.
"""

from __future__ import annotations

from enum import Enum, auto

from gamekit.game import Event, PlayerId, Rejected
from gamekit.space import detours, discovery, jobs, trading
from gamekit.space.courses import obstacle, order_at, place_after, replan
from gamekit.space.events import (
    EntryDone,
    EntryFailed,
    ShipArrived,
    ShipDeparted,
    ShipDocked,
    ShipDocking,
    ShipEmerged,
    ShipHolding,
    ShipJumped,
    ShipUndocked,
)
from gamekit.space.model import (
    NEVER,
    Buy,
    Dock,
    Docked,
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
    order = ship.queue[0].order
    _done(ship, events)
    detours.set_out(state, ship, order, events)
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
            detours.set_out(state, ship, entry.order, events)
        elif begun is _Begun.FAILED:
            del ship.queue[0]
            if ship.job is not None:
                assert isinstance(events[-1], EntryFailed), "a failure is told where it happens"
                jobs.abandon(state, ship, events[-1].message, events)
                ship.queue.clear()
            detours.set_out(state, ship, entry.order, events)
    jobs.call_if_free(state, ship)


def _destination(state: SpaceState, ship: Ship, end: int) -> Place:
    """Where the order to move that ends before index `end` of the queue leads."""
    goal = place_after(state, ship.queue[end - 1])
    assert goal is not None, "only orders to move are planned"
    return goal


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
    if replan(state, ship, 0, events) if closed is None else detours.reconsider(state, ship, 0, events):
        return _Begun.REPLANNED
    goal = _destination(state, ship, order_at(ship, 0)[1])
    name = state.stations[goal.station].name if goal.station else state.called(ship.owner, goal.sector)
    reason = f"holding: no route to {name}"
    closed = closed or obstacle(state, ship)
    if closed is not None:
        here, there = state.called(ship.owner, closed.sector), state.called(ship.owner, closed.to_sector)
        reason += f", the gate from {here} to {there} is closed"
    else:
        reason += ", no gates that its owner knows lead there"
    if ship.blocked != reason:
        ship.blocked = reason
        events.append(ShipHolding(ship.id, reason))
    return _Begun.HOLDS
