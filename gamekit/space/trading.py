"""Buying and selling at the dock: how much moves, at what total, and between which accounts.

The total of a move is exact to the centi-credit and rounded against the trader: a buyer pays it rounded up, a seller
gets it rounded down. Splitting a move into smaller ones is therefore never cheaper, and there is no residue: what one
side pays is what the other side gets. On top, the ship's owner pays a fee, rounded up, which leaves the game.

A move is cut down to what stock, room, hold and credits allow, and leaves alone what is reserved for other ships and
the minimum stock, below which stations do not sell; the trade says what was wanted and what limited it. One that can
move nothing is refused with the first of these in its way. Where the books are full (see `bounds`) wares still move,
for what can be counted.
"""

from __future__ import annotations

from typing import NamedTuple

from gamekit.game import Event, Rejected
from gamekit.space import bounds, ledger
from gamekit.space.economy import price, stock_moved, trade_total
from gamekit.space.events import WareBought, WareSold
from gamekit.space.model import Buy, Docked, Sell, Ship, Station, Ware
from gamekit.space.state import SpaceState


class Deal(NamedTuple):
    """A trade that can be carried out.

    Attributes:
        units: how many move.
        total: what they cost, in centi-credits.
        fee: what the ship's owner pays besides.
        limited_by: why not all that was wanted, as the code of a refusal; "" when it is all.
    """

    station: Station
    units: int
    total: int
    fee: int
    limited_by: str


def fee_of(permille: int, total: int) -> int:
    """The fee for a trade of `total` centi-credits, rounded up."""
    return -(-total * permille // 1_000)


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


def prices(state: SpaceState, station: Station) -> dict[str, int]:
    """What one unit of each ware costs at a station now, in centi-credits: `{ware_id: price}`."""
    own, spread, wares = state.hooks.price, state.rules.price_spread_percent, state.wares
    if own is not None:
        return {ware: own(state, station, wares[ware], stock) for ware, stock in station.stock.items()}
    return {
        ware: price(wares[ware].base_price, spread, stock, station.capacity[ware])
        for ware, stock in station.stock.items()
    }


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
    station, units, total, fee, limited_by = agreed
    if isinstance(entry, Buy):
        ledger.buy(state.ledger, station, ship, entry.ware, units, total, fee)
    else:
        ledger.sell(state.ledger, station, ship, entry.ware, units, total, fee)
    event = WareBought if isinstance(entry, Buy) else WareSold
    mean = total // units
    events.append(event(ship.owner, ship.id, station.id, entry.ware, units, mean, total, entry.units, fee, limited_by))
    stock_moved(state, station, events)


def _buying(state: SpaceState, ship: Ship, station: Station, entry: Buy) -> Deal | Rejected:
    ware = state.wares[entry.ware]
    stock = station.stock[entry.ware]
    if stock == 0:
        return Rejected("no_stock", f"{station.name} has no {ware.name} left; wait, or buy elsewhere.")
    promised = state.reserved.stock_for(ship, station.id, entry.ware)
    if stock == promised:
        return Rejected("reserved", f"All {ware.name} of {station.name} is promised to ships; wait, or buy elsewhere.")
    rules = state.rules
    kept = station.capacity[entry.ware] * rules.minimum_stock_percent // 100
    stock -= promised + kept
    if stock <= 0:
        return Rejected(
            "minimum_stock", f"{station.name} keeps its last {kept} {ware.name} in store; wait, or buy elsewhere."
        )
    room = (ship.capacity - hold_used(state, ship)) // ware.volume
    if room <= 0:
        return Rejected("hold_full", f"{ship.name} has no room for {ware.name}; sell something first.")
    units, limited_by = entry.units, ""
    if units > stock:
        units, limited_by = stock, "minimum_stock" if kept else "reserved" if promised else "no_stock"
    if units > room:
        units, limited_by = room, "hold_full"
    owned = ledger.credits_of(state.ledger, ship.owner)
    permille = rules.trade_fee_permille
    total = total_to_pay(state, ware, station, units)
    fee = fee_of(permille, total)
    if total + fee > owned:
        units, limited_by = _affordable(state, ware, station, units, owned), "no_credits"
        if units == 0:
            return Rejected("no_credits", f"One unit of {ware.name} costs more than you own; sell something first.")
        total = total_to_pay(state, ware, station, units)
        fee = fee_of(permille, total)
    payer, payee = ledger.player_account(ship.owner), ledger.station_account(station.id)
    return _counted(state, Deal(station, units, total, fee, limited_by), payer, payee)


def _affordable(state: SpaceState, ware: Ware, station: Station, limit: int, owned: int) -> int:
    """The most units, below `limit`, whose total and fee are at most `owned`; both grow with the units."""
    low, high = 0, limit - 1
    while low < high:
        middle = (low + high + 1) // 2
        total = total_to_pay(state, ware, station, middle)
        if total + fee_of(state.rules.trade_fee_permille, total) <= owned:
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
    promised = state.reserved.room_for(ship, station.id, entry.ware)
    room -= promised
    if room == 0:
        return Rejected(
            "reserved", f"All room for {ware.name} at {station.name} is promised to ships; wait, or sell elsewhere."
        )
    units, limited_by = entry.units, ""
    if units > held:
        units, limited_by = held, "no_cargo"
    if units > room:
        units, limited_by = room, "reserved" if promised else "no_room"
    total = total_to_get(state, ware, station, units)
    fee = fee_of(state.rules.trade_fee_permille, total)
    payer, payee = ledger.station_account(station.id), ledger.player_account(ship.owner)
    return _counted(state, Deal(station, units, total, fee, limited_by), payer, payee)


def _counted(state: SpaceState, agreed: Deal, payer: str, payee: str) -> Deal:
    """The same deal; where an account would pass the bound of `bounds`, the wares move for what can be counted."""
    total = min(agreed.total, ledger.room(state.ledger, payer, payee))
    fees = bounds.MOST - state.ledger.credits[ledger.FEES]
    if total == agreed.total and agreed.fee <= fees:
        return agreed
    fee = min(fee_of(state.rules.trade_fee_permille, total), fees)
    return agreed._replace(total=total, fee=fee, limited_by="books_full")
