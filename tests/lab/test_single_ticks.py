"""Percentiles of single ticks: over any span, by adding up what each second kept."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from random import Random
from typing import Any

import pandas as pd
import pytest

from gamekit.errors import ConfigError
from gamekit.journal.buckets import ERROR, UNKNOWN, counted
from gamekit.lab import tick_percentiles
from gamekit.lab.charts import latency_chart, latency_percentile_chart, tick_percentile_chart
from gamekit.lab.charts.style import Chart
from gamekit.lab.frames import COLUMNS, latency_frame


def seconds(times: dict[int, list[int]], *, old: bool = False) -> pd.DataFrame:
    """A latency frame of these ticks, `{second: [us, ...]}`; each takes twice as long as it is late."""
    names = [name.replace("_ms", "_us") for name in COLUMNS["latency"] if name.endswith("_ms")]

    def row(at: int, late: list[int]) -> dict[str, Any]:
        ordered = sorted(late)
        worst = {"late_max_us": ordered[-1], "work_max_us": 2 * ordered[-1]}
        buckets = {"late_buckets": UNKNOWN, "work_buckets": UNKNOWN}
        if not old:
            buckets = {"late_buckets": counted(ordered), "work_buckets": counted(2 * us for us in ordered)}
        percentiles = dict.fromkeys(names, ordered[len(late) // 2]) | {"late_p99_us": ordered[-1]}
        return {"at_s": float(at), "ticks": len(late), **percentiles, **worst, **buckets}

    return latency_frame(row(at, late) for at, late in times.items())


def busy(count: int, seed: int = 1) -> dict[int, list[int]]:
    """Ten ticks a second, most of them prompt, one in a hundred late, one in a thousand very late."""
    chance = Random(seed)
    scales = [100] * 989 + [5_000] * 10 + [200_000]
    return {at: [round(chance.expovariate(1 / chance.choice(scales))) for _ in range(10)] for at in range(count)}


def records(chart: Chart) -> list[dict[str, Any]]:
    return [row for dataset in chart.to_dict()["datasets"].values() for row in dataset]


def rank(ticks: list[int], percent: float) -> float:
    """The nearest-rank percentile, in ms."""
    return sorted(ticks)[ceil(len(ticks) * Fraction(str(percent)) / 100) - 1] / 1000


def test_an_hour_of_seconds_gives_the_percentiles_of_its_ticks() -> None:
    times = busy(3600)
    ticks = [us for late in times.values() for us in late]
    [row] = tick_percentiles(seconds(times), (50, 90, 99, 99.9, 99.99, 100)).to_dict("records")
    assert row["ticks"] == 36_000
    for percent in (50, 90, 99, 99.9, 99.99, 100):
        exact = rank(ticks, percent)
        assert exact <= row[f"late_p{percent:g}_ms"] <= exact * (1 + ERROR)
        assert 2 * exact <= row[f"work_p{percent:g}_ms"] <= 2 * exact * (1 + ERROR)


def test_spans_are_merged_by_themselves_and_a_span_without_ticks_is_none() -> None:
    times = {at: late for at, late in busy(300).items() if not 60 <= at < 180}
    found = tick_percentiles(seconds(times), (50, 99), every_s=60)
    assert [at.minute for at in found["at"]] == [0, 3, 4]
    for minute, row in zip((0, 3, 4), found.to_dict("records"), strict=True):
        ticks = [us for at, late in times.items() if at // 60 == minute for us in late]
        assert row["ticks"] == 600
        for percent in (50, 99):
            exact = rank(ticks, percent)
            assert exact <= row[f"late_p{percent:g}_ms"] <= exact * (1 + ERROR)


def test_rows_of_an_older_gamekit_do_not_count_and_alone_are_explained() -> None:
    old, new = seconds(busy(30), old=True), seconds({100: [5] * 9 + [90_000]})
    assert old["late_buckets"].isna().all()
    both = pd.concat([old, new])
    assert tick_percentiles(both, (50, 100))["late_p50_ms"].tolist() == [0.005]
    assert latency_chart(both, every_s=60).to_svg().startswith("<svg")
    for call in (tick_percentiles, tick_percentile_chart):
        with pytest.raises(ConfigError, match="written by an older gamekit"):
            call(old)
        with pytest.raises(ConfigError, match="no latency rows yet"):
            call(latency_frame([]))
        with pytest.raises(ConfigError, match=r"game\.frame\.latency"):
            call(old[["at", "ticks"]])


@pytest.mark.parametrize("percents", [(0,), (101,), (50, -1), 0, "99", (50, "99")])
def test_percentiles_that_there_are_not_are_refused(percents: Any) -> None:
    with pytest.raises(ConfigError, match="above 0 and at most 100"):
        tick_percentiles(seconds(busy(1)), percents)


@pytest.mark.parametrize("call", [tick_percentiles, latency_chart])
@pytest.mark.parametrize("every_s", [0, -1, "1min"])
def test_a_span_of_no_length_is_refused(call: Any, every_s: Any) -> None:
    with pytest.raises(ConfigError, match="every_s is a number of seconds above 0; got"):
        call(seconds(busy(1)), every_s=every_s)


@pytest.mark.parametrize("call", [tick_percentiles, tick_percentile_chart, latency_chart, latency_percentile_chart])
def test_another_frame_is_refused(call: Any) -> None:
    with pytest.raises(ConfigError, match=r"a latency frame, e\.g\. game\.frame\.latency"):
        call(pd.DataFrame({"tick": [1]}))


def test_one_percentile_is_one() -> None:
    assert list(tick_percentiles(seconds(busy(3)), 99)) == ["at", "ticks", "late_p99_ms", "work_p99_ms"]


def test_the_chart_names_the_nines_and_ends_with_the_worst_tick() -> None:
    times = busy(1200)
    times[7][0] = 900_000
    chart = tick_percentile_chart(seconds(times))
    svg = chart.to_svg()
    for label in ("0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %", "share of 12,000 ticks"):
        assert f">{label}<" in svg
    assert svg == tick_percentile_chart(seconds(times).sample(frac=1, random_state=1)).to_svg()
    late = [row for row in records(chart) if row.get("what") == "lateness"]
    assert 900 <= max(row["ms"] for row in late) <= 900 * (1 + ERROR)
    ticks = [us for second in times.values() for us in second]
    near = min(late, key=lambda row: abs(row["rarity"] - 100))
    exact = rank(ticks, 100 - 100 / near["rarity"])
    assert exact <= near["ms"] <= exact * (1 + ERROR)
    # The neighbour counts seconds, whose 99th percentile is their worst tick: not one tick in a hundred, but in ten.
    assert ">share of seconds<" in latency_percentile_chart(seconds(times)).to_svg()


def test_one_tick_is_a_chart() -> None:
    assert tick_percentile_chart(seconds({1: [50]})).to_svg().startswith("<svg")


def test_percentiles_over_time_are_those_of_all_ticks_that_a_point_stands_for() -> None:
    times = {at: late for at, late in busy(3600).items() if not 1200 <= at < 1800}
    chart = latency_chart(seconds(times), every_s=600)
    p99 = [row["ms"] for row in records(chart) if row.get("percentile") == "p99"]
    spans = [[us for at, late in times.items() if at // 600 == number for us in late] for number in (0, 1, 3, 4, 5)]
    assert len(p99) == len(spans)
    for drawn, ticks in zip(p99, spans, strict=True):
        assert rank(ticks, 99) <= drawn <= rank(ticks, 99) * (1 + ERROR)
    [gap] = [row for row in records(chart) if row.get("what") == "no ticks"]
    assert (gap["from"][11:16], gap["until"][11:16]) == ("00:19", "00:30")


def test_the_worst_of_a_point_is_exact_and_no_percentile_is_above_it() -> None:
    times = {at: [1_000_001] for at in range(20)}
    chart = latency_chart(seconds(times), every_s=10)
    drawn = {row["ms"] for row in records(chart) if row.get("percentile") in {"p99", "max"}}
    assert drawn == {1000.001}
