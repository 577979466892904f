"""What a change of rules does to each metric, with the interval in which the truth may lie."""

from __future__ import annotations

import altair as alt
import pandas as pd

from gamekit.errors import ConfigError
from gamekit.lab.charts.style import GREEN, INK, ORANGE, RED, Chart, figure

_COLOURS = {"b is higher": GREEN, "b is lower": RED, "not told apart": INK, "the same": INK, "unknown": INK}


def difference_chart(frame: pd.DataFrame, *, width: int = 480) -> Chart:
    """Mean paired differences in percent of A, as points with intervals; whatever touches the line may be chance.

    Args:
        frame: as `Comparison.frame` gives it.
        width: in pixels.

    Raises:
        ConfigError: no metric has a mean to compare with.
    """
    shown = frame[frame["mean_a"] != 0]
    if shown.empty:
        raise ConfigError("There is nothing to draw: on side A every metric is zero, or every run failed.")
    scale = 100 / shown["mean_a"].abs()
    rows = shown[["metric", "percent"]].assign(low=shown["low"] * scale, high=shown["high"] * scale)
    rows["verdict"] = shown["verdict"].str.removesuffix(" (deterministic)")
    base = alt.Chart(rows).encode(y=alt.Y("metric:N", title=None, sort=None))
    verdicts = list(_COLOURS)
    colour = alt.Color(
        "verdict:N", title=None, scale=alt.Scale(domain=verdicts, range=[_COLOURS[one] for one in verdicts])
    )
    spans = base.mark_rule(strokeWidth=3).encode(x=alt.X("low:Q", title="B against A, %"), x2="high:Q", color=colour)
    points = base.mark_point(size=80, filled=True, opacity=1).encode(x="percent:Q", color=colour)
    zero = alt.Chart(rows).mark_rule(color=ORANGE, strokeDash=[4, 3]).encode(x=alt.datum(0))
    panel: alt.LayerChart = (zero + spans + points).properties(width=width)
    return figure(panel)
