"""Intervals of means: as often right as they say, with two values or twenty, straight or skewed."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from gamekit.interval import mean_interval, no_spread, t_quantile

#: Two-sided quantiles from the tables. Source: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
TABLE = {
    0.90: {1: 3.078, 2: 1.886, 5: 1.476, 10: 1.372, 30: 1.310, 100: 1.290},
    0.975: {1: 12.706, 2: 4.303, 3: 3.182, 5: 2.571, 10: 2.228, 19: 2.093, 30: 2.042, 100: 1.984},
    0.995: {1: 63.657, 2: 9.925, 5: 4.032, 10: 3.169, 30: 2.750, 100: 2.626},
    0.999: {1: 318.309, 2: 22.327, 5: 5.893, 10: 4.144, 30: 3.385, 100: 3.174},
}
SETS = 10_000
Draw = Callable[[random.Random], float]


def coverage(draw: Draw, truth: float, count: int, confidence: float = 0.95, sets: int = SETS) -> float:
    """The share of intervals that hold the truth."""
    chance = random.Random(1000 + count)
    held = 0
    for _ in range(sets):
        low, high = mean_interval([draw(chance) for _ in range(count)], confidence)
        held += low <= truth <= high
    return held / sets


def error_of(share: float, sets: int = SETS) -> float:
    """Three standard deviations of a share that was counted in so many sets."""
    return 3 * math.sqrt(share * (1 - share) / sets)


@pytest.mark.parametrize("share", TABLE)
def test_quantiles_of_t_are_those_of_the_tables(share: float) -> None:
    for freedom, quantile in TABLE[share].items():
        assert t_quantile(share, freedom) == pytest.approx(quantile, abs=6e-4)


def test_quantiles_are_exact_where_t_has_a_closed_form_and_normal_in_the_end() -> None:
    for share in (0.6, 0.9, 0.975, 0.99999):
        tails = 2 * share - 1
        assert t_quantile(share, 1) == pytest.approx(math.tan(math.pi * tails / 2), rel=1e-9)
        assert t_quantile(share, 2) == pytest.approx(tails * math.sqrt(2 / (1 - tails**2)), rel=1e-9)
    assert t_quantile(0.5, 7) == pytest.approx(0, abs=1e-6)
    assert t_quantile(0.975, 100_000) == pytest.approx(1.959988, abs=1e-5)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        t_quantile(0.975, 0)


@pytest.mark.parametrize("count", [2, 3, 5, 9, 10, 20])
def test_of_normal_values_95_intervals_of_100_hold_the_mean(count: int) -> None:
    assert coverage(lambda chance: chance.gauss(3, 2), 3, count) == pytest.approx(0.95, abs=error_of(0.95))


@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.99])
def test_other_confidences_hold_what_they_say(confidence: float) -> None:
    found = coverage(lambda chance: chance.gauss(0, 1), 0, 12, confidence)
    assert found == pytest.approx(confidence, abs=error_of(confidence) + 0.01)


@pytest.mark.parametrize("count", [10, 20])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [(lambda chance: chance.expovariate(1), 1.0), (lambda chance: chance.lognormvariate(0, 1), math.exp(0.5))],
    ids=["exponential", "lognormal"],
)
def test_of_skewed_values_at_least_90_intervals_of_100_hold_the_mean(draw: Draw, truth: float, count: int) -> None:
    assert coverage(draw, truth, count) >= 0.9


def test_one_value_has_no_interval_and_equal_values_have_one_without_width() -> None:
    for values in ([], [4.0]):
        assert all(math.isnan(end) for end in mean_interval(values, 0.95))
    assert mean_interval([2.5] * 12, 0.95) == (2.5, 2.5)
    # As sums of floats are: the same but for rounding.
    assert no_spread([0.1 + 0.2, 0.3])
    assert not no_spread([0.3, 0.3001])


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_an_interval_moves_and_grows_with_its_values(scale: float) -> None:
    values = [1.0, 2.0, 4.0, 9.0, 1.5, 2.5, 2.0, 3.0, 2.2, 17.0]
    low, high = mean_interval(values, 0.95)
    assert low < 4.42 < high
    assert high - 4.42 > 4.42 - low, "the long tail is on the side of the large values"
    assert mean_interval([one * scale for one in values], 0.95) == pytest.approx((low * scale, high * scale))
    assert mean_interval([-one for one in values], 0.95) == pytest.approx((-high, -low))
