"""Where everything came from and where it went: faucets below zero, sinks and holdings above, always in balance."""

from __future__ import annotations

import altair as alt
import pandas as pd

from gamekit.errors import ConfigError
from gamekit.lab.charts.style import BLUE, GREEN, INK, ORANGE, PINK, RED, SKY, YELLOW, Chart, figure

#: {series: colour}, in the order in which they are stacked, from zero outwards.
_COLOURS = {
    "in stock": SKY,
    "in holds": BLUE,
    "players": SKY,
    "companies": BLUE,
    "stations": GREEN,
}
_MORE = (ORANGE, RED, PINK, YELLOW, GREEN)
#: {kind of account: the series that its accounts make together}; faucets and sinks are a series each.
_TOGETHER = {
    "stock": "in stock",
    "hold": "in holds",
    "player": "players",
    "company": "companies",
    "station": "stations",
}


def books_chart(frame: pd.DataFrame, asset: str = "credits", *, width: int = 560, height: int = 220) -> Chart:
    """The books of one asset over time.

    What faucets gave is stacked below zero; what sinks took and what everybody holds is stacked above. Both are equally
    high at every moment: the thin line, their sum, is zero, or something has appeared or vanished.

    Args:
        frame: as `run.history.ledger` gives it.
        asset: "credits" or a ware's id.
        width, height: in pixels.

    Raises:
        ConfigError: the books know no such asset.
    """
    rows = frame[frame["asset"] == asset]
    if rows.empty:
        raise ConfigError(f"The books have no {asset!r}. They have: {', '.join(sorted(frame['asset'].unique()))}.")
    stacked = _stacked(rows)
    series = list(dict.fromkeys(stacked["series"]))
    more = iter(_MORE * 3)
    colours = [_COLOURS.get(name) or next(more) for name in series]
    areas = (
        alt.Chart(stacked)
        .mark_area(opacity=0.8)
        .encode(
            x=alt.X("hours:Q", title="hours"),
            y=alt.Y("bottom:Q", title="credits" if asset == "credits" else f"units of {asset}"),
            y2="top:Q",
            color=alt.Color("series:N", title=None, sort=series, scale=alt.Scale(domain=series, range=colours)),
        )
    )
    total = stacked.groupby("hours", as_index=False)["balance"].sum()
    line = alt.Chart(total).mark_line(color=INK, strokeWidth=2).encode(x="hours:Q", y="balance:Q")
    panel: alt.LayerChart = (areas + line).properties(width=width, height=height)
    return figure(panel)


def _stacked(rows: pd.DataFrame) -> pd.DataFrame:
    """Each series with the bottom and the top of its area at every tick; series that are always zero are left out."""
    named = [
        _TOGETHER.get(kind, account)
        for kind, account in zip(rows["kind"].astype(str), rows["account"].astype(str), strict=True)
    ]
    sums = rows.assign(series=named).groupby(["series", "tick"], as_index=False)["balance"].sum()
    sums["balance"] = sums["balance"].round(2)
    sums = sums[sums.groupby("series")["balance"].transform(lambda one: (one != 0).any())]
    order = [name for name in [*_COLOURS, *sums["series"].unique()] if name in set(sums["series"])]
    rank = {name: number for number, name in enumerate(dict.fromkeys(order))}
    sums = sums.sort_values(["tick", "series"], key=lambda one: one.map(rank) if one.name == "series" else one)
    for sign in (1, -1):
        part = sums["balance"].where(sums["balance"] * sign > 0, 0.0)
        top = part.groupby(sums["tick"]).cumsum()
        mine = sums["balance"] * sign > 0
        sums.loc[mine, "top"], sums.loc[mine, "bottom"] = top[mine], (top - part)[mine]
    sums[["top", "bottom"]] = sums[["top", "bottom"]].fillna(0.0)
    stacked: pd.DataFrame = sums.assign(hours=sums["tick"] / 36_000)
    return stacked
