"""A view, prepared for questions: who makes and who buys a ware, what can be reached, how much is made and used.

Only reads a view as `Game.view` gives it; knows no state and no rules beyond their plain values.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from gamekit.game import TICK_HZ, View
from gamekit.space.bounds import MOST

Fields = Mapping[str, Any]


class Galaxy:
    """One moment of a game.

    Args:
        view: all that is seen.
        rules: the rules in force, `{field: value}`.
        own_price: of a game with prices of its own, what a unit of a ware costs on top of so many: from the ids of
            station and ware, and the units.
    """

    def __init__(
        self, view: View, rules: Mapping[str, Any], own_price: Callable[[str, str, int], int] | None = None
    ) -> None:
        self.rules = rules
        self.own_price = own_price
        self.sectors: Mapping[str, Fields] = view.get("sectors", {})
        self.gates: Mapping[str, Fields] = view.get("gates", {})
        self.stations: Mapping[str, Fields] = view.get("stations", {})
        self.ships: Mapping[str, Fields] = view.get("ships", {})
        self.players: Mapping[str, Fields] = view.get("players", {})
        self.wares: Mapping[str, Fields] = view.get("wares", {})
        self.ship_classes: Mapping[str, Fields] = view.get("ship_classes", {})
        #: {(sector, whether closed gates count): {sector: jumps}}
        self._reach: dict[tuple[str, bool], dict[str, int]] = {}

    def ware_name(self, ware: str) -> str:
        """A ware's name."""
        return str(self.wares.get(ware, {}).get("name", ware))

    def sector_name(self, sector: str) -> str:
        """A sector's name."""
        return str(self.sectors.get(sector, {}).get("name", sector))

    def sellers(self, ware: str) -> dict[str, Fields]:
        """The stations that sell a ware."""
        return {key: one for key, one in self.stations.items() if ware in one["sells"]}

    def buyers(self, ware: str) -> dict[str, Fields]:
        """The stations that buy a ware."""
        return {key: one for key, one in self.stations.items() if ware in one["buys"]}

    def jumps(self, start: str, *, closed_too: bool = False) -> dict[str, int]:
        """How many gates away every sector is that can be reached, over open gates or over all."""
        key = (start, closed_too)
        if key not in self._reach:
            found = {start: 0}
            waiting = deque([start])
            while waiting:
                here = waiting.popleft()
                for gate in self._gates_of.get(here, ()):
                    if (gate["open"] or closed_too) and gate["to_sector"] not in found:
                        found[gate["to_sector"]] = found[here] + 1
                        waiting.append(gate["to_sector"])
            self._reach[key] = found
        return self._reach[key]

    def leads_into_the_unknown(self, sector: str) -> bool:
        """Whether gates that can be reached from a sector, open or not, lead where the viewer knows nothing."""
        return None in self.jumps(sector, closed_too=True)

    @cached_property
    def _gates_of(self) -> dict[str, list[Fields]]:
        of_sector: dict[str, list[Fields]] = {}
        for gate in self.gates.values():
            of_sector.setdefault(gate["sector"], []).append(gate)
        return of_sector

    def made_per_hour(self, ware: str) -> float:
        """What all stations together make of a ware in an hour of game time, when none stands still."""
        return sum(self._rates("outputs", ware))

    def used_per_hour(self, ware: str) -> float:
        """What all stations together use of a ware in an hour of game time, when none stands still."""
        return sum(self._rates("inputs", ware))

    def _rates(self, side: str, ware: str) -> Iterator[float]:
        for station in self.stations.values():
            recipe = station.get("recipe")
            if recipe and ware in recipe[side]:
                yield recipe[side][ware] * 3600 * TICK_HZ / recipe["cycle_ticks"]

    def on_the_way(self, station: str, ware: str) -> int:
        """Units of a ware that ships have in their jobs for a station, as far as their jobs are seen."""
        jobs = (ship.get("job") for ship in self.ships.values())
        return sum(job["units"] for job in jobs if job and job["target"] == station and job["ware"] == ware)

    @cached_property
    def traders(self) -> list[Fields]:
        """The ships that trade by themselves, as far as that is seen."""
        return [ship for ship in self.ships.values() if ship.get("auto_trade")]

    def least_load(self, ware: str) -> int:
        """Units of a ware that the smallest trader carries at least; 0 when there is none."""
        percent, volume = self.rules.get("least_load_percent", 0), self.wares[ware]["volume"]
        loads = (max(1, -(-(ship["capacity"] // volume) * percent // 100)) for ship in self.traders)
        return min(loads, default=0)

    def holds(self) -> dict[str, int]:
        """{name of a class of ships: what its hold takes}, as it is sold now, the smallest first."""
        hold = self.rules.get("ship_capacity")
        if hold is None:
            return {}
        found = {str(one["name"]): max(1, hold * one["capacity_percent"] // 100) for one in self.ship_classes.values()}
        return dict(sorted(found.items(), key=lambda pair: pair[1]))

    def lacking(self, station: str) -> list[str]:
        """The inputs of which a station has too little for its next cycle."""
        one = self.stations[station]
        inputs = (one.get("recipe") or {}).get("inputs", {})
        return [ware for ware, units in inputs.items() if one["stock"].get(ware, 0) < units]

    def circle_of(self, ware: str, station: str) -> list[str]:
        """The makers that wait for each other because of which a station cannot get a ware; [] when it may some day.

        It may when enough is for sale or on board, or when a maker has, or may get, all that it needs.
        """
        makers = self._stuck
        if ware not in self._never(station, self._obtainable) or not any(ware in self._outputs(key) for key in makers):
            return []
        asked = [ware]
        circle: dict[str, None] = {}
        while asked:
            wanted = asked.pop()
            for key in makers:
                if wanted in self._outputs(key) and key not in circle:
                    circle[key] = None
                    asked += self.lacking(key)
        return self._pruned(list(circle))

    def _outputs(self, station: str) -> Mapping[str, int]:
        outputs: Mapping[str, int] = (self.stations[station].get("recipe") or {}).get("outputs", {})
        return outputs

    @cached_property
    def _obtainable(self) -> dict[str, int]:
        """How many units of each ware are for sale or on board; any number of what can be made."""
        found: dict[str, int] = {}
        for one in self.stations.values():
            for ware in one["sells"]:
                found[ware] = found.get(ware, 0) + self.for_sale(one, ware)
        for ship in self.ships.values():
            for ware, units in (ship.get("hold") or {}).items():
                found[ware] = found.get(ware, 0) + units
        makers = [key for key in self.stations if self._outputs(key)]
        while able := [key for key in makers if not self._never(key, found)]:
            for key in able:
                found.update(dict.fromkeys(self._outputs(key), MOST))
            makers = [key for key in makers if self._never(key, found)]
        return found

    def _never(self, station: str, found: Mapping[str, int]) -> list[str]:
        """The inputs of which a station has, and can buy, too little for its next cycle."""
        one = self.stations[station]
        inputs = (one.get("recipe") or {}).get("inputs", {})
        return [ware for ware, units in inputs.items() if one["stock"].get(ware, 0) + found.get(ware, 0) < units]

    @cached_property
    def _stuck(self) -> list[str]:
        """Makers that lack what can never come, all of which somebody makes."""
        made = {ware for key in self.stations for ware in self._outputs(key)}
        lacking = {key: self._never(key, self._obtainable) for key in self.stations}
        return [key for key, wares in lacking.items() if wares and self._outputs(key) and made.issuperset(wares)]

    def _pruned(self, makers: list[str]) -> list[str]:
        """Those that wait for each other; not those that only wait for them."""
        while True:
            offered = {ware for key in makers for ware in self._outputs(key)}
            left = [key for key in makers if not offered.isdisjoint(self.lacking(key))]
            if len(left) == len(makers):
                return left
            makers = left

    @cached_property
    def sees_all_holds(self) -> bool:
        """Whether what ships carry is seen, of all of them."""
        return all("hold" in ship for ship in self.ships.values())

    def worth_moving(self, seller: Fields, buyer: Fields, ware: str, fee: int) -> int:
        """Units that nobody loses by carrying: until the prices at both ends, with a fee in per mille, are equal.

        As the dispatcher reckons; see `gamekit.space.dispatch`.
        """
        stock, size = seller["stock"].get(ware, 0), seller["capacity"][ware]
        there, capacity = buyer["stock"].get(ware, 0), buyer["capacity"][ware]
        spare = self.for_sale(seller, ware)
        if self.own_price is not None:
            one, other = self._id_of(seller), self._id_of(buyer)
            units = 0
            while units < min(spare, capacity - there) and (1_000 + fee) * self.own_price(
                one, ware, stock - units - 1
            ) < (1_000 - fee) * self.own_price(other, ware, there + units):
                units += 1
            return units
        spread = self.rules.get("price_spread_percent", 30)
        giving = stock - size * fee // (10 * spread) if spread else 0
        return max(0, min(int(giving * capacity - there * size) // int(size + capacity), spare))

    def for_sale(self, seller: Fields, ware: str) -> int:
        """Units that a station sells: what lies above its minimum stock."""
        kept = seller["capacity"][ware] * self.rules.get("minimum_stock_percent", 0) // 100
        return max(0, int(seller["stock"].get(ware, 0)) - int(kept))

    def price_bounds(self, ware: str) -> tuple[int, int]:
        """The least that anybody asks, when full, and the most that anybody pays, when empty, without fees.

        In hundredths of a centi-credit, because it need not be a whole number of them.
        """
        if self.own_price is None:
            base, spread = self.wares[ware]["base_price"], self.rules.get("price_spread_percent", 0)
            return base * (100 - spread), base * (100 + spread)
        floor = min(self.own_price(key, ware, one["capacity"][ware] - 1) for key, one in self.sellers(ware).items())
        return 100 * floor, 100 * max(self.own_price(key, ware, 0) for key in self.buyers(ware))

    def bounds_with_fee(self, ware: str) -> tuple[float, float]:
        """The least that a buyer of a full seller pays, and the most that a seller to an empty buyer gets."""
        least, most = self.price_bounds(ware)
        fee = self.rules.get("trade_fee_permille", 0)
        return least * (1000 + fee) / 100_000, most * (1000 - fee) / 100_000

    def inverted(self, ware: str) -> bool:
        """Whether a ware, which somebody sells and somebody buys, can never earn anything."""
        floor, ceiling = self.bounds_with_fee(ware)
        return floor >= ceiling

    def may_come(self, ware: str) -> bool:
        """Whether a ware is somewhere, or can still be made."""
        return self._obtainable.get(ware, 0) > 0

    def richest(self) -> int | None:
        """What the richest owner of traders has, in centi-credits; None when that is not seen of all of them."""
        owners = [self.players.get(ship["owner"], {}) for ship in self.traders]
        if not owners or not all("credits" in owner for owner in owners):
            return None
        return max(int(owner["credits"]) for owner in owners)

    def _id_of(self, station: Fields) -> str:
        return next(key for key, one in self.stations.items() if one is station)
