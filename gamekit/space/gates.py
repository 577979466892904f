"""Closing and opening gates, and what that means for ships under way.

A passage has two ends and both close and open together. Ships inside come out as if nothing had happened. Those that
meant to go through keep their way or take another one, as `detours` says; one that can do neither flies on as far as
its old way is open and holds there. When a gate opens, every order that still leads through a closed gate is looked at
again, and ships that hold try to go on.
"""

from __future__ import annotations

from gamekit.game import Event
from gamekit.space import detours, queue
from gamekit.space.events import GateClosed, GateOpened, QueueChanged
from gamekit.space.model import InGate, Jump, Ship
from gamekit.space.parts import STEPS, Parts, at_once
from gamekit.space.state import SpaceState

#: An order that is planned anew counts as so many steps: a search through a large galaxy is a part of its own.
_PLAN_STEPS = STEPS


def close_gate(state: SpaceState, gate_id: str) -> list[Event]:
    """Close a passage at both ends, at the state's tick; nobody can tell until when.

    Args:
        state: the game; ships re-plan or will hold.
        gate_id: either end.

    Returns:
        What happened; nothing when it was closed already.
    """
    events: list[Event] = []
    at_once(switch(state, gate_id, events, open_now=False))
    return events


def open_gate(state: SpaceState, gate_id: str) -> list[Event]:
    """Open a passage at both ends, at the state's tick; the opposite of `close_gate`."""
    events: list[Event] = []
    at_once(switch(state, gate_id, events, open_now=True))
    return events


def switch(state: SpaceState, gate_id: str, events: list[Event], *, open_now: bool, storm: bool = False) -> Parts[bool]:
    """Close or open a passage, in parts; False when it was closed, or open, already.

    Args:
        state: the game.
        gate_id: either end.
        events: what happens is added here.
        open_now: whether to open it.
        storm: whether a storm does it, whose end is known; then the same sectors hang together as before.
    """
    gate = state.gates[gate_id]
    if gate.open == open_now:
        return False
    for end in (gate, state.gates[gate.to]):
        end.open = open_now
        events.append(GateOpened(end.id) if open_now else GateClosed(end.id))
    state.atlas.forget(joined=not storm)
    state.maps.forget(joined=not storm)
    switched = (gate.id, gate.to)
    steps = 0
    for ship in state.ships.values():
        steps += 1
        if ship.queue:
            steps += len(ship.queue) // 4 + _PLAN_STEPS * _reconsider(state, ship, switched, events)
        if steps > STEPS:
            steps = 0
            yield
    return True


def _reconsider(state: SpaceState, ship: Ship, switched: tuple[str, str], events: list[Event]) -> int:
    """Look at the orders that lead through closed gates, and let a ship that stands try again; how many were planned.

    Where a gate closes only those that lead through it are looked at: others have no better way than before.
    """
    gates = state.gates
    opened = gates[switched[0]].open
    ahead = [entry for entry in ship.queue if type(entry) is Jump]
    concerned = any(entry.gate in switched for entry in ahead)
    if concerned:
        events.append(QueueChanged(ship.owner, ship.id, "gate"))
    planned = 0
    if concerned or (opened and not all(gates[entry.gate].open for entry in ahead)):
        tried: set[int] = set()
        while (index := _closed_ahead(state, ship, None if opened else switched, tried)) is not None:
            tried.add(ship.queue[index].order)
            detours.reconsider(state, ship, index, events)
            planned += 1
    if ship.due < 0 and (opened or not ship.blocked):
        queue.proceed(state, ship, events)
        planned += 1
    return planned


def _closed_ahead(state: SpaceState, ship: Ship, switched: tuple[str, str] | None, tried: set[int]) -> int | None:
    """The first entry that would enter a closed gate (one of `switched`, if given) and whose order was not tried."""
    inside = isinstance(ship.at, InGate)
    for index, entry in enumerate(ship.queue):
        if index == 0 and inside:
            continue
        if type(entry) is not Jump or entry.order in tried or state.gates[entry.gate].open:
            continue
        if switched is None or entry.gate in switched:
            return index
    return None
