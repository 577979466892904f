"""The dispatcher: which of an owner's waiting ships carries what from where to where.

Companies and players have the same one. In a round it auctions what is worth carrying at the prices of now: every
waiting ship bids the profit of a trade for the time that it needs, its way to the source included. The best bid wins,
wares and room are reserved, and the auction goes on with what is left. Of equal bids the one with the higher bound
wins, then the ware, the source and the target that come first in their tables, then the ship that does. A ship with
wares on board that somebody deals in sells them first.

A round is held within `dispatch_ticks` when a ship has become free; within six times that while ships wait in vain;
and when a holding ship's patience ends, which then gives its job up. With no ship waiting nothing is due. Nothing is
carried that does not fill `least_load_percent` of a hold, so ships do not swarm around a few crates.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from gamekit.game import Event
from gamekit.space import jobs, ledger, queue
from gamekit.space.economy import trade_total
from gamekit.space.events import QueueChanged, TradeAssigned
from gamekit.space.market import Offer, Stand
from gamekit.space.model import NEVER, Buy, Entry, Job, Player, Sell, Ship, Ware
from gamekit.space.state import SpaceState
from gamekit.space.trading import fee_of, hold_used
from gamekit.space.travel import Atlas, Place

#: The sectors that an owner knows, or None for all there are.
Known: TypeAlias = frozenset[str] | None
#: Bids are profit for so many ticks, so that they are whole numbers and still fine.
_BID_TICKS = 1_000_000_000
#: While ships wait in vain, only every so many-th round is held.
_IDLE_ROUNDS = 6


class _Bid(NamedTuple):
    """What a ship would do; `source` is None when it only sells what it carries."""

    bid: int
    ship: Ship
    ware: Ware
    units: int
    source: Stand | None
    target: Stand
    cost: int
    profit: int


def hold_round(state: SpaceState, owner: Player, events: list[Event]) -> None:
    """Give the owner's waiting ships what they should do, and take back what those that hold too long cannot do."""
    owner.due = NEVER
    free: list[Ship] = []
    for ship in state.ships.values():
        if ship.owner == owner.id and ship.auto_trade:
            if ship.job is not None and ship.job.waits != NEVER:
                _lose_patience(state, ship, ship.job, events)
            if not ship.queue:
                free.append(ship)
    hooks = state.hooks
    if free and hooks.whole_round is not None and hooks.whole_round(state, owner, free, events):
        return
    best_bid = hooks.best_bid or _best_bid
    while free:
        best = best_bid(state, owner, free)
        if best is None:
            jobs.call_within(state, owner.id, state.rules.dispatch_ticks * _IDLE_ROUNDS)
            return
        free.remove(best.ship)
        _assign(state, best, events)


def _lose_patience(state: SpaceState, ship: Ship, job: Job, events: list[Event]) -> None:
    until = job.waits + state.rules.trade_patience_ticks
    if state.tick < until:
        jobs.call(state, ship.owner, until)
        return
    jobs.abandon(state, ship, f"waited too long, {ship.blocked}", events)
    queue.halt(state, ship, events)
    ship.queue.clear()
    events.append(QueueChanged(ship.owner, ship.id, "abandoned"))


def _best_bid(state: SpaceState, owner: Player, free: list[Ship]) -> _Bid | None:
    best: _Bid | None = None
    #: {(room in the hold, speed): {where: the first ship there}}
    alike: dict[tuple[int, int], dict[Place, Ship]] = {}
    known, atlas = state.known_to(owner.id), state.atlas_of(owner.id)
    for ship in free:
        place = state.atlas.place(ship.at, state.tick)
        room, carries = ship.capacity, False
        if ship.hold:
            carries = any(ware in _bought(state, known) for ware in ship.hold)
            room -= hold_used(state, ship)
        if not carries:
            alike.setdefault((room, ship.speed), {}).setdefault(place, ship)
            continue
        for bid in _cargo_bids(state, ship, place):
            if best is None or bid.bid > best.bid:
                best = bid
    purse = ledger.credits_of(state.ledger, owner.id) - _spoken_for(state, owner) if alike else 0
    for (room, speed), ships in alike.items():
        for offer in _offers(state, room, speed, known, atlas):
            if best is not None and offer.bound <= best.bid:
                break
            paid = _affordable(state, offer, purse, room)
            for place, ship in ships.items() if paid is not None else ():
                way = atlas.travel_ticks(speed, place, offer.source.dock)
                if paid is not None and way is not None:
                    value = paid.profit * _BID_TICKS // (way + paid.ticks)
                    if best is None or value > best.bid:
                        best = _Bid(
                            value, ship, paid.ware, paid.units, paid.source, paid.target, paid.cost, paid.profit
                        )
    return best


def _bought(state: SpaceState, known: Known) -> set[str]:
    """The wares that somebody known buys; for membership tests only."""
    return {
        ware for station in state.stations.values() if known is None or station.sector in known for ware in station.buys
    }


def _spoken_for(state: SpaceState, owner: Player) -> int:
    """Credits that the owner's ships are on the way to spend."""
    return sum(ship.job.cost for ship in state.ships.values() if ship.job is not None and ship.owner == owner.id)


def _cargo_bids(state: SpaceState, ship: Ship, place: Place) -> Iterator[_Bid]:
    """What the wares on board would fetch, wherever somebody buys them, near or far."""
    spread = state.rules.price_spread_percent
    known, atlas = state.known_to(ship.owner), state.atlas_of(ship.owner)
    for ware_id, held in ship.hold.items():
        ware = state.wares[ware_id]
        for station in state.stations.values():
            if ware_id not in station.buys or (known is not None and station.sector not in known):
                continue
            capacity = station.capacity[ware_id]
            stock = station.stock[ware_id] + state.reserved.room.get((station.id, ware_id), 0)
            units = min(held, capacity - stock)
            dock = state.atlas.at_station(station.id)
            way = atlas.travel_ticks(ship.speed, place, dock) if units > 0 else None
            if way is not None:
                if state.hooks.total is None:
                    worth = trade_total(ware.base_price, spread, 2 * stock + units, units, capacity)
                else:
                    worth = state.hooks.total(state, station, ware, stock, units)
                worth -= fee_of(state.rules.trade_fee_permille, worth)
                bid = worth * _BID_TICKS // (way + state.rules.dock_ticks + 1)
                yield _Bid(bid, ship, ware, units, None, Stand(station, dock), 0, worth)


def _offers(state: SpaceState, room: int, speed: int, known: Known, atlas: Atlas) -> list[Offer]:
    """What is worth carrying, best bound first; worked out once a tick, and again after somebody took something.

    Under fog only between stations that the owner knows, over ways that the owner knows.
    """
    market = state.market
    if market.tick != state.tick:
        market.offers.clear()
        market.tick = state.tick
    offers = market.offers.get((room, speed, known))
    if offers is None:
        work_out = state.hooks.offers or _worked_out
        offers = sorted(work_out(state, room, speed, known, atlas), key=lambda offer: -offer.bound)
        market.offers[room, speed, known] = offers
    return offers


def _worked_out(state: SpaceState, room: int, speed: int, known: Known, atlas: Atlas) -> Iterator[Offer]:
    """Every trade that would earn something.

    Prices of both ends are linear in how full they are, around one base price; so the most is earned by carrying what
    makes both equally full: `(a / A - b / B) / (1 / A + 1 / B)` units, for stocks a, b of capacities A, B. Fees at both
    ends of f per base price make the last units not worth while: for a spread of s to either side, carrying stops when
    the source is still fuller by f / s. The minimum stock stays where it is.
    """
    rules = state.rules
    fetched, brought = state.reserved.stock.get, state.reserved.room.get
    spread, docks = rules.price_spread_percent, 2 * rules.dock_ticks + 1
    if not spread:
        # Everything costs the same everywhere.
        return
    fee, deep, kept = rules.trade_fee_permille, 10 * spread, rules.minimum_stock_percent
    lanes = state.market.lanes(state.wares.values(), state.stations.values(), state.atlas, rules.trade_range_jumps)
    for ware, rows in lanes:
        most = room // ware.volume
        least = max(1, -(-most * rules.least_load_percent // 100))
        name, base = ware.id, ware.base_price
        for source, targets in rows:
            seller = source.station
            if known is not None and seller.sector not in known:
                continue
            stock = seller.stock[name] - fetched((seller.id, name), 0)
            if stock < least:
                continue
            size = seller.capacity[name]
            spare = stock - size * kept // 100 if kept else stock
            if spare < least:
                continue
            giving = stock - size * fee // deep
            for target in targets:
                buyer = target.station
                if known is not None and buyer.sector not in known:
                    continue
                capacity = buyer.capacity[name]
                there = buyer.stock[name] + brought((buyer.id, name), 0)
                units = (giving * capacity - there * size) // (size + capacity)
                if units < least:
                    continue
                units = min(units, spare, most)
                cost = -trade_total(-base, spread, 2 * stock - units, units, size)
                worth = trade_total(base, spread, 2 * there + units, units, capacity)
                # Less the fees, as in `trading.fee_of`.
                cost -= -cost * fee // 1_000
                profit = worth + -worth * fee // 1_000 - cost
                ticks = atlas.travel_ticks(speed, source.dock, target.dock) if profit > 0 else None
                if ticks is not None:
                    ticks += docks
                    yield Offer(profit * _BID_TICKS // ticks, profit, cost, units, ware, source, target, ticks)


def _affordable(state: SpaceState, offer: Offer, purse: int, room: int) -> Offer | None:
    """The same offer with no more units than `purse` pays for, or None when that is not worth while.

    A price rises with every unit bought, so a share of the units costs at most that share of the cost.
    """
    if offer.cost <= purse:
        return offer
    units = offer.units * max(purse, 0) // offer.cost
    if units < max(1, -(-(room // offer.ware.volume) * state.rules.least_load_percent // 100)):
        return None
    # As much of the profit as of the units, at least: the last units earn less than the first.
    return offer._replace(
        units=units, cost=offer.cost * units // offer.units, profit=offer.profit * units // offer.units
    )


def _assign(state: SpaceState, won: _Bid, events: list[Event]) -> None:
    """Put the job into the ship's queue, reserve what it needs, and let it begin."""
    ship, ware, source = won.ship, won.ware.id, won.source
    here = state.atlas.place(ship.at, state.tick)
    if source is not None:
        _then_move(state, ship, here, source.dock)
        _then(ship, [Buy(ship.entries + 1, ship.orders + 1, ware, won.units)])
        here = source.dock
    _then_move(state, ship, here, won.target.dock)
    _then(ship, [Sell(ship.entries + 1, ship.orders + 1, ware, won.units)])
    source_id = source.station.id if source is not None else None
    target_id = won.target.station.id
    jobs.take(state, ship, Job(ware, won.units, source_id, target_id, won.cost, source is None))
    state.market.offers.clear()
    events.append(TradeAssigned(ship.owner, ship.id, ware, won.units, source_id, target_id, won.profit))
    queue.proceed(state, ship, events)


def _then_move(state: SpaceState, ship: Ship, start: Place, goal: Place) -> None:
    entries = queue.planned(state, ship, start, goal, ship.orders + 1)
    assert entries is not None, "only what can be reached is bid for"
    _then(ship, entries)


def _then(ship: Ship, entries: list[Entry]) -> None:
    ship.orders += 1
    ship.queue += queue.given(ship, entries)
