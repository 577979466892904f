"""Putting a ship's orders into another sequence.

The orders move as wholes: every order to move is planned again from where the ship will then be, and every trade must
still find a dock that deals in its ware. What is under way and stays first goes on undisturbed; a jump under way is
always finished first.
"""

from __future__ import annotations

from gamekit.game import Event, PlayerId, Rejected
from gamekit.space import courses, jobs, orders, queue, trading
from gamekit.space.commands import ReorderQueue
from gamekit.space.events import QueueChanged
from gamekit.space.model import NEVER, Buy, Entry, InGate, Sell, Ship
from gamekit.space.noway import no_way
from gamekit.space.state import SpaceState
from gamekit.space.travel import Place

#: The entries of one order.
Run = list[Entry]


def reorder(state: SpaceState, player: PlayerId, command: ReorderQueue) -> list[Event] | Rejected:
    """Carry out `command.orders` in this sequence; orders that it does not name follow in their old one.

    Numbers of orders that have been done by now, or are named twice, mean nothing: the queue may have gone on while the
    command was under way.
    """
    ship = orders.own_ship(state, player, command.ship)
    if isinstance(ship, Rejected):
        return ship
    never = next((order for order in command.orders if not 1 <= order <= ship.orders), None)
    if never is not None:
        return Rejected("unknown_order", f"{ship.name} was never given an order {never}; its `queue` names them.")
    first = 1 if ship.queue and isinstance(ship.at, InGate) else 0
    before = _runs(ship.queue[first:])
    named = list(dict.fromkeys(command.orders))
    rank = {order: index for index, order in enumerate(named)}
    after = sorted(before, key=lambda run: rank.get(run[0].order, len(named)))
    same = next((index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old is not new), None)
    if same is None:
        return []
    kept = first + sum(map(len, before[:same]))
    given_before = ship.entries
    planned = _planned(state, player, ship, kept, after[same:])
    if isinstance(planned, Rejected):
        ship.entries = given_before
        return planned
    return _put(state, ship, kept, planned)


def _runs(entries: list[Entry]) -> list[Run]:
    """The entries, order by order."""
    runs: list[Run] = []
    for entry in entries:
        if runs and runs[-1][0].order == entry.order:
            runs[-1].append(entry)
        else:
            runs.append([entry])
    return runs


def _planned(state: SpaceState, player: PlayerId, ship: Ship, kept: int, runs: list[Run]) -> list[Entry] | Rejected:
    """The entries that carry out `runs` after the first `kept` entries of the queue, or why that cannot be."""
    place = courses.place_before(state, ship, kept)
    entries: list[Entry] = []
    for run in runs:
        head, last = run[0], run[-1]
        if isinstance(head, Buy | Sell):
            refusal = _undealt(state, ship, place, head)
            if refusal is not None:
                return refusal
            entries.append(head)
            continue
        goal = courses.place_after(state, last)
        assert goal is not None, "an order is either one trade or leads somewhere"
        way = courses.planned_again(state, ship, place, last, head.order)
        if way is None:
            return no_way(state, player, place.sector, goal.sector, " in this sequence")
        entries += courses.given(ship, way)
        place = goal
        # Not only at the end: a long queue in an odd sequence would be as many long ways to search for.
        if kept + len(entries) > max(len(ship.queue), state.rules.queue_limit):
            return _too_long(state, ship)
    return entries if kept + len(entries) <= max(len(ship.queue), state.rules.queue_limit) else _too_long(state, ship)


def _too_long(state: SpaceState, ship: Ship) -> Rejected:
    return Rejected(
        "queue_full",
        f"In this sequence {ship.name} would need more entries than the limit, {state.rules.queue_limit}; "
        "cancel some first.",
    )


def _undealt(state: SpaceState, ship: Ship, place: Place, entry: Buy | Sell) -> Rejected | None:
    """Why `entry` cannot be carried out at `place`, or None when it may."""
    if place.station is None:
        ware = state.wares[entry.ware].name
        return Rejected(
            "not_docked", f"{ship.name} would not be docked when it trades {ware}; put the trade after a station."
        )
    return trading.dealt_in(state, state.stations[place.station], entry)


def _put(state: SpaceState, ship: Ship, kept: int, entries: list[Entry]) -> list[Event]:
    """Let `entries` follow the first `kept` ones of the queue."""
    events: list[Event] = []
    jobs.switch_off(state, ship, "its owner put its orders into another sequence", events)
    # Breaking off a leg only to begin it again would cost the part of a metre flown since the last one.
    if kept == 0 and not courses.continues(ship, entries):
        courses.halt(state, ship, events)
    ship.queue[kept:] = entries
    events.append(QueueChanged(ship.owner, ship.id, "reordered"))
    if ship.due == NEVER and not ship.blocked:
        queue.proceed(state, ship, events)
    return events
