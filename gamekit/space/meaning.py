"""Whether a definition makes sense: what it names exists, ids are its own, connections join two, sums stay countable.

Works on what `shapes.shaped` made, in which None stands for what is wrong in shape; that is told already, and whatever
depends on it is not asked about. Every mistake is noted; none hides another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gamekit.space import bounds
from gamekit.space.mistakes import Mistakes, Path, listed, shown, slug
from gamekit.space.rules import mistakes as rule_mistakes

if TYPE_CHECKING:
    from gamekit.space.scenario import Catalogue, Definition, RecipeRow, ShipClassRow

from gamekit.space.model import FREIGHTER

_SLUG = re.compile("[a-z0-9][a-z0-9-]{0,59}")


def check(definition: Definition, lists: Catalogue, found: Mistakes) -> None:
    """Note everything in a definition, with the wares and recipes that it uses, that makes no sense."""
    sectors = ids(("sectors",), definition.sectors, found)
    _places(definition, found)
    _gates(definition, sectors, found)
    if definition.wares or definition.recipes:
        check_catalogue(lists, found, own_wares=bool(definition.wares))
    if definition.ship_classes:
        check_classes(("ship_classes",), definition.ship_classes, found)
    recipes = dict.fromkeys(row.id for row in _rows(lists.recipes) if row.id is not None)
    if definition.wares and definition.recipes == ():
        found.add(("wares",), "wares of your own need recipes of your own, which name them; add `recipes`.")
    for index, station in _numbered(definition.stations):
        for what, named, allowed in (("sector", station.sector, sectors), ("recipe", station.recipe, recipes)):
            # Without any sectors, all others would be wrong as well.
            if named is not None and allowed and named not in allowed:
                found.unknown(("stations", index, what), what, named, allowed)
    for path, text in rule_mistakes(definition.rules or {}):
        found.add(path, text, key="")
    bounds.check(definition, lists, found)


def check_catalogue(lists: Catalogue, found: Mistakes, *, own_wares: bool = True) -> None:
    """Note what makes no sense in wares and recipes."""
    wares = (
        ids(("wares",), lists.wares, found)
        if own_wares
        else dict.fromkeys(row.id for row in _rows(lists.wares) if row.id is not None)
    )
    ids(("recipes",), lists.recipes, found)
    for index, recipe in _numbered(lists.recipes):
        key = f"recipes.{recipe.id}"
        for side in ("inputs", "outputs", "trades"):
            for at, ware in enumerate(getattr(recipe, side) or ()):
                if ware is not None and wares and ware not in wares:
                    step = at if side == "trades" else ware
                    found.unknown(("recipes", index, side, step), "ware", ware, wares, f"{key}.{side}")
        if not all(getattr(recipe, side) is not None for side in ("inputs", "outputs", "trades", "capacity")):
            continue
        if doubled := [ware for ware, times in Counter(recipe.trades).items() if times > 1 and ware is not None]:
            found.add(("recipes", index, "trades"), f"{listed(doubled)} named twice; once is enough.", f"{key}.trades")
        both = [ware for ware in recipe.inputs if ware in recipe.outputs]
        if both or bool(recipe.trades) == bool(recipe.inputs or recipe.outputs):
            text = "give either trades, or inputs and outputs that share no ware."
            found.add(("recipes", index), text + (f" Both have {listed(both)}." if both else ""), key)
        _capacity(recipe, index, found)


def _capacity(recipe: RecipeRow, index: int, found: Mistakes) -> None:
    dealt_in = dict.fromkeys([*recipe.inputs, *recipe.outputs, *recipe.trades])
    for ware, most in recipe.capacity.items():
        path, key = ("recipes", index, "capacity", ware), f"recipes.{recipe.id}.capacity"
        if ware not in dealt_in:
            found.unknown(path, "ware", ware, dealt_in, key)
            continue
        needed = recipe.inputs.get(ware, 0) or recipe.outputs.get(ware, 0)
        if most is not None and needed is not None and most < needed:
            found.add(
                path,
                f"{most} is less than the {needed} of one cycle, so the recipe could never run; allowed are "
                f"{needed} to 1000000.",
                f"{key}.{ware}",
            )


def check_classes(path: Path, rows: Sequence[ShipClassRow], found: Mistakes) -> None:
    """Note classes of ships that share an id, and that the one that everybody starts with is missing."""
    classes = ids(path, rows, found)
    if FREIGHTER not in classes:
        found.add(path, f"expected one with the id {FREIGHTER!r}, got {listed(classes, commas=True)}.")


def ids(path: Path, rows: Sequence[Any], found: Mistakes) -> dict[str, None]:
    """The ids of some rows; noted is what is no id, with one that would do, and what is given twice."""
    taken = {row.id: None for row in _rows(rows) if row.id is not None}
    free: dict[str, None] = dict(taken)
    first: dict[str, int] = {}
    for index, row in _numbered(rows):
        if row.id is None:
            continue
        if not _SLUG.fullmatch(row.id):
            would = slug(row.id, free, str(path[-1]).rstrip("s"))
            free[would] = None
            text = f"{shown(row.id)} is no id (small letters a to z, digits and -, up to 60); {would!r} would do."
            found.add((*path, index, "id"), text)
        if row.id in first:
            would = slug(row.id, free, "")
            free[would] = None
            text = (
                f"the id {shown(row.id)} is given twice, first in {path[-1]}[{first[row.id]}]; every id must be its own"
            )
            found.add((*path, index, "id"), f"{text}, {would!r} is free.")
        first.setdefault(row.id, index)
    return taken


def _rows(rows: Sequence[Any] | None) -> list[Any]:
    return [row for row in rows or () if row is not None]


def _numbered(rows: Sequence[Any] | None) -> Iterable[tuple[int, Any]]:
    return ((index, row) for index, row in enumerate(rows or ()) if row is not None)


def _places(definition: Definition, found: Mistakes) -> None:
    places: dict[tuple[int, int], str] = {}
    for index, sector in _numbered(definition.sectors):
        if sector.x is None or sector.y is None:
            continue
        other = places.setdefault((sector.x, sector.y), sector.id)
        if other != sector.id:
            text = f"x, y are those of {other}; allowed is any other place."
            found.add(("sectors", index), text, f"sectors.{sector.id}")


def _gates(definition: Definition, sectors: Collection[str], found: Mistakes) -> None:
    """Ends that are no sectors, connections of a sector with itself, and those that are named again."""
    first: dict[frozenset[str], int] = {}
    again: dict[bool, list[tuple[int, int]]] = {False: [], True: []}
    for index, pair in _numbered(definition.gates):
        if None in pair:
            continue
        for at, end in enumerate(pair):
            if sectors and end not in sectors:
                found.unknown(("gates", index, at), "sector", end, sectors, key=f"gates[{index}]")
        ends = frozenset(pair)
        if len(ends) == 1:
            found.add(("gates", index), f"{list(pair)} joins a sector to itself; remove it, or name another end.")
        elif ends in first:
            one = definition.gates[first[ends]]
            again[pair != one].append((index, first[ends]))
        else:
            first[ends] = index
    for reversed_, pairs in again.items():
        way = ", in the other direction" if reversed_ else ""
        if len(pairs) == 1:
            [(index, earlier)] = pairs
            text = f"{list(definition.gates[index])} joins the same two as gates[{earlier}]{way}; keep one of them."
            found.add(("gates", index), text)
        elif pairs:
            keys = listed(f"gates[{index}]" for index, _ in pairs)
            firsts = ", ".join(f"gates[{earlier}]" for _, earlier in pairs[:8]) + (", ..." if len(pairs) > 8 else "")
            text = f"name connections a second time{way} (first: {firsts}); keep one of each."
            found.add(("gates", pairs[0][0]), f"{keys} {text}", key="")
