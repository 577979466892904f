"""The dispatcher's round when a game has prices, bids or a dispatcher of its own.

What is worth carrying is found unit by unit, as long as the next unit earns something, because nothing is known about
the shape of such prices; with the bundled prices it is found as `dispatch` does. Every ship bids for itself, because a
bid may depend on it. Slower than `dispatch`, which remembers what it found, and never used without a hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from gamekit.errors import HookFailed
from gamekit.game import Event
from gamekit.space import jobs, ledger
from gamekit.space.auction import Bid
from gamekit.space.dispatch import IDLE_ROUNDS, affordable, assign, cargo_bids, market_for, spoken_for, worth
from gamekit.space.hooks import Assignment, Prospect
from gamekit.space.market import BID_TICKS, Market, Offer, Pair, Stand, Worth
from gamekit.space.model import Player, Ship, Station, Ware
from gamekit.space.rules import Rules
from gamekit.space.state import SpaceState
from gamekit.space.trading import fee_of, hold_used, total_to_get, total_to_pay

#: What was worth carrying when it was last asked: `{(ware, source, target): ((rules, stock, space, room), worth)}`.
#: Prices are functions of stocks and rules, so it is worth the same until one of these changes.
Known: TypeAlias = dict[tuple[str, str, str], tuple[tuple[Rules, int, int, int], Worth]]
#: What a ship bids for a trade.
Bidder: TypeAlias = Callable[[SpaceState, Ship, Prospect], int]


def profit_for_time(state: SpaceState, ship: Ship, prospect: Prospect) -> int:
    """What ships bid unless their game says otherwise: the profit for a thousand million ticks."""
    return prospect.profit * BID_TICKS // prospect.ticks


def auction(known: Known, bid: Bidder, state: SpaceState, owner: Player, free: list[Ship], events: list[Event]) -> None:
    """Give away the best bid's job, again and again, until no ship waits or nobody bids above 0.

    Args:
        known: what was worth carrying before; filled on the way.
        bid: what a ship bids.
        state, owner, free, events: as for the bundled auction.
    """
    market = market_for(state, owner)
    market.look(state)
    while free:
        best = _best_bid(known, bid, state, market, owner, free)
        if best is None:
            jobs.call_within(state, owner.id, state.rules.dispatch_ticks * IDLE_ROUNDS)
            return
        free.remove(best.ship)
        assign(state, best, events)
        market.look(state)


def _best_bid(
    known: Known, bid: Bidder, state: SpaceState, market: Market, owner: Player, free: list[Ship]
) -> Bid | None:
    """The highest bid above 0; of equal ones the first, ship by ship and offer by offer."""
    best: Bid | None = None
    purse = ledger.credits_of(state.ledger, owner.id) - spoken_for(state, owner)
    #: {(room in the hold, speed): what is worth carrying, best bound first}
    offers: dict[tuple[int, int], list[Offer]] = {}
    for ship in free:
        carried = list(cargo_bids(state, market, ship))
        prospects = _cargo_prospects(state, market, ship, carried) if carried else None
        if prospects is None:
            like = ship.capacity - hold_used(state, ship), ship.speed
            if like not in offers:
                offers[like] = sorted(_offers(known, state, market, *like), key=lambda offer: -offer.bound)
            prospects = _prospects(state, market, ship, offers[like], purse)
        for prospect, source, target in prospects:
            value = bid(state, ship, prospect)
            if value > 0 and (best is None or value > best.bid):
                best = Bid(value, ship, prospect.ware, prospect.units, source, target, prospect.cost, prospect.profit)
    return best


def hold_round(
    game: str,
    dispatcher: Callable[[SpaceState, Player, list[Ship]], list[Assignment] | None],
    state: SpaceState,
    owner: Player,
    free: list[Ship],
    events: list[Event],
) -> bool:
    """Let a dispatcher of the game's own give the waiting ships their jobs; False when it leaves that to the auction.

    Raises:
        HookFailed: what it wants is not possible; the message says why.
    """
    wanted = dispatcher(state, owner, list(free))
    if wanted is None:
        return False
    for assignment in wanted:
        won = _checked(game, state, free, assignment)
        free.remove(won.ship)
        assign(state, won, events)
    if free:
        jobs.call_within(state, owner.id, state.rules.dispatch_ticks * IDLE_ROUNDS)
    return True


def _offers(known: Known, state: SpaceState, market: Market, room: int, speed: int) -> Iterator[Offer]:
    """Every trade that would earn something."""
    docks = 2 * state.rules.dock_ticks + 1
    for pair in market.pairs:
        ware, source, target = pair.ware, pair.source, pair.target
        most = room // ware.volume
        least = max(1, -(-most * state.rules.least_load_percent // 100))
        if state.hooks.price is None:
            found = worth(state, pair, most, least)
        else:
            found = (
                _worth_carrying(known, state, pair, most) if _for_sale(state, source.station, ware) >= least else None
            )
        if found is None or found.units < least or found.profit <= 0:
            continue
        ticks = market.atlas.travel_ticks(speed, source.dock, target.dock)
        if ticks is not None:
            ticks += docks
            bound = found.profit * BID_TICKS // ticks
            yield Offer(bound, found.profit, found.cost, found.units, ware, source, target, ticks)


def _in_stock(state: SpaceState, station: Station, ware: Ware) -> int:
    """Units that nobody has spoken for, whether the station sells them or keeps them as its minimum stock."""
    return station.stock[ware.id] - state.reserved.stock.get((station.id, ware.id), 0)


def _for_sale(state: SpaceState, station: Station, ware: Ware) -> int:
    """Units that a ship could buy."""
    kept = station.capacity[ware.id] * state.rules.minimum_stock_percent // 100
    return _in_stock(state, station, ware) - kept


def _earns(permille: int, cost: int, worth: int) -> int:
    """What is left of `worth` after `cost` and the fees for both."""
    return worth - fee_of(permille, worth) - cost - fee_of(permille, cost)


def _space(state: SpaceState, station: Station, ware: Ware) -> int:
    """Units of room that nobody has spoken for."""
    taken = station.stock[ware.id] + state.reserved.room.get((station.id, ware.id), 0)
    return station.capacity[ware.id] - taken


def _worth_carrying(known: Known, state: SpaceState, pair: Pair, most: int) -> Worth:
    """Carrying as long as the next unit earns something, at prices of the game's own."""
    ware, source, target = pair.ware, pair.source.station, pair.target.station
    stock, space = _in_stock(state, source, ware), _space(state, target, ware)
    case = state.rules, stock, space, most
    before = known.get((ware.id, source.id, target.id))
    # Rules are compared by identity, which is quick: a change of rules makes a new structure.
    if before is not None and before[0][0] is case[0] and before[0][1:] == case[1:]:
        return before[1]
    price, total = state.hooks.price, state.hooks.total
    assert price is not None, "these offers are for prices of the game's own"
    assert total is not None, "who has a price has a total"
    there = target.capacity[ware.id] - space
    limit, units, fee = min(most, _for_sale(state, source, ware), space), 0, state.rules.trade_fee_permille
    # A unit's own fees are reckoned finer than they are paid, so that a small price is not all fee.
    while units < limit and (1_000 + fee) * price(state, source, ware, stock - units - 1) < (1_000 - fee) * price(
        state, target, ware, there + units
    ):
        units += 1
    cost = total(state, source, ware, stock - units, units)
    found = Worth(units, cost + fee_of(fee, cost), _earns(fee, cost, total(state, target, ware, there, units)))
    known[ware.id, source.id, target.id] = case, found
    return found


def _cargo_prospects(
    state: SpaceState, market: Market, ship: Ship, carried: list[Bid]
) -> Iterator[tuple[Prospect, Stand | None, Stand]]:
    """What a waiting ship could do that has wares on board: sell them."""
    place = market.atlas.place(ship.at, state.tick)
    for bid in carried:
        way = market.atlas.travel_ticks(ship.speed, place, bid.target.dock)
        if way is not None:
            ticks = way + state.rules.dock_ticks + 1
            yield Prospect(bid.ware, bid.units, None, bid.target.station, 0, bid.profit, ticks), None, bid.target


def _prospects(
    state: SpaceState, market: Market, ship: Ship, offers: list[Offer], purse: int
) -> Iterator[tuple[Prospect, Stand | None, Stand]]:
    """What a waiting ship could do: fetch and carry something."""
    place, room = market.atlas.place(ship.at, state.tick), ship.capacity - hold_used(state, ship)
    for offer in offers:
        paid = affordable(state, offer, purse, room)
        way = market.atlas.travel_ticks(ship.speed, place, offer.source.dock) if paid is not None else None
        if paid is not None and way is not None:
            ends = paid.source.station, paid.target.station
            ticks = way + paid.ticks
            yield Prospect(paid.ware, paid.units, *ends, paid.cost, paid.profit, ticks), paid.source, paid.target


def _checked(game: str, state: SpaceState, free: list[Ship], wanted: Assignment) -> Bid:
    """What an assignment means, when it is possible."""

    def impossible(why: str) -> HookFailed:
        return HookFailed(game, "dispatch", f"returned {wanted}, but {why}")

    if not all(isinstance(named, str) for named in (wanted.ship, wanted.ware, wanted.target, wanted.source or "")):
        raise impossible("ship, ware, target and source must be ids")
    ship = next((ship for ship in free if ship.id == wanted.ship), None)
    ware, target = state.wares.get(wanted.ware), state.stations.get(wanted.target)
    if ship is None:
        raise impossible("this ship does not wait for a job")
    atlas = state.atlas_of(ship.owner)
    if ware is None or target is None or ware.id not in target.buys:
        raise impossible("there is no such ware or target, or the target does not buy it")
    if type(wanted.units) is not int or not 1 <= wanted.units <= _space(state, target, ware):
        raise impossible(f"units must be from 1 to the room left there, {_space(state, target, ware)}")
    stand = Stand(target, state.atlas.at_station(target.id))
    here = state.atlas.place(ship.at, state.tick)
    if wanted.source is None:
        if ship.hold.get(ware.id, 0) < wanted.units:
            raise impossible("the ship does not carry so many")
        if atlas.travel_ticks(ship.speed, here, stand.dock) is None:
            raise impossible("no open gates that its owner knows lead there")
        worth = total_to_get(state, ware, target, wanted.units)
        return Bid(0, ship, ware, wanted.units, None, stand, 0, _earns(state.rules.trade_fee_permille, 0, worth))
    source = state.stations.get(wanted.source)
    if source is None or source is target or ware.id not in source.sells:
        raise impossible("there is no such source, or it does not sell the ware")
    limit = min(_for_sale(state, source, ware), (ship.capacity - hold_used(state, ship)) // ware.volume)
    if wanted.units > limit:
        raise impossible(f"stock and hold allow {limit} units at most")
    start = Stand(source, state.atlas.at_station(source.id))
    ways = (here, start.dock), (start.dock, stand.dock)
    if any(atlas.travel_ticks(ship.speed, *way) is None for way in ways):
        raise impossible("no open gates that its owner knows lead there")
    fee, cost = state.rules.trade_fee_permille, total_to_pay(state, ware, source, wanted.units)
    profit = _earns(fee, cost, total_to_get(state, ware, target, wanted.units))
    return Bid(0, ship, ware, wanted.units, start, stand, cost + fee_of(fee, cost), profit)
