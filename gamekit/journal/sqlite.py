"""The journal in a SQLite database: the backend of a server on one machine.

Puts together the parts, each in a module of its own: the `lock` that admits one process, the tables (`schema`), the
thread that writes (`writer`, with `admission` and `statements`), and the connections that read (`reader`). It decides
nothing about a game.

Durability: WAL with synchronous=FULL, so a commit returns after its fsync; on macOS with F_FULLFSYNC, where plain
fsync leaves data in the drive's cache. The log is brought into the database when it has about 4,000 pages.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gamekit.errors import JournalError
from gamekit.files import private_directory, private_file, tighten
from gamekit.game import GameId
from gamekit.journal import schema
from gamekit.journal.admission import check_first, check_past
from gamekit.journal.contract import Completion, GameRow, Past, Record, StoredSnapshot, Write
from gamekit.journal.growth import AUTOCHECKPOINT_PAGES, KEPT_BYTES
from gamekit.journal.health import Health
from gamekit.journal.lock import ProcessLock
from gamekit.journal.mark import check_whole, mark
from gamekit.journal.neighbours import check_neighbours
from gamekit.journal.place import INDEX_SUFFIX, LOG_SUFFIX
from gamekit.journal.reader import BUSY_TIMEOUT_S, SqliteReader
from gamekit.journal.statements import INSERT_GAME, RETENTION, snapshot_statement
from gamekit.journal.storage import Storage, close_connection
from gamekit.journal.takeover import take_over
from gamekit.journal.thinning import Retention
from gamekit.journal.transfer import insert_past
from gamekit.journal.trouble import journal_error
from gamekit.journal.writer import COMMIT_PACE_S, LATENCY_DELAY_S, Writer, WriterStats

#: SQLite's page cache of the writing connection, in KiB: room for the index pages of a thousand games.
CACHE_KIB = 16_384

log = logging.getLogger("gamekit.journal")


class SqliteJournal(SqliteReader):
    """The journal contract over one database file, which one process at a time may write."""

    #: What this server has written it must be able to read.
    max_snapshot_bytes = 1 << 30

    def __init__(
        self,
        path: Path,
        *,
        wall: Callable[[], float] = time.time,
        latency_delay_s: float = LATENCY_DELAY_S,
        commit_pace_s: float = COMMIT_PACE_S,
        keep: Retention = RETENTION,
        lock: ProcessLock | None = None,
    ) -> None:
        """Lock the database for this process, and make it or bring it up to date.

        Args:
            path: the database file; it and its directory are made if they are not there.
            wall: returns Unix time in seconds, noted with clocks and players.
            latency_delay_s: how long measured tick times may wait for other writes to share a commit with, in seconds.
            commit_pace_s: the shortest time between the beginnings of two commits under load, in seconds.
            keep: how many snapshots of each game stay.
            lock: the database's, where the caller holds it already; it is the journal's from now on.

        Raises:
            JournalError: another process has it open, it is not a journal, or it cannot be written.
        """
        path = Path(path)
        self._wall = wall
        self._latency_delay_s = latency_delay_s
        self._commit_pace_s = commit_pace_s
        self._keep = keep
        self._writer: Writer | None = None
        self._ended = False
        self._stats = WriterStats()
        try:
            if not path.parent.is_dir():
                private_directory(path.parent)
        except OSError as error:
            raise JournalError(
                "open database",
                f"{path.parent} cannot be made: {error.strerror}",
                hint="choose a directory that this user may write to",
            ) from None
        self._process_lock = lock or ProcessLock.of(path)
        try:
            check_neighbours(path)
            check_whole(path, writing=True)
            _make_private(path)
            self._write_connection = _connect(path)
            try:
                super().__init__(path)
                self._storage = Storage(self._write_connection, path, self._process_lock)
            except BaseException:
                close_connection(self._write_connection, path)
                raise
        except BaseException:
            self._process_lock.release()
            raise

    @staticmethod
    def reader(path: Path) -> SqliteReader:
        """A reader of the database, without the lock: for tools, also while a server has it open."""
        return SqliteReader(path)

    @property
    def stats(self) -> WriterStats:
        """What the writer has done since `start`."""
        return self._stats

    def start(self, on_commit: Callable[[Sequence[Completion]], None]) -> None:
        """Begin to accept writes; `on_commit` is called on the writer's thread, once per commit."""
        if self._ended or self._writer is not None:
            raise JournalError(
                "start", "the journal was started before, or is closed", hint="start a journal once, after opening it"
            )
        self._writer = Writer(
            self._storage,
            self.path,
            on_commit,
            self._wall,
            latency_delay_s=self._latency_delay_s,
            pace_s=self._commit_pace_s,
            keep=self._keep,
        )
        self._stats = self._writer.stats

    def health(self) -> Health:
        """How the storage does; looked at every second while the journal is started."""
        return self._storage.health

    def close(self) -> None:
        """Write and report what was submitted, checkpoint, release the lock. Idempotent."""
        if self._ended:
            return
        self._ended = True
        # Readers first: the last connection to be closed removes the log, and only the writing one can.
        super().close()
        if self._writer is not None:
            self._writer.close()
        else:
            self._storage.close()
        self._process_lock.release()

    def create(self, row: GameRow, first: StoredSnapshot) -> None:
        """Enter a new game with its first snapshot, durable on return."""
        check_first(row, first)
        snapshot = snapshot_statement(first)

        def insert(connection: sqlite3.Connection) -> None:
            if connection.execute("SELECT 1 FROM games WHERE id = ?", (row.id,)).fetchone():
                raise JournalError("create", f"there is a game {row.id} already", hint="choose another id")
            values = (row.id, row.game, row.version, row.name, row.config, str(row.seed), row.created_s, row.epoch)
            connection.execute(INSERT_GAME, values)
            connection.execute(*snapshot)

        self._started("create").call("create", insert)

    def adopt(self, past: Past) -> None:
        """Enter a game that has a past already, all of it durable on return."""
        check_past(past)
        self._started("adopt").call("adopt", lambda connection: insert_past(connection, past, self._wall()))

    def open(self, game: GameId) -> GameRow:
        """Take the game over for writing: raises its epoch by one (durable on return) and returns the row with it."""
        return self.open_all([game])[game]

    def open_all(self, games: Sequence[GameId]) -> dict[GameId, GameRow]:
        """`open` many games in one commit; those that there are not are left out."""
        writer = self._started("open")

        def then(taken: list[tuple[GameRow, Record | None]]) -> None:
            for row, last in taken:
                writer.admission.opened(row, last)

        taken = writer.call("open", lambda connection: take_over(connection, games), then)
        return {row.id: row for row, _ in taken}

    def note_alive(self, at_s: float) -> None:
        """A server was at work at Unix time `at_s`; durable on return."""
        self._started("note alive").call(
            "note alive",
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO meta (key, value) VALUES ('alive_s', ?)", (repr(at_s),)
            ),
        )

    def move_clocks(self, by_s: float) -> None:
        """Every clock is so many seconds later; durable on return."""
        self._started("move clocks").call(
            "move clocks", lambda connection: connection.execute("UPDATE clock SET wall_s = wall_s + ?", (by_s,))
        )

    def submit(self, writes: Sequence[Write]) -> None:
        """Hand over writes that become durable together. Thread-safe; returns at once."""
        self._started("submit").submit(writes)

    def _started(self, op: str) -> Writer:
        if self._writer is None:
            raise JournalError(op, "the journal was not started, or is closed", hint="call start first")
        return self._writer


def _make_private(path: Path) -> None:
    """Close the database to others; its log and index get its permissions when SQLite makes them."""
    if path.exists():
        for suffix in ("", LOG_SUFFIX, INDEX_SUFFIX):
            tighten(Path(f"{path}{suffix}"))
        return
    with contextlib.suppress(OSError):
        # What stands in the way is told when it is opened.
        private_file(path)


def _connect(path: Path) -> sqlite3.Connection:
    """The connection that writes, its tables up to date.

    Raises:
        JournalError: it is not a journal, or cannot be opened or written.
    """
    try:
        # Made here, used by the writer's thread; never by both at once.
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            schema.check(connection, path, writing=True)
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            if mode != "wal":
                raise JournalError(
                    "open database",
                    f"{path} cannot be put into WAL mode (it stays in {mode})",
                    hint="keep the journal on a local file system",
                )
            for pragma in (
                "synchronous = FULL",
                "fullfsync = ON",
                "checkpoint_fullfsync = ON",
                f"wal_autocheckpoint = {AUTOCHECKPOINT_PAGES}",
                f"journal_size_limit = {KEPT_BYTES}",
                f"cache_size = -{CACHE_KIB}",
                "foreign_keys = OFF",
                # Some builds overwrite what they delete with zeros, which doubles the cost of thinning snapshots.
                "secure_delete = OFF",
            ):
                connection.execute(f"PRAGMA {pragma}")
            schema.upgrade(connection)
            mark(connection, path)
            _settle_log(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise journal_error("open database", error, path) from error
    return connection


def _settle_log(connection: sqlite3.Connection, path: Path) -> None:
    """Bring what an earlier process left in the write-ahead log into the database, and sync it, before it is built on.

    A commit whose fsync failed may stand in the log all the same, whole, and come back with the next process. Its pages
    count as clean then: another fsync of the log says nothing about them, though they may never have reached the disk.
    Writing their content anew, into the database, does.
    """
    busy = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()[0]
    if busy:
        log.warning("%s is being read by another program; its log could not be brought in at the start", path)
