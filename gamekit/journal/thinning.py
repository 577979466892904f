"""Which snapshots of a game are kept: the first, the latest few, and one for every hour of game time.

The rule is applied once for every snapshot saved, to the one that has just left the latest few. It goes when the kept
one before it is of the same hour. So of each hour the first snapshot stays, the cost of a save does not grow with the
age of the game, and the very first snapshot, which has none before it, is never dropped. Nor is the first of a version
of the rules: what came before it was lived by other code, and only from there on can this code show it again.
"""

from __future__ import annotations

import msgspec

from gamekit.game import TICK_HZ, Tick

#: This many of the latest snapshots always stay.
KEEP_LATEST = 10
#: Of older ones, one stays for every so many ticks (an hour of game time).
KEEP_EVERY_TICKS = 3600 * TICK_HZ


class Retention(msgspec.Struct, frozen=True):
    """How many snapshots stay: the `latest` few, and of older ones one for every so many ticks."""

    latest: int = KEEP_LATEST
    every_ticks: Tick = KEEP_EVERY_TICKS


def drops(candidate: Tick, before: Tick | None, *, first_of_version: bool = False) -> bool:
    """Whether a snapshot that has left the latest few goes, where nobody said otherwise.

    Args:
        candidate: its tick.
        before: the tick of the one kept before it, or None when it is the game's first.
        first_of_version: the one before it is of another version of the rules.
    """
    if before is None or first_of_version:
        return False
    return candidate // KEEP_EVERY_TICKS == before // KEEP_EVERY_TICKS
