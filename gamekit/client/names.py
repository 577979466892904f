"""From the names people use to the ids that commands carry.

Ids, exact names and names in any case all find their entity. What finds nothing raises `UnknownName`, which lists the
closest names, so that a typing mistake is corrected without leaving the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from gamekit.errors import UnknownName
from gamekit.game import View

#: {id: {"name": ..., ...}}, one table of a view
Table = Mapping[str, Mapping[str, Any]]


def named(wanted: Any, what: str) -> str:
    """What people say for an entity, as text: its id or name, or its handle.

    Raises:
        UnknownName: it is neither.
    """
    said = wanted if isinstance(wanted, str) else getattr(wanted, "id", None)
    if not isinstance(said, str):
        raise UnknownName(f"Say which {what} by its name or id, or give its handle; not {wanted!r}.")
    return said


def find(table: Table, wanted: Any, what: str) -> str:
    """The id of the entity with this id or name.

    Args:
        table: the entities by id.
        wanted: an id or a name, or a handle; upper and lower case do not matter unless only they tell two names apart.
        what: one word for what is looked for, for the message.

    Raises:
        UnknownName: there is none, or several.
    """
    wanted = named(wanted, what)
    found = matches(table, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise UnknownName(f"Several have the name {wanted!r}: {', '.join(found)}. Use one of these ids.")
    raise UnknownName(_not_found(wanted, what, [table]))


def matches(table: Table, wanted: str) -> list[str]:
    """The ids of all entities that `wanted` may mean: by id, else by exact name, else by name in any case."""
    if wanted in table:
        return [wanted]
    if not wanted:
        return []  # what has no name, such as gates, is not called by that
    exact = [key for key, entity in table.items() if entity.get("name") == wanted]
    if exact:
        return exact
    folded = wanted.casefold()
    return [key for key, entity in table.items() if folded in {key.casefold(), str(entity.get("name", "")).casefold()}]


def destination(view: View, place: Any) -> dict[str, str]:
    """Where a move to the place of this name, or with this handle, goes: the `to` of a move, without coordinates.

    A sector comes before a station, a station before a gate, when several have the name.

    Raises:
        UnknownName: no such place.
    """
    place = named(place, "place")
    tables: list[Table] = []
    for key, what in (("sectors", "sector"), ("stations", "station"), ("gates", "gate")):
        table: Table = view.get(key, {})
        tables.append(table)
        if matches(table, place):
            return {what: find(table, place, what)}
    raise UnknownName(_not_found(place, "place", tables))


def _not_found(wanted: str, what: str, tables: list[Table]) -> str:
    # Names are shown rather than the ids that differ from them in case only.
    folded = {key.casefold(): key for table in tables for key in table}
    folded |= {str(e["name"]).casefold(): str(e["name"]) for table in tables for e in table.values() if "name" in e}
    close = [folded[name] for name in get_close_matches(wanted.casefold(), list(folded), n=4, cutoff=0.5)]
    if close:
        return f"There is no {what} {wanted!r}. Did you mean {', '.join(close)}?"
    known = sorted(str(entity.get("name", key)) for table in tables for key, entity in table.items())
    shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"There is no {what} {wanted!r}. Known are: {shown or 'none'}."
