"""Closing and opening gates, and what that means for ships under way.

A passage has two ends and both close and open together. Ships inside come out as if nothing had happened. Ships that
meant to go through look for another way at once; one that finds none flies on as far as its old way is open and holds
there. When a gate opens, every order that still leads through a closed gate is planned again, and ships that hold try
to go on.
"""

from __future__ import annotations

from gamekit.game import Event
from gamekit.space import queue
from gamekit.space.events import GateClosed, GateOpened, QueueChanged
from gamekit.space.model import InGate, Jump, Ship
from gamekit.space.state import SpaceState


def close_gate(state: SpaceState, gate_id: str) -> list[Event]:
    """Close a passage at both ends, at the state's tick.

    Args:
        state: the game; ships re-plan or will hold.
        gate_id: either end.

    Returns:
        What happened; nothing when it was closed already.
    """
    return _switch(state, gate_id, open_now=False)


def open_gate(state: SpaceState, gate_id: str) -> list[Event]:
    """Open a passage at both ends, at the state's tick; the opposite of `close_gate`."""
    return _switch(state, gate_id, open_now=True)


def _switch(state: SpaceState, gate_id: str, *, open_now: bool) -> list[Event]:
    gate = state.gates[gate_id]
    if gate.open == open_now:
        return []
    events: list[Event] = []
    ends = (gate, state.gates[gate.to])
    for end in ends:
        end.open = open_now
        events.append(GateOpened(end.id) if open_now else GateClosed(end.id))
    state.atlas.forget()
    state.maps.forget()
    switched = (gate.id, gate.to)
    for ship in state.ships.values():
        if ship.queue:
            _reconsider(state, ship, switched, events)
    return events


def _reconsider(state: SpaceState, ship: Ship, switched: tuple[str, str], events: list[Event]) -> None:
    """Plan anew what leads through closed gates, and let a holding ship try again."""
    if any(isinstance(entry, Jump) and entry.gate in switched for entry in ship.queue):
        events.append(QueueChanged(ship.owner, ship.id, "gate"))
    hopeless: set[int] = set()
    while (index := _closed_ahead(state, ship, hopeless)) is not None:
        order = ship.queue[index].order
        if not queue.replan(state, ship, index, events):
            hopeless.add(order)
    if ship.due < 0:
        queue.proceed(state, ship, events)


def _closed_ahead(state: SpaceState, ship: Ship, hopeless: set[int]) -> int | None:
    """The first entry that would enter a closed gate and whose order has not been tried."""
    inside = isinstance(ship.at, InGate)
    for index, entry in enumerate(ship.queue):
        if index == 0 and inside:
            continue
        if isinstance(entry, Jump) and not state.gates[entry.gate].open and entry.order not in hopeless:
            return index
    return None
