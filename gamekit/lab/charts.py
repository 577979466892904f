"""Charts of frames, drawn with altair and shown as SVG: without a network, and alike in light and dark.

A chart is an altair chart like any other and can be changed and combined as such; only how it shows itself differs.
Needs the `lab` extra.
"""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from gamekit.errors import ConfigError
from gamekit.game import TICK_HZ

#: A pause in the rows longer than this many seconds is a gap: the server did not run, or the game slept.
GAP_S = 2.5
TICK_MS = 1000 / TICK_HZ
PHASES = ("commands", "rules", "journal", "fanout")
PERCENTILES = {"late_p50_ms": "median", "late_p99_ms": "p99", "late_max_ms": "max"}

# Read well on white and on black (Okabe and Ito's palette, which colour-blind people can tell apart).
_COLOURS = {
    "median": "#56B4E9",
    "p99": "#E69F00",
    "max": "#D55E00",
    "commands": "#56B4E9",
    "rules": "#009E73",
    "journal": "#E69F00",
    "fanout": "#CC79A7",
}
_SIDES = {"buys": "#E69F00", "sells": "#56B4E9", "buys and sells": "#009E73"}
_INK = "#808080"


class Chart(alt.VConcatChart):
    """An altair chart that shows itself as SVG, whatever renderer is set."""

    def to_svg(self) -> str:
        """The picture."""
        import vl_convert

        return str(vl_convert.vegalite_to_svg(self.to_json()))

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> dict[str, str]:
        return {"image/svg+xml": self.to_svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self.vconcat)} panels>"


def latency_chart(frame: pd.DataFrame, *, width: int = 640, height: int = 150) -> Chart:
    """How late ticks began, how long they took, and what they spent their time on.

    Above: start of the ticks against the 100 ms grid, as percentiles of each second. Below: the mean duration of a
    tick, by phase; the line is the 99th percentile of the whole. Grey bands are gaps, in which no tick ran.

    Args:
        frame: as `game.frame.latency` gives it.
        width, height: of one panel, in pixels.

    Raises:
        ConfigError: the frame is empty.
    """
    if frame.empty:
        raise ConfigError("There are no latency rows yet; the server writes one a second while ticks run.")
    rows = frame.sort_values("at").reset_index(drop=True)
    rows["run"] = (rows["at"].diff().dt.total_seconds() > GAP_S).cumsum()
    return _figure(_lateness(rows, width, height), _duration(rows, width, height))


def price_chart(frame: pd.DataFrame, ware: str, *, width: int = 640) -> Chart:
    """What each station pays or asks for one ware; the dashed line is its base price.

    Args:
        frame: as `game.frame.prices` gives it.
        ware: name or id.
        width: in pixels.

    Raises:
        ConfigError: no station trades the ware.
    """
    rows = frame[(frame["ware"] == ware) | (frame["ware_name"].str.casefold() == ware.casefold())]
    if rows.empty:
        known = ", ".join(sorted(frame["ware"].unique()))
        raise ConfigError(f"No station trades {ware!r}. Traded are: {known}.")
    shown = rows[["station_name", "price_credits", "stock"]].astype(
        {"station_name": "object", "price_credits": "float64", "stock": "int64"}
    )
    shown["side"] = [_side(buys, sells) for buys, sells in zip(rows["buys"], rows["sells"], strict=True)]
    shown["base_credits"] = rows["base_price_credits"].astype("float64")
    chart = alt.Chart(shown).encode(y=alt.Y("station_name:N", title=None, sort="x"))
    x = alt.X("price_credits:Q", title=f"price of one unit of {rows['ware_name'].iloc[0]}, credits").scale(zero=False)
    colour = alt.Color("side:N", title="the station", scale=alt.Scale(domain=list(_SIDES), range=list(_SIDES.values())))
    stems = chart.mark_rule(color=_INK).encode(x=x, x2="base_credits:Q")
    heads = chart.mark_point(size=90, filled=True, opacity=1).encode(
        x=x, color=colour, tooltip=["station_name:N", "price_credits:Q", "stock:Q"]
    )
    base = alt.Chart(shown.head(1)).mark_rule(strokeDash=[4, 3], color=_INK).encode(x="base_credits:Q")
    panel: alt.LayerChart = (base + stems + heads).properties(width=width)
    return _figure(panel)


def _side(buys: bool, sells: bool) -> str:
    return "buys and sells" if buys and sells else "buys" if buys else "sells"


def _lateness(rows: pd.DataFrame, width: int, height: int) -> alt.LayerChart:
    long = rows.melt(["at", "run"], list(PERCENTILES), var_name="percentile", value_name="ms")
    long["percentile"] = long["percentile"].map(PERCENTILES)
    # With ten ticks a second the worst is the 99th percentile as well: the worst are points, so that both are seen.
    shape = alt.Chart(long).encode(
        x=alt.X("at:T", title=None),
        y=alt.Y("ms:Q", title="tick lateness, ms"),
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
        .mark_line(color=_INK, strokeDash=[4, 2], strokeWidth=1.5)
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
        .mark_rect(color=_INK, opacity=0.2)
        .encode(x="from:T", x2="until:T", tooltip="what:N")
    )
    return chart


def _colour(field: str, values: list[str], title: str) -> alt.Color:
    scale = alt.Scale(domain=values, range=[_COLOURS[value] for value in values])
    return alt.Color(f"{field}:N", title=title, scale=scale, sort=values)


def _figure(*panels: alt.LayerChart) -> Chart:
    """Panels below each other, in colours that are readable on any ground."""
    figure: Chart = (
        Chart(vconcat=list(panels), background="transparent")
        .resolve_scale(color="independent")
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_INK, titleColor=_INK, gridColor=_INK, gridOpacity=0.25, domainColor=_INK, tickColor=_INK
        )
        .configure_legend(labelColor=_INK, titleColor=_INK)
        .configure_title(color=_INK)
    )
    return figure
