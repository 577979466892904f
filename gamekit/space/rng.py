"""Randomness that needs no hidden state: a draw is a pure function of (seed, stream, counter).

A fork of a game, or a replay from the middle, draws the same numbers because the numbers belong to their place and
not to a generator that somebody has to save. Integers only.

Source: the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15

#: Streams in use. A number is never given a second meaning, or old seeds would make other games.
STREAM_GALAXY = 1
STREAM_LINKS = 2
STREAM_NAMES = 3
STREAM_STATIONS = 4
STREAM_PLACES = 5
STREAM_TRAFFIC = 6
STREAM_STORMS = 7
STREAM_SWEEP = 9
STREAM_SURVEYS = 11


def _mixed(z: int) -> int:
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def draw(seed: int, stream: int, counter: int) -> int:
    """A number from 0 to 2**64 - 1, evenly distributed, that depends on nothing but the arguments."""
    return _mixed((_mixed((_mixed(seed + _GOLDEN & _MASK) + stream * _GOLDEN) & _MASK) + counter * _GOLDEN) & _MASK)


class Stream:
    """Successive draws of one stream, for code that builds something in one go."""

    __slots__ = ("_counter", "_seed", "_stream")

    def __init__(self, seed: int, stream: int) -> None:
        self._seed = seed
        self._stream = stream
        self._counter = 0

    def below(self, limit: int) -> int:
        """The next number from 0 to `limit - 1`; the bias is below `limit / 2**64`."""
        number = draw(self._seed, self._stream, self._counter)
        self._counter += 1
        return number * limit >> 64

    def between(self, low: int, high: int) -> int:
        """The next number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`, which must not be empty."""
        return choices[self.below(len(choices))]

    def shuffle(self, items: list[T]) -> None:
        """Put `items` in a random order, in place (Fisher and Yates)."""
        for last in range(len(items) - 1, 0, -1):
            other = self.below(last + 1)
            items[last], items[other] = items[other], items[last]
