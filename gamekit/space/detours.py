"""To wait for a storm or to turn round: what a ship does when gates on its way close or open while it is under way.

What is known decides: which gates are open, and until when each storm rages. A ship keeps its way as long as the storms
on it end before it is there. Else it compares: waiting, with the best other way from where it is. It turns only for a
good part of the time that is left, for each turn is lost when the weather changes again; and an order turns its ship
at most twice. After that the ship keeps its way and waits before each closed gate in turn, so it arrives.

Where a gate is closed and nobody can tell until when, there is nothing to wait for: the ship takes any other way. It
does not break off a leg for that more than twice either, but flies on and decides before the gate.

The turns of an order are part of the state, in `SpaceState.turned`, and told apart by the order's number.
"""

from __future__ import annotations

from gamekit.game import Event
from gamekit.space.courses import adopt, arrival, order_at, place_before, planned_again
from gamekit.space.model import Entry, Gate, InGate, Jump, OnLeg, Ship, Turned
from gamekit.space.state import SpaceState

#: So often an order turns its ship at most, and so often its way is planned anew without a turn, because of storms.
MOST_TURNS = 2
MOST_REPLANS = 8
#: A new way must save a quarter of the time that is left.
_OF = 4


def reconsider(state: SpaceState, ship: Ship, index: int, events: list[Event]) -> bool:
    """Plan the order that the entry at `index` belongs to anew if that is worth while, as a gate on its way is closed.

    Returns:
        Whether it has a new way; the caller lets the ship proceed if it then has nothing under way.
    """
    first, end = order_at(ship, index)
    if first:
        # A storm may be over when its turn comes.
        return not _ends(state, ship.queue[first:end]) and _replaced(state, ship, first, end, events)
    inside = isinstance(ship.at, InGate)
    first = int(inside)
    if first == end:
        return False
    queue = ship.queue
    here, begins = place_before(state, ship, first), ship.due if inside else state.tick
    kept = arrival(state, ship, here, begins, queue[first:end])
    if kept is not None and not kept[1]:
        return False
    new = planned_again(state, ship, here, queue[end - 1], queue[0].order)
    if new is None:
        return False
    turns = _first_gate(queue[first:end]) != _first_gate(new)
    if kept is not None:
        instead = arrival(state, ship, here, begins, new)
        if instead is None or (instead[0] - begins) * _OF > (kept[0] - begins) * (_OF - 1):
            return False
    if not _may(state, ship, turns=turns, waits=kept is not None):
        return False
    adopt(state, ship, (first, end), new, events)
    return True


def set_out(state: SpaceState, ship: Ship, done: int, events: list[Event]) -> None:
    """An entry of the order `done` is through: if the next order begins, its way is planned by the weather of now."""
    queue = ship.queue
    if queue and queue[0].order == done:
        return
    state.turned.pop(ship.id, None)
    if not queue:
        return
    end = order_at(ship, 0)[1]
    if _first_closed(state, queue[:end]) is None:
        return
    here = place_before(state, ship, 0)
    kept = arrival(state, ship, here, state.tick, queue[:end])
    if kept is None or kept[1]:
        new = planned_again(state, ship, here, queue[end - 1], queue[0].order)
        instead = arrival(state, ship, here, state.tick, new) if new is not None else None
        if new is not None and instead is not None and (kept is None or instead[0] < kept[0]):
            adopt(state, ship, (0, end), new, events)


def _replaced(state: SpaceState, ship: Ship, first: int, end: int, events: list[Event]) -> bool:
    """Give an order that waits for its turn another way, if there is one."""
    queue = ship.queue
    new = planned_again(state, ship, place_before(state, ship, first), queue[end - 1], queue[first].order)
    if new is None:
        return False
    adopt(state, ship, (first, end), new, events)
    return True


def _ends(state: SpaceState, entries: list[Entry]) -> bool:
    """Whether every closed gate on a way is known to open again."""
    gates = (state.gates[entry.gate] for entry in entries if isinstance(entry, Jump))
    return all(gate.open or state.atlas.opens(gate) is not None for gate in gates)


def _first_closed(state: SpaceState, entries: list[Entry]) -> Gate | None:
    gates = (state.gates[entry.gate] for entry in entries if isinstance(entry, Jump))
    return next((gate for gate in gates if not gate.open), None)


def _first_gate(entries: list[Entry]) -> str | None:
    return next((entry.gate for entry in entries if isinstance(entry, Jump)), None)


def _may(state: SpaceState, ship: Ship, *, turns: bool, waits: bool) -> bool:
    """Whether the order under way may have another way once more; if so, that is counted.

    Args:
        state, ship: whose order it is.
        turns: whether the ship would go for another gate than until now.
        waits: whether it could keep its way, and wait for storms.
    """
    order = ship.queue[0].order
    before = state.turned.get(ship.id)
    if before is None or before.order != order:
        before = Turned(order, 0, 0)
    if turns:
        if before.turns >= MOST_TURNS and (waits or isinstance(ship.at, OnLeg)):
            return False
        # A turn that nothing limits is not counted on: what counts is whether there were two.
        now = Turned(order, min(before.turns + 1, MOST_TURNS), before.replans)
    else:
        if waits and before.replans >= MOST_REPLANS:
            return False
        now = Turned(order, before.turns, min(before.replans + 1, MOST_REPLANS))
    state.turned[ship.id] = now
    return True
