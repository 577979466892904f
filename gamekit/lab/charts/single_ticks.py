"""The HDR histogram: how late single ticks began, and how long they took, by percentile, over any span."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from gamekit.lab.charts.latency import TICK_MS
from gamekit.lab.charts.style import GREEN, INK, SKY, Chart, figure, milliseconds
from gamekit.lab.single_ticks import MEASURES, added, with_buckets

_COLOURS = {"lateness": SKY, "duration": GREEN}
#: Percentiles that the axis names, as how rare what exceeds them is: one tick in so many.
_RARITIES = [1, 2, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]
#: Points of a curve, about.
_POINTS = 240


def tick_percentile_chart(frame: pd.DataFrame, *, width: int = 560, height: int = 220) -> Chart:
    """The HDR histogram of single ticks: what so many percent of them did not exceed.

    To the right the percentile grows towards 100 %, each step ten times rarer: at 99.9 % one tick in a thousand was
    later. The points are the worst ticks. Every tick counts once, whatever second it fell in: the chart of an hour is
    that of its ticks. Take a part of the frame for a part of the time. The dashed line is one tick, 100 ms.

    Args:
        frame: as `game.frame.latency` gives it; rows of an older gamekit do not count.
        width, height: in pixels.

    Raises:
        ConfigError: no row tells of single ticks.
    """
    rows = with_buckets(frame)
    curves = {name: _curve(rows[f"{measure}_buckets"], name) for measure, name in MEASURES.items()}
    drawn = pd.concat(curves.values())
    worst = pd.concat(curve.tail(1) for curve in curves.values())
    ticks = int(rows["ticks"].sum())
    # "99.9 %", with as many nines as it takes.
    percent = "format(100 - 100 / datum.value, '.8~g') + ' %'"
    scale = alt.Scale(type="log", domain=[1, max(ticks, 2)], nice=False)
    x = alt.X("rarity:Q", title=f"share of {ticks:,} ticks", scale=scale)
    x = x.axis(values=_RARITIES, labelExpr=percent, labelFlush=False)
    colour = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    shape = alt.Chart(drawn).encode(
        x=x,
        y=milliseconds("of a tick, ms", max(float(drawn["ms"].max()), TICK_MS)),
        color=alt.Color("what:N", title=None, scale=colour, sort=list(_COLOURS)),
    )
    lines = shape.mark_line(interpolate="step-before", strokeWidth=2)
    points = shape.mark_point(size=40, filled=True, opacity=1, clip=False).properties(data=worst)
    limit = alt.Chart(drawn.head(1)).mark_rule(color=INK, strokeDash=[4, 3]).encode(y=alt.datum(TICK_MS))
    panel: alt.LayerChart = (limit + lines + points).properties(width=width, height=height)
    return figure(panel)


def _curve(stored: pd.Series, what: str) -> pd.DataFrame:
    """Percentiles of single ticks up to the worst, which stands where one tick in all of them is."""
    times, counts = added(stored)
    reached = np.cumsum(counts)
    total = int(reached[-1])
    rarity = np.unique(np.geomspace(1, max(total, 2), _POINTS))
    ranks = np.clip(np.ceil(total * (1 - 1 / rarity)), 1, total)
    found = times[np.searchsorted(reached, ranks)]
    found[-1] = times[-1]
    return pd.DataFrame({"rarity": rarity, "ms": found, "what": what})
