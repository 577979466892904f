"""The connection that writes: transactions, patience with other programs' locks, and a look at the files every second.

Owned by the writer's thread from construction to `close`; other threads may read `health`.

Invariants:

- A transaction that could not begin because another program holds the database's lock is tried again, for as long as it
  takes: nothing of it was written. What fails later than that is reported, never tried again.
- A commit counts only if the files that it went into were at their paths after it (`place`).
- A database that was removed or replaced is closed without touching the files at its paths: SQLite would delete the
  log there by its name, and it may be that of another database.
"""

from __future__ import annotations

import contextlib
import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msgspec.structs import replace

from gamekit.errors import JournalError
from gamekit.journal.growth import LogGrowth
from gamekit.journal.health import Health
from gamekit.journal.lock import ProcessLock
from gamekit.journal.mark import said_in, unmark
from gamekit.journal.place import LOG_SUFFIX, Place, displaced
from gamekit.journal.reader import connect_read_only
from gamekit.journal.trouble import is_busy, journal_error

Statement: TypeAlias = tuple[str, Sequence[Any]]

#: How long SQLite waits for another program's lock in one try, in seconds; how long the writer has waited when it says
#: so; and how long it waits where somebody waits for its answer, or for its end.
TRY_S = 0.25
LATE_S = 1.0
PATIENCE_S = 5.0
CLOSING_PATIENCE_S = 1.0
#: A pause between two tries where SQLite does not wait by itself, in seconds.
_PAUSE_S = 0.05
#: What is written, and deleted again, to find out whether there is room again: a few hundred kB, so that games do not
#: come back for a moment only.
_PROBE = "INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', hex(zeroblob(131072)))"
_PROBE_AWAY = "DELETE FROM meta WHERE key = 'probe'"

log = logging.getLogger("gamekit.journal")


class Storage:
    """The writing connection and what is known of its files.

    Args:
        connection: in autocommit mode, usable from another thread.
        path: the database.
        lock: the database's, held by this process.

    Raises:
        JournalError: the files cannot be looked at.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, lock: ProcessLock | None = None) -> None:
        self.connection = connection
        #: Replaced by the writer's thread, read by any.
        self.health = Health()
        self._path = path
        self._lock = lock
        self._closing = threading.Event()
        self._closing_s = math.inf
        self._growth = LogGrowth(path)
        self._looked_s = -math.inf
        try:
            connection.execute(f"PRAGMA busy_timeout = {int(TRY_S * 1000)}")
            (self._page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
            #: Keeps SQLite from deleting the log by its name when a displaced database is closed.
            self._anchor = connect_read_only(path)
            self._place = Place(path)
            self._known_ns = 0
            #: What is wrong with the log, for good; and whether its size is still to be understood.
            self._cut: str | None = None
            self._log_doubt = False
            # In the main file, unless another program's read kept the log from being brought in at the start.
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
            self._mark = None if busy else said_in(path)
        except (OSError, sqlite3.Error) as error:
            raise journal_error("open database", error, path) from error

    # --- transactions -----------------------------------------------------------------------------------------

    def commit(self, statements: Sequence[Statement]) -> None:
        """Run the statements in one transaction, durable on return.

        Raises:
            JournalError: the files are not at their paths.
            sqlite3.Error: it failed.
        """
        if len(statements) != 1:
            with self.transaction():
                for statement in statements:
                    self.connection.execute(*statement)
            return
        self._ready()
        # SQLite commits it by itself; where it is refused the lock, all of it is.
        self._when_free(lambda: self.connection.execute(*statements[0]))
        self._check_place()

    @contextlib.contextmanager
    def transaction(self, patience_s: float = math.inf) -> Iterator[None]:
        """A transaction around the block: committed at its end, rolled back when anything raises.

        Args:
            patience_s: how long to wait for another program's lock, in seconds.

        Raises:
            JournalError: the files are not at their paths; also when that is found after the commit.
            sqlite3.Error: it failed.
        """
        self._ready()
        self._when_free(lambda: self.connection.execute("BEGIN IMMEDIATE"), patience_s)
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("ROLLBACK")
            raise
        self._check_place()

    def failed(self, error: JournalError) -> None:
        """Note that a commit failed, for `health`."""
        if not self.health.displaced:
            self.health = replace(self.health, failing=str(error))

    def succeeded(self) -> None:
        """Note that a commit is durable."""
        if self.health.failing is not None and not self.health.displaced:
            self.health = replace(self.health, failing=None)

    def _ready(self) -> None:
        if self.health.displaced or self._place.log_shrunk():
            # Look whether the files are back; and whether the log may be smaller, before more is written behind a gap.
            self.look()
        if self.connection.in_transaction:
            # The last ROLLBACK failed. As long as it does, so does every write.
            self.connection.execute("ROLLBACK")
        if self.health.displaced:
            self._check_place()
            raise displaced(f"{self._path} is not the file that was opened")

    def _check_place(self) -> None:
        if wrong := self._place.glance():
            self._displaced(wrong)
            raise displaced(wrong)
        if self._place.touched and not self.connection.in_transaction:
            # By a checkpoint, which is rare; or it was cut short, or another was copied over it.
            self.look()
            if self.health.displaced:
                raise displaced(f"{self._path} was overwritten or cut short")

    def _when_free(self, attempt: Callable[[], object], patience_s: float = math.inf) -> None:
        """Try until no other program's lock is in the way."""
        began_s = time.monotonic()
        while True:
            if began_s > self._closing_s:
                # What comes after the first that was given up is given up at once.
                self.connection.execute("PRAGMA busy_timeout = 50")
            try:
                attempt()
                break
            except sqlite3.OperationalError as error:
                waited_s = time.monotonic() - began_s
                if not is_busy(error) or self.connection.in_transaction:
                    raise
                if waited_s > patience_s or time.monotonic() > self._closing_s:
                    raise
            self._wait(waited_s)
        if self.health.late is not None:
            log.warning("%s: the lock is gone after %.1f s; commits go on", self._path, time.monotonic() - began_s)
            self.health = replace(self.health, late=None)

    def _wait(self, waited_s: float) -> None:
        said = "another program holds the database's lock, so commands are confirmed late; none is lost"
        if self.health.late is None and waited_s >= LATE_S:
            log.warning("%s: %s (end that program, or let it open the database read-only)", self._path, said)
            self.health = replace(self.health, late=said)
        self._check_place()
        if self._closing.is_set():
            time.sleep(_PAUSE_S)
        else:
            self._closing.wait(_PAUSE_S)

    # --- every second -----------------------------------------------------------------------------------------

    def look(self) -> None:
        """Look at the files and the log, and try whether what failed succeeds again. Never raises."""
        self._looked_s = time.monotonic()
        pages = 0
        # What cannot be read just now (a lock, a disk that fails) is for the commits to tell.
        with contextlib.suppress(sqlite3.Error):
            (pages,) = self.connection.execute("PRAGMA page_count").fetchone()
        self._log_doubt = self._log_doubt or self._place.log_shrunk()
        try:
            wrong = self._place.look(pages * self._page_bytes)
            wrong = wrong or self._overwritten() or self._log_cut()
        except OSError as error:
            wrong = f"{self._path} cannot be reached ({error.strerror})"
        if wrong is None and self._lock is not None:
            wrong = self._lock.hold()
        if wrong is not None:
            self._displaced(wrong)
            return
        if self.health.displaced:
            log.warning("%s: the files are back", self._path)
            self.health = replace(self.health, displaced=False)
        self.health = replace(self.health, log_bytes=self._place.log_bytes)
        self._growth.look(self.connection, self._place.log_bytes)
        if self.health.failing is not None:
            self._probe()

    def _overwritten(self) -> str | None:
        """Whether another database was copied over the file: it has not this one's mark."""
        written_ns = self._place.written_ns()
        if self._mark is None or written_ns == self._known_ns:
            return None
        # Twice, because another program may be at work on the file: then the next look tells.
        if self._mark not in (said_in(self._path), said_in(self._path)):
            return f"{self._path} was overwritten by another database"
        self._known_ns = written_ns
        return None

    def _log_cut(self) -> str | None:
        """Whether a smaller log lacks what was written to it, or another program has brought it in."""
        if self._log_doubt and self._cut is None:
            try:
                # It reads no more than it must, and never past the end of the log.
                busy, pages, _ = self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error as error:
                if is_busy(error):
                    return None
                self._cut = f"{self._path}{LOG_SUFFIX} was cut short ({error})"
            else:
                self._log_doubt = bool(busy)
                self._cut = self._place.log_lacks(pages, self._page_bytes)
        return self._cut

    def due(self) -> bool:
        """True when the last look was a second ago or earlier."""
        return time.monotonic() - self._looked_s >= LATE_S

    def _displaced(self, wrong: str) -> None:
        said = str(displaced(wrong))
        if self.health.failing != said:
            log.error("%s", said)
        self.health = replace(self.health, failing=said, displaced=True)

    def _probe(self) -> None:
        """Find out whether writes succeed again, and bring the log into the database before anything is built on it."""
        try:
            self.connection.execute(_PROBE)
            self.connection.execute(_PROBE_AWAY)
            self.connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()
        except sqlite3.Error:
            return
        log.warning("%s can be written again", self._path)
        self.health = replace(self.health, failing=None)

    # --- the end ----------------------------------------------------------------------------------------------

    def ending(self) -> None:
        """Wait no longer than a moment for anything from now on; from any thread."""
        self._closing_s = time.monotonic() + CLOSING_PATIENCE_S
        self._closing.set()

    def close(self) -> None:
        """Bring everything from the log into the database file, and close the connection."""
        self.connection.execute("PRAGMA busy_timeout = 50")
        self.look()
        if self.health.displaced:
            log.error("%s is closed without a checkpoint: %s", self._path, self.health.failing)
            # The anchor's lock keeps SQLite from deleting the log at the path, which may be another database's.
            self.connection.close()
            self._anchor.close()
            return
        self._anchor.close()
        unmark(self.connection)
        close_connection(self.connection, self._path)


def close_connection(connection: sqlite3.Connection, path: Path) -> None:
    """Bring everything from the write-ahead log into the database file, and close the writing connection."""
    try:
        # Somebody reading must not hold up the end for long; what stays in the log is read at the next start.
        connection.execute("PRAGMA busy_timeout = 500")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error as error:
        log.warning("%s: the last checkpoint failed (%s); keep its -wal file with it", path, error)
    connection.close()
