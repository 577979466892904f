"""Reads a journal in SQLite, also while a server writes it and after one was killed.

Every connection here is opened read-only: it can neither write nor checkpoint, takes no lock that a writer waits for,
and sees what is durable only, because SQLite shows a commit to others after its fsync. A read is short and leaves no
transaction open behind it, so that it does not keep the writer's log from being reused; long histories are read in
pages. Connections are kept in a small pool, so that any thread may read.

What SQLite needs for reading (tried with 3.40): beside the file `x.db` a live or killed server leaves `x.db-wal`, with
the latest commits in it, and `x.db-shm`, an index of the former.

- In a directory that may be written, everything works: a missing `-shm` is rebuilt. Both files may stay behind, empty.
- In a read-only directory, a killed server's database is read with its `-wal` and `-shm`; with a `-wal` but no `-shm`
  it cannot be read, and the error says to copy both files elsewhere.
- In a read-only directory, a cleanly closed database has neither. SQLite would want to make them; the file is then
  opened as immutable, which is true of it as long as nobody who may write there starts a server.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gamekit.errors import JournalCorrupt, JournalError, JournalGap
from gamekit.game import GameId, PlayerId, Tick
from gamekit.journal import schema
from gamekit.journal.contract import (
    Card,
    Clock,
    GameRow,
    LatencyRow,
    Record,
    StoredSnapshot,
    check_link,
    digest_of,
)
from gamekit.journal.trouble import journal_error

#: How long a read waits for the short moments in which a starting or closing writer locks readers out, in seconds.
BUSY_TIMEOUT_S = 5.0
#: Records read at a time.
PAGE_ROWS = 1_000
#: Idle connections kept open.
POOL_SIZE = 4

SELECT_GAMES = "SELECT id, game, version, name, config, seed, created_s, epoch FROM games"
_SELECT_RECORDS = f"SELECT {', '.join(Record.__struct_fields__)} FROM commands"
_SELECT_CARDS = f"""
{SELECT_GAMES.replace("FROM games", "")},
    coalesce((SELECT tick FROM clock WHERE clock.game = games.id), 0),
    coalesce((SELECT max(seq) FROM commands WHERE commands.game = games.id), 0)
FROM games WHERE ?1 IS NULL OR (created_s, rowid) > (SELECT created_s, rowid FROM games WHERE id = ?1)
ORDER BY created_s, rowid LIMIT ?2
"""
#: A game that ended in order, or sleeps, has a snapshot after its last record and its clock at that snapshot's tick.
_SELECT_UNSETTLED = """
SELECT game FROM (
    SELECT clock.game, clock.tick AS tick, clock.wall_s AS wall_s,
        (SELECT max(seq) FROM commands WHERE commands.game = clock.game) AS last,
        (SELECT max(seq) FROM snapshots WHERE snapshots.game = clock.game) AS seq,
        (SELECT tick FROM snapshots WHERE snapshots.game = clock.game ORDER BY seq DESC, tick DESC LIMIT 1) AS kept
    FROM clock WHERE wall_s >= ?1)
WHERE tick > kept OR coalesce(last, 0) > seq ORDER BY wall_s DESC, game LIMIT ?2
"""
_OF_LATENCY = "FROM latency WHERE at_s >= ? AND game = ? ORDER BY at_s, rowid LIMIT ?"


class SqliteReader:
    """The reading half of the journal contract over a database file; needs no lock and no server."""

    def __init__(self, path: Path) -> None:
        """Open the database and make sure that it is a journal.

        Args:
            path: the database file.

        Raises:
            JournalError: there is no such file, it is not a journal, or it cannot be read.
        """
        self.path = Path(path)
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        if not self.path.exists():
            raise JournalError("open database", f"{self.path} does not exist", hint="check the path of the database")
        if self.path.is_dir():
            raise JournalError("open database", f"{self.path} is a directory", hint="name the file in it")
        try:
            with self._connection() as connection:
                schema.check(connection, self.path, writing=False)
        except BaseException:
            SqliteReader.close(self)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. Idempotent."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def games(self) -> list[GameRow]:
        """All games, oldest first."""
        return [game_row(row) for row in self._rows(f"{SELECT_GAMES} ORDER BY created_s, rowid")]

    def game(self, game: GameId) -> GameRow | None:
        """One game's row."""
        rows = self._rows(f"{SELECT_GAMES} WHERE id = ?", game)
        return game_row(rows[0]) if rows else None

    def catalogue(self, after: GameId | None = None, limit: int = 1000) -> list[Card]:
        """A page of all games, oldest first: at most `limit` of those that come after game `after`."""
        rows = self._rows(_SELECT_CARDS, after, limit)
        return [Card(game_row(row[:-2]), *row[-2:]) for row in rows]

    def records(self, game: GameId, after_seq: int = 0) -> Iterator[Record]:
        """The records after `after_seq` in order, each checked against its chain as it is reached."""
        seq, chain = after_seq, None
        while rows := self._rows(
            f"{_SELECT_RECORDS} WHERE game = ? AND seq > ? ORDER BY seq LIMIT {PAGE_ROWS}", game, seq
        ):
            if chain is None:
                chain = self.chain(game, after_seq)
            for row in rows:
                record = Record(*row)
                check_link(record, seq, chain)
                seq, chain = record.seq, record.chain
                yield record

    def chain(self, game: GameId, seq: int) -> str:
        """The chain of record `seq`; "" for seq 0."""
        if seq == 0:
            return ""
        rows = self._rows("SELECT chain FROM commands WHERE game = ? AND seq = ?", game, seq)
        if not rows:
            raise JournalGap(
                "chain", f"game {game} has no record {seq}", hint="go back to a snapshot that has its record"
            )
        return str(rows[0][0])

    def snapshots(self, game: GameId) -> list[tuple[Tick, int, str]]:
        """`(tick, seq, digest)` of each kept snapshot, oldest first."""
        return self._rows("SELECT tick, seq, digest FROM snapshots WHERE game = ? ORDER BY seq, tick", game)

    def snapshot(self, game: GameId, seq: int | None = None, tick: Tick | None = None) -> StoredSnapshot | None:
        """The latest snapshot, or with arguments the latest whose seq (and tick) are at most those."""
        rows = self._rows(
            "SELECT tick, seq, digest, version, data FROM snapshots "
            "WHERE game = ?1 AND (?2 IS NULL OR seq <= ?2) AND (?3 IS NULL OR tick <= ?3) "
            "ORDER BY seq DESC, tick DESC LIMIT 1",
            game,
            seq,
            tick,
        )
        if not rows:
            return None
        at_tick, after_seq, digest, version, stored = rows[0]
        try:
            plain = zlib.decompress(stored)
        except zlib.error:
            plain = None
        if plain is None or digest_of(plain) != digest:
            raise JournalCorrupt(
                "snapshot",
                f"the snapshot of game {game} after record {after_seq} (tick {at_tick}) does not match its digest",
                hint="take the snapshot before it and replay the records from there",
            )
        return StoredSnapshot(game, at_tick, after_seq, digest, plain, version)

    def version(self, game: GameId) -> int | None:
        """The version of the rules' state in the latest snapshot; None for a game that has none."""
        rows = self._rows("SELECT version FROM snapshots WHERE game = ? ORDER BY seq DESC, tick DESC LIMIT 1", game)
        return int(rows[0][0]) if rows else None

    def clock(self, game: GameId) -> Clock | None:
        """The reserved tick, or None when nothing was reserved yet."""
        rows = self._rows("SELECT tick, wall_s FROM clock WHERE game = ?", game)
        return Clock(*rows[0]) if rows else None

    def last_alive(self) -> float | None:
        """The latest sign of life, or the latest clock."""
        noted = self._rows("SELECT CAST(value AS REAL) FROM meta WHERE key = 'alive_s'")
        found = noted or self._rows("SELECT max(wall_s) FROM clock WHERE typeof(wall_s) IN ('real', 'integer')")
        return None if found[0][0] is None else float(found[0][0])

    def unsettled(self, since_s: float, limit: int) -> list[GameId]:
        """Games that were in use when their writer died, those of the latest clocks first."""
        return [GameId(game) for (game,) in self._rows(_SELECT_UNSETTLED, since_s, limit)]

    def players(self, game: GameId) -> dict[PlayerId, str]:
        """`{player id: name}` of everybody who was noted, in the order in which they were."""
        return dict(self._rows("SELECT player, name FROM players WHERE game = ? ORDER BY rowid", game))

    def latency(self, game: str, since_s: float = 0.0, limit: int | None = None) -> list[LatencyRow]:
        """Measured tick times of a game ("" for the server as a whole) from Unix time `since_s` on, oldest first."""
        # A file of an older gamekit is read as well: what it does not have comes last in the struct, with defaults.
        there = {name for _, name, *_ in self._rows("PRAGMA table_info(latency)")}
        columns = ", ".join(name for name in LatencyRow.__struct_fields__ if name in there)
        # SQLite takes a negative limit for none.
        most = -1 if limit is None else limit
        return [LatencyRow(*row) for row in self._rows(f"SELECT {columns} {_OF_LATENCY}", since_s, game, most)]

    def _rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self._connection() as connection:
            return connection.execute(sql, parameters).fetchall()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection from the pool, for one short read."""
        with self._lock:
            if self._closed:
                raise JournalError("read", "the journal is closed", hint="open the journal again")
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or connect_read_only(self.path)
            try:
                yield connection
            finally:
                with self._lock:
                    keep = not self._closed and len(self._idle) < POOL_SIZE
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()
        except sqlite3.Error as error:
            raise journal_error("read", error, self.path) from error


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that can only read.

    Raises:
        JournalError: there is a log, but its index is missing and cannot be made here.
        sqlite3.Error: the database cannot be opened for another reason.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        return _try_to_read(uri)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_READONLY_DIRECTORY, sqlite3.SQLITE_CANTOPEN):
            raise
        log, index = (path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm"))
        if not log.exists():
            return _try_to_read(f"{uri}&immutable=1")
        if not index.exists():
            raise JournalError(
                "open database",
                f"{path} has a log without an index, in a directory that cannot be written",
                hint=f"copy {path.name} and {log.name} together into a directory of your own, and read them there",
            ) from None
        raise


def _try_to_read(uri: str) -> sqlite3.Connection:
    # Threads use a connection one after the other, never at once: the pool sees to that.
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def game_row(row: tuple[Any, ...]) -> GameRow:
    """The catalogue's row from the columns of `SELECT_GAMES`."""
    game, rules, version, name, config, seed, created_s, epoch = row
    return GameRow(game, rules, version, name, config, int(seed), created_s, epoch)
