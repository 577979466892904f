"""Everything tabular, as pandas DataFrames with fixed columns, types and units.

Every frame has exactly the columns listed in `COLUMNS`, in that order and of those types, however little there is in
it. Ticks are integers; `time` is the same as a Timedelta at ten ticks a second. Money is in credits as float, lengths
are metres, speeds metres a second, latencies milliseconds. A value that is not known to the one who looks (another
player's cargo, say) is missing, never zero. `frame.attrs["tick"]` is the moment that ships, stations and prices show.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gamekit.client.reading import Watching, position_of
from gamekit.game import TICK_HZ

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.client.blocking import BaseGame
    from gamekit.client.link import Link
    from gamekit.client.seen import Seen

#: {frame: {column: pandas type}}; what each column means is said in `MEANINGS`.
COLUMNS: dict[str, dict[str, str]] = {
    "ships": {
        "ship": "string",
        "name": "string",
        "owner": "string",
        "class": "string",
        "status": "string",
        "reason": "string",
        "sector": "string",
        "x_m": "Int64",
        "y_m": "Int64",
        "station": "string",
        "eta_tick": "Int64",
        "eta": "timedelta64[ns]",
        "speed_m_per_s": "float64",
        "capacity": "Int64",
        "cargo": "Int64",
        "queue": "Int64",
    },
    "stations": {
        "station": "string",
        "name": "string",
        "kind": "string",
        "sector": "string",
        "x_m": "Int64",
        "y_m": "Int64",
        "owner": "string",
        "status": "string",
        "reason": "string",
        "cycle": "timedelta64[ns]",
        "stock": "Int64",
        "capacity": "Int64",
    },
    "prices": {
        "station": "string",
        "station_name": "string",
        "sector": "string",
        "ware": "string",
        "ware_name": "string",
        "tier": "Int64",
        "buys": "boolean",
        "sells": "boolean",
        "stock": "Int64",
        "capacity": "Int64",
        "price_credits": "float64",
        "base_price_credits": "float64",
        "price_ratio": "float64",
    },
    "commands": {
        "seq": "int64",
        "tick": "int64",
        "time": "timedelta64[ns]",
        "epoch": "int64",
        "player": "string",
        "client": "string",
        "cid": "int64",
        "type": "string",
        "ship": "string",
        "body": "object",
    },
    "events": {
        "tick": "int64",
        "time": "timedelta64[ns]",
        "type": "string",
        "player": "string",
        "ship": "string",
        "station": "string",
        "details": "object",
    },
    "latency": {
        "at": "datetime64[ns, UTC]",
        "ticks": "int64",
        "late_p50_ms": "float64",
        "late_p99_ms": "float64",
        "late_max_ms": "float64",
        "work_p50_ms": "float64",
        "work_p99_ms": "float64",
        "work_max_ms": "float64",
        "commands_ms": "float64",
        "rules_ms": "float64",
        "journal_ms": "float64",
        "fanout_ms": "float64",
    },
}

#: {frame: {column: what it means}}, for columns whose name does not say it all.
MEANINGS: dict[str, dict[str, str]] = {
    "ships": {
        "x_m": "metres from the sector's centre, to the right, at the moment shown; of the gate when inside one",
        "y_m": "metres from the sector's centre, downwards",
        "station": "where it is docked, else missing",
        "eta_tick": "when its present leg or jump ends, else missing",
        "eta": "the same as game time since the beginning",
        "speed_m_per_s": "at game speed 1",
        "capacity": "volume units",
        "cargo": "units of all wares together; missing for other players' ships",
        "queue": "steps it has still to do; missing for other players' ships",
    },
    "stations": {
        "cycle": "game time of one production cycle; missing when it makes nothing",
        "stock": "units of all wares together",
        "capacity": "units of all wares together",
    },
    "prices": {
        "buys": "the station buys it",
        "sells": "the station sells it",
        "stock": "units there",
        "capacity": "units it can hold",
        "price_credits": "for one unit, now",
        "base_price_credits": "for one unit, when stock is half full",
        "price_ratio": "price over base price",
    },
    "commands": {
        "seq": "number of the journal record that holds it",
        "tick": "when it took effect",
        "epoch": "the run of the server that wrote it",
        "cid": "the client's number of it; 0 for the server's own",
        "body": "the command as it was journaled",
    },
    "events": {"details": "all other fields of the event"},
    "latency": {
        "at": "end of the second that the row sums up",
        "ticks": "ticks executed in it",
        "late_p50_ms": "start of the tick against the 100 ms grid: median",
        "work_p50_ms": "duration of the tick: median",
        "commands_ms": "the second's sum of this phase; so are rules, journal and fanout",
    },
}


class Frames:
    """The frames of one game, through one pair of eyes.

    Args:
        game: where commands and latency are asked for.
        eyes: whose picture it is: the game itself for a spectator, or a player.
        link: the connection whose events are shown.
    """

    def __init__(self, game: BaseGame[Any], eyes: Watching, link: Link) -> None:
        self._game = game
        self._eyes = eyes
        self._link = link

    @property
    def ships(self) -> pd.DataFrame:
        """All ships that are seen, a row each."""
        seen = self._eyes.seen
        return _frame("ships", (_ship_row(seen, key, ship) for key, ship in _table(seen, "ships").items()), seen)

    @property
    def stations(self) -> pd.DataFrame:
        """All stations, a row each."""
        seen = self._eyes.seen
        return _frame("stations", (_station_row(key, row) for key, row in _table(seen, "stations").items()), seen)

    @property
    def prices(self) -> pd.DataFrame:
        """What every station pays and asks, a row for each station and ware."""
        seen = self._eyes.seen
        return _frame("prices", _price_rows(seen), seen)

    @property
    def commands(self) -> pd.DataFrame:
        """The game's history: every command that was journaled, in order."""
        return _frame("commands", (row for record in self._game.commands() for row in _command_rows(record)))

    @property
    def events(self) -> pd.DataFrame:
        """The latest events that this connection was told of (at most 10,000), oldest first."""
        recent = self._game.io.call(lambda: list(self._link.recent))
        return _frame("events", (_event_row(event) for event in recent))

    @property
    def latency(self) -> pd.DataFrame:
        """How late ticks began and how long they took, a row a second."""
        return latency_frame(self._game.latency_rows())

    def __repr__(self) -> str:
        return f"<Frames: {', '.join(COLUMNS)}>"

    def __dir__(self) -> list[str]:
        return list(COLUMNS)


def latency_frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """The server's latency rows as a frame."""
    import pandas as pd

    made = [
        {
            "at": pd.Timestamp(row["at_s"], unit="s", tz="UTC"),
            "ticks": row["ticks"],
            **{
                f"{key.removesuffix('_us')}_ms": value / 1000
                for key, value in row.items()
                if key.endswith("_us") and f"{key.removesuffix('_us')}_ms" in COLUMNS["latency"]
            },
        }
        for row in rows
    ]
    return _frame("latency", made)


def _frame(kind: str, rows: Iterable[Mapping[str, Any]], seen: Seen | None = None) -> pd.DataFrame:
    """Rows as a frame with exactly the columns and types of its kind."""
    import pandas as pd

    listed = list(rows)
    columns = COLUMNS[kind]
    frame = pd.DataFrame(
        {column: pd.Series([row[column] for row in listed], dtype=dtype) for column, dtype in columns.items()}
    )
    if seen is not None:
        frame.attrs["tick"] = seen.tick
    return frame


def _table(seen: Seen, name: str) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = seen.view.get(name, {})
    return table


def _ship_row(seen: Seen, key: str, ship: Mapping[str, Any]) -> dict[str, Any]:
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
        "eta": _game_time(at.get("arrive")),
        "speed_m_per_s": ship["speed"] * TICK_HZ / 1000,
        "capacity": ship["capacity"],
        "cargo": None if hold is None else sum(hold.values()),
        "queue": None if queue is None else len(queue),
    }


def _station_row(key: str, station: Mapping[str, Any]) -> dict[str, Any]:
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
        "cycle": _game_time(recipe["cycle_ticks"] if recipe else None),
        "stock": sum(station["stock"].values()),
        "capacity": sum(station["capacity"].values()),
    }


def _price_rows(seen: Seen) -> Iterable[dict[str, Any]]:
    wares = _table(seen, "wares")
    for key, station in _table(seen, "stations").items():
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


def _command_rows(record: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for command in record["commands"]:
        body = command["body"]
        yield {
            "seq": record["seq"],
            "tick": record["tick"],
            "time": _game_time(record["tick"]),
            "epoch": record["epoch"],
            "player": command["player"],
            "client": command["client"],
            "cid": command["cid"],
            "type": body.get("type"),
            "ship": body.get("ship"),
            "body": body,
        }


def _event_row(event: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("tick", "type", "player", "ship", "station")
    return {
        "tick": event["tick"],
        "time": _game_time(event["tick"]),
        "type": event.get("type"),
        "player": event.get("player"),
        "ship": event.get("ship"),
        "station": event.get("station"),
        "details": {key: value for key, value in event.items() if key not in shown},
    }


def _game_time(tick: int | None) -> pd.Timedelta | None:
    import pandas as pd

    return None if tick is None else pd.Timedelta(milliseconds=tick * 1000 // TICK_HZ)
