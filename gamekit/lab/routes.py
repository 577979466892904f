"""Trade routes: what ships bought in one place and sold in another."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gamekit.errors import ConfigError

if TYPE_CHECKING:
    import pandas as pd

#: The columns of `frame.trades` that it takes.
TRADED = ("ship", "station", "ware", "side", "units", "total_credits")
#: {column: pandas type}
COLUMNS = {
    "source": "string",
    "target": "string",
    "ware": "string",
    "units": "int64",
    "trips": "int64",
    "profit_credits": "float64",
}


@dataclass(slots=True)
class _Lot:
    """A purchase: where, how much of it is still on board, and credits a unit."""

    station: str
    units: int
    cost: float


def trade_routes(trades: pd.DataFrame) -> pd.DataFrame:
    """Purchases matched with the sales that followed, first in, first out, for each ship and ware.

    Args:
        trades: as `frame.trades` gives them, in order.

    Returns:
        A row for each route and ware, the most units first: `source` and `target` station, units, trips (sales) and
        profit, what the sales brought less what the units had cost. Wares that are still on board count nowhere.

    Raises:
        ConfigError: it is another frame.
    """
    import pandas as pd

    if missing := [name for name in TRADED if name not in trades]:
        raise ConfigError(f"This frame has no column {missing[0]!r}: trade_routes takes what `frame.trades` gives.")

    #: {(ship, ware): purchases that are not sold yet, oldest first}
    aboard: dict[tuple[str, str], deque[_Lot]] = {}
    #: {(source, target, ware): [units, trips, profit in credits]}
    routes: dict[tuple[str, str, str], list[Any]] = {}
    columns = (trades[name] for name in TRADED)
    for ship, station, ware, side, units, total in zip(*columns, strict=True):
        lots = aboard.setdefault((ship, ware), deque())
        if side == "buy":
            lots.append(_Lot(station, units, total / units))
            continue
        left = units
        while left and lots:
            lot = lots[0]
            moved = min(left, lot.units)
            row = routes.setdefault((lot.station, station, ware), [0, 0, 0.0])
            row[0] += moved
            row[1] += 1
            row[2] += moved * (total / units - lot.cost)
            left -= moved
            lot.units -= moved
            if not lot.units:
                lots.popleft()
    rows = sorted(((*key, *row) for key, row in routes.items()), key=lambda one: int(one[3]), reverse=True)
    return pd.DataFrame(
        {
            name: pd.Series([row[index] for row in rows], dtype=dtype)
            for index, (name, dtype) in enumerate(COLUMNS.items())
        }
    )
