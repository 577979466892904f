"""Geometry: how long a leg takes, and where a ship on it is.

Distances are whole millimetres by `math.isqrt`, times are whole ticks rounded up, and positions on a leg are rounded to
the nearest metre; nothing depends on the machine.
"""

from __future__ import annotations

from math import isqrt
from typing import NamedTuple

from gamekit.game import Tick
from gamekit.space.model import OnLeg


class Place(NamedTuple):
    """A point of a sector in metres, and the station there when a ship is (or is to be) docked."""

    sector: str
    x: int
    y: int
    station: str | None = None


def leg_ticks(speed: int, dx: int, dy: int) -> Tick:
    """How long a ship of `speed` millimetres per tick takes over (dx, dy) metres; 0 only for no way at all."""
    return -(-isqrt((dx * dx + dy * dy) * 1_000_000) // speed)


def along(leg: OnLeg, tick: Tick) -> tuple[int, int]:
    """Where a ship on `leg` is at `tick`, in whole metres; clamped to the ends.

    What is left of a metre is not counted as flown: a ship that is given a new order is never ahead of itself.
    """
    if tick >= leg.arrive:
        return leg.to_x, leg.to_y
    length = leg.arrive - leg.depart
    gone = max(tick - leg.depart, 0)
    return leg.from_x + _part(leg.to_x - leg.from_x, gone, length), leg.from_y + _part(
        leg.to_y - leg.from_y, gone, length
    )


def _part(whole: int, gone: int, length: int) -> int:
    """`whole * gone / length`, rounded towards 0."""
    part = abs(whole) * gone // length
    return part if whole >= 0 else -part
