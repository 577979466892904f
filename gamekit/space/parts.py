"""Work in parts: what may take long is a generator that yields wherever it may be left and taken up again.

The parts of one piece of work are done in their order and nothing else is done to the state between them, so whether
somebody else has the processor meanwhile changes nothing. A part takes some milliseconds at most, whatever a game is
made of; the counts below keep it so.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

#: Work that yields between its parts, and returns its result.
Parts: TypeAlias = Generator[None, None, T]

#: So many steps of about a microsecond make a part.
STEPS = 500


def at_once(parts: Parts[T]) -> T:
    """The result of work that is done without a pause."""
    while True:
        try:
            next(parts)
        except StopIteration as end:
            result: T = end.value
            return result
