"""A designer's game, as an example and a subject: other prices, a dispatcher that prefers food, gifts, a metric.

It overrides what `gamekit.space.designed` lets it override and nothing else. On a server: `gamekit serve --game
tests.designer_game:FoodFirst`, then `{"game": "food-first"}` when a game is made.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from gamekit.game import Command, Event, PlayerId, Rejected
from gamekit.space import Rules, SpaceGame, SpaceState, ledger
from gamekit.space.hooks import Assignment, OwnEvent, Prospect
from gamekit.space.model import Player, Ship, Station, Ware


class Donate(Command, frozen=True, tag="donate"):
    """Give `credits` centi-credits to the player `to`."""

    to: str
    credits: int


class CreditsDonated(OwnEvent, frozen=True):
    """A player gave another one credits."""

    touches = ("player", "to")

    player: PlayerId
    to: PlayerId
    credits: int


def donate(state: SpaceState, player: PlayerId, command: Donate) -> list[Event] | Rejected:
    """Carry out a gift, as one transfer in the ledger."""
    to = PlayerId(command.to)
    if to not in state.players or to == player:
        return Rejected("unknown_player", "Name another player; the view's `players` lists them.")
    if not 1 <= command.credits <= ledger.credits_of(state.ledger, player):
        return Rejected("no_credits", "Give at least 1 centi-credit, and no more than you own.")
    ledger.pay(state.ledger, ledger.player_account(player), ledger.player_account(to), command.credits)
    return [CreditsDonated(player, to, command.credits)]


def food_in_store(state: SpaceState) -> int:
    """Units of food in all stations."""
    return sum(station.stock.get("food", 0) for station in state.stations.values())


def trading_share(state: SpaceState) -> float:
    """Share of the ships that are on a job."""
    return sum(ship.job is not None for ship in state.ships.values()) / max(1, len(state.ships))


class FoodFirst(SpaceGame):
    """Prices that fall with the square of the stock, and ships that carry food first."""

    name = "food-first"
    commands: ClassVar = {Donate: donate}
    metrics: ClassVar = {"food_in_store": food_in_store, "trading_share": trading_share}

    def price(self, station: Station, ware: Ware, stock: int, rules: Rules) -> int:
        """From twice the base price when empty down to half of it when full."""
        capacity = station.capacity[ware.id]
        empty = max(0, capacity - stock)
        return max(1, ware.base_price * (capacity * capacity + 3 * empty * empty) // (2 * capacity * capacity))

    def bid(self, state: SpaceState, ship: Ship, prospect: Prospect) -> int:
        """Ten times as much for food."""
        return super().bid(state, ship, prospect) * (10 if prospect.ware.id == "food" else 1)


class InTurn(SpaceGame):
    """The first waiting ship takes the first crate that anybody buys, whatever it earns."""

    name = "in-turn"

    def dispatch(self, state: SpaceState, owner: Player, free: list[Ship]) -> list[Assignment] | None:
        """One job at most; cargo on board is left to the auction."""
        ship = free[0]
        if ship.hold:
            return None
        # Under fog only by what the owner knows.
        atlas = state.atlas_of(owner.id)
        for source in state.stations.values():
            for name in source.sells:
                kept = source.capacity[name] * state.rules.minimum_stock_percent // 100
                ware = state.wares[name]
                units = source.stock[name] - kept - state.reserved.stock.get((source.id, name), 0)
                for target in state.stations.values():
                    if target is source or name not in target.buys:
                        continue
                    taken = target.stock[name] + state.reserved.room.get((target.id, name), 0)
                    units = min(units, target.capacity[name] - taken, ship.capacity // ware.volume)
                    docks = atlas.at_station(source.id), atlas.at_station(target.id)
                    here = atlas.place(ship.at, state.tick)
                    ways = (here, docks[0]), docks
                    if units > 0 and all(atlas.travel_ticks(ship.speed, *way) is not None for way in ways):
                        return [Assignment(ship.id, name, units, target.id, source.id)]
        return []


class Failing(SpaceGame):
    """A game whose price fails when the mines are emptier than at the start, for tests of failing hooks."""

    name = "failing"
    metrics: ClassVar = {"spread": lambda state: msgspec.structs.asdict(state.rules)["price_spread_percent"]}

    def price(self, station: Station, ware: Ware, stock: int, rules: Rules) -> int:
        """Fine until the rules ask for a large spread."""
        if rules.price_spread_percent > 80:
            raise ZeroDivisionError("division by zero")
        return super().price(station, ware, stock, rules)
