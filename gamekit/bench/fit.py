"""How cost grows with size: `cost = a * size ** b`, by least squares on logarithms, with the interval of `b`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from gamekit.errors import ConfigError
from gamekit.interval import t_quantile

#: Points below which there is nothing to say about an interval.
FEWEST = 3


class Fit(NamedTuple):
    """`cost = scale * size ** exponent`, and the 95 percent interval of the exponent."""

    scale: float
    exponent: float
    low: float
    high: float

    def at(self, size: float) -> float:
        """The cost that is expected at this size."""
        return float(self.scale * size**self.exponent)


def power_law(sizes: Sequence[float], costs: Sequence[float]) -> Fit:
    """The straight line through the logarithms.

    Args:
        sizes, costs: above 0, as many of one as of the other, at least `FEWEST`, of which two sizes differ.

    Raises:
        ConfigError: the points do not decide a line and its interval.
    """
    points = len(sizes)
    if points != len(costs) or points < FEWEST or len(set(sizes)) < 2:
        raise ConfigError(f"An exponent needs at least {FEWEST} sizes with their costs; got {points} and {len(costs)}.")
    if min(*sizes, *costs) <= 0:
        raise ConfigError("A cost or a size is 0, which has no logarithm; measure longer.")
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle_x, middle_y = sum(x) / points, sum(y) / points
    spread = sum((one - middle_x) ** 2 for one in x)
    slope = sum((one - middle_x) * (other - middle_y) for one, other in zip(x, y, strict=True)) / spread
    rest = sum((other - middle_y - slope * (one - middle_x)) ** 2 for one, other in zip(x, y, strict=True))
    free = points - 2
    half = t_quantile(0.975, free) * math.sqrt(rest / free / spread)
    return Fit(math.exp(middle_y - slope * middle_x), slope, slope - half, slope + half)
