"""A search for rules: the metric against each rule with what luck does to it, and how the search closed in."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from gamekit.lab.charts.style import BLUE, GREEN, INK, ORANGE, RED, Chart, figure

BEST, AS_GOOD, WORSE = "best", "as good, for all we know", "worse"
_COLOURS = {BEST: RED, AS_GOOD: GREEN, WORSE: INK}


def search_chart(
    frame: pd.DataFrame,
    rules: Sequence[tuple[str, str]],
    metric: tuple[str, str],
    best: int,
    *,
    target: float | None = None,
    width: int = 480,
) -> Chart:
    """A panel for each rule, and one for the course of the search.

    Args:
        frame: as `Optimisation.frame` gives it.
        rules: names and units of what was varied.
        metric: its name and unit.
        best: the number of the best trial.
        target: the value that was searched for; None for the highest or lowest.
        width: in pixels.
    """
    name, unit = metric
    shown = frame[frame["error"] == ""]
    verdict = [BEST if row.trial == best else AS_GOOD if row.as_good else WORSE for row in shown.itertuples()]
    rows = shown.drop(columns=["error", name]).assign(value=shown[name], verdict=verdict)
    # One seed has no interval, and infinities cannot be drawn.
    rows[["low", "high"]] = rows[["low", "high"]].where(rows[["low", "high"]].abs() < float("inf"))
    title = unit or "value"
    y = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    colour = alt.Color("verdict:N", title=None, scale=alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values())))
    head = alt.Title(name, anchor="start")
    panels = []
    for rule, rule_unit in rules:
        base = alt.Chart(rows).encode(x=alt.X(f"{rule}:Q", title=f"{rule}, {rule_unit}"), color=colour)
        points = base.mark_point(size=60, filled=True, opacity=1).encode(y=y)
        layers = base.mark_rule(strokeWidth=1.5, opacity=0.6).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
        panel: alt.LayerChart = (layers + points).properties(width=width, height=200, title=head)
        if target is not None:
            line = alt.Chart(rows).mark_rule(color=ORANGE, strokeDash=[4, 3]).encode(y=alt.datum(target, title=title))
            panel = (line + layers + points).properties(width=width, height=200, title=head)
        panels.append(panel)
    course = alt.Chart(rows).encode(x=alt.X("trial:Q", title="trial"))
    far = "miss" if target is not None else "short of best"
    each = course.mark_point(size=30, color=INK, filled=True).encode(y=alt.Y("miss:Q", title=far))
    so_far = course.mark_line(color=BLUE, interpolate="step-after").encode(y="best_miss:Q")
    last: alt.LayerChart = (each + so_far).properties(width=width, height=110)
    return figure(*panels, last)
