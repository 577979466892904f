"""What wares cost: at one moment, station by station, and over time, ware by ware."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from gamekit.errors import ConfigError
from gamekit.lab.charts.style import GREEN, INK, ORANGE, SKY, Chart, figure

_SIDES = {"buys": ORANGE, "sells": SKY, "buys and sells": GREEN}
#: Points a line is drawn with at most.
_POINTS = 200


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
    stems = chart.mark_rule(color=INK).encode(x=x, x2="base_credits:Q")
    heads = chart.mark_point(size=90, filled=True, opacity=1).encode(
        x=x, color=colour, tooltip=["station_name:N", "price_credits:Q", "stock:Q"]
    )
    base = alt.Chart(shown.head(1)).mark_rule(strokeDash=[4, 3], color=INK).encode(x="base_credits:Q")
    panel: alt.LayerChart = (base + stems + heads).properties(width=width)
    return figure(panel)


def _side(buys: bool, sells: bool) -> str:
    return "buys and sells" if buys and sells else "buys" if buys else "sells"


def price_history_chart(
    frame: pd.DataFrame, wares: Sequence[str] | None = None, *, columns: int = 4, width: int = 150, height: int = 70
) -> Chart:
    """How the price of each ware went, against its base price: one small panel a ware.

    The line is the median over all stations that deal in it, the band goes from the cheapest to the dearest. At 1 the
    stocks are half full.

    Args:
        frame: as `run.history.prices` gives it.
        wares: ids, in the order of the panels; all by default.
        columns: panels side by side.
        width, height: of one panel, in pixels.

    Raises:
        ConfigError: the frame is empty, or has none of a ware.
    """
    chosen = list(frame["ware"].unique()) if wares is None else list(wares)
    known = set(frame["ware"].unique())
    if not chosen or (unknown := [ware for ware in chosen if ware not in known]):
        what = f"of {unknown[0]!r}" if chosen else "at all"
        raise ConfigError(f"There are no prices {what}. Recorded are: {', '.join(sorted(known)) or 'none'}.")
    thinned = _thinned(frame[frame["ware"].isin(chosen)])
    rows = thinned.groupby(["ware", "tick"], observed=True)["price_ratio"].agg(["median", "min", "max"]).reset_index()
    rows["hours"] = rows["tick"] / 36_000
    rows["ware"] = rows["ware"].astype("object")
    base = alt.Chart(rows).encode(x=alt.X("hours:Q", title="hours", axis=alt.Axis(tickCount=5)))
    y = alt.Y("min:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=3, format=".1f"))
    band = base.mark_area(opacity=0.3, color=SKY).encode(y=y, y2="max:Q")
    line = base.mark_line(color=ORANGE, strokeWidth=1.5).encode(y="median:Q")
    even = alt.Chart(rows).mark_rule(color=INK, strokeDash=[3, 3], opacity=0.5).encode(y=alt.datum(1))
    panels: alt.FacetChart = (
        (band + even + line)
        .properties(width=width, height=height)
        .facet(facet=alt.Facet("ware:N", title=None, sort=chosen, header=alt.Header(labelColor=INK)), columns=columns)
    )
    return figure(panels)


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """Every so many-th sample, and the last one."""
    ticks = frame["tick"].drop_duplicates().sort_values()
    kept = ticks[:: max(1, -(-len(ticks) // _POINTS))]
    return frame[frame["tick"].isin([*kept, ticks.iloc[-1]])]
