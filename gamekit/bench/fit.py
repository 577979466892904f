"""How cost grows with size: `cost = a * size ** b`, by least squares on logarithms, with the interval of `b`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from gamekit.errors import ConfigError

#: Two-sided 95 percent quantiles of Student's t for 1, 2, ... degrees of freedom. Beyond its end the last one is used,
#: which is a little too wide. Source: any table, such as NIST/SEMATECH, e-Handbook of Statistical Methods, 1.3.6.7.2.
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)
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
    half = _T95[min(free, len(_T95)) - 1] * math.sqrt(rest / free / spread)
    return Fit(math.exp(middle_y - slope * middle_x), slope, slope - half, slope + half)
