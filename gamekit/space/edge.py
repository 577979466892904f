"""The edge of a sector, on which its gates stand beside each other.

A gate stands on the side of the neighbour that it leads to. Two that lead the same way would stand on one point, where
neither can be told from the other; the later one stands aside, as near as there is room.
"""

from __future__ import annotations

from bisect import bisect_left, insort

#: Gates stand at least so many parts of half a side apart: 60 m in a sector of 2,000 m.
_APART = 15


class Edge:
    """The places on a square around a sector's centre that are taken.

    Args:
        half: half of the square's side, in metres.
        gates: how many gates will stand on it; with very many they stand closer together.
    """

    def __init__(self, half: int, gates: int) -> None:
        self._half = half
        self._round = 8 * half
        self._apart = max(1, min(half // _APART, self._round // (2 * gates + 2)))
        #: How far around the square the gates stand that were placed, sorted.
        self._taken: list[int] = []

    def free(self, x: int, y: int) -> tuple[int, int]:
        """The place for a gate that would stand at a point of the edge: there, or the nearest free one beside it."""
        wanted = self._along(x, y)
        for step in range(self._round // self._apart + 1):
            for way in (step, -step):
                place = (wanted + way * self._apart) % self._round
                if self._is_free(place):
                    insort(self._taken, place)
                    return self._at(place) if step else (x, y)
        return x, y

    def _is_free(self, place: int) -> bool:
        taken = self._taken
        if not taken:
            return True
        at = bisect_left(taken, place)
        after, before = taken[at % len(taken)], taken[at - 1]
        return min((after - place) % self._round, (place - before) % self._round) >= self._apart

    def _along(self, x: int, y: int) -> int:
        """How far around the square a point of it is, from its upper left corner on, clockwise."""
        half = self._half
        if y == -half:
            return x + half
        if x == half:
            return 3 * half + y
        if y == half:
            return 5 * half - x
        return (7 * half - y) % self._round

    def _at(self, along: int) -> tuple[int, int]:
        half = self._half
        side, rest = divmod(along, 2 * half)
        return ((rest - half, -half), (half, rest - half), (half - rest, half), (-half, half - rest))[side]
