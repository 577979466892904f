"""One game's whole past as a value, and as one file: for export, import, forks, bug reports and notebooks.

A *capsule* is a SQLite file with the tables of a journal and one game in it, so that everything that reads a journal
reads a capsule: `gamekit verify`, `SqliteReader`, `sqlite-utils`, Datasette. It is written aside and renamed, so a
capsule that is there is whole.

A past may be cut at any tick: what is left is the history as it stood then, and replays to the state that it had.
Under a new id it is the past of another game, a *fork*: same snapshots, same commands, a chain of its own.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from gamekit.errors import JournalCorrupt, JournalError, JournalGap
from gamekit.files import replacing
from gamekit.game import GameId, Tick
from gamekit.inspection import check_config_size, check_file, check_past, check_row
from gamekit.journal import (
    Clock,
    GameRow,
    JournalReader,
    MemoryJournal,
    Past,
    Record,
    SqliteReader,
    chain_of,
    write_past,
)
from gamekit.journal.memory import Book, Storage

#: The usual ending of a capsule's name.
SUFFIX = ".capsule"


def past_of(reader: JournalReader, game: GameId, until: Tick | None = None) -> Past:
    """A game's past, checked link by link on the way; also while a server goes on writing it.

    Args:
        reader: the journal or capsule.
        game: the game's id.
        until: cut it after this tick; by default it reaches as far as the journal's clock.

    Raises:
        JournalError: there is no such game, its history has a gap or is damaged, or `until` lies before its beginning.
    """
    row = reader.game(game)
    if row is None:
        known = ", ".join(one.id for one in reader.games()[:5]) or "none"
        raise JournalError("read a game's past", f"there is no game {game!r}", hint=f"there are {known}")
    if until is not None and until < 0:
        raise JournalError("read a game's past", f"a game begins at tick 0, not {until}", hint="give a later tick")
    clock = reader.clock(game)
    records = list(_until(reader.records(game), until))
    last = records[-1] if records else None
    reached = max(clock.tick if clock else 0, last.tick if last else 0)
    if until is not None and until > reached:
        text = f"game {game} has come to tick {reached} and not to {until} yet"
        raise JournalError("read a game's past", text, hint="give an earlier tick, or let the game run on")
    last_seq = last.seq if last else 0
    tick = reached if until is None else until
    kept = [(at, seq) for at, seq, _ in reader.snapshots(game) if seq <= last_seq and at <= tick]
    snapshots = [found for at, seq in kept if (found := reader.snapshot(game, seq=seq, tick=at)) is not None]
    if not snapshots or snapshots[0].seq != 0:
        raise JournalGap("read a game's past", f"game {game} has no first snapshot", hint="restore it from a backup")
    return Past(row=row, records=records, snapshots=snapshots, tick=tick, players=reader.players(game))


def _until(records: Iterator[Record], tick: Tick | None) -> Iterator[Record]:
    for record in records:
        if tick is not None and record.tick > tick:
            return
        yield record


def renamed(past: Past, game: GameId, *, name: str | None = None, created_s: float | None = None) -> Past:
    """The same past as that of another game.

    Args:
        past: whose past.
        game: the other game's id.
        name: its display name; the same by default.
        created_s: when the other game was made, as Unix time in seconds; the same by default.
    """
    row = replace(
        past.row,
        id=game,
        name=past.row.name if name is None else name,
        created_s=past.row.created_s if created_s is None else created_s,
    )
    chain, records = "", []
    for one in past.records:
        chain = chain_of(chain, game, one.epoch, one.seq, one.tick, one.commands)
        records.append(replace(one, game=game, chain=chain))
    return replace(past, row=row, records=records, snapshots=[replace(one, game=game) for one in past.snapshots])


def write_capsule(past: Past, path: Path) -> None:
    """Write a past into a file of its own, in place of what was there; durable on return.

    Raises:
        JournalError: the file cannot be written.
    """
    path = Path(path)
    try:
        with replacing(path) as aside:
            write_past(aside, past, time.time())
    except (OSError, sqlite3.Error) as error:
        hint = "choose a directory that exists, may be written to and has room"
        raise JournalError("write a capsule", f"{path}: {error}", hint=hint) from error


def read_capsule(path: Path, until: Tick | None = None) -> Past:
    """The past in a capsule, checked link by link, and as one from elsewhere (`gamekit.inspection`).

    Args:
        path: the file.
        until: cut it after this tick.

    Raises:
        JournalError: it is no capsule, is damaged, or holds what no server has written.
    """
    return read_game(path, until=until, strict=True)


def read_game(path: Path, game: GameId | None = None, until: Tick | None = None, *, strict: bool | None = None) -> Past:
    """The past of one game in a capsule or database, checked link by link, and as one from elsewhere.

    Args:
        path: the file.
        game: which game; by default its only one.
        until: cut it after this tick.
        strict: the file must be a capsule as gamekit writes it, with nothing else in it; by default where it is named
            like one.

    Raises:
        JournalError: there is no such game, it is damaged, or holds what no server has written.
    """
    path = Path(path)
    strict = path.suffix == SUFFIX if strict is None else strict
    try:
        with SqliteReader(path, strict=strict) as reader:
            row = (reader.game(game) if game else None) or only_game(reader, path, game)
            if strict:
                check_config_size(row)
            check_row(row)
            check_file(reader, row.id)
            past = past_of(reader, row.id, until)
        check_past(past, own=not strict, cut=until is not None)
    except (ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise JournalCorrupt(
            "open a capsule", f"{path} cannot be read ({error!r:.200})", hint="take a file that gamekit has written"
        ) from None
    return past


def only_game(reader: JournalReader, path: Path, game: GameId | None = None) -> GameRow:
    """The one game of a capsule.

    Args:
        reader: of the file.
        path: the file, for messages.
        game: the id of a game that is not there, though it was asked for.

    Raises:
        JournalError: the file holds none, or several, or another than the one that was asked for.
    """
    rows = reader.games()
    if game is not None:
        known = ", ".join(one.id for one in rows[:5]) or "none"
        raise JournalError("read a game's past", f"there is no game {game!r}", hint=f"there are {known}")
    if len(rows) != 1:
        hint = "name the game: `gamekit ls` lists them" if rows else "export a game first"
        raise JournalError("open a capsule", f"{path} holds {len(rows)} games, a capsule holds one", hint=hint)
    return rows[0]


def reader_of(past: Past) -> JournalReader:
    """A journal in memory that holds this past and nothing else, for reading."""
    book = Book(past.row, past.records, past.snapshots, past.players, Clock(past.tick, past.row.created_s))
    return MemoryJournal(storage=Storage({past.row.id: book}))
