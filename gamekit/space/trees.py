"""Trees of soonest ways from a gate, for many ships that are planned from one sector.

A tree grows as far as somebody asks and is kept until a gate opens or closes. Its labels are what a search from a
ship's place finds, less the leg to the gate; so ways read off the trees of a sector's gates are those that the search
gives, also among ways that take equally long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

from gamekit.game import Tick
from gamekit.space.model import Gate

#: What comes before the first gate of a way.
START = -1
#: Whether a closed gate is known to open again.
Ends: TypeAlias = Callable[[Gate], bool]


class Tree:
    """The soonest ways through open gates, from the front of one.

    Attributes:
        labels: `{number of a gate: (ticks to its front, jumps, number of the gate before)}`.
        ahead: a heap of the same with the number, for the gates that come next.
        storm: the soonest that a way comes to a gate that is closed by a storm; None as long as none does.
    """

    __slots__ = ("ahead", "labels", "storm")

    def __init__(self, root: int) -> None:
        self.labels: dict[int, tuple[Tick, int, int]] = {}
        self.ahead: list[tuple[Tick, int, int, int]] = [(0, 1, root, START)]
        self.storm: Tick | None = None

    def grow(self, onward: Sequence[Sequence[tuple[Tick, int]]], gates: Sequence[Gate], ends: Ends) -> int | None:
        """Take in the next gate; its number, or None when it was there already.

        Args:
            onward: for each gate's number, how long it is to the next ones, and their numbers.
            gates: by number.
            ends: whether a closed gate is known to open again.
        """
        ticks, jumps, number, before = heappop(self.ahead)
        if number in self.labels:
            return None
        self.labels[number] = ticks, jumps, before
        for more, following in onward[number]:
            if following in self.labels:
                continue
            if gates[following].open:
                heappush(self.ahead, (ticks + more, jumps + 1, following, number))
            elif ends(gates[following]) and (self.storm is None or ticks + more < self.storm):
                self.storm = ticks + more
        return number


def soonest(
    roots: Sequence[tuple[Tick, Tree]],
    lasts: Mapping[int, Tick],
    onward: Sequence[Sequence[tuple[Tick, int]]],
    gates: Sequence[Gate],
    ends: Ends,
) -> tuple[list[Gate] | None, Tick | None]:
    """The way through the trees of a sector's gates to a goal.

    Args:
        roots: the leg to each gate, and its tree.
        lasts: `{number of a gate into the goal's sector: ticks from its front to the goal}`.
        onward, gates, ends: as for `Tree.grow`.

    Returns:
        The gates to enter, or None when there is no way; and how long it takes.
    """
    best: tuple[Tick, int, int] | None = None
    for leg, tree in roots:
        labels = tree.labels
        for number, last in lasts.items():
            if number in labels:
                ticks, jumps, _ = labels[number]
                found = leg + ticks + last, jumps, number
                best = found if best is None else min(best, found)
        while tree.ahead and (best is None or leg + tree.ahead[0][0] < best[0]):
            grown = tree.grow(onward, gates, ends)
            if grown is not None and grown in lasts:
                ticks, jumps, _ = labels[grown]
                found = leg + ticks + lasts[grown], jumps, grown
                best = found if best is None else min(best, found)
    if best is None:
        return None, None
    way: list[Gate] = []
    number = best[2]
    while number != START:
        way.append(gates[number])
        labelled = (
            (leg + label[0], label[1], label[2])
            for leg, tree in roots
            if (label := tree.labels.get(number)) is not None
        )
        number = min(labelled)[2]
    way.reverse()
    return way, best[0]
