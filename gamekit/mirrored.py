"""What mirrors hold of a small game's state, so that a patch can tell what has gone.

A client holds a view and merges patches into it. A patch made from the state alone cannot name what is no longer in the
state, so this module remembers, beside each state and for each viewer, which rows were shown. It owns that memory and
nothing else: it is no part of the state, is never encoded, and decides nothing about the game.

Invariant: `Mirrors.base` holds every row that any mirror of the viewer may hold before the patch being made. It may
hold more: telling a mirror that a row is gone which it never had changes nothing there.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from gamekit.game import Changes, Event, PlayerId, View

#: {table: {row id: names of the row's fields}}
Rows: TypeAlias = dict[str, dict[str, tuple[str, ...]]]

#: Rows of one table that are remembered for a viewer; of more, those shown first are forgotten. A viewer for whom no
#: patch is made, because they only ask for the state now and then, would otherwise add rows for ever.
ROWS_KEPT = 4096


def rows_of(view: View) -> Rows:
    """The rows of a view and the names of their fields; tables that are no mappings have none."""
    return {
        table: {key: tuple(fields) if isinstance(fields, dict) else () for key, fields in rows.items()}
        for table, rows in view.items()
        if isinstance(rows, dict)
    }


def together(some: Rows, more: Rows) -> Rows:
    """The rows and fields that are in either."""
    both = dict(some)
    for table, rows in more.items():
        held = both.get(table, {})
        both[table] = held | {key: (*held.get(key, ()), *fields) for key, fields in rows.items()}
    return both


def gone(base: Rows, view: View) -> Changes:
    """The patch that takes out of a mirror what `view` has no more: rows as None, fields of a row as None.

    Args:
        base: what the mirror may hold.
        view: what the viewer may see now.
    """
    patch: Changes = {}
    for table, rows in base.items():
        now = view.get(table)
        seen: dict[str, Any] = now if isinstance(now, dict) else {}
        lost: dict[str, Any] = {}
        for key, fields in rows.items():
            row = seen.get(key)
            if row is None:
                lost[key] = None
            elif isinstance(row, dict) and (hidden := [name for name in fields if name not in row]):
                lost[key] = dict.fromkeys(hidden)
        if lost:
            patch[table] = lost
    return patch


def joined(patch: Changes, more: Changes) -> Changes:
    """Both patches as one; where both have fields of one row, `more` adds to them."""
    both = dict(patch)
    for table, rows in more.items():
        held = both.get(table)
        merged: dict[str, Any] = dict(held) if isinstance(held, dict) else {}
        for key, fields in rows.items():
            row = merged.get(key)
            merged[key] = {**row, **fields} if isinstance(row, dict) and isinstance(fields, dict) else fields
        both[table] = merged
    return both


class _Viewer:
    """What the mirrors of one viewer hold: `base` before the latest patch, `now` after it."""

    __slots__ = ("base", "batch", "now")

    def __init__(self, held: Rows) -> None:
        self.base = self.now = held
        self.batch = -1


class Mirrors:
    """What the mirrors of one state hold, for each viewer.

    Args:
        origin: gives the view that a viewer had of the state as it was made or decoded. A viewer who is asked for
            first in the middle of a game may hold a mirror from before, e.g. one that stayed connected while the
            session was not in memory.
    """

    def __init__(self, origin: Callable[[PlayerId | None], View]) -> None:
        self._origin = origin
        self._viewers: dict[PlayerId | None, _Viewer] = {}
        self._batch = 0
        self._events: Sequence[Event] | None = None
        self._mark = b""

    def viewed(self, player: PlayerId | None, view: View) -> None:
        """A mirror may begin from this view."""
        viewer = self._viewer(player)
        held = viewer.now
        for table, rows in rows_of(view).items():
            known = held.get(table, {})
            if all(known.get(key) == fields for key, fields in rows.items()):
                continue
            both = known | {key: (*known.get(key, ()), *fields) for key, fields in rows.items()}
            if len(both) > ROWS_KEPT:
                both = dict(list(both.items())[-ROWS_KEPT:])
            held = held | {table: both}
        viewer.now = held

    def base(self, player: PlayerId | None, events: Sequence[Event], mark: Callable[[], bytes]) -> Rows:
        """What the viewer's mirrors may hold before the patch for `events`.

        Asked again for the same events, or while the state is the same, it gives the same: each viewer's patch is made
        on its own, and a public one may be asked for several times.

        Args:
            player: the viewer; None is a spectator.
            events: those that the patch is made for.
            mark: the state as bytes, asked for only when the events are others than last time.
        """
        if events is not self._events:
            self._events = events
            now = mark()
            if now != self._mark:
                self._mark = now
                self._batch += 1
        viewer = self._viewer(player)
        if viewer.batch != self._batch:
            viewer.batch = self._batch
            viewer.base = viewer.now
        return viewer.base

    def patched(self, player: PlayerId | None, view: View) -> None:
        """The viewer's mirrors got the patch that makes them `view`."""
        self._viewer(player).now = rows_of(view)

    def _viewer(self, player: PlayerId | None) -> _Viewer:
        viewer = self._viewers.get(player)
        if viewer is None:
            viewer = self._viewers[player] = _Viewer(rows_of(self._origin(player)))
        return viewer


#: {id of a state: the state, and its mirrors}
_of_states: dict[int, tuple[weakref.ref[Any], Mirrors]] = {}


def mirrors_of(state: Any, begin: Callable[[], Mirrors]) -> Mirrors:
    """The mirrors of a state, which live as long as it does.

    Args:
        state: any object that can be referred to weakly.
        begin: makes them, when this state has none yet.
    """
    key = id(state)
    held = _of_states.get(key)
    if held is not None and held[0]() is state:
        return held[1]
    mirrors = begin()

    def forget(dead: weakref.ref[Any]) -> None:
        entry = _of_states.get(key)
        if entry is not None and entry[0] is dead:
            del _of_states[key]

    _of_states[key] = (weakref.ref(state, forget), mirrors)
    return mirrors
