"""Double entry: everything that changes hands is taken from one account and given to another, in the same amount.

Credits lie in `Ledger.credits`, one account for each player and each station and one for each named source; a
station's account may go below zero, because its bank backs it. Wares lie in the stations' stocks, the ships' holds and
the faucets and sinks of `Ledger.wares`. Over all accounts the credits, and the units of every ware, sum to zero for
ever: a faucet's balance is what it gave (as a negative number), a sink's is what it took.

No other module writes to an account, a stock or a hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gamekit.game import PlayerId
from gamekit.space.model import Ledger, Ship, Station

if TYPE_CHECKING:
    from gamekit.space.state import SpaceState

#: Where players' starting credits come from.
GRANTS = "grants"
#: Where the first stocks came from.
INITIAL = "initial"
#: What mines took out of the ground: recipes without inputs.
MINED = "mined"
#: What production made out of other wares.
MADE = "made"
#: What production used up.
USED = "used"
#: What inhabitants consumed: recipes without outputs.
CONSUMED = "consumed"

FAUCETS = (INITIAL, MINED, MADE)
SINKS = (USED, CONSUMED)


def opened(ware_ids: list[str], stations: list[Station]) -> Ledger:
    """A ledger with an account at zero for every source, sink and station."""
    return Ledger(
        credits={GRANTS: 0} | {station_account(station.id): 0 for station in stations},
        wares={account: dict.fromkeys(ware_ids, 0) for account in FAUCETS + SINKS},
    )


def player_account(player: PlayerId) -> str:
    """The name of a player's account."""
    return f"player:{player}"


def station_account(station_id: str) -> str:
    """The name of a station's account."""
    return f"station:{station_id}"


def credits_of(ledger: Ledger, player: PlayerId) -> int:
    """What a player owns, in centi-credits."""
    return ledger.credits[player_account(player)]


def grant(ledger: Ledger, player: PlayerId, amount: int) -> None:
    """Open the account of a new player with `amount` centi-credits from the grants."""
    ledger.credits[player_account(player)] = 0
    pay(ledger, GRANTS, player_account(player), amount)


def pay(ledger: Ledger, payer: str, payee: str, amount: int) -> None:
    """Transfer centi-credits between two accounts."""
    ledger.credits[payer] -= amount
    ledger.credits[payee] += amount


def supply(ledger: Ledger, faucet: str, station: Station, ware: str, units: int) -> None:
    """Transfer wares from a faucet into a station's stock."""
    ledger.wares[faucet][ware] -= units
    station.stock[ware] += units


def use_up(ledger: Ledger, sink: str, station: Station, ware: str, units: int) -> None:
    """Transfer wares from a station's stock into a sink."""
    station.stock[ware] -= units
    ledger.wares[sink][ware] += units


def load(station: Station, ship: Ship, ware: str, units: int) -> None:
    """Transfer wares from a station's stock into a ship's hold."""
    station.stock[ware] -= units
    if ware in ship.hold:
        ship.hold[ware] += units
    else:
        ship.hold = dict(sorted([*ship.hold.items(), (ware, units)]))


def unload(ship: Ship, station: Station, ware: str, units: int) -> None:
    """Transfer wares from a ship's hold into a station's stock."""
    ship.hold[ware] -= units
    if ship.hold[ware] == 0:
        del ship.hold[ware]
    station.stock[ware] += units


def rows(state: SpaceState) -> Iterator[tuple[str, str, str, int]]:
    """Every account with its balance: (account, kind, asset, amount).

    Kinds are "player", "company", "station", "stock", "hold", "faucet" and "sink"; assets "credits", in centi-credits,
    and the wares' ids, in units. Over all rows of one asset the amounts sum to zero. Stocks are all there, holds where
    something is in them.
    """
    books = state.ledger
    kinds = {player_account(one.id): "company" if one.company else "player" for one in state.players.values()}
    kinds |= {station_account(station): "station" for station in state.stations}
    for account, amount in books.credits.items():
        yield account, kinds.get(account, "faucet"), "credits", amount
    for account, wares in books.wares.items():
        for ware, units in wares.items():
            yield account, "faucet" if account in FAUCETS else "sink", ware, units
    for station in state.stations.values():
        for ware, units in station.stock.items():
            yield f"stock:{station.id}", "stock", ware, units
    for ship in state.ships.values():
        for ware, units in ship.hold.items():
            yield f"hold:{ship.id}", "hold", ware, units
