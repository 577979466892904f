"""How punctual ticks were, and what they spent their time on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np
import pandas as pd

from gamekit.errors import ConfigError
from gamekit.game import TICK_HZ
from gamekit.lab.charts.style import GREEN, INK, ORANGE, PINK, RED, SKY, Chart, figure, milliseconds
from gamekit.lab.single_ticks import MEASURES, check_span, merged_percentiles

if TYPE_CHECKING:
    from pandas.core.groupby import DataFrameGroupBy

#: A pause in the rows longer than this many seconds is a gap: the server did not run, or the game slept.
GAP_S = 2.5
TICK_MS = 1000 / TICK_HZ
PHASES = ("commands", "rules", "journal", "fanout")
#: Rows that a panel is drawn with, about.
POINTS = 600
PERCENTILES = {"late_p50_ms": "median", "late_p99_ms": "p99", "late_max_ms": "max"}

_COLOURS = {
    "median": SKY,
    "p99": ORANGE,
    "max": RED,
    "commands": SKY,
    "rules": GREEN,
    "journal": ORANGE,
    "fanout": PINK,
}


def latency_chart(frame: pd.DataFrame, *, every_s: float | None = None, width: int = 640, height: int = 150) -> Chart:
    """How late ticks began, how long they took, and what they spent their time on.

    Above: start of the ticks against the 100 ms grid, as percentiles of each second, or of so many seconds as a point
    stands for: those of all single ticks in them. Below: the mean duration of a tick, by phase; the line is the 99th
    percentile of the whole. Grey bands are gaps, in which no tick ran.

    Args:
        frame: as `game.frame.latency` gives it.
        every_s: how many seconds a point stands for; as few as can be told apart by default. A second has ten ticks and
            so its 99th percentile is its worst; that of a minute says more.
        width, height: of one panel, in pixels.

    Raises:
        ConfigError: the frame is empty, or `every_s` is not above 0.
    """
    check_rows(frame)
    check_span(every_s)
    rows = frame.sort_values("at").reset_index(drop=True)
    # A gap that is narrower than a point cannot be seen, and a quiet game's ticks have one between any two.
    seen_s = 2 * (rows["at"].iloc[-1] - rows["at"].iloc[0]).total_seconds() / POINTS
    rows["run"] = (rows["at"].diff().dt.total_seconds() > max(GAP_S, seen_s)).cumsum()
    rows = _thinned(rows, every_s)
    return figure(_lateness(rows, width, height), _duration(rows, width, height))


def check_rows(frame: pd.DataFrame) -> None:
    """Complain of a frame that tells nothing of ticks.

    Raises:
        ConfigError: it is another frame, or empty.
    """
    if "late_max_ms" not in frame:
        raise ConfigError("Ticks are told by a latency frame, e.g. game.frame.latency; this is another one.")
    if frame.empty:
        raise ConfigError("There are no latency rows yet; the server writes one a second while ticks run.")


def _thinned(rows: pd.DataFrame, every_s: float | None) -> pd.DataFrame:
    """A row for every so many seconds, or about as many rows as can be told apart.

    Runs stay apart, so a gap stays a gap, however many seconds a row stands for.
    """
    every = -(-len(rows) // POINTS)
    if every == 1 and every_s is None:
        return rows
    if every_s is None:
        place = rows.groupby("run").cumcount() // every
    else:
        place = rows["at"].astype("int64") // round(every_s * 1e9)
    return _merged(rows, rows.groupby([rows["run"], place.rename("place")]))


def _merged(rows: pd.DataFrame, grouped: DataFrameGroupBy[Any, Any]) -> pd.DataFrame:
    """A row for each group of rows: percentiles of all its single ticks.

    Where a row is of an older gamekit, which did not keep single ticks: the median of medians, the worst of the rest.
    """
    worst: dict[str, str] = {str(column): "max" for column in rows if str(column).endswith(("_p99_ms", "_max_ms"))}
    sums: dict[str, str] = dict.fromkeys(["ticks", *(f"{phase}_ms" for phase in PHASES)], "sum")
    medians = {"late_p50_ms": "median", "work_p50_ms": "median"}
    how: dict[str, str] = {"at": "first", **worst, **sums, **medians}
    thin: pd.DataFrame = grouped.agg(how).reset_index()
    # The end of a run is where its gap begins.
    last = grouped["at"].last().reset_index(drop=True)
    ends = thin["run"] != thin["run"].shift(-1)
    thin.loc[ends, "at"] = last[ends]
    group = grouped.ngroup()
    known = ~group.isin(group[rows["late_buckets"].isna() | rows["work_buckets"].isna()])
    if known.any():
        places = np.unique(group[known])
        for measure in MEASURES:
            found = merged_percentiles(rows.loc[known, f"{measure}_buckets"], group[known], (50, 99))
            thin.loc[places, [f"{measure}_p50_ms", f"{measure}_p99_ms"]] = found
            # A bucket may say a little more than the worst tick of all, which is known exactly.
            thin[f"{measure}_p99_ms"] = thin[[f"{measure}_p99_ms", f"{measure}_max_ms"]].min(axis=1)
    return thin


def _lateness(rows: pd.DataFrame, width: int, height: int) -> alt.LayerChart:
    long = rows.melt(["at", "run"], list(PERCENTILES), var_name="percentile", value_name="ms")
    long["percentile"] = long["percentile"].map(PERCENTILES)
    # With ten ticks a second the worst is the 99th percentile as well: the worst are points, so that both are seen.
    shape = alt.Chart(long).encode(
        x=alt.X("at:T", title=None),
        y=milliseconds("tick lateness, ms", max(float(long["ms"].max()), 1.0)),
        color=_colour("percentile", list(PERCENTILES.values()), "lateness"),
        detail="run:N",
    )
    points = shape.transform_filter("datum.percentile == 'max'").mark_point(size=28, filled=True)
    lines = points + shape.transform_filter("datum.percentile != 'max'").mark_line(strokeWidth=1.5)
    panel: alt.LayerChart = (_gaps(rows) + lines).properties(width=width, height=height)
    return panel


def _duration(rows: pd.DataFrame, width: int, height: int) -> alt.LayerChart:
    ticks = rows["ticks"].clip(lower=1)
    mean = pd.DataFrame({phase: rows[f"{phase}_ms"] / ticks for phase in PHASES}).assign(at=rows["at"], run=rows["run"])
    long = mean.melt(["at", "run"], list(PHASES), var_name="phase", value_name="ms")
    long["order"] = long["phase"].map({phase: number for number, phase in enumerate(PHASES)})
    # Areas are stacked by a transform of our own: Vega would join them across the gaps.
    long = long.sort_values(["at", "order"])
    long["top"] = long.groupby("at")["ms"].cumsum()
    long["bottom"] = long["top"] - long["ms"]
    long["piece"] = long["phase"] + long["run"].astype(str)
    areas = (
        alt.Chart(long)
        .mark_area(opacity=0.75, line={"strokeWidth": 1})
        .encode(
            x=alt.X("at:T", title="time"),
            y=alt.Y("bottom:Q", title="tick duration, ms"),
            y2="top:Q",
            color=_colour("phase", list(PHASES), "mean, by phase"),
            detail="piece:N",
        )
    )
    p99 = (
        alt.Chart(rows[["at", "run", "work_p99_ms"]])
        .mark_line(color=INK, strokeDash=[4, 2], strokeWidth=1.5)
        .encode(x="at:T", y="work_p99_ms:Q", detail="run:N")
    )
    panel: alt.LayerChart = (_gaps(rows) + areas + p99).properties(width=width, height=height)
    return panel


def _gaps(rows: pd.DataFrame) -> alt.Chart:
    """A band for each stretch of time in which there are no rows."""
    starts = rows["at"].shift()[rows["run"].diff() > 0]
    ends = rows["at"][rows["run"].diff() > 0]
    bands = pd.DataFrame({"from": list(starts), "until": list(ends), "what": ["no ticks"] * len(starts)})
    chart: alt.Chart = (
        alt.Chart(bands.astype({"from": "datetime64[ns, UTC]", "until": "datetime64[ns, UTC]"}))
        .mark_rect(color=INK, opacity=0.2)
        .encode(x="from:T", x2="until:T", tooltip="what:N")
    )
    return chart


def _colour(field: str, values: list[str], title: str) -> alt.Color:
    scale = alt.Scale(domain=values, range=[_COLOURS[value] for value in values])
    return alt.Color(f"{field}:N", title=title, scale=scale, sort=values)
