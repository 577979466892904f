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

from collections.abc import Callable, Iterable, Iterator, Sequence

from gamekit.game import Event
from gamekit.space import courses, jobs, ledger, queue
from gamekit.space.auction import Alike, Bid
from gamekit.space.economy import trade_total
from gamekit.space.events import QueueChanged, TradeAssigned
from gamekit.space.market import BID_TICKS, Load, Market, Offer, Pair, Worth
from gamekit.space.model import NEVER, Buy, Entry, Job, Player, Sell, Ship, Ware
from gamekit.space.parts import STEPS, Parts, at_once
from gamekit.space.state import SpaceState
from gamekit.space.trading import fee_of, hold_used
from gamekit.space.travel import Place

#: While ships wait in vain, only every so many-th round is held.
IDLE_ROUNDS = 6
#: So many waiting ships are sorted into groups in a part, and so many buyers of a ship's wares looked at.
_SHIPS = STEPS // 2
_BUYERS = STEPS // 8
#: From so many stations a galaxy's market is worked out before it is played, for so many kinds of ships.
LARGE_STATIONS = 500
PREPARED_BOARDS = 8


def hold_round(state: SpaceState, owner: Player, events: list[Event]) -> Parts[None]:
    """Give the owner's waiting ships what they should do, and take back what those that hold too long cannot do."""
    owner.due = NEVER
    fleet = state.market.fleet(state, owner.id)
    free: list[Ship] = []
    for count, ship in enumerate(fleet, 1):
        if not count % STEPS:
            yield
        if ship.auto_trade:
            if ship.job is not None and ship.job.waits != NEVER:
                _lose_patience(state, ship, ship.job, events)
            if not ship.queue:
                free.append(ship)
    hooks = state.hooks
    if not free or (hooks.whole_round is not None and hooks.whole_round(state, owner, free, events)):
        return
    if hooks.auction is not None:
        hooks.auction(state, owner, free, events)
    else:
        yield from _auction(state, owner, free, events)


def spoken_for(state: SpaceState, owner: Player) -> int:
    """Credits that the owner's ships are on the way to spend."""
    return sum(ship.job.cost for ship in state.market.fleet(state, owner.id) if ship.job is not None)


def market_for(state: SpaceState, owner: Player) -> Market:
    """Who sells what to whom as an owner knows it; who holds a round looks at it first."""
    known = state.known_to(owner.id)
    # Who has found everything trades on the market of all as well.
    return state.market if known is None or len(known) == len(state.sectors) else state.maps.market(known)


def prepare(state: SpaceState) -> Parts[None]:
    """Work out beforehand what the first round in a large galaxy needs: that takes as long as many ticks.

    Changes nothing that is saved; without it the first round does the same.
    """
    hooks = state.hooks
    if len(state.stations) < LARGE_STATIONS or hooks.whole_round is not None:
        return
    trading = [ship for ship in state.ships.values() if ship.auto_trade and state.known_to(ship.owner) is None]
    if not trading:
        return
    market = state.market
    yield from market.look_in_parts(state)
    if hooks.auction is None:
        for room, speed in list(dict.fromkeys((ship.capacity, ship.speed) for ship in trading))[:PREPARED_BOARDS]:
            yield from market.board(room, speed).renew(state, market, worths)


def _auction(state: SpaceState, owner: Player, free: list[Ship], events: list[Event]) -> Parts[None]:
    """Give away the best bid's job, again and again, until no ship waits or nothing is worth carrying.

    Args:
        state: the game.
        owner: whose round it is.
        free: the owner's waiting ships, in the order of their table.
        events: what happens is added here.
    """
    market = market_for(state, owner)
    yield from market.look_in_parts(state)
    spending = spoken_for(state, owner)
    yield
    groups: dict[tuple[int, int], Alike] = {}
    #: {number of a waiting ship with wares that somebody buys: its best bid}
    laden: dict[int, Bid | None] = {}
    for number, ship in enumerate(free):
        if number % _SHIPS == _SHIPS - 1:
            yield
        room = ship.capacity
        if ship.hold:
            if any(market.buyers[ware] for ware in ship.hold):
                laden[number] = yield from cargo_bid(state, market, ship)
                continue
            room -= hold_used(state, ship)
        if (room, ship.speed) not in groups:
            groups[room, ship.speed] = Alike(state, market, market.board(room, ship.speed), affordable)
        groups[room, ship.speed].add(number, state.atlas.place(ship.at, state.tick))
    yield
    while groups or laden:
        purse = ledger.credits_of(state.ledger, owner.id) - spending
        best, number, alike = yield from _best(state, free, laden, groups, purse)
        if best is None:
            jobs.call_within(state, owner.id, state.rules.dispatch_ticks * IDLE_ROUNDS)
            return
        if alike is None:
            del laden[number]
        else:
            alike.take(number, state.atlas.place(best.ship.at, state.tick))
            if not alike.places:
                del groups[alike.board.room, alike.board.speed]
        yield from assign_in_parts(state, best, events)
        spending += best.ship.job.cost if best.ship.job is not None else 0
        ends = [best.target.station] if best.source is None else [best.source.station, best.target.station]
        yield from market.look_at(state, ends)
        # Bids for the room that was taken are lower now; where the source buys the ware too, any may be better.
        anew = best.source is not None and best.ware.id in best.source.station.buys
        for other, bid in laden.items():
            if best.ware.id in free[other].hold and (anew or (bid is not None and _same_stock(bid, best))):
                laden[other] = yield from cargo_bid(state, market, free[other])


def _same_stock(bid: Bid, other: Bid) -> bool:
    return bid.target.station is other.target.station and bid.ware is other.ware


def _best(
    state: SpaceState, free: list[Ship], laden: dict[int, Bid | None], groups: dict[tuple[int, int], Alike], purse: int
) -> Parts[tuple[Bid | None, int, Alike | None]]:
    """The best bid, the number of the ship that made it, and the ships alike that it was among."""
    best: Bid | None = None
    winner, among = -1, None
    for number, bid in laden.items():
        if bid is not None and (best is None or bid.bid > best.bid):
            best, winner = bid, number
    for alike in sorted(groups.values(), key=Alike.first) if len(groups) > 1 else groups.values():
        yield from alike.renew(worths, purse)
        found = yield from alike.best()
        if found is not None and (best is None or found[0] > best.bid):
            value, winner, paid = found
            among = alike
            ship, ware = free[winner], paid.ware
            best = Bid(value, ship, ware, paid.units, paid.source, paid.target, paid.cost, paid.profit)
    return best, winner, among


def _lose_patience(state: SpaceState, ship: Ship, job: Job, events: list[Event]) -> None:
    until = job.waits + state.rules.trade_patience_ticks
    if state.tick < until:
        jobs.call(state, ship.owner, until)
        return
    jobs.abandon(state, ship, f"waited too long, {ship.blocked}", events)
    courses.halt(state, ship, events)
    ship.queue.clear()
    events.append(QueueChanged(ship.owner, ship.id, "abandoned"))


def cargo_bid(state: SpaceState, market: Market, ship: Ship) -> Parts[Bid | None]:
    """The most that the wares on board would fetch for the time it takes, wherever somebody buys them, near or far."""
    best: Bid | None = None
    for count, bid in enumerate(cargo_bids(state, market, ship), 1):
        if not count % _BUYERS:
            yield
        if best is None or bid.bid > best.bid:
            best = bid
    return best


def cargo_bids(state: SpaceState, market: Market, ship: Ship) -> Iterator[Bid]:
    """What the wares on board would fetch, for each of them and everybody who buys them."""
    rules, own_total = state.rules, state.hooks.total
    place = market.atlas.place(ship.at, state.tick)
    for ware_id, held in ship.hold.items():
        ware = state.wares[ware_id]
        for stand in market.buyers[ware_id]:
            station = stand.station
            capacity = station.capacity[ware_id]
            stock = station.stock[ware_id] + state.reserved.room.get((station.id, ware_id), 0)
            units = min(held, capacity - stock)
            way = market.atlas.travel_ticks(ship.speed, place, stand.dock) if units > 0 else None
            if way is not None:
                if own_total is None:
                    total = trade_total(ware.base_price, rules.price_spread_percent, 2 * stock + units, units, capacity)
                else:
                    total = own_total(state, station, ware, stock, units)
                total -= fee_of(rules.trade_fee_permille, total)
                bid = total * BID_TICKS // (way + rules.dock_ticks + 1)
                yield Bid(bid, ship, ware, units, None, stand, 0, total)


def worth(state: SpaceState, pair: Pair, most: int, least: int) -> Worth | None:
    """What carrying up to `most` units between one pair would earn; None when there are fewer than `least`."""
    return worths(state, (pair,), (0,), lambda _ware: (most, least)).get(0)


def worths(
    state: SpaceState, pairs: Sequence[Pair], numbers: Iterable[int], load: Callable[[Ware], Load]
) -> dict[int, Worth]:
    """What carrying between pairs of stations would earn, by their numbers; of those with a load worth a flight.

    Prices of both ends are linear in how full they are, around one base price; so the most is earned by carrying what
    makes both equally full: `(a / A - b / B) / (1 / A + 1 / B)` units, for stocks a, b of capacities A, B. Fees at both
    ends of f per base price make the last units not worth while: for a spread of s to either side, carrying stops when
    the source is still fuller by f / s. The minimum stock stays where it is.

    Args:
        state: the game.
        pairs: all of them.
        numbers: which of them; quickest with those of one source, or of one target, behind each other.
        load: the most units of a ware that fit, and the fewest that are worth a flight.
    """
    rules, fetched_of, brought_of = state.rules, state.reserved.stock, state.reserved.room
    spread, fee, kept = rules.price_spread_percent, rules.trade_fee_permille, rules.minimum_stock_percent
    found: dict[int, Worth] = {}
    if not spread:
        # Without a spread everything costs the same everywhere.
        return found
    source = target = None
    stock = spare = fuller = there = most = least = 0
    for number in numbers:
        ware, _, _, stock_of, size, fetched, there_of, capacity, brought = pairs[number]
        # The keys are one object for all pairs of a source, and of a target.
        if fetched is not source:
            source = fetched
            most, least = load(ware)
            stock = stock_of[ware.id] - fetched_of.get(fetched, 0)
            spare = stock - size * kept // 100 if kept else stock
            fuller = stock - size * fee // (10 * spread)
        if spare < least:
            continue
        if brought is not target:
            target = brought
            there = there_of[ware.id] + brought_of.get(brought, 0)
        units = (fuller * capacity - there * size) // (size + capacity)
        if units < least:
            continue
        units = min(units, spare, most)
        base = ware.base_price
        cost = -trade_total(-base, spread, 2 * stock - units, units, size)
        total = trade_total(base, spread, 2 * there + units, units, capacity)
        cost += fee_of(fee, cost)
        found[number] = Worth(units, cost, total - fee_of(fee, total) - cost)
    return found


def affordable(state: SpaceState, offer: Offer, purse: int, room: int) -> Offer | None:
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


def assign(state: SpaceState, won: Bid, events: list[Event]) -> None:
    """Put the job into the ship's queue, reserve what it needs, and let it begin."""
    at_once(assign_in_parts(state, won, events))


def assign_in_parts(state: SpaceState, won: Bid, events: list[Event]) -> Parts[None]:
    """The same, with a pause between the ways that are looked for."""
    ship, ware, source = won.ship, won.ware.id, won.source
    here = state.atlas.place(ship.at, state.tick)
    if source is not None:
        _then_move(state, ship, here, source.dock)
        _then(ship, [Buy(ship.entries + 1, ship.orders + 1, ware, won.units)])
        here = source.dock
        yield
    _then_move(state, ship, here, won.target.dock)
    _then(ship, [Sell(ship.entries + 1, ship.orders + 1, ware, won.units)])
    source_id = source.station.id if source is not None else None
    target_id = won.target.station.id
    jobs.take(state, ship, Job(ware, won.units, source_id, target_id, won.cost, source is None))
    events.append(TradeAssigned(ship.owner, ship.id, ware, won.units, source_id, target_id, won.profit))
    queue.proceed(state, ship, events)


def _then_move(state: SpaceState, ship: Ship, start: Place, goal: Place) -> None:
    entries = courses.planned(state, ship, start, goal, ship.orders + 1)
    assert entries is not None, "only what can be reached is bid for"
    _then(ship, entries)


def _then(ship: Ship, entries: list[Entry]) -> None:
    ship.orders += 1
    ship.queue += courses.given(ship, entries)
