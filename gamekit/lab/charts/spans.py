"""What ships did: a band of colours for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import altair as alt
import pandas as pd

from gamekit.errors import ConfigError
from gamekit.lab.charts.style import BLUE, GREEN, INK, ORANGE, RED, SKY, Chart, figure

_COLOURS = {"flying": SKY, "jumping": BLUE, "docking": ORANGE, "docked": GREEN, "idle": INK, "holding": RED}


def ship_chart(frame: pd.DataFrame, names: Mapping[str, str] | None = None, *, width: int = 640) -> Chart:
    """What each ship did over game time.

    Args:
        frame: as `lab.ship_spans` gives it.
        names: `{ship id: what to call it}`; only these ships are shown, in this order. All by default.
        width: in pixels.

    Raises:
        ConfigError: there is nothing to draw.
    """
    shown = frame if names is None else frame[frame["ship"].isin(list(names))]
    if shown.empty:
        raise ConfigError("There are no spans of these ships; take more events, or other ships.")
    called = shown["ship"].map(dict(names)) if names is not None else shown["ship"]
    rows = shown[["doing"]].assign(
        ship=called.astype("object"), start=shown["from_tick"] / 600, end=shown["until_tick"] / 600
    )
    doing = [name for name in _COLOURS if name in set(rows["doing"])]
    scale = alt.Scale(domain=doing, range=[_COLOURS[name] for name in doing])
    bars = (
        alt.Chart(rows.astype({"doing": "object"}))
        .mark_bar(height=16)
        .encode(
            x=alt.X("start:Q", title="game time, minutes", scale=alt.Scale(nice=False)),
            x2="end:Q",
            y=alt.Y("ship:N", title=None, sort=None if names is None else list(names.values())),
            color=alt.Color("doing:N", title=None, scale=scale, sort=doing),
        )
    )
    panel = cast("alt.LayerChart", alt.layer(bars).properties(width=width))
    return figure(panel)
