"""How large the write-ahead log grows, and because of whom.

The log is brought into the database when it has `AUTOCHECKPOINT_PAGES`, and begun anew from its first page. A reader
that stays in its transaction (Datasette, a `sqlite3` shell, a cell that forgot its cursor) needs the pages as they were
when it began, so the log goes on growing as long as it reads.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from pathlib import Path

#: Pages of the write-ahead log after which it is brought into the database. More makes for rarer, longer pauses.
AUTOCHECKPOINT_PAGES = 4_000
_PAGE_BYTES = 4096
#: A log of this size is warned of, and again each time that it has doubled.
WARN_BYTES = 2 * AUTOCHECKPOINT_PAGES * _PAGE_BYTES
#: What stays of a log that was larger once it is begun anew.
KEPT_BYTES = WARN_BYTES

log = logging.getLogger("gamekit.journal")


class LogGrowth:
    """Warns of a log that grows.

    Args:
        path: the database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._warn_at = WARN_BYTES

    def look(self, connection: sqlite3.Connection, log_bytes: int) -> None:
        """Warn when the log has grown by another step.

        Args:
            connection: the one that writes, between two transactions.
            log_bytes: the log's size.
        """
        if log_bytes < WARN_BYTES:
            self._warn_at = WARN_BYTES
        if log_bytes < self._warn_at:
            return
        while self._warn_at <= log_bytes:
            self._warn_at *= 2
        with contextlib.suppress(sqlite3.Error):
            _, pages, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if done < pages:
                log.warning(
                    "the log of %s has grown to %.0f MB, because %s stays in a read transaction; it grows until that "
                    "ends: close the reader's cursor or connection",
                    self._path,
                    log_bytes / 1e6,
                    " and ".join(readers(self._path)) or "another program",
                )


def readers(path: Path) -> list[str]:
    """The processes that hold a reader's lock on a database's log, as far as the system tells.

    Args:
        path: the database.

    Returns:
        One text a process, with its number and name; empty where the system does not tell (it is read from
        `/proc/locks` of Linux).
    """
    found: dict[int, None] = {}
    with contextlib.suppress(OSError, ValueError):
        inode = os.stat(f"{path}-shm").st_ino
        for line in Path("/proc/locks").read_text().splitlines():
            # 1: POSIX  ADVISORY  READ 1234 08:01:5678 123 123
            fields = line.split()
            # Bytes 123 to 127 of the index are the marks of readers (sqlite.org/walformat.html).
            if len(fields) == 8 and fields[5].rpartition(":")[2] == str(inode) and 123 <= int(fields[6]) <= 127:
                found[int(fields[4])] = None
    return [f"process {pid} ({_name_of(pid)})" for pid in found]


def _name_of(pid: int) -> str:
    if pid == os.getpid():
        return "this server itself"
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "of unknown name"
