"""The first time that rules are used, nobody else uses them.

msgspec looks at a type when it is first decoded, and puts what it finds on the class before it is complete; another
thread that decodes the same type in that moment reads what is not there yet, and the process dies of it (SIGSEGV, seen
with msgspec 0.22 when two threads rebuilt the first two games of a server). Games are made and rebuilt in threads, so
each way of using a game's types is gone once by one thread alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from gamekit.game import Game

_alone = threading.RLock()
#: {class of rules: the ways in which it was used to the end}
_used: WeakKeyDictionary[type[Any], set[str]] = WeakKeyDictionary()


@contextmanager
def first_use(game: Game[Any], way: str) -> Iterator[None]:
    """The block runs alone until one such block of these rules has come to its end; from then on it costs nothing.

    Args:
        game: the rules.
        way: what is done with them, e.g. "make" or "load".
    """
    ways = _used.setdefault(type(game), set())
    if way in ways:
        yield
        return
    with _alone:
        yield
    ways.add(way)
