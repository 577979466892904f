"""Stored rows as values. A row that is no game's is marked, not believed, so that it does not hide the others."""

from __future__ import annotations

import math
import re
from typing import Any

from gamekit.errors import JournalCorrupt
from gamekit.game import GameId, Tick
from gamekit.journal.contract import Card, Clock, GameRow, Record

#: Game ids as the routes take them.
GAME_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SEED = re.compile(r"-?[0-9]{1,20}")
#: Numbers that every reader of JSON keeps exactly, browsers among them.
LARGEST = 2**53 - 1
#: Unix times in seconds: until the year 9999.
LATEST_S = 253_402_300_799.0


def whole(value: Any) -> bool:
    """True for a number that may be a tick, a seq or an epoch."""
    return type(value) is int and 0 <= value <= LARGEST


def moment(value: Any) -> bool:
    """True for a number that may be a Unix time in seconds."""
    return type(value) in (int, float) and math.isfinite(value) and abs(value) <= LATEST_S


def game_row(row: tuple[Any, ...]) -> GameRow:
    """The catalogue's row from the columns of `reader.SELECT_GAMES`; one that cannot be is marked as damaged."""
    game, rules, version, name, config, seed, created_s, epoch = row
    damage = _damage(row)
    if damage is None:
        return GameRow(game, rules, version, name, config, int(seed), created_s, epoch)
    return GameRow(
        GameId(_text(game)),
        _text(rules),
        version if whole(version) else 0,
        _text(name),
        config if isinstance(config, str) else "{}",
        int(seed) if isinstance(seed, str) and _SEED.fullmatch(seed) else 0,
        created_s if moment(created_s) else 0.0,
        epoch if whole(epoch) else 0,
        damage,
    )


def card(row: tuple[Any, ...]) -> Card:
    """A line of the catalogue; its tick and seq are 0 where they cannot be."""
    *columns, tick, seq = row
    found = game_row(tuple(columns))
    return Card(found, tick if whole(tick) else 0, seq if whole(seq) else 0)


def record(row: tuple[Any, ...]) -> Record:
    """A record from the columns of `commands`.

    Raises:
        JournalCorrupt: a value is of the wrong type or outside what it may be.
    """
    game, epoch, seq, tick, commands, chain = row
    if not (whole(epoch) and whole(seq) and whole(tick) and isinstance(commands, str) and isinstance(chain, str)):
        raise JournalCorrupt(
            "records",
            f"a record of game {_text(game)} has values that no record has",
            hint="restore the database from a copy, or take another capsule",
        )
    return Record(game, epoch, seq, tick, commands, chain)


def clock(game: GameId, tick: Any, wall_s: Any) -> Clock:
    """A game's clock.

    Raises:
        JournalCorrupt: it shows what no clock shows.
    """
    if not whole(tick) or not moment(wall_s):
        raise JournalCorrupt(
            "clock",
            f"the clock of game {game} shows tick {_text(tick)} at {_text(wall_s)} s",
            hint="restore the database from a copy, or take another capsule",
        )
    return Clock(Tick(tick), wall_s)


def _damage(row: tuple[Any, ...]) -> str | None:
    game, rules, version, name, config, seed, created_s, epoch = row
    if not isinstance(game, str) or not GAME_ID.fullmatch(game):
        return f"its id {_text(game)!r} is none"
    if not isinstance(rules, str) or not isinstance(name, str):
        return "the name of its rules or its own is no text"
    if not isinstance(config, str) or not config.startswith("{"):
        return "its configuration is no JSON object"
    if not isinstance(seed, str) or not _SEED.fullmatch(seed):
        return "its seed is no 64-bit number"
    if not moment(created_s):
        return "the time at which it was made is none"
    if not whole(version) or not whole(epoch):
        return f"its version {_text(version)} or epoch {_text(epoch)} is none"
    return None


def _text(value: Any) -> str:
    """A value as a short text that a terminal and a browser can show."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:64])
