"""How many times as much one thing took as another, from runs that alternated, and how sure that is.

Machines are noisy, and slower in one minute than in the next. So runs alternate, what is compared is the ratio within
each round, and the interval says what other rounds of the same kind might have shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from gamekit.errors import ConfigError
from gamekit.interval import mean_interval


class Ratio(NamedTuple):
    """A ratio, and the ends of the interval in which it lies with the confidence asked for."""

    ratio: float
    low: float
    high: float


def ratio(taken: Sequence[float], base: Sequence[float], confidence: float = 0.95) -> Ratio:
    """The geometric mean of `taken / base` over rounds, with its interval; a single round has none (NaN).

    Args:
        taken, base: what both took in each round, in the same unit, in the same order.
        confidence: of the interval.

    Raises:
        ConfigError: the rounds do not match, there are none, or something took no time at all.
    """
    if len(taken) != len(base) or not taken:
        raise ConfigError(
            f"rounds: both sides need the same number of them, at least 1; got {len(taken)} and {len(base)}."
        )
    if min(*taken, *base) <= 0:
        raise ConfigError("A round took no time at all; play longer ones.")
    logs = [math.log(one / other) for one, other in zip(taken, base, strict=True)]
    low, high = mean_interval(logs, confidence)
    return Ratio(math.exp(sum(logs) / len(logs)), math.exp(low), math.exp(high))
