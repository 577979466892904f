"""What faucets gave and sinks took, hour by hour."""

from __future__ import annotations

import altair as alt
import pandas as pd

from gamekit.errors import ConfigError
from gamekit.lab.charts.style import BLUE, GREEN, INK, ORANGE, PINK, RED, SKY, YELLOW, Chart, figure

_PALETTE = (ORANGE, SKY, GREEN, RED, BLUE, PINK, YELLOW)


def flow_chart(frame: pd.DataFrame, asset: str = "credits", *, width: int = 560, height: int = 200) -> Chart:
    """How much of one asset came into the game and left it, in every hour of game time.

    Bars above zero are what faucets gave, bars below what sinks took; the line is what is left of both: above zero the
    game holds more and more of it.

    Args:
        frame: as `run.history.ledger` gives it.
        asset: "credits" or a ware's id.
        width, height: in pixels.

    Raises:
        ConfigError: no faucet and no sink knows the asset.
    """
    rows = frame[(frame["asset"] == asset) & frame["kind"].isin(["faucet", "sink"])]
    if rows.empty:
        known = sorted(frame[frame["kind"].isin(["faucet", "sink"])]["asset"].astype(str).unique())
        raise ConfigError(f"No faucet or sink knows {asset!r}. They know: {', '.join(known) or 'nothing'}.")
    rows = rows.assign(account=rows["account"].astype("object"), hour=(rows["tick"] - 1).clip(lower=0) // 36_000)
    # An account's balance at an hour's last sample, less that at the hour before: what went through it. A faucet's
    # balance falls as it gives, so what came into the game is the negative of it.
    last = rows.sort_values("tick").groupby(["account", "hour"])["balance"].last().unstack("hour")
    first = rows.sort_values("tick").groupby("account")["balance"].first()
    before = last.shift(axis="columns")
    before[last.columns[0]] = first
    flows = -(last - before).round(2)
    long = flows.reset_index().melt("account", var_name="hour", value_name="amount")
    long = long[long.groupby("account")["amount"].transform(lambda one: (one != 0).any())]
    accounts = sorted(long["account"].unique())
    scale = alt.Scale(domain=accounts, range=[_PALETTE[at % len(_PALETTE)] for at in range(len(accounts))])
    x = alt.X("hour:O", title="hour of game time", axis=alt.Axis(labelAngle=0))
    unit = "credits an hour" if asset == "credits" else f"units of {asset} an hour"
    bars = (
        alt.Chart(long)
        .mark_bar()
        .encode(x=x, y=alt.Y("amount:Q", title=unit), color=alt.Color("account:N", title=None, scale=scale))
    )
    net = long.groupby("hour", as_index=False)["amount"].sum()
    line = alt.Chart(net).mark_line(color=INK, point={"color": INK}).encode(x=x, y="amount:Q")
    panel: alt.LayerChart = (bars + line).properties(width=width, height=height)
    return figure(panel)
