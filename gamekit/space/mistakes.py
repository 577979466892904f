"""Mistakes in what a designer wrote: gathered, so that all of them are told at once, each with key, line and remedy."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from gamekit.errors import ConfigError
from gamekit.names import in_ascii

#: Where something stands: keys and indexes, e.g. `("sectors", 1, "id")`.
Path: TypeAlias = tuple[str | int, ...]

#: So many mistakes are told one by one.
_MOST_TOLD = 300
#: So many names are listed where one of them was meant.
_MOST_NAMES = 40
#: So many keys are named where several make the same mistake.
_MOST_KEYS = 8
#: Names are compared for likeness up to this length, and so many times for one text: each takes some 10 us.
_ALIKE_CHARS = 60
_MOST_COMPARED = 20_000


class Mistake(NamedTuple):
    """What is wrong with one value: where it stands, what it is called, and what to do."""

    path: Path
    key: str
    text: str


class Likeness:
    """Finds the name that was probably meant.

    After many comparisons it looks no further: a text of thousands of mistakes is checked as soon as one without.
    """

    def __init__(self) -> None:
        self._left = _MOST_COMPARED

    def nearest(self, named: object, allowed: Collection[str]) -> str | None:
        """The one of the allowed names that is most like what was given; None where none is, or was looked at."""
        text = str(named)
        if self._left <= 0 or len(text) > _ALIKE_CHARS:
            return None
        compared = [one for one in islice(allowed, self._left) if len(one) <= _ALIKE_CHARS]
        self._left -= len(allowed)
        near = get_close_matches(text.lower(), compared, 1, 0.75)
        return near[0] if near else None


class Mistakes:
    """The mistakes that were found so far.

    Args:
        source: the file, or the key of a configuration, that was read.
        lines: `{path: line}` where the source has lines.
    """

    def __init__(self, source: str, lines: Mapping[Path, int] | None = None) -> None:
        self.source = source
        self.found: list[Mistake] = []
        self._lines = lines or {}
        self._listed: set[str] = set()
        self._likeness = Likeness()

    def add(self, path: Path, text: str, key: str | None = None) -> None:
        """Note what is wrong with the value at `path`; `key` is how it is called, by default the path itself."""
        self.found.append(Mistake(path, written(path) if key is None else key, text))

    def noted(self, path: Path) -> bool:
        """Whether something is wrong with the value at `path` already."""
        return any(one.path == path for one in self.found)

    def unknown(self, path: Path, what: str, named: object, allowed: Collection[str], key: str | None = None) -> None:
        """Note that something is named that does not exist, with the nearest name and those that are allowed."""
        near = self._likeness.nearest(named, allowed)
        text = f"unknown {what} {shown(named)}; "
        text += f"did you mean {near!r}? " if near else ""
        if not near or what not in self._listed:
            most = 10 if what in self._listed else _MOST_NAMES
            self._listed.add(what)
            names = [cut(name) for name in islice(allowed, most)]
            text += f"allowed are {', '.join(names)}{', ...' if len(allowed) > most else ''}."
        self.add(path, text.rstrip(), key)

    def tell(self) -> None:
        """Do nothing when all is well.

        Raises:
            ConfigError: there are mistakes; the message has a line for each.
        """
        if not self.found:
            return
        told = sorted(self.found, key=lambda one: (self._line(one.path) or 0, *map(_sortable, one.path)))
        lines = [
            _visible(f"{self.source}: {self._place(one)}{one.key}{': ' if one.key else ''}{one.text}")
            for one in told[:_MOST_TOLD]
        ]
        more = len(told) - _MOST_TOLD
        if more > 0:
            lines.append(f"{self.source}: and {more} more mistakes; mend these first.")
        if len(lines) > 1:
            lines.append(f"{self.source}: {len(told)} mistakes.")
        raise ConfigError("\n".join(lines))

    def _place(self, mistake: Mistake) -> str:
        line = self._line(mistake.path)
        return f"line {line}: " if line else ""

    def _line(self, path: Path) -> int | None:
        """The line of a value, or of what it stands in."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return None


def _visible(text: str) -> str:
    """A line in which everything can be seen: what a key holds is a designer's, and may be anything."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _sortable(step: str | int) -> str:
    return f"{step:09}" if isinstance(step, int) else step


def written(path: Path) -> str:
    """A path as people write it, e.g. "sectors[1].id"."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{cut(step)}" if text else cut(step)
    return text


def shown(value: Any) -> str:
    """A value as it is told: its repr, cut where it is long."""
    return cut(ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value))


def cut(text: str) -> str:
    """A text of up to 60 characters; a longer one without its end."""
    return text if len(text) <= 60 else text[:57] + "..."


def listed(keys: Iterable[str], *, commas: bool = False) -> str:
    """Some keys in a row: "a", "a and b" (with `commas` "a, b"), "a, b and 3 more"."""
    names = list(keys)
    if len(names) > _MOST_KEYS:
        return f"{', '.join(names[:_MOST_KEYS])} and {len(names) - _MOST_KEYS} more"
    if commas:
        return ", ".join(names)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def slug(text: str, taken: Collection[str], otherwise: str) -> str:
    """An id that would do for a name, and that nothing else has.

    Args:
        text: the name, or what was given for an id.
        taken: the ids in use.
        otherwise: what to begin with where nothing of the name can be kept.
    """
    base = re.sub("[^a-z0-9]+", "-", in_ascii(text[:200]).lower()).strip("-")[:50].strip("-") or otherwise
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{base}-{number}"
    return found
