"""What each rule does to each metric, with the interval in which the truth may lie, and what chance alone would do."""

from __future__ import annotations

import altair as alt
import pandas as pd

from gamekit.lab.charts.style import BLUE, INK, ORANGE, Chart, figure

#: By verdict; what does nothing is as grey as what may be chance, and its point lies at zero.
_COLOURS = {"matters": BLUE, "not told from chance": INK, "does nothing": INK, "unknown": INK}


def sensitivity_chart(frame: pd.DataFrame, *, width: int = 480) -> Chart:
    """A panel for each metric: effects as points with intervals, and in orange what chance alone would show.

    Args:
        frame: as `Sensitivity.frame` is.
        width: in pixels.
    """
    share = "alone" in frame.columns
    panels: list[alt.LayerChart] = []
    for metric, rows in frame.groupby("metric", sort=False):
        unit = rows["unit"].iloc[0]
        title = "share of the variance" if share else f"effect over the rule's range{f', {unit}' if unit else ''}"
        base = alt.Chart(rows.drop(columns="metric"), title=alt.Title(str(metric), anchor="start")).encode(
            y=alt.Y("rule:N", title=None, sort=None)
        )
        colour = alt.Color(
            "verdict:N",
            title=None,
            scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())),
            # Said once, for all panels.
            legend=None if panels else alt.Legend(values=["matters", "not told from chance"]),
        )
        bars = base.mark_bar(opacity=0.25, height=14).encode(x=alt.X("effect:Q", title=title), color=colour)
        spans = base.mark_rule(strokeWidth=3).encode(x="low:Q", x2="high:Q", color=colour)
        points = base.mark_point(size=70, filled=True, opacity=1).encode(x="effect:Q", color=colour)
        chance = base.mark_tick(color=ORANGE, thickness=3, height=18).encode(x="chance:Q")
        panel: alt.LayerChart = (bars + spans + points + chance).properties(width=width, height=alt.Step(26))
        panels.append(panel)
    return figure(*panels)
