"""The frames that may have a million rows: trades, events, commands, latency. Made column by column.

Nothing here makes an object for each row, but for the cells that are one: a command's `body`, an event's `details`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from gamekit.game import TICK_HZ, Event, Tick
from gamekit.journal.buckets import UNKNOWN
from gamekit.lab.frames.columns import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

#: The events that a trade is.
TRADES = {"WareBought", "WareSold"}


class _Command(msgspec.Struct):
    """One command as a journal record holds it."""

    player: str
    client: str
    cid: int
    body: dict[str, Any]


_commands = msgspec.json.Decoder(list[list[_Command]])


def long_frame(columns: Mapping[str, str], values: Mapping[str, Any]) -> pd.DataFrame:
    """Whole columns as a frame with the types of `columns`; the game time is made from the ticks.

    Args:
        columns: `{column: pandas type}`, in order.
        values: `{column: values}`, all equally long; `time` need not be there.
    """
    import pandas as pd

    made = dict(values)
    if "time" in columns:
        made["tick"] = ticks = pd.Series(values["tick"], dtype="int64")
        made["time"] = pd.to_timedelta(ticks * (1000 // TICK_HZ), unit="ms")
    return pd.DataFrame({name: pd.Series(made[name], dtype=dtype) for name, dtype in columns.items()})


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage while millions of cells are made: there is none, and looking takes longer than the work."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def trades_frame(ticks: Sequence[Tick], events: Sequence[Any]) -> pd.DataFrame:
    """Purchases and sales.

    Args:
        ticks: when each fell.
        events: the events `WareBought` and `WareSold`, all as structs or all as mappings.
    """
    import pandas as pd

    plain = bool(events) and isinstance(events[0], Mapping)
    take: Callable[[str], Callable[[Any], Any]] = itemgetter if plain else attrgetter
    names = ("player", "ship", "station", "ware", "units", "total", "fee", "wanted")
    column = {name: list(map(take(name), events)) for name in names}
    units, totals = (pd.Series(column[name], dtype="int64") for name in ("units", "total"))
    limited = [event.get("limited_by", "") for event in events] if plain else [one.limited_by for one in events]
    values = {
        **{name: column[name] for name in ("player", "ship", "station", "ware", "wanted")},
        "tick": list(ticks),
        "side": ["buy" if kind == "WareBought" else "sell" for kind in map(_type_of, events)],
        "units": units,
        "price_credits": totals / units / 100,
        "total_credits": totals / 100,
        "fee_credits": pd.Series(column["fee"], dtype="float64") / 100,
        "limited_by": limited,
    }
    return long_frame(COLUMNS["trades"], values)


@uncollected()
def events_frame(ticks: Sequence[Tick], events: Sequence[Any]) -> pd.DataFrame:
    """Events of any kind.

    Args:
        ticks: when each fell.
        events: structs or mappings.
    """
    # Plain copies, from which the named fields are taken: what is left of each is its details.
    plain: list[dict[str, Any]] = msgspec.to_builtins(list(events))
    values: dict[str, Any] = {"tick": list(ticks), "type": [event.pop("type", None) for event in plain]}
    for name in ("player", "ship", "station"):
        values[name] = [event.pop(name, None) for event in plain]
    for event in plain:
        event.pop("tick", None)
    return long_frame(COLUMNS["events"], {**values, "details": _objects(plain)})


@uncollected()
def commands_frame(records: Iterable[tuple[int, Tick, int, str]]) -> pd.DataFrame:
    """Commands as a journal holds them.

    Args:
        records: seq, tick, epoch and the commands' JSON text of each record, in order.
    """
    seqs, ticks, epochs, texts = zip(*records, strict=True) if (records := list(records)) else ((), (), (), ())
    listed = _commands.decode("[" + ",".join(texts) + "]")
    sizes = list(map(len, listed))
    commands = list(chain.from_iterable(listed))
    bodies = [command.body for command in commands]
    values = {
        "seq": _spread(seqs, sizes),
        "tick": _spread(ticks, sizes),
        "epoch": _spread(epochs, sizes),
        **{name: list(map(attrgetter(name), commands)) for name in ("player", "client", "cid")},
        "type": [body.get("type") for body in bodies],
        "ship": [body.get("ship") for body in bodies],
        "body": _objects(bodies),
    }
    return long_frame(COLUMNS["commands"], values)


def latency_frame(rows: Iterable[Any]) -> pd.DataFrame:
    """The server's latency rows, mappings or structs, as a frame in milliseconds."""
    import pandas as pd

    listed = list(rows)
    take: Callable[[str], Callable[[Any], Any]] = (
        itemgetter if listed and isinstance(listed[0], Mapping) else attrgetter
    )
    at_s = pd.Series(list(map(take("at_s"), listed)), dtype="float64")
    values: dict[str, Any] = {
        "at": pd.to_datetime((at_s * 1e9).round().astype("int64"), unit="ns", utc=True),
        "ticks": list(map(take("ticks"), listed)),
    }
    for name in COLUMNS["latency"]:
        if name.endswith("_ms"):
            us = pd.Series(list(map(take(f"{name.removesuffix('_ms')}_us"), listed)), dtype="float64")
            values[name] = us / 1000
        elif name.endswith("_buckets"):
            # Shown as they are kept: nobody wants a dictionary for each of a million seconds.
            texts = map(take(name), listed) if listed and _has(listed[0], name) else repeat(UNKNOWN, len(listed))
            values[name] = [None if text == UNKNOWN else text for text in texts]
    return long_frame(COLUMNS["latency"], values)


def is_trade(event: Any) -> bool:
    """Whether an event, a struct or a mapping, is a purchase or a sale."""
    return _type_of(event) in TRADES


def _has(row: Any, name: str) -> bool:
    """Whether a row says this: a server that is older than this client does not say everything."""
    return name in row if isinstance(row, Mapping) else hasattr(row, name)


def _type_of(event: Any) -> str:
    if isinstance(event, Event):
        # An event's tag is its class's name.
        return type(event).__name__
    return str(event.get("type"))


def _spread(values: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Each value as often as its record has commands."""
    return list(chain.from_iterable(map(repeat, values, sizes)))


def _objects(cells: Sequence[Any]) -> pd.Series[Any]:
    """A column of objects, which pandas shall not look into."""
    import numpy as np
    import pandas as pd

    held = np.empty(len(cells), dtype=object)
    held[:] = cells
    return pd.Series(held, dtype="object")
