"""Buying, selling and naming ships: the commands of an owner about the fleet, not about what a ship does.

Ships are built, and taken back, at stations with a `shipyard`: hubs, and those whose recipe says so. A new ship waits
at the dock; what it costs leaves the game, and what a ship that is given back fetches comes into it. A ship that
is sold is gone with its orders; it must be empty and may not be on a job, so nothing is reserved for it. Its id is
never given again.

Every function either refuses with `Rejected` and has changed nothing, or returns the events of what it did.
"""

from __future__ import annotations

from gamekit.game import Event, PlayerId, Rejected
from gamekit.space import bounds, fleet, ledger
from gamekit.space.commands import BuyShip, RenameShip, SellShip
from gamekit.space.events import ShipBought, ShipRenamed, ShipSold
from gamekit.space.model import Docked, Station
from gamekit.space.orders import own_ship, refused_name
from gamekit.space.state import SpaceState


def buy_ship(state: SpaceState, player: PlayerId, command: BuyShip) -> list[Event] | Rejected:
    """Let a player have one more ship, docked where it was built."""
    kind = state.ship_classes.get(command.ship_class)
    if kind is None:
        known = ", ".join(state.ship_classes)
        return Rejected("unknown_class", f"There is no class of ships {command.ship_class!r}; there are {known}.")
    station = state.stations.get(command.station)
    if station is None or not state.knows(player, station.sector):
        return Rejected(
            "unknown_station", f"There is no station {command.station!r}; the view's `stations` lists them."
        )
    refusal = _no_shipyard(station) or (refused_name(command.name) if command.name is not None else None)
    if refusal is not None:
        return refusal
    owned = sum(ship.owner == player for ship in state.ships.values())
    if owned >= state.rules.ships_limit:
        return Rejected(
            "ships_limit", f"You own {owned} ships and the limit is {state.rules.ships_limit}; sell one first."
        )
    if kind.price > ledger.credits_of(state.ledger, player):
        return Rejected("no_credits", f"A {kind.name} costs {kind.price} centi-credits, more than you own; earn them.")
    buyer = ledger.player_account(player)
    if kind.price > ledger.room(state.ledger, buyer, ledger.SHIP_PURCHASES):
        return bounds.books_full(f"What a {kind.name} costs")
    ledger.pay(state.ledger, buyer, ledger.SHIP_PURCHASES, kind.price)
    ship = fleet.commission(state, player, Docked(station.id), kind.id, command.name)
    return [ShipBought(player, ship.id, kind.id, station.id, kind.price)]


def sell_ship(state: SpaceState, player: PlayerId, command: SellShip) -> list[Event] | Rejected:
    """Take a ship back for a part of its price."""
    ship = own_ship(state, player, command.ship)
    if isinstance(ship, Rejected):
        return ship
    if not isinstance(ship.at, Docked):
        return Rejected("not_docked", f"{ship.name} is not docked; move it to a hub or a shipyard first.")
    station = state.stations[ship.at.station]
    refusal = _no_shipyard(station)
    if refusal is not None:
        return refusal
    if ship.job is not None:
        return Rejected("has_job", f"{ship.name} is on a trade; switch its auto-trade off first.")
    if ship.hold:
        return Rejected("has_cargo", f"{ship.name} has wares on board; sell them first.")
    price = state.ship_classes[ship.ship_class].price * state.rules.ship_resale_percent // 100
    seller = ledger.player_account(player)
    if price > ledger.room(state.ledger, ledger.SHIP_SALES, seller):
        return bounds.books_full(f"What {ship.name} fetches")
    fleet.decommission(state, ship)
    ledger.pay(state.ledger, ledger.SHIP_SALES, seller, price)
    return [ShipSold(player, ship.id, station.id, price)]


def rename_ship(state: SpaceState, player: PlayerId, command: RenameShip) -> list[Event] | Rejected:
    """Give a ship another name; several may have the same."""
    ship = own_ship(state, player, command.ship)
    if isinstance(ship, Rejected):
        return ship
    refusal = refused_name(command.name)
    if refusal is not None:
        return refusal
    if ship.name == command.name:
        return []
    ship.name = command.name
    return [ShipRenamed(ship.id, command.name)]


def _no_shipyard(station: Station) -> Rejected | None:
    """Why a station neither builds ships nor takes them back, or None when it does."""
    if station.shipyard:
        return None
    return Rejected(
        "no_shipyard", f"{station.name} does not deal in ships; the view's `stations` say with `shipyard` which do."
    )
