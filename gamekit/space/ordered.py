"""A sorted collection of pairs in blocks: adding and removing one costs about the same whatever its size."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import TypeAlias

Key: TypeAlias = tuple[int, int]

#: A block that grows beyond this is cut in two.
_BLOCK = 1_024


class Ordered:
    """Pairs of integers, each at most once, smallest first."""

    __slots__ = ("_blocks", "_lasts")

    def __init__(self) -> None:
        self._blocks: list[list[Key]] = []
        #: The last key of each block.
        self._lasts: list[Key] = []

    def __iter__(self) -> Iterator[Key]:
        return (key for block in self._blocks for key in block)

    def add(self, key: Key) -> None:
        """Take in a key that is not there yet."""
        blocks, lasts = self._blocks, self._lasts
        if not blocks:
            blocks.append([key])
            lasts.append(key)
            return
        at = min(bisect_left(lasts, key), len(blocks) - 1)
        block = blocks[at]
        insort(block, key)
        if len(block) > _BLOCK:
            half = len(block) // 2
            blocks[at : at + 1] = [block[:half], block[half:]]
            lasts[at : at + 1] = [block[half - 1], block[-1]]
        else:
            lasts[at] = block[-1]

    def remove(self, key: Key) -> None:
        """Take out a key that is there."""
        blocks, lasts = self._blocks, self._lasts
        at = bisect_left(lasts, key)
        block = blocks[at]
        del block[bisect_left(block, key)]
        if block:
            lasts[at] = block[-1]
        else:
            del blocks[at], lasts[at]

    def after(self, key: Key) -> Key | None:
        """The smallest key that is larger than `key`, or None."""
        at = bisect_right(self._lasts, key)
        if at == len(self._blocks):
            return None
        block = self._blocks[at]
        return block[bisect_right(block, key)]
