"""Buying and selling at the dock: how much moves, at what total, and between which accounts.

The total of a move is exact to the centi-credit and rounded against the trader: a buyer pays it rounded up, a seller
gets it rounded down. Splitting a move into smaller ones is therefore never cheaper, and there is no residue: what one
side pays is what the other side gets. A move is cut down to what stock, room, hold and credits allow, and leaves
alone what is reserved for other ships; one that can move nothing is refused with the first of these in its way.
"""

from __future__ import annotations

from typing import NamedTuple

from gamekit.game import Event, Rejected
from gamekit.space import ledger
from gamekit.space.economy import stock_moved, trade_total
from gamekit.space.events import WareBought, WareSold
from gamekit.space.model import Buy, Docked, Sell, Ship, Station, Ware
from gamekit.space.state import SpaceState


class Deal(NamedTuple):
    """A trade that can be carried out: units, and centi-credits in all."""

    station: Station
    units: int
    total: int


def buying_total(ware: Ware, spread_percent: int, station: Station, units: int) -> int:
    """What a ship pays for `units`, in centi-credits, rounded up."""
    stock = station.stock[ware.id]
    capacity = station.capacity[ware.id]
    # Minus the floor of the negative is the ceiling.
    return -trade_total(-ware.base_price, spread_percent, 2 * stock - units, units, capacity)


def selling_total(ware: Ware, spread_percent: int, station: Station, units: int) -> int:
    """What a ship gets for `units`, in centi-credits, rounded down."""
    stock = station.stock[ware.id]
    return trade_total(ware.base_price, spread_percent, 2 * stock + units, units, station.capacity[ware.id])


def total_to_pay(state: SpaceState, ware: Ware, station: Station, units: int) -> int:
    """What a ship pays for `units` under the rules in force or the game's own prices."""
    if state.hooks.total is None:
        return buying_total(ware, state.rules.price_spread_percent, station, units)
    return state.hooks.total(state, station, ware, station.stock[ware.id] - units, units)


def total_to_get(state: SpaceState, ware: Ware, station: Station, units: int) -> int:
    """What a ship gets for `units` under the rules in force or the game's own prices."""
    if state.hooks.total is None:
        return selling_total(ware, state.rules.price_spread_percent, station, units)
    return state.hooks.total(state, station, ware, station.stock[ware.id], units)


def hold_used(state: SpaceState, ship: Ship) -> int:
    """How much of a ship's hold is taken, in volume units."""
    return sum(state.wares[ware].volume * units for ware, units in ship.hold.items())


def deal(state: SpaceState, ship: Ship, entry: Buy | Sell) -> Deal | Rejected:
    """What carrying out `entry` now would move, or why it can move nothing. Changes nothing."""
    if not isinstance(ship.at, Docked):
        return Rejected("not_docked", f"{ship.name} is not docked; move it to a station first.")
    station = state.stations[ship.at.station]
    refusal = dealt_in(state, station, entry)
    if refusal is not None:
        return refusal
    return _buying(state, ship, station, entry) if isinstance(entry, Buy) else _selling(state, ship, station, entry)


def dealt_in(state: SpaceState, station: Station, entry: Buy | Sell) -> Rejected | None:
    """Why a station does not deal in the ware of `entry`, or None when it does."""
    ware = state.wares[entry.ware]
    if isinstance(entry, Buy) and entry.ware not in station.sells:
        return Rejected("not_traded", f"{station.name} does not sell {ware.name}; its `sells` lists what it does.")
    if isinstance(entry, Sell) and entry.ware not in station.buys:
        return Rejected("not_traded", f"{station.name} does not buy {ware.name}; its `buys` lists what it does.")
    return None


def carry_out(state: SpaceState, ship: Ship, entry: Buy | Sell, agreed: Deal, events: list[Event]) -> None:
    """Move wares and credits as agreed."""
    station, units, total = agreed
    ours = ledger.player_account(ship.owner)
    theirs = ledger.station_account(station.id)
    if isinstance(entry, Buy):
        ledger.load(station, ship, entry.ware, units)
        ledger.pay(state.ledger, ours, theirs, total)
    else:
        ledger.unload(ship, station, entry.ware, units)
        ledger.pay(state.ledger, theirs, ours, total)
    event = WareBought if isinstance(entry, Buy) else WareSold
    events.append(event(ship.owner, ship.id, station.id, entry.ware, units, total // units, total))
    stock_moved(state, station, events)


def _buying(state: SpaceState, ship: Ship, station: Station, entry: Buy) -> Deal | Rejected:
    ware = state.wares[entry.ware]
    stock = station.stock[entry.ware]
    if stock == 0:
        return Rejected("no_stock", f"{station.name} has no {ware.name} left; wait, or buy elsewhere.")
    stock -= state.reserved.stock_for(ship, station.id, entry.ware)
    if stock == 0:
        return Rejected("reserved", f"All {ware.name} of {station.name} is promised to ships; wait, or buy elsewhere.")
    room = (ship.capacity - hold_used(state, ship)) // ware.volume
    if room <= 0:
        return Rejected("hold_full", f"{ship.name} has no room for {ware.name}; sell something first.")
    units = min(entry.units, stock, room)
    owned = ledger.credits_of(state.ledger, ship.owner)
    if total_to_pay(state, ware, station, units) > owned:
        units = _affordable(state, ware, station, units, owned)
        if units == 0:
            return Rejected("no_credits", f"One unit of {ware.name} costs more than you own; sell something first.")
    return Deal(station, units, total_to_pay(state, ware, station, units))


def _affordable(state: SpaceState, ware: Ware, station: Station, limit: int, owned: int) -> int:
    """The most units, below `limit`, whose total is at most `owned`; the total grows with the units."""
    low, high = 0, limit - 1
    while low < high:
        middle = (low + high + 1) // 2
        if total_to_pay(state, ware, station, middle) <= owned:
            low = middle
        else:
            high = middle - 1
    return low


def _selling(state: SpaceState, ship: Ship, station: Station, entry: Sell) -> Deal | Rejected:
    ware = state.wares[entry.ware]
    held = ship.hold.get(entry.ware, 0)
    if held == 0:
        return Rejected("no_cargo", f"{ship.name} carries no {ware.name}; buy some first.")
    room = station.capacity[entry.ware] - station.stock[entry.ware]
    if room == 0:
        return Rejected("no_room", f"{station.name} has no room for {ware.name}; wait, or sell elsewhere.")
    room -= state.reserved.room_for(ship, station.id, entry.ware)
    if room == 0:
        return Rejected(
            "reserved", f"All room for {ware.name} at {station.name} is promised to ships; wait, or sell elsewhere."
        )
    units = min(entry.units, held, room)
    return Deal(station, units, total_to_get(state, ware, station, units))
