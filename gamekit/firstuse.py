"""One thread alone has msgspec look at a type for the first time.

msgspec looks at a type when it is first decoded, and puts what it finds on the class before it is complete; another
thread that decodes the same type in that moment reads what is not there yet, and the process dies of it (SIGSEGV, seen
with msgspec 0.22). So every module makes the decoders of its own types when it is imported, which one thread does; the
types of a designer's game are looked at when the game is (`look_at`); and rules that keep other types to themselves are
used by one thread alone the first time (`first_use`). `tests/test_firstuse.py` counts what is looked at in threads.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from gamekit.game import Game

_alone = threading.RLock()
#: {class of rules: the ways in which it was used to the end}
_used: WeakKeyDictionary[type[Any], set[str]] = WeakKeyDictionary()


def look_at(*kinds: Any) -> None:
    """Have msgspec look at types that came with a game, before several threads decode them.

    Args:
        kinds: structs, unions of them or any other type; None, and what is no type, is passed over: whoever decodes it
            is told what is wrong with it.
    """
    with _alone:
        for kind in kinds:
            if kind is not None:
                with suppress(Exception):
                    msgspec.msgpack.Decoder(kind)


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
