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
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from gamekit.errors import ConfigError
from gamekit.plain import plain as as_plain
from gamekit.space import meaning, shapes
from gamekit.space.mistakes import Mistakes

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

#: The most bytes that a definition may have as JSON. A server's limit for the request that brings it follows from it.
MOST_BYTES = 2_000_000

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
    gates: Annotated[tuple[tuple[str, str], ...], Meta(max_length=20_000)] = ()
    stations: Annotated[tuple[StationRow, ...], Meta(max_length=20_000)] = ()
    title: Text = "Custom"
    name: Text = "custom"
    sentence: Sentence = ""
    players: Annotated[int, Meta(ge=0, le=1_000)] = 0
    rules: dict[str, Any] = {}
    units_percent: Percent = 100
    wares: Annotated[tuple[WareRow, ...], Meta(max_length=1_000)] = ()
    recipes: Annotated[tuple[RecipeRow, ...], Meta(max_length=1_000)] = ()
    companies: Annotated[tuple[CompanyRow, ...], Meta(max_length=1_000)] = ()
    ship_classes: Annotated[tuple[ShipClassRow, ...], Meta(max_length=100)] = ()


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
    lists = converted("wares.toml", _shipped("wares.toml"), Catalogue)
    found = Mistakes("wares.toml")
    meaning.check_catalogue(lists, found)
    found.tell()
    return lists


@cache
def hand_made(name: str) -> Definition:
    """A shipped scenario that stands in its file."""
    return definition(f"{name}.toml", _shipped(f"{name}.toml"))


@cache
def growth(name: str = PROCEDURAL) -> Growth:
    """What the procedural generator is told for a shipped scenario that grows from the seed."""
    return converted(f"{name}.toml", _shipped(f"{name}.toml"), Growth)


def definition(source: str, plain: object) -> Definition:
    """A whole definition from plain values, e.g. those of a TOML file; numbers and lists of a notebook will do as well.

    Args:
        source: what complaints name: the file, or the key of the configuration.
        plain: the values. They may have `lines`, `{path: line}`; see `gamekit.scenario_file`.

    Raises:
        ConfigError: something in it is wrong; a line for each mistake, with source, line, key and what is allowed.
    """
    found = Mistakes(source, getattr(plain, "lines", None))
    values = as_plain(plain, found.add)
    made: Definition | None = shapes.shaped(values, Definition, found)
    if made is not None:
        meaning.check(made, catalogue_of(made), found)
    found.tell()
    assert made is not None, "what is no definition is told"
    size = len(msgspec.json.encode(values))
    if size > MOST_BYTES:
        found.add(
            (), f"the definition has {size:,} bytes as JSON; allowed are {MOST_BYTES:,}, so that a server takes it."
        )
        found.tell()
    return made


def companies(source: str, plain: object) -> tuple[CompanyRow, ...]:
    """Companies from plain values.

    Raises:
        ConfigError: something in them is wrong.
    """
    found = Mistakes(source)
    rows: tuple[CompanyRow, ...] = shapes.shaped(as_plain(plain, found.add), tuple[CompanyRow, ...], found)
    found.tell()
    return rows


@cache
def dockyard() -> Dockyard:
    """The shipped classes of ships."""
    shipped = converted("ships.toml", _shipped("ships.toml"), Dockyard)
    found = Mistakes("ships.toml")
    meaning.check_classes(("classes",), shipped.classes, found)
    found.tell()
    return shipped


def catalogue_of(definition: Definition) -> Catalogue:
    """The wares and recipes that a definition uses: its own ones, else the shipped ones.

    Of the shipped wares only those that its recipes name are taken.
    """
    if not definition.wares and not definition.recipes:
        return catalogue()
    wares = definition.wares
    if not wares:
        rows = [row for row in definition.recipes if row is not None]
        named = {ware for row in rows for ware in (*(row.inputs or ()), *(row.outputs or ()), *(row.trades or ()))}
        wares = tuple(row for row in catalogue().wares if row.id in named) or catalogue().wares
        # What nobody knows is told with everything that is allowed.
        if named - {row.id for row in wares}:
            wares = catalogue().wares
    return Catalogue(wares, definition.recipes or ())


def _shipped(name: str) -> dict[str, Any]:
    return tomllib.loads((files("gamekit.space") / "scenarios" / name).read_text(encoding="utf-8"))


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
