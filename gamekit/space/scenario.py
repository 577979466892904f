"""Scenarios: what a galaxy is made of, before there is a game in it.

A *definition* lists sectors, connections and stations, and may bring its own wares and recipes. It comes from one of
the shipped files, from the procedural generator, or straight from the configuration. This module reads and checks; the
state is made by `worldgen`. Every complaint names the file (or the key of the configuration), the key in it, and what
is allowed.

The shipped files are read from the installed package, once; nothing else is ever read or written.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from gamekit.errors import ConfigError
from gamekit.space.rules import load as load_rules

Text = Annotated[str, Meta(min_length=1, max_length=60)]
Slug = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,59}$")]
Coordinate = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]
Metres = Annotated[int, Meta(ge=-1_000, le=1_000)]
Units = Annotated[int, Meta(ge=1, le=1_000_000)]
Percent = Annotated[int, Meta(ge=1, le=100_000)]
Sentence = Annotated[str, Meta(max_length=300)]
Kind = Literal["mine", "plant", "refinery", "factory", "hub", "habitat"]

NEAREST_STARS = "nearest-stars"
PROCEDURAL = "procedural"
#: The shipped scenarios that stand in their files, and those that grow from the seed.
HAND_MADE = (NEAREST_STARS, "duel", "lifeline")
GROWN = (PROCEDURAL, "crowded")

#: A stock takes what a station makes or uses in this time ...
_STOCK_TICKS = 72_000
#: ... but at least, and at a hub, so many units.
_LEAST_CAPACITY, _HUB_CAPACITY = 120, 400

#: The class of ships that everybody starts with.
FREIGHTER = "freighter"

T = TypeVar("T")


class WareRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ware: hold space a unit, and centi-credits a unit."""

    id: Slug
    name: Text
    tier: Annotated[int, Meta(ge=1, le=9)]
    volume: Units
    base_price: Annotated[int, Meta(ge=1, le=1_000_000_000)]


class RecipeRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stations of one sort do: a cycle, or (with `trades`) only trade.

    Ships are sold and taken back where `shipyard` says so, and at every hub. A stock takes what two hours make or use,
    and a hub's 400 units, unless `capacity` says otherwise for a ware.
    """

    id: Slug
    name: Text
    kind: Kind
    inputs: dict[str, Units] = {}
    outputs: dict[str, Units] = {}
    trades: tuple[str, ...] = ()
    capacity: dict[str, Units] = {}
    cycle_ticks: Annotated[int, Meta(ge=1, le=10_000_000)] = 600
    shipyard: bool = False


class SectorRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sector and its place on the galaxy map."""

    id: Slug
    name: Text
    x: Coordinate
    y: Coordinate


class StationRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A station: its place in metres of a 2,000 m sector, and its recipe. Its name is made when none is given."""

    sector: str
    recipe: str
    x: Metres
    y: Metres
    name: Text | None = None


class CompanyRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A company that nobody plays: how many ships trade for it, and what it begins with in centi-credits."""

    name: Text
    ships: Annotated[int, Meta(ge=0, le=10_000)]
    credits: Annotated[int, Meta(ge=0, le=10**15)]


class ShipClassRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A class of ships: speed and hold in percent of what the rules say, the price in centi-credits."""

    id: Slug
    name: Text
    speed_percent: Annotated[int, Meta(ge=1, le=10_000)]
    capacity_percent: Annotated[int, Meta(ge=1, le=10_000)]
    price: Annotated[int, Meta(ge=0, le=10**15)]


class Dockyard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The classes of ships that there are."""

    classes: Annotated[tuple[ShipClassRow, ...], Meta(min_length=1, max_length=100)]


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Wares and recipes."""

    wares: tuple[WareRow, ...]
    recipes: tuple[RecipeRow, ...]


class Definition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole galaxy. Without wares and recipes, or ship classes, of its own it uses the shipped ones.

    Attributes:
        sentence: what it is like, for lists of scenarios.
        players: how many players it is made for; 0 is any number.
        rules: `{field: value}` that differ from the defaults here; a game's own settings go before them.
        units_percent: units in every recipe's cycles and stocks against what the recipes say.
    """

    sectors: Annotated[tuple[SectorRow, ...], Meta(min_length=1, max_length=1000)]
    gates: tuple[tuple[str, str], ...] = ()
    stations: tuple[StationRow, ...] = ()
    title: Text = "Custom"
    name: Text = "custom"
    sentence: Sentence = ""
    players: Annotated[int, Meta(ge=0, le=1_000)] = 0
    rules: dict[str, Any] = {}
    units_percent: Percent = 100
    wares: tuple[WareRow, ...] = ()
    recipes: tuple[RecipeRow, ...] = ()
    companies: tuple[CompanyRow, ...] = ()
    ship_classes: tuple[ShipClassRow, ...] = ()


class Growth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the procedural generator is told by its file; see the comments in procedural.toml."""

    title: Text
    sentence: Sentence
    default_sectors: int
    least_sectors: int
    most_sectors: int
    cell: int
    jitter: int
    extra_links_percent: int
    stations_per_sector: int
    mix: dict[str, int]
    companies: tuple[str, ...]
    company_credits: int
    sectors_per_company: int
    ships_per_10_sectors: int
    most_company_ships: int
    units_percent: Percent = 100


#: msgspec looks at a type when it first decodes it, which two threads must not do at once (see `gamekit.firstuse`).
_looked_at = [msgspec.msgpack.Decoder(kind) for kind in (Definition, Catalogue, Dockyard, Growth)]


def converted(source: str, plain: object, kind: type[T]) -> T:
    """Plain values as a typed structure.

    Raises:
        ConfigError: a key or value is wrong; names the source, the key and what was expected.
    """
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        key = path.rstrip("`").lstrip(".")
        hint = f"; allowed are {', '.join(_fields_at(kind, key))}" if "unknown field" in message else ""
        raise ConfigError(f"{source}: {key + ': ' if key else ''}{message}{hint}.") from None


@cache
def catalogue() -> Catalogue:
    """The shipped wares and recipes."""
    return checked_catalogue("wares.toml", converted("wares.toml", _shipped("wares.toml"), Catalogue))


@cache
def hand_made(name: str) -> Definition:
    """A shipped scenario that stands in its file."""
    return definition(f"{name}.toml", _shipped(f"{name}.toml"))


@cache
def growth(name: str = PROCEDURAL) -> Growth:
    """What the procedural generator is told for a shipped scenario that grows from the seed."""
    return converted(f"{name}.toml", _shipped(f"{name}.toml"), Growth)


def definition(source: str, plain: object) -> Definition:
    """A whole definition from plain values, e.g. those of a TOML file.

    Raises:
        ConfigError: something in it is wrong; names the source, the key and what is allowed.
    """
    return checked(source, converted(source, plain, Definition))


def capacity_of(recipe: RecipeRow, ware: str) -> int:
    """How many units of a ware that it deals in a station of this sort takes."""
    if ware in recipe.capacity:
        return recipe.capacity[ware]
    if recipe.trades:
        return _HUB_CAPACITY
    units = recipe.inputs.get(ware, 0) or recipe.outputs.get(ware, 0)
    return max(_LEAST_CAPACITY, 2 * units, units * _STOCK_TICKS // recipe.cycle_ticks)


@cache
def dockyard() -> Dockyard:
    """The shipped classes of ships."""
    shipped = converted("ships.toml", _shipped("ships.toml"), Dockyard)
    checked_classes("ships.toml", "classes", shipped.classes)
    return shipped


def checked_classes(source: str, key: str, rows: tuple[ShipClassRow, ...]) -> tuple[ShipClassRow, ...]:
    """The same classes of ships, when no two share an id and the one that everybody starts with is there."""
    ids = _ids(source, key, rows)
    if FREIGHTER not in ids:
        raise ConfigError(f"{source}: {key}: expected one with the id {FREIGHTER!r}, got {', '.join(ids)}.")
    return rows


def checked_catalogue(source: str, lists: Catalogue) -> Catalogue:
    """The same catalogue, when everything in it that names something names something that exists."""
    wares = _ids(source, "wares", lists.wares)
    _ids(source, "recipes", lists.recipes)
    for recipe in lists.recipes:
        for key, named in (("inputs", recipe.inputs), ("outputs", recipe.outputs), ("trades", recipe.trades)):
            for ware in named:
                _known(source, f"recipes.{recipe.id}.{key}", "ware", ware, wares)
        both = [ware for ware in recipe.inputs if ware in recipe.outputs]
        if both or bool(recipe.trades) == bool(recipe.inputs or recipe.outputs):
            raise ConfigError(
                f"{source}: recipes.{recipe.id}: give either trades, or inputs and outputs that share no ware."
            )
        for ware, most in recipe.capacity.items():
            dealt_in = dict.fromkeys([*recipe.inputs, *recipe.outputs, *recipe.trades])
            _known(source, f"recipes.{recipe.id}.capacity", "ware", ware, dealt_in)
            needed = recipe.inputs.get(ware, 0) or recipe.outputs.get(ware, 0)
            if most < needed:
                raise ConfigError(
                    f"{source}: recipes.{recipe.id}.capacity.{ware}: {most} is less than the {needed} of one cycle, so "
                    f"the recipe could never run; allowed are {needed} to 1000000."
                )
    return lists


def checked(source: str, definition: Definition) -> Definition:
    """The same definition, when everything in it that names something names something that exists."""
    sectors = _ids(source, "sectors", definition.sectors)
    places: dict[tuple[int, int], str] = {}
    for sector in definition.sectors:
        other = places.setdefault((sector.x, sector.y), sector.id)
        if other != sector.id:
            raise ConfigError(f"{source}: sectors.{sector.id}: x, y are those of {other}; allowed is any other place.")
    joined: set[frozenset[str]] = set()
    for index, pair in enumerate(definition.gates):
        for end in pair:
            _known(source, f"gates[{index}]", "sector", end, sectors)
        if len(frozenset(pair)) == 1 or frozenset(pair) in joined:
            raise ConfigError(f"{source}: gates[{index}]: {list(pair)} joins a sector to itself, or two a second time.")
        joined.add(frozenset(pair))
    if definition.ship_classes:
        checked_classes(source, "ship_classes", definition.ship_classes)
    recipes = dict.fromkeys(recipe.id for recipe in catalogue_of(source, definition).recipes)
    for index, station in enumerate(definition.stations):
        _known(source, f"stations[{index}].sector", "sector", station.sector, sectors)
        _known(source, f"stations[{index}].recipe", "recipe", station.recipe, recipes)
    _checked_rules(source, definition.rules)
    return definition


def _checked_rules(source: str, settings: dict[str, Any]) -> None:
    try:
        load_rules(settings)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from None


def catalogue_of(source: str, definition: Definition) -> Catalogue:
    """The wares and recipes that a definition uses: its own ones, else the shipped ones.

    Of the shipped wares only those that its recipes name are taken.
    """
    if not definition.wares and not definition.recipes:
        return catalogue()
    wares = definition.wares
    if not wares:
        named = {ware for row in definition.recipes for ware in (*row.inputs, *row.outputs, *row.trades)}
        wares = tuple(row for row in catalogue().wares if row.id in named) or catalogue().wares
        # What nobody knows is told with everything that is allowed.
        if named - {row.id for row in wares}:
            wares = catalogue().wares
    return checked_catalogue(source, Catalogue(wares, definition.recipes))


def _shipped(name: str) -> dict[str, Any]:
    return tomllib.loads((files("gamekit.space") / "scenarios" / name).read_text(encoding="utf-8"))


def _ids(source: str, key: str, rows: Iterable[WareRow | RecipeRow | SectorRow | ShipClassRow]) -> dict[str, None]:
    ids: dict[str, None] = {}
    for row in rows:
        if row.id in ids:
            raise ConfigError(f"{source}: {key}: the id {row.id!r} is given twice; every id must be its own.")
        ids[row.id] = None
    return ids


def _known(source: str, key: str, what: str, named: str, allowed: dict[str, None]) -> None:
    if named not in allowed:
        shown = ", ".join(list(allowed)[:40]) + (", ..." if len(allowed) > 40 else "")
        raise ConfigError(f"{source}: {key}: unknown {what} {named!r}; allowed are {shown}.")


def _fields_at(kind: Any, key: str) -> list[str]:
    """The field names of the structure found in `kind` by a path such as "sectors[3].gates"."""
    for step in re.findall(r"[a-z_]+|\[", key):
        if step == "[":
            kind = get_args(kind)[0]
        else:
            kind = next(field.type for field in msgspec.structs.fields(kind) if field.name == step)
        if hasattr(kind, "__metadata__"):
            kind = get_args(kind)[0]
    return [field.name for field in msgspec.structs.fields(kind)] if hasattr(kind, "__struct_fields__") else []
