"""One round of a dispatcher's auction: which waiting ship makes the best bid for what is worth carrying.

A bid is profit for the time that the ship needs, its way to the source included; it is never higher than the bound of
its offer. So offers are looked at best bound first, and only as long as a bound is above the best bid so far. What was
found stays good while the auction goes on, except for what the last winner took: the wares and room of its job, its
place among the waiting ships, and its part of the purse.

Of equal bids the one with the higher bound wins, then the ware, the source and the target that come first in their
tables, then the ship that does.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import NamedTuple

from gamekit.game import Tick
from gamekit.space.market import BID_TICKS, Board, Market, Offer, Stand, Work
from gamekit.space.model import Ship, Ware
from gamekit.space.parts import STEPS, Parts
from gamekit.space.state import SpaceState
from gamekit.space.travel import Place, leg_ticks

#: So many offers are evaluated in a part, and so many gates and places of ships passed in the search for the nearest.
_EVALUATIONS = STEPS // 4
_PLACES = STEPS
#: From so few places the way of each ship is asked for.
_FEW_PLACES = 8

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
        "_sectors",
        "_serial",
        "_state",
        "_steps",
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
        #: {sector: {place: None}}
        self._sectors: dict[str, dict[Place, None]] = {}
        self._cuts = cuts
        self._purse = 0
        #: The offers up to this one of the board's order were looked at.
        self._reached: tuple[int, int] = _START
        #: A heap of what they would bring: (-bid, -bound, number of the pair, serial, offer, paid, near).
        self._found: list[tuple[int, int, int, int, Offer, Offer, _Near]] = []
        self._serial = 0
        self._steps = 0
        #: The highest cost of those looked at.
        self._dearest = 0
        #: {station_id: the ship that is nearest, or None when there is no way}
        self._nearest: dict[str, _Near | None] = {}

    def first(self) -> int:
        """The smallest number of its ships."""
        return min(numbers[0] for numbers in self.places.values())

    def add(self, number: int, place: Place) -> None:
        """A ship waits; numbers come in rising order."""
        if place not in self.places:
            self.places[place] = []
            self._sectors.setdefault(place.sector, {})[place] = None
        self.places[place].append(number)

    def take(self, number: int, place: Place) -> None:
        """The ship that won is the first at its place."""
        numbers = self.places[place]
        assert numbers[0] == number, "the first ship at a place bids for all of them"
        del numbers[0]
        if not numbers:
            del self.places[place], self._sectors[place.sector][place]
        for source in [source for source, near in self._nearest.items() if near is not None and near.place == place]:
            del self._nearest[source]

    def renew(self, work: Work, purse: int) -> Parts[None]:
        """Take notice of what changed on the board and in the purse."""
        renewed = yield from self.board.renew(self._state, self._market, work)
        if purse != self._purse:
            if min(purse, self._purse) < self._dearest:
                # What was cut down to the old purse, or is to be cut down to the new one, must bid again.
                self._found.clear()
                self._reached, self._dearest = _START, 0
            self._purse = purse
        if self._reached == _START:
            return
        for count, number in enumerate(renewed, 1):
            if not count % STEPS:
                yield
            offer = self.board.offers.get(number)
            if offer is not None and (-offer.bound, number) <= self._reached and not self._evaluate(number, offer):
                yield from self._look_around(number, offer)

    def best(self) -> Parts[tuple[int, int, Offer] | None]:
        """The best bid: its height, the ship's number and the offer as far as the purse goes."""
        order, offers, found = self.board.order, self.board.offers, self._found
        while True:
            while found:
                _, _, number, _, offer, _, near = found[0]
                current = offers.get(number) is offer
                if current and self._nearest.get(offer.source.station.id) is near:
                    break
                heappop(found)
                if current and not self._evaluate(number, offer):
                    yield from self._look_around(number, offer)
            following = order.after(self._reached)
            if following is None or (found and (following[0], *following) >= found[0][:3]):
                break
            self._reached = following
            number = following[1]
            offer = offers[number]
            if not self._evaluate(number, offer):
                yield from self._look_around(number, offer)
            if self._steps > _EVALUATIONS:
                self._steps = 0
                yield
        if not found:
            return None
        bid, _, _, _, _, paid, near = found[0]
        return -bid, near.number, paid

    def _evaluate(self, number: int, offer: Offer) -> bool:
        """Let the nearest ship bid; False when it is not known yet which that is, and nothing was done."""
        self._dearest = max(self._dearest, offer.cost)
        self._steps += 1
        paid = offer if offer.cost <= self._purse else self._cuts(self._state, offer, self._purse, self.board.room)
        if paid is None:
            return True
        try:
            near = self._nearest[offer.source.station.id]
        except KeyError:
            return False
        if near is not None:
            bid = paid.profit * BID_TICKS // (near.way + paid.ticks)
            self._serial += 1
            heappush(self._found, (-bid, -offer.bound, number, self._serial, offer, paid, near))
        return True

    def _look_around(self, number: int, offer: Offer) -> Parts[None]:
        """Find the nearest ship to an offer's source, and let it bid."""
        self._nearest[offer.source.station.id] = yield from self._nearest_to(offer.source.dock)
        self._evaluate(number, offer)

    def _nearest_to(self, dock: Place) -> Parts[_Near | None]:
        """The ship that is soonest there; of several the first one.

        Where ships wait at many places they are looked for from the dock on, as a way takes as long in both directions:
        so the search ends at the nearest ship. From a few places the ways are known from the rounds before.
        """
        speed, sectors = self.board.speed, self._sectors
        best: tuple[Tick, int, Place] | None = None
        if len(self.places) <= _FEW_PLACES:
            for place, numbers in self.places.items():
                ticks_there = self._market.atlas.travel_ticks(speed, place, dock)
                if ticks_there is not None and (best is None or (ticks_there, numbers[0]) < best[:2]):
                    best = ticks_there, numbers[0], place
                yield
            return None if best is None else _Near(*best)
        for place in sectors.get(dock.sector, ()):
            near = leg_ticks(speed, dock.x - place.x, dock.y - place.y), self.places[place][0], place
            best = near if best is None else min(best, near)
        steps = 0
        for ticks, out in self._market.atlas.outward(speed, dock):
            if best is not None and ticks > best[0]:
                break
            found = sectors.get(out.sector, ()) if out.sector != dock.sector else ()
            for place in found:
                way = ticks + leg_ticks(speed, out.x - place.x, out.y - place.y)
                if best is None or way <= best[0]:
                    near = way, self.places[place][0], place
                    best = near if best is None else min(best, near)
            steps += 2 + len(found)
            if steps > _PLACES:
                steps = 0
                yield
        self._steps += steps // 4
        return None if best is None else _Near(*best)
