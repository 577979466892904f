"""Charts: drawn without a network, the same every time, with gaps shown as gaps."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import pytest

from gamekit.errors import ConfigError
from gamekit.lab.charts import PHASES, Chart, latency_chart, price_chart
from gamekit.lab.frames import COLUMNS, latency_frame


def rows(*seconds: float) -> pd.DataFrame:
    """Latency rows at these Unix times."""
    columns = [column.replace("_ms", "_us") for column in COLUMNS["latency"] if column.endswith("_ms")]
    return latency_frame(
        {"at_s": at, "ticks": 10, **{key: 100 * number for number, key in enumerate(columns, 1)}} for at in seconds
    )


def records(chart: Chart) -> list[dict[str, Any]]:
    """All rows of all data sets in a chart."""
    return [row for dataset in chart.to_dict()["datasets"].values() for row in dataset]


def test_latency_chart_is_an_svg_that_needs_no_network_and_no_ground() -> None:
    bundle = latency_chart(rows(*range(1000, 1010)))._repr_mimebundle_()
    svg = bundle["image/svg+xml"]
    assert svg.startswith("<svg")
    assert "tick lateness, ms" in svg
    assert all(phase in svg for phase in PHASES)
    assert "http" not in svg.replace("http://www.w3.org", "")
    assert 'fill="white"' not in svg


def test_same_frame_gives_the_same_picture_to_the_byte() -> None:
    frame = rows(*range(1000, 1010))
    assert latency_chart(frame).to_svg() == latency_chart(frame.sample(frac=1, random_state=1)).to_svg()


def test_gap_is_marked_and_not_drawn_over() -> None:
    chart = latency_chart(rows(1000, 1001, 1002, 1030, 1031))
    gaps = [row for row in records(chart) if row.get("what") == "no ticks"]
    assert [(gap["from"][11:19], gap["until"][11:19]) for gap in gaps] == [("00:16:42", "00:17:10")]
    lines = {row["run"] for row in records(chart) if "percentile" in row}
    assert lines == {0, 1}
    assert not [row for row in records(latency_chart(rows(1000, 1001))) if row.get("what")]


def test_phases_add_up_to_a_tick_in_the_stack() -> None:
    chart = latency_chart(rows(1000))
    tops = [row["top"] for row in records(chart) if "phase" in row]
    frame = rows(1000)
    expected = sum(float(frame[f"{phase}_ms"].iloc[0]) for phase in PHASES) / 10
    assert max(tops) == pytest.approx(expected)


def test_one_row_and_none_are_no_trouble() -> None:
    assert latency_chart(rows(1000)).to_svg()
    with pytest.raises(ConfigError, match="no latency rows yet"):
        latency_chart(rows())


def test_chart_can_be_changed_like_any_altair_chart() -> None:
    changed = latency_chart(rows(1000, 1001)).properties(title="Mine")
    assert isinstance(changed, alt.VConcatChart)
    assert ">Mine<" in changed.to_svg()


def test_price_chart_shows_the_stations_of_one_ware() -> None:
    frame = pd.DataFrame(
        {
            "station_name": ["A", "B"],
            "ware": ["ore", "food"],
            "ware_name": ["Ore", "Food"],
            "buys": [True, False],
            "sells": [True, True],
            "stock": [1, 2],
            "price_credits": [9.5, 12.0],
            "base_price_credits": [10.0, 11.0],
        }
    )
    svg = price_chart(frame, "Ore").to_svg()
    assert ">A<" in svg
    assert ">B<" not in svg
    with pytest.raises(ConfigError, match="Traded are: food, ore"):
        price_chart(frame, "gold")
