"""What each ship was doing, and for how long: spans of game time, from the events of a game."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: {event: what a ship does from then on}
DOING = {
    "PlayerJoined": "idle",
    "ShipBought": "idle",
    "ShipDeparted": "flying",
    "ShipArrived": "idle",
    "ShipStopped": "idle",
    "ShipJumped": "jumping",
    "ShipEmerged": "idle",
    "ShipDocking": "docking",
    "ShipDocked": "docked",
    "ShipUndocked": "idle",
    "ShipHolding": "holding",
}
#: {column: pandas type}
COLUMNS = {"ship": "string", "doing": "string", "from_tick": "int64", "until_tick": "int64", "ticks": "int64"}


def ship_spans(events: pd.DataFrame, until_tick: int | None = None) -> pd.DataFrame:
    """What each ship did from when to when.

    Args:
        events: as `frame.events` gives them, in order.
        until_tick: where the last span of every ship ends; at the last event by default.

    Returns:
        A row for each span, ship by ship: `ship`, `doing` (flying, jumping, docking, docked, holding or idle),
        `from_tick`, `until_tick` and `ticks`. Spans of no length are left out.
    """
    import pandas as pd

    told = events[events["type"].isin(list(DOING)) & events["ship"].notna()][["ship", "type", "tick"]]
    end = int(events["tick"].max() if until_tick is None else until_tick) if len(events) else 0
    told = told.assign(doing=told["type"].map(DOING), from_tick=told["tick"]).sort_values(
        ["ship", "tick"], kind="stable"
    )
    told["until_tick"] = told.groupby("ship")["tick"].shift(-1).fillna(end).astype("int64")
    told["ticks"] = told["until_tick"] - told["from_tick"]
    spans = told[told["ticks"] > 0][list(COLUMNS)].reset_index(drop=True)
    return spans.astype(COLUMNS) if len(spans) else pd.DataFrame({k: pd.Series(dtype=v) for k, v in COLUMNS.items()})
