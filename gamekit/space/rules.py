"""The rules of one game: one frozen, versioned structure; each field carries its unit, range and a sentence.

This module owns what may be set, what of it may be changed while a game runs, and how a wrong setting is reported. It
does not apply any rule; what a change means for what is under way is in `amend`. The table that documentation, the
command line and notebooks print is `table()`; it is read from the types, so it cannot drift.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from numbers import Integral
from typing import Annotated, Any, cast, get_args, get_type_hints

import msgspec
from msgspec import Meta

from gamekit.errors import ConfigError
from gamekit.game import Rejected, RuleField
from gamekit.space.mistakes import Likeness, shown

#: So many wrong settings are told one by one.
_MOST_WRONG = 100


def _meta(unit: str, low: int, high: int, sentence: str, *, at_start: bool = False) -> Meta:
    return Meta(ge=low, le=high, description=sentence, extra={"unit": unit, "at_start": at_start})


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules in force. They are part of the state; a change replaces the whole structure."""

    version: Annotated[int, _meta("number", 1, 1, "Version of this structure.", at_start=True)] = 1
    sector_size_m: Annotated[
        int, _meta("metres", 200, 100_000, "Side of a sector, which is a square.", at_start=True)
    ] = 2_000
    ship_speed_mm_per_tick: Annotated[
        int, _meta("millimetres per tick", 100, 1_000_000, "Speed of a ship on a leg; 6,000 is 60 metres a second.")
    ] = 6_000
    ship_capacity: Annotated[int, _meta("volume units", 1, 1_000_000, "What the hold of a freighter takes.")] = 400
    jump_ticks: Annotated[int, _meta("ticks", 1, 36_000, "Time between entering a gate and coming out.")] = 50
    dock_ticks: Annotated[int, _meta("ticks", 0, 36_000, "Time that docking takes; undocking takes none.")] = 10
    queue_limit: Annotated[
        int,
        _meta(
            "entries", 1, 1_000, "Entries a ship's queue may hold; one order or job into an empty queue always fits."
        ),
    ] = 64
    cycle_percent: Annotated[
        int, _meta("percent", 1, 10_000, "Length of every production cycle against the recipe's; 50 is twice as fast.")
    ] = 100
    initial_stock_percent: Annotated[
        int, _meta("percent", 0, 100, "How full the stations' stocks are at tick 0.", at_start=True)
    ] = 50
    price_spread_percent: Annotated[
        int, _meta("percent", 0, 90, "How far a price lies above the base price when empty, and below it when full.")
    ] = 30
    starting_credits: Annotated[
        int, _meta("centi-credits", 0, 10**15, "What a player owns on joining; 10,000,000 are 100,000 credits.")
    ] = 10_000_000
    company_percent: Annotated[
        int,
        _meta(
            "percent",
            0,
            1_000,
            "Ships of the scenario's own companies against its file; 0 leaves players alone.",
            at_start=True,
        ),
    ] = 100
    dispatch_ticks: Annotated[
        int, _meta("ticks", 1, 36_000, "Time within which a ship that becomes free is considered for a trade.")
    ] = 100
    trade_patience_ticks: Annotated[
        int, _meta("ticks", 1, 3_600_000, "How long an auto-trading ship holds before it gives its job up.")
    ] = 6_000
    trade_range_jumps: Annotated[
        int, _meta("jumps", 0, 1_000, "Most gates between the two stations of an auto-trade.")
    ] = 6
    least_load_percent: Annotated[
        int, _meta("percent", 1, 100, "How much of its hold a ship must fill for an auto-trade to be worth while.")
    ] = 25
    storm_rate: Annotated[
        int, _meta("storms in 100 hours", 0, 36_000, "How often a storm closes a passage, on average; 0 is never.")
    ] = 0
    storm_ticks: Annotated[int, _meta("ticks", 1, 3_600_000, "How long a storm keeps a passage closed.")] = 3_000
    trade_fee_permille: Annotated[
        int, _meta("per mille", 0, 500, "What a ship's owner pays for each trade, of the wares' total.")
    ] = 5
    ships_limit: Annotated[int, _meta("ships", 1, 10_000, "How many ships a player may have by buying more.")] = 20
    ship_resale_percent: Annotated[
        int, _meta("percent", 0, 100, "What a ship fetches when it is sold, of the price of its class.")
    ] = 70
    minimum_stock_percent: Annotated[
        int, _meta("percent", 0, 90, "How full a stock stays: stations sell only what lies above.")
    ] = 0
    fog: Annotated[
        int,
        _meta(
            "0 or 1",
            0,
            1,
            "Whether players see only the sectors that are charted or that they discovered.",
            at_start=True,
        ),
    ] = 0
    charted_jumps: Annotated[
        int,
        _meta(
            "jumps", 0, 1_000, "Under fog: how far around the hubs everything is charted at the start.", at_start=True
        ),
    ] = 0
    discovery_ticks: Annotated[
        int, _meta("ticks", 0, 36_000_000, "Under fog: time in which surveyors chart one more sector; 0 is never.")
    ] = 0


@cache
def table() -> tuple[RuleField, ...]:
    """Every rule with default, range, unit and a sentence, in the order of the structure."""
    hints = get_type_hints(Rules, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Rules):
        meta: Any = get_args(hints[field.name])[1]
        rows.append(
            RuleField(
                field.name,
                field.default,
                meta.ge,
                meta.le,
                meta.extra["unit"],
                meta.description,
                meta.extra["at_start"],
            ),
        )
    return tuple(rows)


def load(settings: object) -> Rules:
    """The rules from plain values; what is not named keeps its default.

    Args:
        settings: `{field: whole number}`.

    Raises:
        ConfigError: an unknown field, a wrong type or a value out of range; the message says what is allowed.
    """
    found = mistakes(settings)
    if found:
        raise ConfigError("\n".join(text for _, text in found))
    return Rules(**{name: _whole(value) for name, value in cast("Mapping[str, Any]", settings).items()})


def mistakes(settings: object) -> list[tuple[tuple[str, ...], str]]:
    """All that is wrong in plain settings: where, and what is allowed."""
    if not isinstance(settings, Mapping):
        return [(("rules",), f"rules: expected a table of fields and whole numbers, got {settings!r}.")]
    rows = {row.name: row for row in table()}
    found: list[tuple[tuple[str, ...], str]] = []
    likeness = Likeness()
    for name, value in settings.items():
        if len(found) >= _MOST_WRONG:
            found.append((("rules",), f"rules: {len(settings)} were given; mend these first, then see the others."))
            break
        if name not in rows:
            near = likeness.nearest(name, rows)
            hint = f"did you mean {near!r}? " if near else ""
            text = f"rules: unknown key {shown(name)}; {hint}allowed are {', '.join(rows)}."
            found.append((("rules", str(name)), text))
        elif problem := _problem(rows[name], value):
            found.append((("rules", name), problem))
    return found


def _whole(value: Any) -> Any:
    """The whole number that a notebook's number is, e.g. one of numpy; anything else as it is."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def changed(rules: Rules, changes: Mapping[str, Any]) -> Rules | Rejected:
    """The rules with some fields changed while a game runs, or why that cannot be.

    Args:
        rules: those in force.
        changes: `{field: whole number}` from anybody.
    """
    rows = {row.name: row for row in table()}
    if not changes:
        return Rejected("bad_rule", "Name at least one rule and its new value; `gamekit rules` lists them.")
    for name, value in changes.items():
        row = rows.get(name)
        if row is None:
            alike = [one for one in rows if set(one.split("_")) & set(name.split("_"))]
            hint = f"did you mean {', '.join(alike)}?" if alike else "`gamekit rules` lists them."
            return Rejected("bad_rule", f"There is no rule {name[:40]!r}; {hint}")
        if problem := _problem(row, value):
            return Rejected("bad_rule", problem)
        if row.at_start and value != getattr(rules, name):
            return Rejected(
                "fixed_rule", f"rules.{name} counts only when a game is made; make a new game with it instead."
            )
    return msgspec.structs.replace(rules, **{name: _whole(value) for name, value in changes.items()})


def _problem(row: RuleField, value: object) -> str | None:
    value = _whole(value)
    if type(value) is int and row.low <= value <= row.high:
        return None
    return f"rules.{row.name}: expected a whole number of {row.unit} from {row.low} to {row.high}, got {shown(value)}."
