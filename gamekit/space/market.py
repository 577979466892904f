"""Who sells what to whom: an index over stations and gates, never saved and always rebuildable.

Pairs are those within the range of the rules, by number of gates, open or not; whether and how fast a ship gets there
is asked when it matters. The offers that a tick's first dispatcher has worked out are kept for those after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gamekit.game import Tick
from gamekit.space.model import Station, Ware
from gamekit.space.travel import Atlas, Place


class Stand(NamedTuple):
    """A station that deals in a ware, and its dock."""

    station: Station
    dock: Place


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


class Market:
    """Sellers with the buyers in their reach, ware by ware.

    Attributes:
        offers: `{(capacity, speed, sectors known): offers}` at tick `tick`, best bound first; see `dispatch`.
    """

    __slots__ = ("_lanes", "offers", "tick")

    def __init__(self) -> None:
        self._lanes: list[tuple[Ware, list[tuple[Stand, list[Stand]]]]] | None = None
        self.offers: dict[tuple[int, int, frozenset[str] | None], list[Offer]] = {}
        self.tick: Tick = -1

    def lanes(
        self, wares: Iterable[Ware], stations: Iterable[Station], atlas: Atlas, jumps: int
    ) -> list[tuple[Ware, list[tuple[Stand, list[Stand]]]]]:
        """For each ware that moves: its sellers, and for each of these the buyers within `jumps` gates."""
        if self._lanes is None:
            stands = [Stand(station, atlas.at_station(station.id)) for station in stations]
            near: dict[str, set[str]] = {}
            self._lanes = []
            for ware in wares:
                buyers = [stand for stand in stands if ware.id in stand.station.buys]
                sellers = [stand for stand in stands if ware.id in stand.station.sells]
                rows = []
                for seller in sellers:
                    sector = seller.dock.sector
                    if sector not in near:
                        near[sector] = atlas.sectors_within(sector, jumps)
                    reach = [one for one in buyers if one is not seller and one.dock.sector in near[sector]]
                    if reach:
                        rows.append((seller, reach))
                if rows:
                    self._lanes.append((ware, rows))
        return self._lanes
