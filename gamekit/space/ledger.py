"""Double entry: everything that changes hands is taken from one account and given to another, in the same amount.

Credits lie in `Ledger.credits`, one account for each player and each station and one for each named source; a
station's account may go below zero, because its bank backs it. Wares lie in the stations' stocks, the ships' holds and
the faucets and sinks of `Ledger.wares`. Over all accounts the credits, and the units of every ware, sum to zero for
ever: a faucet's balance is what it gave (as a negative number), a sink's is what it took.

No account passes the bound of `bounds`: whoever transfers asks for `room` and refuses what does not fit.

No other module writes to an account, a stock or a hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gamekit.errors import InvariantViolated
from gamekit.game import PlayerId
from gamekit.space.bounds import MOST
from gamekit.space.model import Ledger, Ship, Station

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

#: Where the fees of trades go.
FEES = "fees"
#: Where the credits for new ships go.
SHIP_PURCHASES = "ship_purchases"
#: Where the credits for ships that are given back come from.
SHIP_SALES = "ship_sales"

#: The ends of the wares' ledger ...
FAUCETS = (INITIAL, MINED, MADE)
SINKS = (USED, CONSUMED)
#: ... and of the credits'.
CREDIT_FAUCETS = (GRANTS, SHIP_SALES)
CREDIT_SINKS = (FEES, SHIP_PURCHASES)


class Account(NamedTuple):
    """What one account holds of one thing.

    Attributes:
        account: its name, such as "player:p1", "station:sol-hub", "ship:ship-1", "mined".
        kind: "player" (companies too), "station", "hold", "faucet" or "sink".
        unit: "credits", or a ware's id.
        balance: centi-credits, or units of the ware; over all accounts with one `unit` they sum to zero.
    """

    account: str
    kind: str
    unit: str
    balance: int


#: `unit` of the accounts of money.
CREDITS = "credits"


def opened(ware_ids: list[str], stations: list[Station]) -> Ledger:
    """A ledger with an account at zero for every source, sink and station."""
    return Ledger(
        credits=dict.fromkeys(CREDIT_FAUCETS + CREDIT_SINKS, 0)
        | {station_account(station.id): 0 for station in stations},
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


def rows(ledger: Ledger, stations: Iterable[Station], ships: Iterable[Ship]) -> list[Account]:
    """Every account as rows, one for each thing that it holds or could hold; credits first, then ware by ware.

    Balances of faucets are negative, what they gave; a station's credits may be. Per `unit` they sum to zero.

    Args:
        ledger: the books.
        stations: all stations.
        ships: all ships; a hold has rows for what is in it.
    """
    kinds = dict.fromkeys(CREDIT_FAUCETS + FAUCETS, "faucet") | dict.fromkeys(CREDIT_SINKS + SINKS, "sink")
    made = [
        Account(account, kinds.get(account) or account.partition(":")[0], CREDITS, balance)
        for account, balance in ledger.credits.items()
    ]
    made += [
        Account(account, kinds[account], ware, units)
        for account, wares in ledger.wares.items()
        for ware, units in wares.items()
    ]
    for station in stations:
        account = station_account(station.id)
        made += [Account(account, "station", ware, units) for ware, units in station.stock.items()]
    for ship in ships:
        made += [Account(f"ship:{ship.id}", "hold", ware, units) for ware, units in ship.hold.items()]
    return made


def grant(ledger: Ledger, player: PlayerId, amount: int) -> None:
    """Open the account of a new player with `amount` centi-credits from the grants."""
    ledger.credits[player_account(player)] = 0
    pay(ledger, GRANTS, player_account(player), amount)


def room(ledger: Ledger, payer: str, payee: str) -> int:
    """The most centi-credits that can be transferred before one of the accounts would pass the bound."""
    return min(MOST + ledger.credits[payer], MOST - ledger.credits[payee])


def pay(ledger: Ledger, payer: str, payee: str, amount: int) -> None:
    """Transfer centi-credits between two accounts.

    Raises:
        InvariantViolated: an account would pass the bound; nothing was transferred. Ask `room` before.
    """
    left, had = ledger.credits[payer] - amount, ledger.credits[payee] + amount
    if not (-MOST <= left <= MOST and -MOST <= had <= MOST):
        raise InvariantViolated(
            f"{amount} from {payer} to {payee} would carry an account past {MOST}; refuse it before"
        )
    ledger.credits[payer] = left
    ledger.credits[payee] += amount


def supply(ledger: Ledger, faucet: str, station: Station, ware: str, units: int) -> None:
    """Transfer wares from a faucet into a station's stock."""
    ledger.wares[faucet][ware] -= units
    station.stock[ware] += units


def use_up(ledger: Ledger, sink: str, station: Station, ware: str, units: int) -> None:
    """Transfer wares from a station's stock into a sink."""
    station.stock[ware] -= units
    ledger.wares[sink][ware] += units


def buy(ledger: Ledger, station: Station, ship: Ship, ware: str, units: int, total: int, fee: int) -> None:
    """One trade: wares from a station to a ship, their price the other way, and the fee from the ship's owner."""
    owner = player_account(ship.owner)
    _load(station, ship, ware, units)
    pay(ledger, owner, station_account(station.id), total)
    pay(ledger, owner, FEES, fee)


def sell(ledger: Ledger, station: Station, ship: Ship, ware: str, units: int, total: int, fee: int) -> None:
    """One trade: wares from a ship to a station, their price the other way, and the fee from the ship's owner."""
    owner = player_account(ship.owner)
    _unload(ship, station, ware, units)
    pay(ledger, station_account(station.id), owner, total)
    pay(ledger, owner, FEES, fee)


def _load(station: Station, ship: Ship, ware: str, units: int) -> None:
    """Transfer wares from a station's stock into a ship's hold."""
    station.stock[ware] -= units
    if ware in ship.hold:
        ship.hold[ware] += units
    else:
        ship.hold = dict(sorted([*ship.hold.items(), (ware, units)]))


def _unload(ship: Ship, station: Station, ware: str, units: int) -> None:
    """Transfer wares from a ship's hold into a station's stock."""
    ship.hold[ware] -= units
    if ship.hold[ware] == 0:
        del ship.hold[ware]
    station.stock[ware] += units
