"""One round of a dispatcher's auction: which waiting ship makes the best bid for what is worth carrying.

A bid is profit for the time that the ship needs, its way to the source included; it is never higher than the bound of
its offer. So offers are looked at best bound first, and only as long as a bound is above the best bid so far. What was
found stays good while the auction goes on, except for what the last winner took: the wares and room of its job, its
place among the waiting ships, and its part of the purse.

Of equal bids the one with the higher bound wins, then the ware, the source and the target that come first in their
tables, then the ship that does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from gamekit.game import Tick
from gamekit.space.market import BID_TICKS, Board, Market, Offer, Stand, Work
from gamekit.space.model import Ship, Ware
from gamekit.space.state import SpaceState
from gamekit.space.travel import Place

#: Before every offer of a board's order.
_START = (-(1 << 200), -1)


class Bid(NamedTuple):
    """What a ship would do; `source` is None when it only sells what it carries."""

    bid: int
    ship: Ship
    ware: Ware
    units: int
    source: Stand | None
    target: Stand
    cost: int
    profit: int


class _Near(NamedTuple):
    """The waiting ship that is nearest to a station, by its number, and how long its way is."""

    way: Tick
    number: int
    place: Place


class Alike:
    """The waiting ships of one size and speed, and what they would bid.

    Attributes:
        board: what is worth carrying for them.
        places: `{where: numbers of the ships there, first one first}`.
    """

    __slots__ = (
        "_cuts",
        "_dearest",
        "_found",
        "_market",
        "_nearest",
        "_purse",
        "_reached",
        "_serial",
        "_state",
        "board",
        "places",
    )

    def __init__(
        self,
        state: SpaceState,
        market: Market,
        board: Board,
        cuts: Callable[[SpaceState, Offer, int, int], Offer | None],
    ):
        self._state = state
        self._market = market
        self.board = board
        self.places: dict[Place, list[int]] = {}
        self._cuts = cuts
        self._purse = 0
        #: The offers up to this one of the board's order were looked at.
        self._reached: tuple[int, int] = _START
        #: A heap of what they would bring: (-bid, -bound, number of the pair, serial, offer, paid, near).
        self._found: list[tuple[int, int, int, int, Offer, Offer, _Near]] = []
        self._serial = 0
        #: The highest cost of those looked at.
        self._dearest = 0
        #: {station_id: the ship that is nearest, or None when there is no way}
        self._nearest: dict[str, _Near | None] = {}

    def first(self) -> int:
        """The smallest number of its ships."""
        return min(numbers[0] for numbers in self.places.values())

    def add(self, number: int, place: Place) -> None:
        """A ship waits; numbers come in rising order."""
        self.places.setdefault(place, []).append(number)

    def take(self, number: int, place: Place) -> None:
        """The ship that won is the first at its place."""
        numbers = self.places[place]
        assert numbers[0] == number, "the first ship at a place bids for all of them"
        del numbers[0]
        if not numbers:
            del self.places[place]
        for source in [source for source, near in self._nearest.items() if near is not None and near.place == place]:
            del self._nearest[source]

    def renew(self, work: Work, purse: int) -> None:
        """Take notice of what changed on the board and in the purse."""
        renewed = self.board.renew(self._state, self._market, work)
        if purse != self._purse:
            if min(purse, self._purse) < self._dearest:
                # What was cut down to the old purse, or is to be cut down to the new one, must bid again.
                self._found.clear()
                self._reached, self._dearest = _START, 0
            self._purse = purse
        for number in renewed:
            offer = self.board.offers.get(number)
            if offer is not None and (-offer.bound, number) <= self._reached:
                self._evaluate(number, offer)

    def best(self) -> tuple[int, int, Offer] | None:
        """The best bid: its height, the ship's number and the offer as far as the purse goes."""
        order, offers, found = self.board.order, self.board.offers, self._found
        while True:
            while found:
                _, _, number, _, offer, _, near = found[0]
                current = offers.get(number) is offer
                if current and self._nearest.get(offer.source.station.id) is near:
                    break
                heappop(found)
                if current:
                    self._evaluate(number, offer)
            at = bisect_right(order, self._reached)
            if at == len(order) or (found and (order[at][0], *order[at]) >= found[0][:3]):
                break
            self._reached = order[at]
            number = self._reached[1]
            self._evaluate(number, offers[number])
        if not found:
            return None
        bid, _, _, _, _, paid, near = found[0]
        return -bid, near.number, paid

    def _evaluate(self, number: int, offer: Offer) -> None:
        """Let the nearest ship bid."""
        self._dearest = max(self._dearest, offer.cost)
        paid = offer if offer.cost <= self._purse else self._cuts(self._state, offer, self._purse, self.board.room)
        if paid is None:
            return
        source = offer.source.station.id
        try:
            near = self._nearest[source]
        except KeyError:
            near = self._nearest[source] = self._nearest_to(offer.source.dock)
        if near is not None:
            bid = paid.profit * BID_TICKS // (near.way + paid.ticks)
            self._serial += 1
            heappush(self._found, (-bid, -offer.bound, number, self._serial, offer, paid, near))

    def _nearest_to(self, dock: Place) -> _Near | None:
        travel_ticks, speed = self._market.atlas.travel_ticks, self.board.speed
        nearest: tuple[Tick, int] | None = None
        for place, numbers in self.places.items():
            way = travel_ticks(speed, place, dock)
            if way is not None and (nearest is None or (way, numbers[0]) < nearest):
                nearest = way, numbers[0]
                where = place
        return None if nearest is None else _Near(*nearest, where)
