"""Ratios of alternating runs, and their intervals."""

from __future__ import annotations

import math
import random

import pytest

from gamekit.errors import ConfigError
from gamekit.lab.ratio import ratio


def test_a_machine_that_is_slow_in_one_round_does_not_change_a_ratio() -> None:
    found = ratio([20.0, 200.0, 20.0], [10.0, 100.0, 10.0])
    assert found == pytest.approx((2, 2, 2))


def test_twice_and_half_as_much_cancel_out() -> None:
    found = ratio([2.0, 1.0], [1.0, 2.0])
    assert found.ratio == pytest.approx(1)
    # Student's t of two logarithms.
    assert math.log(found.high) == pytest.approx(12.706 * math.log(2), rel=1e-4)
    assert found.low == pytest.approx(1 / found.high)


def test_a_single_round_has_a_ratio_and_no_interval() -> None:
    found = ratio([3.0], [2.0])
    assert found.ratio == pytest.approx(1.5)
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    chance = random.Random(7)
    held = 0
    for _ in range(60):
        base = [chance.uniform(1, 2) for _ in range(12)]
        taken = [3 * one * chance.lognormvariate(0, 0.2) for one in base]
        found = ratio(taken, base, 0.9)
        held += found.low <= 3 <= found.high
    # 54 are expected, within three standard deviations.
    assert 47 <= held <= 60


@pytest.mark.parametrize(("taken", "base"), [([], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0], [0.0])])
def test_rounds_that_say_nothing_are_refused(taken: list[float], base: list[float]) -> None:
    with pytest.raises(ConfigError, match=r"rounds: both sides|took no time"):
        ratio(taken, base)
