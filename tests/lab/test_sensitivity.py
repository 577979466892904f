"""Sensitivity: known answers are found, whole numbers are sampled fairly, and chance is not taken for an effect."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gamekit.errors import ConfigError
from gamekit.lab import Simulation, sensitivity, sweep
from gamekit.lab.metrics import metric, units_made
from gamekit.lab.ranges import Range, ranges_of
from gamekit.lab.sensitivity.design import CHANCE, MATTERS, NOTHING, UNKNOWN, Design, Morris, Sobol

SMALL: dict[str, Any] = {"scenario": "procedural:3", "hours": 0.25, "progress": False}


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    """An executor that needs no start."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def ranges(**ends: tuple[int, int]) -> list[Range]:
    """Ranges of rules that no game has."""
    return [Range(name, low, high, low, "", "") for name, (low, high) in ends.items()]


def values(design: Design, function: Callable[[Mapping[str, int]], float]) -> Any:
    """A plain function in the place of a game: a column for each of two seeds, which decide nothing."""
    return np.array([[function(point)] * 2 for point in design.points])


def ishigami(point: Mapping[str, int]) -> float:
    """The textbooks' function, in thousandths; its shares are known.

    Source: T. Ishigami, T. Homma, "An importance quantification technique in uncertainty analysis", ISUMA 1990.
    """
    a, b, c = (point[name] / 1000 for name in "abc")
    return float(np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a))


def test_sobol_finds_the_known_shares_of_ishigami_within_its_own_intervals() -> None:
    design = Sobol(ranges(a=(-3142, 3142), b=(-3142, 3142), c=(-3142, 3142), d=(0, 9)), 512, 1)
    found, lost = design.judged(values(design, ishigami), 0.99)
    assert lost == 0
    for numbers, alone, total in zip(found, (0.3139, 0.4424, 0, 0), (0.5576, 0.4424, 0.2437, 0), strict=True):
        assert numbers["low"] <= total <= numbers["high"]
        assert numbers["alone_low"] <= alone <= numbers["alone_high"]
        assert numbers["high"] - numbers["low"] < 0.35
    assert [numbers["verdict"] for numbers in found] == [MATTERS, MATTERS, MATTERS, NOTHING]


def test_morris_gives_a_slope_its_size_and_sign_whatever_rounding_does_to_its_steps() -> None:
    def slopes(point: Mapping[str, int]) -> float:
        return 6 * point["few"] - 3 * point["odd"] + 0.001 * point["many"] + point["one"]

    design = Morris(ranges(few=(0, 2), odd=(10, 15), many=(0, 10_000), one=(0, 1), idle=(0, 7)), 6, 1)
    found, _ = design.judged(values(design, slopes))
    # Over the whole range, exactly, because the real steps are what effects are divided by.
    assert [numbers["trend"] for numbers in found] == pytest.approx([12, -15, 10, 1, 0])
    assert [numbers["effect"] for numbers in found] == pytest.approx([12, 15, 10, 1, 0])
    assert [numbers["bend"] for numbers in found] == pytest.approx([0] * 5, abs=1e-9)
    assert [numbers["verdict"] for numbers in found] == [MATTERS] * 4 + [NOTHING]


def test_whole_numbers_are_drawn_alike_often_to_both_ends() -> None:
    design = Sobol(ranges(dice=(1, 6), coin=(0, 1)), 256, 3)
    dice = Counter(point["dice"] for point in design.points)
    assert sorted(dice) == [1, 2, 3, 4, 5, 6]
    assert max(dice.values()) < 1.1 * min(dice.values())
    assert all(type(value) is int for point in design.points for value in point.values())
    assert Sobol(ranges(dice=(1, 6), coin=(0, 1)), 256, 3).points == design.points
    assert Sobol(ranges(dice=(1, 6), coin=(0, 1)), 256, 4).points != design.points


@pytest.mark.parametrize("kind", [Morris, Sobol])
def test_luck_alone_is_hardly_ever_called_an_effect(kind: type[Design]) -> None:
    verdicts: Counter[str] = Counter()
    for seed in range(1, 31):
        design = kind(ranges(a=(0, 9), b=(0, 9), c=(0, 9)), 8, seed)
        luck = np.random.default_rng(seed).normal(size=(len(design.points), 4))
        # What all points share in a seed is not luck of any of them.
        verdicts += Counter(numbers["verdict"] for numbers in design.judged(luck + 10 * np.arange(4))[0])
    assert verdicts[MATTERS] <= 9, "a tenth of 90"
    assert verdicts[CHANCE] >= 81


def test_block_with_a_missing_value_is_left_out_and_alone() -> None:
    design = Morris(ranges(a=(0, 9), b=(0, 9)), 5, 1)
    table = values(design, lambda point: 2.0 * point["a"])
    table[4] = np.nan
    found, lost = design.judged(table)
    assert lost == 1
    assert found[0]["effect"] == pytest.approx(18)
    table[:12] = np.nan
    with pytest.raises(ConfigError, match=r"4 of 5 parts.*narrow the ranges"):
        design.judged(table)


@pytest.mark.parametrize("kind", [Morris, Sobol])
def test_one_seed_does_not_tell_what_matters(kind: type[Design]) -> None:
    design = kind(ranges(a=(0, 9), idle=(0, 9)), 8, 1)
    found, _ = design.judged(values(design, lambda point: float(point["a"]))[:, :1])
    assert [numbers["verdict"] for numbers in found] == [UNKNOWN, NOTHING]
    assert np.isnan(found[0]["chance"])
    flat, _ = design.judged(np.ones((len(design.points), 1)))
    assert np.isnan(flat[0]["chance"])


@pytest.mark.parametrize(("samples", "kind"), [(3, Morris), (10, Morris)])
def test_effects_lie_within_their_intervals_as_often_as_they_say(samples: int, kind: type[Design]) -> None:
    held = 0
    sets = 200
    for seed in range(1, sets + 1):
        design = kind(ranges(a=(0, 99), b=(0, 99)), samples, seed)
        luck = np.random.default_rng(seed).normal(size=len(design.points))
        numbers = design.judged(np.array([[100.0 * point["a"]] * 2 for point in design.points]) + luck[:, None] * 99)[0]
        held += numbers[0]["trend_low"] <= 9900 <= numbers[0]["trend_high"]
    # 190 of 200, within three standard deviations of a binomial.
    assert 181 <= held <= 199


@metric("units")
def fragile(run: Simulation) -> float:
    """Fails where cycles are fast."""
    if run.state.rules.cycle_percent < 100:
        raise ValueError("too fast")
    return units_made(run)


def test_rule_that_matters_is_told_from_one_that_does_nothing_in_a_real_game(threads: Executor, tmp_path: Path) -> None:
    asked = {"ship_resale_percent": (0, 100), "cycle_percent": (50, 200)}
    how = {"samples": 4, "executor": threads, "database": tmp_path / "runs.db", **SMALL}
    found = sensitivity(asked, 2, [units_made], **how)
    frame = found.frame
    assert frame["rule"].tolist() == ["cycle_percent", "ship_resale_percent"]
    assert frame["verdict"].tolist() == [MATTERS, NOTHING]
    assert frame.loc[0, ["unit", "rule_unit", "range_low", "range_high"]].tolist() == ["units", "percent", 50, 200]
    assert frame.loc[0, "trend"] < 0
    assert len(found.runs) == 4 * 3 * 2
    again = sensitivity(asked, 2, [units_made], **how)
    assert again.frame.equals(frame)
    assert again.runs.frame.equals(found.runs.frame), "nothing was run again, not even its time is new"
    assert "cycle_percent" in repr(found)
    assert "<table" in found._repr_html_()
    svg = found.chart().to_svg()
    assert "effect over the rule's range, units" in svg.replace("&#39;", "'")
    with pytest.raises(ConfigError, match=r"look at `runs.failures`"):
        sensitivity(asked, 2, [fragile], **how)


def test_names_alone_vary_around_their_values_and_wrong_ranges_say_what_is_allowed() -> None:
    assert [(one.low, one.high) for one in ranges_of(["jump_ticks", "fog"], {})] == [(25, 100), (0, 1)]
    assert ranges_of(["jump_ticks"], {"jump_ticks": 10})[0].high == 20
    for wrong, match in (
        (["storm_rate"], r"storm_rate is 0.*0 to 36,000 storms in 100 hours.*lowest, highest"),
        (["storm_rat"], "did you mean: storm_rate"),
        ({"storm_rate": (5, 40_000)}, "within 0 to 36,000"),
        ({"storm_rate": (5, 5)}, "the smaller one first"),
        ({"storm_rate": (0.5, 5)}, "two whole numbers of storms in 100 hours"),
        ({}, "Say which rules"),
    ):
        with pytest.raises(ConfigError, match=match):
            ranges_of(wrong, {})
    with pytest.raises(ConfigError, match="varied and set to 3"):
        ranges_of({"storm_rate": (0, 9)}, {"storm_rate": 3})
    for arguments, match in (
        ({"method": "guess"}, "morris, sobol"),
        ({"method": "sobol", "samples": 60}, "power of 2"),
    ):
        with pytest.raises(ConfigError, match=match):
            sensitivity(["jump_ticks"], **arguments)


def test_missing_extra_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch, threads: Executor) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample.morris", None)
    with pytest.raises(ConfigError, match=r"needs the package SALib.*pip install 'gamekit\[search\]'"):
        sensitivity(["jump_ticks"])
    assert len(sweep([{}], 1, [units_made], executor=threads, **SMALL)) == 1
