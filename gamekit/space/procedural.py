"""Galaxies grown from a seed: integers only, the same on every machine.

Sectors stand on a jittered grid and are joined to grid neighbours only, so a sector has at most four gates and no two
connections cross. A random spanning tree makes sure that everything can be reached; a share of the other neighbours is
joined as well. Stations are dealt from a shuffled deck in the proportions of the mix, after one of each recipe, so
every ware that somebody uses is made somewhere.
"""

from __future__ import annotations

from collections import Counter
from math import isqrt

import msgspec

from gamekit.space.names import sector_names
from gamekit.space.rng import STREAM_GALAXY, STREAM_LINKS, STREAM_NAMES, STREAM_PLACES, STREAM_STATIONS, Stream
from gamekit.space.scenario import CompanyRow, Definition, Growth, RecipeRow, SectorRow, StationRow, catalogue

#: Where stations may stand, before they are moved a little: metres of a 2,000 m sector.
_SPOTS = [(x, y) for y in range(-625, 626, 250) for x in range(-625, 626, 250)]
_SPOT_JITTER = 40


def grown(name: str, count: int, seed: int, growth: Growth) -> Definition:
    """A connected galaxy of `count` sectors, for the scenario `name`."""
    sized = growth.least_sectors < growth.most_sectors
    columns = isqrt(count - 1) + 1
    sectors = _sectors(count, columns, seed, growth)
    stations = _stations(sectors, seed, growth)
    return Definition(
        sectors=sectors,
        gates=_links(sectors, columns, seed, growth),
        stations=stations,
        title=f"{growth.title} {count}" if sized else growth.title,
        name=f"{name}:{count}" if sized else name,
        sentence=growth.sentence,
        units_percent=growth.units_percent,
        recipes=_sized(stations, growth.mix),
        companies=_companies(count, growth),
    )


def _companies(count: int, growth: Growth) -> tuple[CompanyRow, ...]:
    """Companies in number and size after the galaxy; their ships are shared out evenly."""
    names = growth.companies[: max(1, count // growth.sectors_per_company)]
    ships = min(growth.most_company_ships, -(-count * growth.ships_per_10_sectors // 10))
    return tuple(
        CompanyRow(name, (ships + index) // len(names), growth.company_credits) for index, name in enumerate(names)
    )


def _sectors(count: int, columns: int, seed: int, growth: Growth) -> tuple[SectorRow, ...]:
    places = Stream(seed, STREAM_GALAXY)
    rows = -(-count // columns)
    left, top = (columns - 1) * growth.cell // 2, (rows - 1) * growth.cell // 2
    sectors = []
    for index, name in enumerate(sector_names(count, Stream(seed, STREAM_NAMES))):
        row, column = divmod(index, columns)
        x = column * growth.cell - left + places.between(-growth.jitter, growth.jitter)
        y = row * growth.cell - top + places.between(-growth.jitter, growth.jitter)
        sectors.append(SectorRow(name.lower(), name, x, y))
    return tuple(sectors)


def _links(sectors: tuple[SectorRow, ...], columns: int, seed: int, growth: Growth) -> tuple[tuple[str, str], ...]:
    """A random spanning tree over grid neighbours (Kruskal on shuffled edges), and some more neighbours."""
    count = len(sectors)
    edges = [(index, index + 1) for index in range(count - 1) if (index + 1) % columns]
    edges += [(index, index + columns) for index in range(count - columns)]
    chance = Stream(seed, STREAM_LINKS)
    chance.shuffle(edges)
    group = list(range(count))

    def root(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    kept = []
    for one, other in edges:
        roots = root(one), root(other)
        group[roots[1]] = roots[0]
        if roots[0] != roots[1] or chance.below(100) < growth.extra_links_percent:
            kept.append((one, other))
    return tuple((sectors[one].id, sectors[other].id) for one, other in sorted(kept))


def _stations(sectors: tuple[SectorRow, ...], seed: int, growth: Growth) -> tuple[StationRow, ...]:
    chance = Stream(seed, STREAM_STATIONS)
    recipes = _dealt(max(len(sectors) * growth.stations_per_sector, len(growth.mix)), growth.mix, chance)
    order = list(range(len(sectors)))
    of_sector: list[list[str]] = [[] for _ in sectors]
    for start in range(0, len(recipes), len(order)):
        chance.shuffle(order)
        for index, recipe in zip(order, recipes[start : start + len(order)], strict=False):
            of_sector[index].append(recipe)
    places = Stream(seed, STREAM_PLACES)
    stations = []
    for sector, here in zip(sectors, of_sector, strict=True):
        spots = list(_SPOTS)
        places.shuffle(spots)
        for recipe, (x, y) in zip(here, spots, strict=False):
            x_moved, y_moved = (at + places.between(-_SPOT_JITTER, _SPOT_JITTER) for at in (x, y))
            stations.append(StationRow(sector.id, recipe, x_moved, y_moved))
    return tuple(stations)


def _sized(stations: tuple[StationRow, ...], mix: dict[str, int]) -> tuple[RecipeRow, ...]:
    """The recipes, larger or smaller, so that all stations of each together weigh what the mix says.

    A deck is not always dealt to its end, so a galaxy may have two of a factory where one and a half would do; then
    each works at three quarters. What the mix balances is so in balance in every galaxy.
    """
    counts = Counter(station.recipe for station in stations)
    total = sum(mix.values())
    rows = []
    for row in catalogue().recipes:
        share, whole = mix[row.id] * len(stations), total * counts[row.id]
        rows.append(
            msgspec.structs.replace(
                row,
                inputs={ware: max(1, units * share // whole) for ware, units in row.inputs.items()},
                outputs={ware: -(-units * share // whole) for ware, units in row.outputs.items()},
            )
        )
    return tuple(rows)


def _dealt(count: int, mix: dict[str, int], chance: Stream) -> list[str]:
    """`count` recipes: one of each, then the rest of a shuffled deck, then from whole new decks."""
    deck = [recipe for recipe, times in mix.items() for _ in range(times)]
    rest = [recipe for recipe, times in mix.items() for _ in range(times - 1)]
    chance.shuffle(rest)
    dealt = [*mix, *rest]
    while len(dealt) < count:
        chance.shuffle(deck)
        dealt += deck
    return dealt[:count]
