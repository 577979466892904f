"""What is odd about a scenario that is not wrong: things that can be, and that its author probably did not mean.

Errors are `scenario`'s business. A warning stops nobody: players may bring in what nobody makes, and a galaxy may be
meant to fall apart. Each names the key and says what would make it go away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gamekit.names import look_alikes
from gamekit.space.mistakes import listed
from gamekit.space.prospects import galaxy_of, prospects
from gamekit.space.rules import load
from gamekit.space.scenario import Catalogue, Definition, RecipeRow, catalogue_of

#: What a station of a kind has when it is what its name says.
_SHAPES = {
    "mine": (False, True),
    "plant": (True, True),
    "refinery": (True, True),
    "factory": (True, True),
    "habitat": (True, False),
}


def warnings(definition: Definition, rules: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Everything odd about a definition that `scenario.definition` let through.

    Args:
        definition: the scenario.
        rules: `{field: value}` of the game, which go before the scenario's own.
    """
    lists = catalogue_of(definition)
    recipes = {row.id: row for row in lists.recipes}
    parts = islands([row.id for row in definition.sectors], definition.gates)
    galaxy = galaxy_of(definition, load({**definition.rules, **(rules or {})}), lists, parts)
    built = [recipes[row.recipe] for row in dict.fromkeys(definition.stations) if row.recipe in recipes]
    return (
        *_of_wares(definition, built),
        *_of_recipes(definition, recipes),
        *_of_sectors(definition),
        *_of_ships(definition, built),
        *_of_names(definition, lists),
        *prospects(galaxy),
    )


def _of_wares(definition: Definition, built: list[RecipeRow]) -> Iterator[str]:
    made = {ware for recipe in built for ware in recipe.outputs}
    used = dict.fromkeys(ware for recipe in built for ware in recipe.inputs)
    for ware in used:
        if ware not in made:
            yield (
                f"wares.{ware}: stations use it and no station makes it, so they will stand still when the first "
                "stocks are used up; add a station whose recipe has it among its outputs."
            )
    taken = used.keys() | {ware for recipe in built for ware in recipe.trades}
    for ware in dict.fromkeys(ware for recipe in built for ware in recipe.outputs):
        if ware not in taken:
            yield (
                f"wares.{ware}: stations make it and no station buys it, so they will stand still when they are full; "
                "add a station that uses it or a hub that trades it."
            )


def _of_recipes(definition: Definition, recipes: dict[str, RecipeRow]) -> Iterator[str]:
    for recipe in recipes.values():
        shape = _SHAPES.get(recipe.kind)
        if shape is None:
            if not recipe.trades:
                yield f"recipes.{recipe.id}.kind: a hub only trades; give it trades, or another kind."
        elif recipe.trades:
            yield f"recipes.{recipe.id}.kind: what only trades is a hub, not a {recipe.kind}."
        elif shape != (bool(recipe.inputs), bool(recipe.outputs)):
            wants = " and ".join(
                ("" if has else "no ") + name for name, has in zip(("inputs", "outputs"), shape, strict=True)
            )
            yield f"recipes.{recipe.id}.kind: a {recipe.kind} has {wants}; change the recipe or its kind."
    if definition.recipes:
        standing = {row.recipe for row in definition.stations}
        for recipe in recipes.values():
            if recipe.id not in standing:
                yield f"recipes.{recipe.id}: no station has it; remove it, or build one."


def _of_sectors(definition: Definition) -> Iterator[str]:
    yield from _of_islands(definition)
    spots: dict[tuple[str, int, int], int] = {}
    same: list[tuple[int, int]] = []
    for index, station in enumerate(definition.stations):
        first = spots.setdefault((station.sector, station.x, station.y), index)
        if first != index:
            same.append((index, first))
    if len(same) > 4:
        keys = listed((f"stations[{index}] where stations[{first}]" for index, first in same), commas=True)
        yield f"stations: {len(same)} of them stand exactly where another one stands ({keys}); move them."
        return
    for index, first in same:
        yield f"stations[{index}]: it stands exactly where stations[{first}] stands; move one of them."


def _of_names(definition: Definition, lists: Catalogue) -> Iterator[str]:
    """Things of one sort whose names look the same, in whatever script; those of shipped lists are told apart."""
    own = definition.wares or definition.recipes
    sorts: dict[str, list[tuple[str, str]]] = {
        "sectors": [(row.id, row.name) for row in definition.sectors],
        "stations": [(str(at), row.name) for at, row in enumerate(definition.stations) if row.name is not None],
        "wares": [(row.id, row.name) for row in lists.wares] if own else [],
        "ship_classes": [(row.id, row.name) for row in definition.ship_classes],
        "companies": [(str(at), row.name) for at, row in enumerate(definition.companies)],
    }
    for sort, rows in sorts.items():
        alike = look_alikes(rows)
        if alike:
            pairs = listed((f"{one} like {other}" for one, other in alike), commas=True)
            yield f"{sort}: names that look the same ({pairs}); give one of each another name."


def _of_islands(definition: Definition) -> Iterator[str]:
    """Each part of the galaxy that hangs together, but for the largest; single sectors without gates in one."""
    first, *rest = islands([row.id for row in definition.sectors], definition.gates)
    others = f"the other {len(first)}" if len(rest) == 1 else f"the largest part, {len(first)} around {first[0]}"
    alone = [island[0] for island in rest if len(island) == 1]
    for island in rest:
        if len(island) > 1:
            yield (
                f"sectors: {len(island)} sectors ({listed(island, commas=True)}) hang together but no gates lead there "
                f"from {others}; add a connection to `gates`."
            )
    if len(alone) == 1:
        yield f"sectors.{alone[0]}: no gates lead there from {others}; add a connection to `gates`."
    elif alone:
        names = listed(alone, commas=True)
        yield f"sectors: {len(alone)} sectors ({names}) have no gates at all; add connections to `gates`."


def islands(sectors: Sequence[str], gates: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The parts of a galaxy that hang together, the largest first, each in the order of its sectors."""
    joined: dict[str, list[str]] = {sector: [] for sector in sectors}
    for one, other in gates:
        joined[one].append(other)
        joined[other].append(one)
    found: list[list[str]] = []
    seen: set[str] = set()
    for start in sectors:
        if start in seen:
            continue
        seen.add(start)
        island, ahead = {start}, [start]
        while ahead:
            for sector in joined[ahead.pop()]:
                if sector not in seen:
                    seen.add(sector)
                    island.add(sector)
                    ahead.append(sector)
        found.append([sector for sector in sectors if sector in island] if len(island) > 1 else [start])
    return sorted(found, key=len, reverse=True)


def _of_ships(definition: Definition, built: list[RecipeRow]) -> Iterator[str]:
    if any(recipe.kind == "hub" for recipe in built):
        return
    start = "at the other stations in turn" if built else "in the middle of the sectors in turn"
    if definition.companies:
        yield f"companies: there is no hub to start from, so their ships start {start}; add a station of kind hub."
    elif built:
        yield f"stations: there is no hub, so new players start {start}; add a station of kind hub."
