"""Whether anything can ever move in a galaxy that is not played yet: circles without stock, holds, loads, fees, purses.

Each is asked at its best: the seller full, the buyer empty, the ship that companies and newcomers have. What does not
pay then never pays. The formulas are those of `dispatch.worths` and `trading`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gamekit.space.bounds import MOST, capacity_of
from gamekit.space.mistakes import listed
from gamekit.space.model import FREIGHTER
from gamekit.space.rules import Rules
from gamekit.space.scenario import Catalogue, Definition, RecipeRow, WareRow, dockyard


class Galaxy(NamedTuple):
    """A definition with what belongs to it: its rules, wares and recipes by id, and its islands of sectors."""

    definition: Definition
    rules: Rules
    wares: Mapping[str, WareRow]
    recipes: Mapping[str, RecipeRow]
    islands: list[list[str]]

    def built(self, island: list[str]) -> dict[str, int]:
        """The recipes that stations of an island have: `{recipe: how many}`."""
        here = set(island)
        return Counter(row.recipe for row in self.definition.stations if row.sector in here)

    def size(self, recipe: RecipeRow, ware: str) -> int:
        """How many units of a ware a station with a recipe stores."""
        return -(-capacity_of(recipe, ware) * self.definition.units_percent // 100)

    def units(self, count: int) -> int:
        """Units of a cycle, sized by the scenario."""
        return -(-count * self.definition.units_percent // 100)


def galaxy_of(definition: Definition, rules: Rules, lists: Catalogue, islands: list[list[str]]) -> Galaxy:
    """What the questions here are asked of."""
    wares, recipes = {row.id: row for row in lists.wares}, {row.id: row for row in lists.recipes}
    return Galaxy(definition, rules, wares, recipes, islands)


def prospects(galaxy: Galaxy) -> Iterator[str]:
    """Everything because of which wares cannot move."""
    for island in galaxy.islands:
        yield from _starved(galaxy, galaxy.built(island))
    if not galaxy.definition.stations:
        if any(row.ships for row in galaxy.definition.companies):
            yield "companies: there are no stations, so their ships have nothing to trade; add some."
        return
    yield from _holds(galaxy)
    if galaxy.rules.price_spread_percent:
        yield from _loads(galaxy)
    else:
        yield "rules.price_spread_percent: with 0 everything costs the same everywhere, so no trade earns; raise it."
    yield from _range(galaxy)
    yield from _purses(galaxy)


def _starved(galaxy: Galaxy, count: dict[str, int]) -> Iterator[str]:
    """What stations of one island need and cannot ever get: of other islands, or of makers that wait for each other."""
    built = [galaxy.recipes[name] for name in count]
    sold = _obtainable(galaxy, built, count)
    made = {ware for recipe in built for ware in recipe.outputs}
    elsewhere = {ware for row in galaxy.definition.stations for ware in galaxy.recipes[row.recipe].outputs} - made
    for ware in dict.fromkeys(ware for recipe in built for ware in recipe.inputs):
        if ware in elsewhere and not sold.get(ware):
            users = listed(recipe.name for recipe in built if ware in recipe.inputs)
            yield (
                f"wares.{ware}: {users} need it, and no gates lead there from its makers; add a connection or a maker."
            )
    # What no station makes is told elsewhere.
    stuck = {recipe.id: lacks for recipe in built if recipe.outputs and (lacks := _lacks(galaxy, recipe, sold))}
    stuck = {name: lacks for name, lacks in stuck.items() if made.issuperset(lacks)}
    circle = _circle(galaxy, stuck)
    if circle:
        wares = dict.fromkeys(ware for name in circle for ware in stuck[name])
        needs = "; ".join(f"{galaxy.recipes[name].name} lacks {_names(galaxy, stuck[name])}" for name in circle[:8])
        yield (
            f"wares.{next(iter(wares))}: the makers of {_names(galaxy, wares)} need each other's products and none has "
            f"enough to begin ({needs}), so they will stand still for ever; raise rules.initial_stock_percent "
            f"({galaxy.rules.initial_stock_percent}), or add a station that makes one of these wares of something else."
        )


def _obtainable(galaxy: Galaxy, built: list[RecipeRow], count: dict[str, int]) -> dict[str, int]:
    """How many units of each ware all stations together have to sell at the start; any number of what can be made."""
    sold: dict[str, int] = {}
    kept = galaxy.rules.minimum_stock_percent
    for recipe in built:
        for ware in (*recipe.trades, *recipe.outputs):
            spare = _has(galaxy, recipe, ware) - galaxy.size(recipe, ware) * kept // 100
            sold[ware] = sold.get(ware, 0) + max(0, spare) * count[recipe.id]
    makers = [recipe for recipe in built if recipe.outputs]
    while able := [recipe for recipe in makers if not _lacks(galaxy, recipe, sold)]:
        for recipe in able:
            sold.update(dict.fromkeys(recipe.outputs, MOST))
        makers = [recipe for recipe in makers if recipe not in able]
    return sold


def _has(galaxy: Galaxy, recipe: RecipeRow, ware: str) -> int:
    return galaxy.size(recipe, ware) * galaxy.rules.initial_stock_percent // 100


def _lacks(galaxy: Galaxy, recipe: RecipeRow, sold: Mapping[str, int]) -> list[str]:
    """The inputs of which a station has, and can buy, too little for a single cycle."""
    return [
        ware
        for ware, units in recipe.inputs.items()
        if _has(galaxy, recipe, ware) + sold.get(ware, 0) < galaxy.units(units)
    ]


def _circle(galaxy: Galaxy, stuck: Mapping[str, list[str]]) -> list[str]:
    """Of makers that are stuck, those that wait for each other; not those that only wait for them."""
    circle = dict.fromkeys(stuck)
    while True:
        wanted = {ware for name in circle for ware in stuck[name]}
        left = {name: None for name in circle if not wanted.isdisjoint(galaxy.recipes[name].outputs)}
        offered = {ware for name in left for ware in galaxy.recipes[name].outputs}
        left = {name: None for name in left if not offered.isdisjoint(stuck[name])}
        if len(left) == len(circle):
            return list(circle)
        circle = left


def _names(galaxy: Galaxy, wares: Mapping[str, None] | list[str]) -> str:
    return listed(galaxy.wares[ware].name for ware in wares)


def _hold(galaxy: Galaxy) -> tuple[int, str]:
    """The hold of the ships that companies and newcomers have, and the class with the largest, in words."""
    classes = galaxy.definition.ship_classes or dockyard().classes
    holds = {row.id: max(1, galaxy.rules.ship_capacity * row.capacity_percent // 100) for row in classes}
    largest = max(classes, key=lambda row: holds[row.id])
    return holds[FREIGHTER], f"{largest.name} {holds[largest.id]:,}"


def _traded(galaxy: Galaxy) -> dict[str, tuple[list[RecipeRow], list[RecipeRow]]]:
    """{ware: the recipes of stations that sell it, and of those that buy it}, of wares that have both."""
    built = [galaxy.recipes[name] for name in dict.fromkeys(row.recipe for row in galaxy.definition.stations)]
    found = {}
    for ware in galaxy.wares:
        sellers = [recipe for recipe in built if ware in recipe.trades or ware in recipe.outputs]
        buyers = [recipe for recipe in built if ware in recipe.trades or ware in recipe.inputs]
        if sellers and buyers:
            found[ware] = sellers, buyers
    return found


def _holds(galaxy: Galaxy) -> Iterator[str]:
    hold, largest = _hold(galaxy)
    for ware in _traded(galaxy):
        row = galaxy.wares[ware]
        if row.volume > hold:
            yield (
                f"wares.{ware}.volume: one unit takes {row.volume:,}, and the ships that companies and newcomers have "
                f"hold {hold:,}, so they carry none (the largest class: {largest}); lower the volume, or raise "
                "rules.ship_capacity."
            )


def _loads(galaxy: Galaxy) -> Iterator[str]:
    """Wares of which no load ever pays, or none that is large enough for a ship to leave."""
    rules, (hold, _) = galaxy.rules, _hold(galaxy)
    dear: list[str] = []
    for ware, (sellers, buyers) in _traded(galaxy).items():
        most = hold // galaxy.wares[ware].volume
        least = max(1, -(-most * rules.least_load_percent // 100))
        pairs = [(seller, buyer) for seller in sellers for buyer in buyers]
        best = max(_worth(galaxy, ware, *pair, rules.trade_fee_permille) for pair in pairs)
        if not most or best >= least:
            continue
        if best <= 0 < max(_worth(galaxy, ware, *pair, 0) for pair in pairs):
            dear.append(ware)
            continue
        percent = best * 100 // most
        less = f"lower rules.least_load_percent ({rules.least_load_percent}) to {percent}, or " if percent > 0 else ""
        yield (
            f"wares.{ware}: ships leave with {least:,} units at least, and never more than {max(best, 0):,} are worth "
            f"moving; {less}let stations store more."
        )
    if dear:
        yield (
            f"rules.trade_fee_permille: at {rules.trade_fee_permille}, paid at both ends, and a spread of "
            f"{rules.price_spread_percent} % no load of {_names(galaxy, dear)} ever earns anything; lower the fee, or "
            "raise rules.price_spread_percent."
        )


def _worth(galaxy: Galaxy, ware: str, seller: RecipeRow, buyer: RecipeRow, fee: int) -> int:
    """Units that are worth moving from a full seller to an empty buyer; see `dispatch.worths`."""
    rules = galaxy.rules
    size, capacity = galaxy.size(seller, ware), galaxy.size(buyer, ware)
    spare = size - size * rules.minimum_stock_percent // 100
    fuller = size - size * fee // (10 * rules.price_spread_percent)
    return min(fuller * capacity // (size + capacity), spare)


def _range(galaxy: Galaxy) -> Iterator[str]:
    """Wares whose nearest buyer is farther from every maker than ships in auto-trade go."""
    reach = galaxy.rules.trade_range_jumps
    joined: dict[str, list[str]] = {row.id: [] for row in galaxy.definition.sectors}
    for one, other in galaxy.definition.gates:
        joined[one].append(other)
        joined[other].append(one)
    at: dict[str, dict[str, None]] = {}
    for station in galaxy.definition.stations:
        at.setdefault(station.recipe, {})[station.sector] = None
    for ware, (sellers, buyers) in _traded(galaxy).items():
        wanted = {sector for recipe in buyers for sector in at[recipe.id]}
        edge = {sector: None for recipe in sellers if recipe.outputs for sector in at[recipe.id]}
        seen, jumps = dict(edge), 0
        while edge and not wanted & edge.keys():
            edge = {near: None for sector in edge for near in joined[sector] if near not in seen}
            seen |= edge
            jumps += 1
        if edge and jumps > reach:
            yield (
                f"wares.{ware}: its nearest buyer is {jumps} gates from its makers, and auto-trade goes {reach}; "
                f"raise rules.trade_range_jumps to {jumps}, or build one nearer."
            )


def _purses(galaxy: Galaxy) -> Iterator[str]:
    """Companies that cannot pay the cheapest load that a ship would leave with."""
    rules, (hold, _) = galaxy.rules, _hold(galaxy)
    loads = []
    for ware in _traded(galaxy):
        row = galaxy.wares[ware]
        most = hold // row.volume
        if most:
            least = max(1, -(-most * rules.least_load_percent // 100))
            price = row.base_price * (100 - rules.price_spread_percent) * (1_000 + rules.trade_fee_permille)
            loads.append(-(-least * price // 100_000))
    for index, company in enumerate(galaxy.definition.companies):
        if loads and company.ships and company.credits < min(loads):
            yield (
                f"companies[{index}].credits: {company.credits:,} centi-credits do not pay the cheapest load, "
                f"{min(loads):,}, so its ships never leave; give it more, or lower rules.least_load_percent."
            )
