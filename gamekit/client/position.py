"""Where ships are, by the picture and the tick: computed, never stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from gamekit.game import Tick, View


class Position(NamedTuple):
    """A place in space: metres from the centre of the sector, x to the right, y down."""

    sector: str
    x: int
    y: int


def position_of(view: View, ship: Mapping[str, Any], tick: float) -> Position:
    """Where a ship is at a tick: on its leg, at its station, or at the gate that it entered."""
    at = ship["at"]
    match at["type"]:
        case "leg":
            (x0, y0), (x1, y1) = at["from"], at["to"]
            share = _share(tick, at["depart"], at["arrive"])
            return Position(at["sector"], round(x0 + (x1 - x0) * share), round(y0 + (y1 - y0) * share))
        case "dock":
            station = view["stations"][at["station"]]
            return Position(station["sector"], station["x"], station["y"])
        case "gate":
            gate = view["gates"][at["gate"]]
            return Position(gate["sector"], gate["x"], gate["y"])
        case _:
            return Position(at["sector"], at["x"], at["y"])


def place_text(view: View, ship: Mapping[str, Any]) -> str:
    """Where a ship is, in words."""
    at = ship["at"]
    sectors = view.get("sectors", {})
    match at["type"]:
        case "dock":
            return str(view["stations"][at["station"]]["name"])
        case "gate":
            gate = view["gates"][at["gate"]]
            beyond = gate["to_sector"]
            return f"in the gate to {'the unknown' if beyond is None else _name(sectors, beyond)}"
        case _:
            return _name(sectors, at["sector"])


def _name(table: Mapping[str, Mapping[str, Any]], key: str) -> str:
    return str(table.get(key, {}).get("name", key))


def _share(tick: float, depart: Tick, arrive: Tick) -> float:
    return min(max((tick - depart) / (arrive - depart), 0.0), 1.0) if arrive > depart else 1.0
