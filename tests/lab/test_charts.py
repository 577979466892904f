"""Charts: drawn without a network, the same every time, with gaps shown as gaps."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import pytest

from gamekit.errors import ConfigError
from gamekit.lab import ship_spans
from gamekit.lab.charts import (
    PHASES,
    Chart,
    flow_chart,
    latency_chart,
    latency_percentile_chart,
    price_chart,
    ship_chart,
)
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


def test_a_week_of_latency_is_drawn_with_its_worst_second_and_its_gap() -> None:
    quiet = rows(*range(0, 7 * 86_400, 30))
    seconds = [*range(1000, 6000), *range(9000, 12_000)]
    frame = rows(*seconds)
    frame.loc[2500, "late_max_ms"] = 777.0
    chart = latency_chart(frame)
    drawn = [row for row in records(chart) if row.get("percentile") == "max"]
    assert len(drawn) < 1500
    assert max(row["ms"] for row in drawn) == 777.0
    [gap] = [row for row in records(chart) if row.get("what") == "no ticks"]
    assert (gap["from"][11:19], gap["until"][11:19]) == ("01:39:59", "02:30:00")
    # A week of a game in which something happens twice a minute is no picture of gaps.
    assert [row for row in records(latency_chart(quiet)) if row.get("what") == "no ticks"] == []
    assert latency_chart(quiet).to_svg().startswith("<svg")


def test_lateness_by_percentile_grows_to_the_worst_second_and_no_further() -> None:
    frame = rows(*range(1000))
    frame["late_max_ms"] = [float(number) for number in range(1000)]
    chart = latency_percentile_chart(frame)
    worst = [row for row in records(chart) if row.get("of each second") == "worst tick"]
    values = [row["ms"] for row in worst]
    assert values == sorted(values)
    assert values[-1] == 998.0  # at 99.9 % of a thousand seconds
    half = min(worst, key=lambda row: abs(row["rarity"] - 2))
    assert half["ms"] == pytest.approx(500, rel=0.1)
    assert ">90 %<" in chart.to_svg()
    with pytest.raises(ConfigError, match="no latency rows yet"):
        latency_percentile_chart(rows())


def test_flows_are_what_came_and_went_in_each_hour() -> None:
    ticks = [0, 18_000, 36_000, 54_000, 72_000]
    books = pd.DataFrame(
        [
            (tick, account, kind, "ore", sign * number * 10)
            for number, tick in enumerate(ticks)
            for account, kind, sign in (("mined", "faucet", -1), ("consumed", "sink", 0.5), ("station:a", "stock", 0.5))
        ],
        columns=["tick", "account", "kind", "asset", "balance"],
    )
    chart = flow_chart(books, "ore")
    amounts = {(row["account"], row["hour"]): row["amount"] for row in records(chart) if "account" in row}
    assert amounts == {("mined", 0): 20, ("mined", 1): 20, ("consumed", 0): -10, ("consumed", 1): -10}
    assert "units of ore an hour" in chart.to_svg()
    with pytest.raises(ConfigError, match="They know: ore"):
        flow_chart(books, "gold")


def test_spans_of_ships_follow_each_other_without_a_hole() -> None:
    events = pd.DataFrame(
        {
            "tick": [0, 10, 10, 60, 60, 70, 200],
            "type": [
                *("PlayerJoined", "OrderAccepted", "ShipDeparted", "ShipArrived"),
                *("ShipHolding", "ShipJumped", "ShipEmerged"),
            ],
            "ship": ["s"] * 7,
        }
    )
    spans = ship_spans(events, until_tick=300)
    assert spans[["doing", "from_tick", "until_tick"]].to_numpy().tolist() == [
        ["idle", 0, 10],
        ["flying", 10, 60],
        ["holding", 60, 70],
        ["jumping", 70, 200],
        ["idle", 200, 300],
    ]
    assert ">Mercury<" in ship_chart(spans, {"s": "Mercury"}).to_svg()
    assert ship_spans(events.head(0)).empty
    with pytest.raises(ConfigError, match="no spans"):
        ship_chart(spans, {"other": "Venus"})
