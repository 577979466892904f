"""How sure a mean is: one interval for every study and benchmark, without SciPy.

Student's t up to nine values; from ten on Hall's transformation of t, which follows the values' skewness. Which method
is used where was decided by measuring how often the interval holds the true mean (see `docs/adr/0033-intervals.md`, and
`tests/test_interval.py`, which measures it again). One value has no interval.

Sources: W. S. Gosset, "The Probable Error of a Mean", Biometrika 6, 1908; P. Hall, "On the Removal of Skewness by
Transformation", Journal of the Royal Statistical Society B 54, 1992; the incomplete beta function: NIST Digital Library
of Mathematical Functions, 8.17.22.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from statistics import fmean

#: From so many values on their skewness says more about the mean's than about their luck.
FEWEST_SKEWED = 10
#: Spread below this share of the values themselves is the rounding of floats.
_ROUNDING = 1e-12


def mean_interval(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """The interval in which the mean of all such values lies with the confidence asked for.

    Args:
        values: independent values; of fewer than two the ends are NaN.
        confidence: the share of intervals that hold the true mean, e.g. 0.95.

    Returns:
        The two ends, in the values' unit; both are the mean when all values are equal.
    """
    count = len(values)
    if count < 2:
        return math.nan, math.nan
    mean = fmean(values)
    # The squares of very large or very small values must stay within what a float holds.
    scale = max(abs(value) for value in values)
    if scale == 0 or math.isinf(scale) or no_spread(values):
        return mean, mean
    rests = [(value - mean) / scale for value in values]
    spread = math.sqrt(math.fsum(rest**2 for rest in rests) / (count - 1))
    error = scale * spread / math.sqrt(count)
    bound = t_quantile((1 + confidence) / 2, count - 1)
    if count < FEWEST_SKEWED:
        return mean - bound * error, mean + bound * error
    skewness = count * math.fsum((rest / spread) ** 3 for rest in rests) / ((count - 1) * (count - 2))
    bend = skewness / math.sqrt(count)
    return mean - _bent(bound, bend) * error, mean - _bent(-bound, bend) * error


def no_spread(values: Sequence[float]) -> bool:
    """Whether all values are equal, but for the rounding of floats."""
    low, high = min(values), max(values)
    return high - low <= _ROUNDING * max(abs(low), abs(high))


@cache
def t_quantile(share: float, freedom: int) -> float:
    """The quantile of Student's t.

    Args:
        share: from 0.5 to less than 1: of values that lie below it; 0.975 for a two-sided interval of 95 percent.
        freedom: degrees of freedom, at least 1.
    """
    if not 0.5 <= share < 1 or freedom < 1:
        raise ValueError(f"share: from 0.5 to less than 1, got {share}; freedom: at least 1, got {freedom}.")
    tails = 2 * (1 - share)
    # `_tails` grows with x = freedom / (freedom + t * t), and stays exact where t is large.
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if _tails(middle, freedom) < tails else (low, middle)
    return math.sqrt(freedom * (1 - high) / high)


def _tails(x: float, freedom: int) -> float:
    """The share of Student's t outside plus and minus t: the incomplete beta function I_x(freedom / 2, 1 / 2)."""
    a, b = freedom / 2, 0.5
    front = math.exp(a * math.log(x) + b * math.log1p(-x) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / (1 + step * d or tiny)
            c = 1 + step / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _bent(bound: float, bend: float) -> float:
    """Hall's transformation backwards: which t has this bound, where values are skewed.

    Hall's g(t) = t + bend t^2 / 3 + bend^2 t^3 / 27 + bend / 6 is a cube, so it can be undone for any skewness.
    """
    if abs(bend) < 1e-6:
        return bound
    return 3 / bend * (math.cbrt(1 + bend * (bound - bend / 6)) - 1)
