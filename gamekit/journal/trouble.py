"""What SQLite's errors mean for the journal: which class they become, and whom they concern."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gamekit.errors import JournalCorrupt, JournalError, JournalFull


def journal_error(op: str, error: Exception, path: Path) -> JournalError:
    """The journal's error for one of SQLite's, with what to do about it.

    A failed `write` of the operating system counts as a full disk: data goes to the page cache, so `write` itself
    fails for lack of room, a quota or a file size limit, while a failing disk shows at fsync.
    """
    if isinstance(error, JournalError):
        return error
    # Other errors than SQLite's own (a value that cannot be bound) have no code.
    extended = getattr(error, "sqlite_errorcode", None) or sqlite3.SQLITE_ERROR
    primary = extended & 0xFF
    said = f"{path}: {error}"
    if primary == sqlite3.SQLITE_FULL or extended == sqlite3.SQLITE_IOERR_WRITE:
        return JournalFull(
            op, said, hint="free some room on the disk, or lift the quota or file size limit", recoverable=True
        )
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return JournalCorrupt(op, said, hint="stop the server and restore the database from a copy")
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return JournalError(
            op,
            said,
            hint="another program is writing to the database; end it, and open it read-only instead",
            recoverable=True,
        )
    if primary in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return JournalError(op, said, hint="check that this user may read and write the file and its directory")
    if primary == sqlite3.SQLITE_INTERRUPT:
        return JournalCorrupt(op, f"{path}: reading it does not end", hint="take another copy of the file")
    if primary == sqlite3.SQLITE_IOERR:
        return JournalError(op, said, hint="check the disk and the system's log before going on")
    return JournalError(op, said, hint="report this with the server's log if it happens again")


def is_busy(error: sqlite3.Error) -> bool:
    """True when another connection's lock was in the way."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def concerns_one_row(error: Exception) -> bool:
    """True when the values of one write are to blame, False when the database or the disk is.

    The former must fail only the game that it belongs to; the latter fails whatever was in the same commit.
    """
    if isinstance(error, JournalError):
        return False
    if isinstance(error, sqlite3.Error):
        return isinstance(
            error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.InterfaceError | sqlite3.ProgrammingError
        )
    return not isinstance(error, OSError | MemoryError)
