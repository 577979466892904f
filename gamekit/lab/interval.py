"""How sure a mean is: the percentile bootstrap, for whoever compares runs."""

from __future__ import annotations

from collections.abc import Sequence

#: Resamples of the bootstrap.
RESAMPLES = 10_000
#: Seed of its generator: the same values give the same interval.
SEED = 20_000


def bootstrap(values: Sequence[float], confidence: float) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean.

    Args:
        values: at least one.
        confidence: the share of intervals that shall hold the mean, e.g. 0.95.
    """
    import numpy as np

    drawn = np.asarray(values, dtype=float)
    chance = np.random.default_rng(SEED)
    means = drawn[chance.integers(0, len(drawn), (RESAMPLES, len(drawn)))].mean(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
