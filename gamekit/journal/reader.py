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
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from gamekit.errors import JournalCorrupt, JournalError, JournalGap
from gamekit.game import GameId, PlayerId, Tick
from gamekit.journal import rows, schema
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
from gamekit.journal.mark import check_whole
from gamekit.journal.shape import check_nothing_else, check_pages
from gamekit.journal.trouble import journal_error

#: How long a read waits for the short moments in which a starting or closing writer locks readers out, in seconds.
BUSY_TIMEOUT_S = 5.0
#: Records read at a time.
PAGE_ROWS = 1_000
#: Idle connections kept open.
POOL_SIZE = 4
#: How long one read of a file may take, in seconds: a file can be made so that it never ends.
READ_S = 30.0
#: SQLite's own steps between two looks at the time.
_STEPS = 100_000
#: Most bytes of one row, and of one snapshot as it is before it is compressed; a file's claim about the latter is not
#: believed. A server's own journal may hold larger ones.
MAX_ROW_BYTES = 64 << 20
MAX_SNAPSHOT_BYTES = 64 << 20

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


class Sizes(NamedTuple):
    """How much there is of one game: `plain_bytes` of its snapshots before compression, `stored_bytes` after it."""

    records: int
    commands_bytes: int
    largest_record_bytes: int
    snapshots: int
    plain_bytes: int
    stored_bytes: int
    players: int


class SqliteReader:
    """The reading half of the journal contract over a database file; needs no lock and no server."""

    #: Most bytes of a snapshot before compression.
    max_snapshot_bytes = MAX_SNAPSHOT_BYTES

    def __init__(self, path: Path, *, strict: bool = False) -> None:
        """Open the database and make sure that it is a journal.

        Args:
            path: the database file.
            strict: it comes from elsewhere and is to be taken in: its pages must hang together, and it must hold the
                tables of a journal and nothing else.

        Raises:
            JournalError: there is no such file, it is not a journal, or it cannot be read.
        """
        self.path = Path(path)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._closed = False
        if not self.path.exists():
            raise JournalError("open database", f"{self.path} does not exist", hint="check the path of the database")
        if self.path.is_dir():
            raise JournalError("open database", f"{self.path} is a directory", hint="name the file in it")
        if not self.path.is_file():
            # Opening a pipe waits until another program writes into it.
            raise JournalError("open database", f"{self.path} is no file", hint="save it as a file, and name that")
        check_whole(self.path, writing=False)
        try:
            with self._connection() as connection:
                schema.check(connection, self.path, writing=False)
                if strict:
                    check_nothing_else(connection, self.path)
                    check_pages(connection, self.path)
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
        return [rows.game_row(row) for row in self._texts(f"{SELECT_GAMES} ORDER BY created_s, rowid")]

    def count(self) -> int:
        """How many games there are."""
        return int(self._rows("SELECT count(*) FROM games")[0][0])

    def game(self, game: GameId) -> GameRow | None:
        """One game's row."""
        found = self._texts(f"{SELECT_GAMES} WHERE id = ?", game)
        return rows.game_row(found[0]) if found else None

    def catalogue(self, after: GameId | None = None, limit: int = 1000) -> list[Card]:
        """A page of all games, oldest first: at most `limit` of those that come after game `after`."""
        return [rows.card(row) for row in self._texts(_SELECT_CARDS, after, limit)]

    def records(self, game: GameId, after_seq: int = 0) -> Iterator[Record]:
        """The records after `after_seq` in order, each checked against its chain as it is reached."""
        seq, chain = after_seq, None
        while page := self._rows(
            f"{_SELECT_RECORDS} WHERE game = ? AND seq > ? ORDER BY seq LIMIT {PAGE_ROWS}", game, seq
        ):
            if chain is None:
                chain = self.chain(game, after_seq)
            for row in page:
                record = rows.record(row)
                check_link(record, seq, chain)
                seq, chain = record.seq, record.chain
                yield record

    def chain(self, game: GameId, seq: int) -> str:
        """The chain of record `seq`; "" for seq 0."""
        if seq == 0:
            return ""
        found = self._rows("SELECT chain FROM commands WHERE game = ? AND seq = ?", game, seq)
        if not found:
            raise JournalGap(
                "chain", f"game {game} has no record {seq}", hint="go back to a snapshot that has its record"
            )
        return str(found[0][0])

    def snapshots(self, game: GameId) -> list[tuple[Tick, int, str]]:
        """`(tick, seq, digest)` of each kept snapshot, oldest first."""
        return self._rows("SELECT tick, seq, digest FROM snapshots WHERE game = ? ORDER BY seq, tick", game)

    def snapshot(self, game: GameId, seq: int | None = None, tick: Tick | None = None) -> StoredSnapshot | None:
        """The latest snapshot, or with arguments the latest whose seq (and tick) are at most those."""
        found = self._rows(
            "SELECT tick, seq, digest, version, plain_bytes, data FROM snapshots "
            "WHERE game = ?1 AND (?2 IS NULL OR seq <= ?2) AND (?3 IS NULL OR tick <= ?3) "
            "ORDER BY seq DESC, tick DESC LIMIT 1",
            game,
            seq,
            tick,
        )
        if not found:
            return None
        at_tick, after_seq, digest, version, plain_bytes, stored = found[0]
        plain = self._plain(stored, plain_bytes)
        if plain is None or digest_of(plain) != digest or not all(map(rows.whole, (at_tick, after_seq, version))):
            raise JournalCorrupt(
                "snapshot",
                f"the snapshot of game {game} after record {after_seq} (tick {at_tick}) does not match its digest",
                hint="take the snapshot before it and replay the records from there",
            )
        return StoredSnapshot(game, at_tick, after_seq, digest, plain, version)

    def _plain(self, stored: Any, plain_bytes: Any) -> bytes | None:
        """What a snapshot's bytes expand to; None when that is not as many bytes as were said, or too many."""
        if not isinstance(stored, bytes) or not rows.whole(plain_bytes) or plain_bytes > self.max_snapshot_bytes:
            return None
        expander = zlib.decompressobj()
        try:
            plain = expander.decompress(stored, plain_bytes + 1)
        except (zlib.error, MemoryError):
            return None
        return plain if len(plain) == plain_bytes and expander.eof else None

    def version(self, game: GameId) -> int | None:
        """The version of the rules' state in the latest snapshot; None for a game that has none."""
        found = self._rows("SELECT version FROM snapshots WHERE game = ? ORDER BY seq DESC, tick DESC LIMIT 1", game)
        return int(found[0][0]) if found else None

    def clock(self, game: GameId) -> Clock | None:
        """The reserved tick, or None when nothing was reserved yet."""
        found = self._rows("SELECT tick, wall_s FROM clock WHERE game = ?", game)
        return rows.clock(game, *found[0]) if found else None

    def last_alive(self) -> float | None:
        """The latest sign of life, or the latest clock."""
        noted = self._rows("SELECT CAST(value AS REAL) FROM meta WHERE key = 'alive_s'")
        found = noted or self._rows("SELECT max(wall_s) FROM clock WHERE typeof(wall_s) IN ('real', 'integer')")
        return None if found[0][0] is None else float(found[0][0])

    def unsettled(self, since_s: float, limit: int) -> list[GameId]:
        """Games that were in use when their writer died, those of the latest clocks first."""
        return [GameId(game) for (game,) in self._rows(_SELECT_UNSETTLED, since_s, limit)]

    def sizes(self, game: GameId) -> Sizes:
        """How much there is of a game, by the file's own account, without loading any of it."""
        return Sizes(
            *self._rows(
                "SELECT count(*), coalesce(sum(length(commands)), 0), coalesce(max(length(commands)), 0) "
                "FROM commands WHERE game = ?",
                game,
            )[0],
            *self._rows(
                "SELECT count(*), coalesce(sum(plain_bytes), 0), coalesce(sum(length(data)), 0) FROM snapshots "
                "WHERE game = ?",
                game,
            )[0],
            *self._rows("SELECT count(*) FROM players WHERE game = ?", game)[0],
        )

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
            return self._bounded(connection.execute(sql, parameters))

    def _texts(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows in which a text may be none; it comes as bytes."""
        with self._connection() as connection:
            connection.text_factory = _lenient
            try:
                return self._bounded(connection.execute(sql, parameters))
            finally:
                connection.text_factory = str

    def _bounded(self, cursor: sqlite3.Cursor) -> list[tuple[Any, ...]]:
        """All rows, but no more than the file can hold: a damaged one can go round in circles."""
        found: list[tuple[Any, ...]] = []
        while page := cursor.fetchmany(PAGE_ROWS):
            found += page
            if len(found) > PAGE_ROWS and len(found) > self.path.stat().st_size:
                raise sqlite3.DatabaseError("database disk image is malformed: it has more rows than bytes")
        return found

    @contextlib.contextmanager
    def _connection(self) -> Iterator[_Connection]:
        """A connection from the pool, for one short read."""
        with self._lock:
            if self._closed:
                raise JournalError("read", "the journal is closed", hint="open the journal again")
            connection = self._idle.pop() if self._idle else None
        try:
            if connection is None:
                connection = connect_read_only(self.path)
                connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(MAX_ROW_BYTES, self.max_snapshot_bytes))
            connection.until_s = time.monotonic() + READ_S
            try:
                yield connection
            finally:
                with self._lock:
                    keep = not self._closed and len(self._idle) < POOL_SIZE
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()
        except (sqlite3.Error, OSError) as error:
            raise journal_error("read", error, self.path) from error


class _Connection(sqlite3.Connection):
    """A connection whose reads end.

    Attributes:
        until_s: when a read is given up, on the monotonic clock.
    """

    until_s = float("inf")

    def late(self) -> bool:
        """True when the read under way is to be given up."""
        return time.monotonic() > self.until_s


def _lenient(text: bytes) -> str | bytes:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text


def connect_read_only(path: Path) -> _Connection:
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


def _try_to_read(uri: str) -> _Connection:
    # Threads use a connection one after the other, never at once: the pool sees to that.
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False, factory=_Connection
    )
    try:
        # What a file says about itself is not to be run, and not to be believed.
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.set_progress_handler(connection.late, _STEPS)
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
