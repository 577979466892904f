"""Lateness by percentile, the way latencies are compared: the tail is as wide as everything before it."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from gamekit.lab.charts.latency import TICK_MS, check_rows
from gamekit.lab.charts.style import INK, ORANGE, RED, SKY, Chart, figure, milliseconds

_COLOURS = {"median tick": SKY, "99th percentile": ORANGE, "worst tick": RED}
_COLUMNS = {"late_p50_ms": "median tick", "late_p99_ms": "99th percentile", "late_max_ms": "worst tick"}


def latency_percentile_chart(frame: pd.DataFrame, *, width: int = 560, height: int = 220) -> Chart:
    """In how many seconds ticks were no later than so much.

    Read it like an HDR histogram: to the right the percentile grows towards 100 %, each step ten times rarer. Every
    second counts once, by its median tick, its 99th percentile and its worst tick. The dashed line is one tick, 100 ms:
    above it a tick began when the next one was due.

    Args:
        frame: as `game.frame.latency` gives it.
        width, height: in pixels.

    Raises:
        ConfigError: the frame is empty.
    """
    check_rows(frame)
    seconds = len(frame)
    # So many percentiles as can be seen, and none beyond what so many seconds can tell.
    rarity = np.unique(np.geomspace(1.0, max(float(seconds), 2.0), 120))
    shares = 1 - 1 / rarity
    drawn = pd.concat(
        pd.DataFrame(
            {
                "rarity": rarity,
                "ms": np.quantile(frame[column].to_numpy(), shares, method="inverted_cdf"),
                "of each second": name,
            }
        )
        for column, name in _COLUMNS.items()
    )
    scale = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    percent = "format(100 - 100 / datum.value, '.5~g') + ' %'"
    x = alt.X("rarity:Q", title="share of seconds", scale=alt.Scale(type="log"))
    x = x.axis(values=[1, 2, 10, 100, 1_000, 10_000, 100_000], labelExpr=percent)
    lines = (
        alt.Chart(drawn)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(
            x=x,
            y=milliseconds("tick lateness, ms", max(float(drawn["ms"].max()), TICK_MS)),
            color=alt.Color("of each second:N", title="of each second", scale=scale, sort=list(_COLOURS)),
        )
    )
    limit = alt.Chart(drawn.head(1)).mark_rule(color=INK, strokeDash=[4, 3]).encode(y=alt.datum(TICK_MS))
    panel: alt.LayerChart = (limit + lines).properties(width=width, height=height)
    return figure(panel)
