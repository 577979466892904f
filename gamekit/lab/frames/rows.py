"""The rows of the frames that show a moment, from what a view says. Owns no game and no connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from gamekit.client.reading import position_of
from gamekit.game import TICK_HZ
from gamekit.lab.frames.columns import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.client.seen import Seen


def frame(kind: str, rows: Iterable[Mapping[str, Any]], seen: Seen | None = None) -> pd.DataFrame:
    """Rows as a frame with exactly the columns and types of its kind."""
    import pandas as pd

    listed = list(rows)
    columns = COLUMNS[kind]
    cells = {column: list(map(itemgetter(column), listed)) for column in columns}
    frame = pd.DataFrame({column: pd.Series(cells[column], dtype=dtype) for column, dtype in columns.items()})
    if seen is not None:
        frame.attrs["tick"] = seen.tick
    return frame


def table(seen: Seen, name: str) -> dict[str, dict[str, Any]]:
    """One table of the view; empty when it has none."""
    found: dict[str, dict[str, Any]] = seen.view.get(name, {})
    return found


def ship_row(seen: Seen, key: str, ship: Mapping[str, Any]) -> dict[str, Any]:
    at = ship["at"]
    position = position_of(seen.view, ship, seen.tick)
    hold, queue = ship.get("hold"), ship.get("queue")
    return {
        "ship": key,
        "name": ship["name"],
        "owner": ship["owner"],
        "class": ship["class"],
        "status": ship["status"],
        "reason": ship["reason"],
        "sector": position.sector,
        "x_m": position.x,
        "y_m": position.y,
        "station": at.get("station"),
        "eta_tick": at.get("arrive"),
        "eta": game_time(at.get("arrive")),
        "speed_m_per_s": ship["speed"] * TICK_HZ / 1000,
        "capacity": ship["capacity"],
        "cargo": None if hold is None else sum(hold.values()),
        "queue": None if queue is None else len(queue),
        "auto_trade": ship.get("auto_trade"),
        **{f"job_{name}": (ship.get("job") or {}).get(name) for name in ("ware", "units", "source", "target")},
    }


def sector_rows(seen: Seen) -> Iterable[dict[str, Any]]:
    ships = Counter(position_of(seen.view, ship, seen.tick).sector for ship in table(seen, "ships").values())
    stations = Counter(station["sector"] for station in table(seen, "stations").values())
    for key, sector in table(seen, "sectors").items():
        yield {
            "sector": key,
            "name": sector["name"],
            "map_x": sector["x"],
            "map_y": sector["y"],
            "size_m": sector["size_m"],
            "gates": len(sector["gates"]),
            "stations": stations[key],
            "ships": ships[key],
        }


def gate_row(key: str, gate: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "gate": key,
        "sector": gate["sector"],
        "x_m": gate["x"],
        "y_m": gate["y"],
        "to_gate": gate["to"],
        "to_sector": gate["to_sector"],
        "jump": game_time(gate["jump_ticks"]),
        "open": gate["open"],
        "reason": gate["reason"],
        "storm_until_tick": gate["storm_until"],
    }


def station_row(key: str, station: Mapping[str, Any]) -> dict[str, Any]:
    recipe = station.get("recipe")
    return {
        "station": key,
        "name": station["name"],
        "kind": station["kind"],
        "sector": station["sector"],
        "x_m": station["x"],
        "y_m": station["y"],
        "owner": station["owner"],
        "status": station["status"],
        "reason": station["reason"],
        "since_tick": station["since"],
        "cycle": game_time(recipe["cycle_ticks"] if recipe else None),
        "stock": sum(station["stock"].values()),
        "capacity": sum(station["capacity"].values()),
    }


def price_rows(seen: Seen) -> Iterable[dict[str, Any]]:
    wares = table(seen, "wares")
    for key, station in table(seen, "stations").items():
        for ware, price in station["price"].items():
            about = wares.get(ware, {})
            base = about.get("base_price")
            yield {
                "station": key,
                "station_name": station["name"],
                "sector": station["sector"],
                "ware": ware,
                "ware_name": about.get("name", ware),
                "tier": about.get("tier"),
                "buys": ware in station["buys"],
                "sells": ware in station["sells"],
                "stock": station["stock"].get(ware, 0),
                "capacity": station["capacity"].get(ware),
                "price_credits": price / 100,
                "base_price_credits": None if base is None else base / 100,
                "price_ratio": price / base if base else None,
            }


def seen_ledger_rows(seen: Seen) -> Iterable[dict[str, Any]]:
    """The accounts that a view shows: credits of oneself, stocks of stations, holds of one's ships."""
    for key, player in table(seen, "players").items():
        if "credits" in player:
            kind = "company" if player.get("company") else "player"
            yield ledger_row(f"player:{key}", kind, "credits", player["credits"])
    for key, station in table(seen, "stations").items():
        for ware, units in station["stock"].items():
            yield ledger_row(f"station:{key}", "stock", ware, units)
    for key, ship in table(seen, "ships").items():
        for ware, units in ship.get("hold", {}).items():
            yield ledger_row(f"ship:{key}", "hold", ware, units)


def ledger_row(account: str, kind: str, asset: str, amount: int) -> dict[str, Any]:
    """A row of `ledger`; `amount` is centi-credits or units."""
    balance = amount / 100 if asset == "credits" else float(amount)
    return {"account": account, "kind": kind, "asset": asset, "balance": balance}


def game_time(tick: int | None) -> pd.Timedelta | None:
    import pandas as pd

    return None if tick is None else pd.Timedelta(milliseconds=tick * 1000 // TICK_HZ)
