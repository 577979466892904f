"""Who sells what to whom, and what is worth carrying: an index that is never saved and can always be rebuilt.

Pairs are those within the range of the rules, by number of gates, open or not; whether and how fast a ship gets there
is asked when it matters. What is worth carrying is kept on one board for each size and speed of ship, from one round
of the dispatchers to the next: a round looks which stocks and reservations are others than before, and only the pairs
that these concern are worked out anew. Rules, gates or stations that changed make everything be worked out anew.

Under fog an owner trades only between stations that they know, over ways that they know: on a market of their own,
which those who know the same share, and which `maps` keeps until somebody learns more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from gamekit.game import PlayerId, Tick
from gamekit.space.model import Ship, Station, Ware
from gamekit.space.ordered import Ordered
from gamekit.space.parts import STEPS, Parts, at_once
from gamekit.space.rules import Rules
from gamekit.space.travel import Atlas, Place

if TYPE_CHECKING:
    from gamekit.space.state import SpaceState

#: Bids are profit for so many ticks, so that they are whole numbers and still fine.
BID_TICKS = 1_000_000_000
#: What finding a way costs, in steps of working out a pair.
_WAY_STEPS = 20
#: So many pairs are spoiled in a step.
_SPOILED = 4
#: So many boards are kept from one round to the next, those that were asked for last.
_BOARDS = 16


class Stand(NamedTuple):
    """A station that deals in a ware, and its dock."""

    station: Station
    dock: Place


class Pair(NamedTuple):
    """A station that sells a ware, and one that buys it; with what is asked of them again and again.

    Attributes:
        stock, there: the stocks of both, `{ware_id: units}`.
        size, capacity: how much of the ware the source takes, and the target.
        fetched, brought: the keys under which the source's wares and the target's room are reserved.
    """

    ware: Ware
    source: Stand
    target: Stand
    stock: dict[str, int]
    size: int
    fetched: tuple[str, str]
    there: dict[str, int]
    capacity: int
    brought: tuple[str, str]


#: A buyer with its number among those of the ware, its stock and capacity, the key of its room, and its pairs' numbers.
_Buyer = tuple[int, Stand, dict[str, int], int, tuple[str, str], list[int]]
_number = itemgetter(0)


class Worth(NamedTuple):
    """What carrying between a pair would earn, in centi-credits at the prices of now; perhaps nothing."""

    units: int
    cost: int
    profit: int


class Offer(NamedTuple):
    """Something worth carrying, to a ship of one size and speed.

    Attributes:
        bound: profit for a thousand million ticks of the way from source to target: no bid can be higher.
        profit, cost: centi-credits, at the prices of now.
        ticks: the way from source to target, with docking at both.
    """

    bound: int
    profit: int
    cost: int
    units: int
    ware: Ware
    source: Stand
    target: Stand
    ticks: Tick


#: `(the most units of a ware that fit, the fewest that are worth a flight)`.
Load = tuple[int, int]
#: Works pairs out: from the state, all pairs, the numbers of those that are asked for, and the load of each ware. Pairs
#: with fewer units to carry are left out; less stock at the source, or more at the target, never makes them more.
Work = Callable[["SpaceState", Sequence[Pair], Iterable[int], Callable[[Ware], Load]], dict[int, Worth]]


class Board:
    """What is worth carrying for ships of one size and speed.

    Attributes:
        offers: `{number of the pair: offer}`.
        order: `(-bound, number of the pair)` of every offer: best bound first, then in the order of the tables.
        stale: `{number of the pair: None}` of those to be worked out anew, beside those that never were.
    """

    __slots__ = ("_loads", "_new", "_vain", "_ways", "offers", "order", "room", "speed", "stale")

    def __init__(self, room: int, speed: int, pairs: int) -> None:
        self.room = room
        self.speed = speed
        self.offers: dict[int, Offer] = {}
        self.order = Ordered()
        self.stale: dict[int, None] = {}
        #: The pairs that were never worked out; all of them come before what is stale.
        self._new: range = range(pairs)
        #: {number of the pair: None} of those whose load would be large enough and earns nothing, by rounding.
        self._vain: dict[int, None] = {}
        self._loads: dict[str, Load] = {}
        #: {number of the pair: ticks from dock to dock, or None when there is no way}
        self._ways: dict[int, Tick | None] = {}

    def spoil(self, numbers: list[int], *, worse: bool) -> None:
        """Let pairs be worked out anew; what has too small a load is not looked at again when that becomes smaller."""
        stale = self.stale
        if worse:
            offers, vain = self.offers, self._vain
            for number in numbers:
                if number in offers or number in vain:
                    stale[number] = None
        else:
            for number in numbers:
                stale[number] = None

    def renew(self, state: SpaceState, market: Market, work: Work) -> Parts[list[int]]:
        """Work out what is stale, in parts; returns the numbers of these pairs, without those that are new."""
        while self._new:
            numbers, self._new = self._new[:STEPS], self._new[STEPS:]
            yield from self._renew(state, market, work, numbers)
            yield
        renewed = list(self.stale)
        self.stale.clear()
        for first in range(0, len(renewed), STEPS):
            if first:
                yield
            yield from self._renew(state, market, work, renewed[first : first + STEPS])
        return renewed

    def _renew(self, state: SpaceState, market: Market, work: Work, numbers: Sequence[int]) -> Parts[None]:
        pairs, offers, vain, order = market.pairs, self.offers, self._vain, self.order
        found = work(state, pairs, numbers, lambda ware: self._loads.get(ware.id) or self._load(state, ware))
        ways = len(self._ways)
        for number in numbers:
            old = offers.pop(number, None)
            if old is None and number in vain:
                del vain[number]
            ticks = None
            if number in found:
                units, cost, profit = found[number]
                pair = pairs[number]
                ticks = self._way(state, market.atlas, number, pair) if profit > 0 else None
                if ticks is None:
                    vain[number] = None
            if ticks is None:
                if old is not None:
                    order.remove((-old.bound, number))
                continue
            bound = profit * BID_TICKS // ticks
            offers[number] = Offer(bound, profit, cost, units, pair.ware, pair.source, pair.target, ticks)
            if old is None or old.bound != bound:
                if old is not None:
                    order.remove((-old.bound, number))
                order.add((-bound, number))
            if (len(self._ways) - ways) * _WAY_STEPS > STEPS:
                ways = len(self._ways)
                yield

    def _load(self, state: SpaceState, ware: Ware) -> Load:
        most = self.room // ware.volume
        load = self._loads[ware.id] = most, max(1, -(-most * state.rules.least_load_percent // 100))
        return load

    def _way(self, state: SpaceState, atlas: Atlas, number: int, pair: Pair) -> Tick | None:
        """From source to target with docking at both; as long as this board lives, no gate opens or closes."""
        try:
            return self._ways[number]
        except KeyError:
            ticks = atlas.travel_ticks(self.speed, pair.source.dock, pair.target.dock)
            if ticks is not None:
                ticks += 2 * state.rules.dock_ticks + 1
            self._ways[number] = ticks
            return ticks


class Market:
    """Sellers with the buyers in their reach, and the boards of what is worth carrying between them.

    Args:
        atlas: how to get anywhere, by what the owner knows.
        known: the sectors that the owner knows; None for all there are.

    Attributes:
        atlas: as given.
        pairs: every pair, in the order of wares, sellers and buyers in their tables.
        buyers: `{ware_id: where somebody buys it}`.
    """

    __slots__ = (
        "_boards",
        "_bought",
        "_fleets",
        "_known",
        "_levels",
        "_made_of",
        "_seen",
        "_sold",
        "_spoken_for",
        "_within",
        "atlas",
        "buyers",
        "pairs",
    )

    def __init__(self, atlas: Atlas, known: frozenset[str] | None = None) -> None:
        self.atlas = atlas
        self._within = known
        self.pairs: list[Pair] = []
        self.buyers: dict[str, list[Stand]] = {}
        #: Changes whenever ships enter or leave the game.
        self._known: tuple[int, int] = (-1, -1)
        self._fleets: dict[PlayerId, list[Ship]] = {}
        #: What the pairs and the offers depend on beyond stocks and reservations.
        self._made_of: tuple[Rules, int, int] | None = None
        #: {(station_id, ware_id): numbers of the pairs in which it sells that}, and in which it buys that.
        self._sold: dict[tuple[str, str], list[int]] = {}
        self._bought: dict[tuple[str, str], list[int]] = {}
        #: {(station_id, ware_id): stock that is not reserved, and stock with what is on its way}, when last looked at.
        self._levels: dict[tuple[str, str], tuple[int, int]] = {}
        #: {(station_id, ware_id): None} of what was reserved when last looked at; not used by the market of all.
        self._spoken_for: dict[tuple[str, str], None] = {}
        #: Every station with its stock as it was last looked at.
        self._seen: list[tuple[Station, dict[str, int]]] = []
        self._boards: dict[tuple[int, int], Board] = {}

    def fleet(self, state: SpaceState, owner: PlayerId) -> list[Ship]:
        """All ships of an owner, in the order of their table."""
        # A ship that comes raises the count of ships made, or (at tick 0) that of ships; one that goes lowers that.
        known = len(state.ships), state.ships_made
        if known != self._known:
            self._known = known
            self._fleets = {}
            for ship in state.ships.values():
                self._fleets.setdefault(ship.owner, []).append(ship)
        return self._fleets.get(owner, [])

    def look(self, state: SpaceState) -> None:
        """Notice everything that changed since the last time."""
        at_once(self.look_in_parts(state))

    def look_in_parts(self, state: SpaceState) -> Parts[None]:
        """Notice everything that changed since the last time; the first time and after other rules that takes long."""
        made_of = self._made_of
        gates, stations = state.atlas.changes, len(state.stations)
        if made_of is None or made_of[0] is not state.rules or made_of[2] != stations:
            yield from self._pair_up(state)
            self._boards.clear()
        elif made_of[1] != gates:
            self._boards.clear()
        self._made_of = state.rules, gates, stations
        # Here and not in a round, whose boards must all hear of what changes.
        while len(self._boards) > _BOARDS:
            del self._boards[next(iter(self._boards))]
        steps = 0
        for station, seen in self._seen:
            if station.stock != seen:
                steps += self._note(state, station, seen)
                if steps > STEPS:
                    steps = 0
                    yield
        yield from self._note_reserved(state)

    def look_at(self, state: SpaceState, stations: Iterable[Station]) -> Parts[None]:
        """Notice what changed at these stations, when nothing else can have."""
        for station in stations:
            self._note(state, station, self._seen[station.key][1])
        yield from self._note_reserved(state)

    def board(self, room: int, speed: int) -> Board:
        """The board of ships with so much room and speed; it may have stale offers."""
        board = self._boards.pop((room, speed), None) or Board(room, speed, len(self.pairs))
        self._boards[room, speed] = board
        return board

    def _note(self, state: SpaceState, station: Station, seen: dict[str, int]) -> int:
        """Note the stocks of a station; how many steps that took."""
        steps = 0
        for ware, units in station.stock.items():
            if seen[ware] != units:
                seen[ware] = units
                steps += self._compare(state, (station.id, ware), units)
        return steps

    def _note_reserved(self, state: SpaceState) -> Parts[None]:
        reserved = state.reserved
        if state.market is self:
            looked_at = list(reserved.touched)
            reserved.touched.clear()
        else:
            # What was touched is noted for the market of all, which looks at other times.
            now = dict.fromkeys(reserved.stock) | dict.fromkeys(reserved.room)
            looked_at = list(self._spoken_for | now)
            self._spoken_for = now
        steps = 0
        for key in looked_at:
            station_id, ware = key
            steps += self._compare(state, key, state.stations[station_id].stock[ware])
            if steps > STEPS:
                steps = 0
                yield

    def _compare(self, state: SpaceState, key: tuple[str, str], stock: int) -> int:
        """Spoil what depends on the levels of a stock, so far as these changed; how many steps that took."""
        reserved = state.reserved
        to_fetch = stock - reserved.stock.get(key, 0)
        to_come = stock + reserved.room.get(key, 0)
        had_to_fetch, had_to_come = self._levels.get(key, (-1, -1))
        self._levels[key] = to_fetch, to_come
        boards = self._boards.values()
        steps = 1
        if to_fetch != had_to_fetch and key in self._sold:
            for board in boards:
                board.spoil(self._sold[key], worse=to_fetch < had_to_fetch)
                steps += len(self._sold[key]) // _SPOILED + 1
        if to_come != had_to_come and key in self._bought:
            for board in boards:
                board.spoil(self._bought[key], worse=to_come > had_to_come >= 0)
                steps += len(self._bought[key]) // _SPOILED + 1
        return steps

    def _pair_up(self, state: SpaceState) -> Parts[None]:
        """Find every pair within the range of the rules."""
        atlas, jumps, within = state.atlas, state.rules.trade_range_jumps, self._within
        every = [Stand(station, atlas.at_station(station.id)) for station in state.stations.values()]
        self._seen = [(stand.station, dict(stand.station.stock)) for stand in every]
        stands = [stand for stand in every if within is None or stand.dock.sector in within]
        #: {sector: the sectors in reach of it}
        near: dict[str, set[str]] = {}
        self._sold, self._bought, self._levels = {}, {}, {}
        pairs: list[Pair] = []
        steps = 0
        for ware in state.wares.values():
            name = ware.id
            buyers = self.buyers[name] = [stand for stand in stands if name in stand.station.buys]
            #: {sector: its buyers}, and what all pairs with a buyer share, once for each buyer; both in table order
            there: dict[str, list[_Buyer]] = {}
            for number, stand in enumerate(buyers):
                brought = (stand.station.id, name)
                numbers: list[int] = []
                buyer = (number, stand, stand.station.stock, stand.station.capacity[name], brought, numbers)
                there.setdefault(stand.dock.sector, []).append(buyer)
                self._bought[brought] = numbers
            for seller in stands:
                if name not in seller.station.sells:
                    continue
                sector = seller.dock.sector
                if steps > STEPS:
                    steps = 0
                    yield
                if sector not in near:
                    near[sector] = atlas.sectors_within(sector, jumps)
                    steps += len(near[sector])
                fetched = (seller.station.id, name)
                stock, size = seller.station.stock, seller.station.capacity[name]
                first = len(pairs)
                reach = near[sector]
                if len(reach) < len(there):
                    found = [buyer for one in reach if one in there for buyer in there[one]]
                else:
                    found = [buyer for one, those in there.items() if one in reach for buyer in those]
                found.sort(key=_number)
                for _, target, there_of, capacity, brought, numbers in found:
                    if target is not seller:
                        numbers.append(len(pairs))
                        pairs.append(Pair(ware, seller, target, stock, size, fetched, there_of, capacity, brought))
                self._sold[fetched] = list(range(first, len(pairs)))
                steps += len(found)
        self.pairs = pairs
