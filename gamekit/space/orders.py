"""Carrying out players' commands: checking them, and what they put into or take out of a ship's queue.

Every function either refuses with `Rejected` and has changed nothing, or returns the events of what it did. Each move
is one *order*, a number that its queue entries share; an order is replaced, cancelled and re-planned as a whole.
"""

from __future__ import annotations

from typing import TypeVar, cast

import msgspec

from gamekit import names
from gamekit.game import Command, Event, Join, PlayerId, Rejected
from gamekit.space import bounds, courses, discovery, fleet, jobs, ledger, queue, sight, trading
from gamekit.space.commands import (
    AutoTrade,
    BuyShip,
    BuyWare,
    CancelEntry,
    MoveShip,
    RenameShip,
    SellWare,
    StopShip,
    Target,
)
from gamekit.space.events import AutoTradeSwitched, OrderAccepted, PlayerJoined, QueueChanged
from gamekit.space.model import NEVER, Buy, Entry, InGate, Sell, Ship
from gamekit.space.noway import no_way
from gamekit.space.state import SpaceState
from gamekit.space.travel import Place

C = TypeVar("C", bound=Command)

#: Most units one trade may ask for; asking for more than there is moves what there is.
UNITS_LIMIT = 1_000_000_000
_BY_ORDER = "its owner gave it an order"


def join(state: SpaceState, player: PlayerId, command: Join) -> list[Event] | Rejected:
    """Let a player enter with starting credits and one freighter, docked at a hub."""
    if player in state.players:
        return Rejected("already_joined", f"{player} plays in this game already; send orders for its ships instead.")
    refusal = refused_name(command.name)
    if refusal is not None:
        return refusal
    if state.rules.starting_credits > bounds.MOST + state.ledger.credits[ledger.GRANTS]:
        return bounds.books_full("What a new player owns")
    humans = sum(not one.company for one in state.players.values())
    fleet.enter(state, player, command.name, state.rules.starting_credits)
    ship = fleet.commission(state, player, fleet.home(state, humans))
    events: list[Event] = [PlayerJoined(player, command.name, ship.id)]
    discovery.arrive(state, ship, state.atlas.place(ship.at, state.tick).sector, events)
    return events


def move(state: SpaceState, player: PlayerId, command: MoveShip) -> list[Event] | Rejected:
    """Send a ship somewhere, over as many gates as it takes."""
    ship = own_ship(state, player, command.ship)
    if isinstance(ship, Rejected):
        return ship
    goal = _goal(state, player, command.to)
    if isinstance(goal, Rejected):
        return goal
    kept = len(ship.queue) if command.append else 0
    start = courses.place_before(state, ship, kept)
    if not state.knows(player, start.sector):
        return Rejected(
            "uncharted",
            f"Nobody can tell yet where {ship.name} will then be; give the order when it has come out of the gate.",
        )
    if command.to.through and command.to.gate is not None:
        gate = state.gates[command.to.gate]
        if not gate.open:
            return Rejected("no_route", "That gate is closed; wait until it opens, or choose another.")
        entries = courses.planned_through(state, ship, start, gate, ship.orders + 1)
    else:
        entries = courses.planned(state, ship, start, goal, ship.orders + 1)
    if entries is None:
        return no_way(state, player, start.sector, goal.sector)
    if kept and kept + len(entries) > state.rules.queue_limit:
        return _queue_full(state, ship, len(entries))
    return _give(state, ship, entries, append=command.append)


def trade(state: SpaceState, player: PlayerId, command: BuyWare | SellWare) -> list[Event] | Rejected:
    """Buy or sell at the dock: at once when the ship has nothing else to do, else when its turn comes."""
    ship = own_ship(state, player, command.ship)
    if isinstance(ship, Rejected):
        return ship
    if command.ware not in state.wares:
        return Rejected("unknown_ware", f"There is no ware {command.ware!r}; the view's `wares` lists them.")
    if not 1 <= command.units <= UNITS_LIMIT:
        return Rejected("bad_units", f"Ask for 1 to {UNITS_LIMIT} units.")
    kind = Buy if isinstance(command, BuyWare) else Sell
    entry = kind(ship.entries + 1, ship.orders + 1, command.ware, command.units)
    if ship.queue and command.append:
        if len(ship.queue) >= state.rules.queue_limit:
            return _queue_full(state, ship, 1)
        place = courses.place_before(state, ship, len(ship.queue))
        if place.station is None:
            return Rejected("not_docked", f"{ship.name} will not be docked then; move it to a station first.")
        refusal = trading.dealt_in(state, state.stations[place.station], entry)
    else:
        agreed = trading.deal(state, ship, entry)
        refusal = agreed if isinstance(agreed, Rejected) else None
    if refusal is not None:
        return refusal
    return _give(state, ship, [entry], append=command.append)


def stop(state: SpaceState, player: PlayerId, command: StopShip) -> list[Event] | Rejected:
    """Forget all orders."""
    ship = own_ship(state, player, command.ship)
    if isinstance(ship, Rejected):
        return ship
    if not ship.queue and not ship.auto_trade:
        return []
    events: list[Event] = []
    jobs.switch_off(state, ship, _BY_ORDER, events)
    _clear(state, ship, events)
    events.append(QueueChanged(player, ship.id, "stopped"))
    return events


def cancel(state: SpaceState, player: PlayerId, command: CancelEntry) -> list[Event] | Rejected:
    """Take back one order; the next order to move is planned again from where the ship will then be."""
    ship = own_ship(state, player, command.ship)
    if isinstance(ship, Rejected):
        return ship
    index = next((index for index, entry in enumerate(ship.queue) if entry.id == command.entry), None)
    if index is None:
        return Rejected("unknown_entry", f"{ship.name} has no queue entry {command.entry}; its `queue` lists them.")
    first, end = courses.order_at(ship, index)
    if first == 0 and isinstance(ship.at, InGate):
        first = 1
        if end == 1 or index == 0:
            return Rejected("in_gate", f"{ship.name} is inside the gate and must come out first; cancel what follows.")
    events: list[Event] = []
    jobs.switch_off(state, ship, _BY_ORDER, events)
    if first == 0:
        courses.halt(state, ship, events)
    del ship.queue[first:end]
    _plan_following(state, ship, first, events)
    events.append(QueueChanged(player, ship.id, "cancelled"))
    if ship.due == NEVER:
        queue.proceed(state, ship, events)
    return events


def auto_trade(state: SpaceState, player: PlayerId, command: AutoTrade) -> list[Event] | Rejected:
    """Let a ship trade by itself from when its orders are done, or no longer."""
    ship = own_ship(state, player, command.ship)
    if isinstance(ship, Rejected):
        return ship
    events: list[Event] = []
    if not command.on:
        jobs.switch_off(state, ship, "auto-trade was switched off", events)
    elif not ship.auto_trade:
        ship.auto_trade = True
        jobs.call_if_free(state, ship)
        events.append(AutoTradeSwitched(ship.id, on=True))
    return events


def refused_name(name: str) -> Rejected | None:
    """Why nothing can be called `name`, or None when it can: only what would break a line or a picture is refused.

    What a name shall be is asked before a command is journaled (`admitted`); what is in a journal lives on as it was.
    """
    if names.taken_as_it_is(name, names.PLAYER_CHARS):
        return None
    return Rejected("bad_name", f"Choose a name of 1 to {names.PLAYER_CHARS} printable characters.")


def admitted(command: C) -> C | Rejected:
    """A player's command as it goes into the journal: the name in it, if there is one, is tidied; or it is refused."""
    name = getattr(command, "name", None)
    if not isinstance(command, BuyShip | RenameShip) or name is None:
        return command
    tidy = names.as_typed(name)
    if wrong := names.unfit(tidy, names.PLAYER_CHARS):
        return Rejected("bad_name", wrong)
    return cast("C", msgspec.structs.replace(command, name=tidy))


def own_ship(state: SpaceState, player: PlayerId, ship_id: str) -> Ship | Rejected:
    """The ship that a player means, or why the player cannot command it."""
    ship = state.ships.get(ship_id)
    if ship is None or not sight.sees(state, player, ship):
        return Rejected("unknown_ship", f"There is no ship {ship_id!r}; the view's `ships` lists them.")
    if ship.owner != player:
        return Rejected("not_your_ship", f"{ship.name} belongs to {state.players[ship.owner].name}; order your own.")
    return ship


def _goal(state: SpaceState, player: PlayerId, to: Target) -> Place | Rejected:
    """The place that a target means; what `player` does not know is refused exactly as if it were not there."""
    named = [name for name in (to.sector, to.station, to.gate) if name is not None]
    if len(named) != 1 or (to.sector is None and (to.x is not None or to.y is not None)):
        return Rejected("bad_target", "Name one target: a sector with x and y, or a station, or a gate.")
    if to.through and to.gate is None:
        return Rejected("bad_target", "Only gates lead through; leave `through` out for a sector or a station.")
    if to.station is not None:
        station = state.stations.get(to.station)
        if station is None or not state.knows(player, station.sector):
            return Rejected("unknown_station", f"There is no station {to.station!r}; the view's `stations` lists them.")
        return state.atlas.at_station(to.station)
    if to.gate is not None:
        gate = state.gates.get(to.gate)
        if gate is None or not state.knows(player, gate.sector):
            return Rejected("unknown_gate", f"There is no gate {to.gate!r}; the view's `gates` lists them.")
        return state.atlas.at_gate(to.gate)
    if to.sector not in state.sectors or not state.knows(player, to.sector):
        return Rejected("unknown_sector", f"There is no sector {to.sector!r}; the view's `sectors` lists them.")
    x, y = to.x or 0, to.y or 0
    half = state.rules.sector_size_m // 2
    if not (-half <= x <= half and -half <= y <= half):
        return Rejected("outside_sector", f"({x}, {y}) is outside; x and y go from {-half} to {half} metres.")
    return Place(to.sector, x, y)


def _queue_full(state: SpaceState, ship: Ship, more: int) -> Rejected:
    return Rejected(
        "queue_full",
        f"{ship.name} has {len(ship.queue)} entries in its queue and {more} more would exceed the limit of "
        f"{state.rules.queue_limit}; wait until some are done, or cancel some.",
    )


def _give(state: SpaceState, ship: Ship, entries: list[Entry], *, append: bool) -> list[Event]:
    """Put one order's entries into the queue, and begin if nothing else is under way."""
    events: list[Event] = []
    jobs.switch_off(state, ship, _BY_ORDER, events)
    if not append and courses.continues(ship, entries):
        # The same way again: breaking off would cost the part of a metre that the ship has flown since the last one.
        ship.queue.clear()
    elif not append:
        _clear(state, ship, events)
    ship.orders += 1
    ship.queue += courses.given(ship, entries)
    events.append(OrderAccepted(ship.owner, ship.id, ship.orders, len(entries)))
    if ship.due == NEVER and not ship.blocked:
        queue.proceed(state, ship, events)
    return events


def _clear(state: SpaceState, ship: Ship, events: list[Event]) -> None:
    """Empty the queue, except for a jump under way."""
    courses.halt(state, ship, events)
    del ship.queue[1 if isinstance(ship.at, InGate) else 0 :]


def _plan_following(state: SpaceState, ship: Ship, index: int, events: list[Event]) -> None:
    """Plan the first order to move at or after `index` anew, because the one before it is gone.

    When there is no way the old plan stays; the ship then looks again when its turn comes, and holds if need be.
    """
    for later in range(index, len(ship.queue)):
        if not isinstance(ship.queue[later], Buy | Sell):
            courses.replan(state, ship, later, events)
            return
