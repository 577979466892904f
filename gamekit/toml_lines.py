"""On which line each value of a TOML file stands: tomllib reads the values, and says nothing of their places.

The text is TOML already (tomllib took it), so this only follows brackets, strings, keys and comments.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TypeAlias

#: Keys and indexes, e.g. `("sectors", 1, "id")`.
Path: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_INLINE_BLANK = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRINGS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r'"""(?:[^\\]|\\.)*?"{3,5}',
        r"'''.*?'{3,5}",
        r'"(?:[^"\\\n]|\\.)*"',
        r"'[^'\n]*'",
    )
)
_SCALAR = re.compile(r"[^,\]\}\n#]+")


def lines_of(text: str) -> dict[Path, int]:
    """The line, counted from 1, of every key and every element of a list in a valid TOML text."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Path, int] = {}
        self._breaks = [one.start() for one in re.finditer("\n", text)]
        #: {path of a list of tables: how many came so far}
        self._tables: dict[Path, int] = {}

    def read(self) -> dict[Path, int]:
        here: Path = ()
        while self._skip(_BLANK) < len(self.text):
            if self.text[self.at] == "[":
                here = self._header()
            else:
                self._pair(here)
        return self.found

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match is not None else self.at
        return self.at

    def _note(self, path: Path) -> None:
        self.found.setdefault(path, bisect_right(self._breaks, self.at - 1) + 1)

    def _header(self) -> Path:
        several = self.text.startswith("[[", self.at)
        self.at += 2 if several else 1
        start = self.at
        path = self._resolved(self._key())
        if several:
            number = self._tables[path] = self._tables.get(path, -1) + 1
            self.at, end = start, self.at
            self._note(path)
            path = (*path, number)
            self._note(path)
            self.at = end
        else:
            self._note(path)
        self._skip(_INLINE_BLANK)
        self.at += 2 if several else 1
        return path

    def _resolved(self, keys: list[str]) -> Path:
        """A header's keys as a path: inside lists of tables the last table is meant."""
        path: Path = ()
        for index, key in enumerate(keys):
            path = (*path, key)
            if path in self._tables and index < len(keys) - 1:
                path = (*path, self._tables[path])
        return path

    def _key(self) -> list[str]:
        keys = []
        while True:
            self._skip(_INLINE_BLANK)
            if self.text[self.at] in "\"'":
                start = self.at
                self._string()
                keys.append(self.text[start + 1 : self.at - 1])
            else:
                start = self.at
                keys.append(self.text[start : self._skip(_BARE_KEY)])
                if self.at == start:
                    raise ValueError(f"no key at {start}")
            self._skip(_INLINE_BLANK)
            if not self.text.startswith(".", self.at):
                return keys
            self.at += 1

    def _pair(self, here: Path) -> None:
        start = self.at
        keys = self._key()
        end, self.at = self.at, start
        path = here
        for key in keys:
            path = (*path, key)
            self._note(path)
        self.at = end + 1  # the sign "="
        self._skip(_INLINE_BLANK)
        self._value(path)

    def _string(self) -> None:
        for pattern in _STRINGS:
            match = pattern.match(self.text, self.at)
            if match is not None:
                self.at = match.end()
                return
        raise ValueError(f"no string at {self.at}")

    def _value(self, path: Path) -> None:
        first = self.text[self.at]
        if first == "[":
            self.at += 1
            index = 0
            while self.text[self._skip(_BLANK)] != "]":
                self._note((*path, index))
                self._value((*path, index))
                index += 1
                if self.text[self._skip(_BLANK)] == ",":
                    self.at += 1
            self.at += 1
        elif first == "{":
            self.at += 1
            while self.text[self._skip(_BLANK)] != "}":
                self._pair(path)
                if self.text[self._skip(_BLANK)] == ",":
                    self.at += 1
            self.at += 1
        elif first in "\"'":
            self._string()
        else:
            self._skip(_SCALAR)
