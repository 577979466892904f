"""Whether the files of an open database are still those at its paths.

A process that has a file open can go on writing to it after the file was removed, replaced or moved with its
directory: every fsync succeeds, and everything is gone when the process ends. SQLite does not look. So the database,
its log, the log's index, the lock and the directory are remembered by device and inode when the database was opened,
and compared again.

No file is opened here: closing any descriptor of a database gives up the POSIX locks that SQLite holds on it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TypeAlias

from gamekit.errors import JournalError

Identity: TypeAlias = tuple[int, int]

#: What ends a database's path to give its log and the log's index.
LOG_SUFFIX, INDEX_SUFFIX = "-wal", "-shm"
#: What a log has beside its pages (sqlite.org/walformat.html).
_LOG_HEADER_BYTES, _FRAME_HEADER_BYTES = 32, 24


class Place:
    """The files of one database, as they were when it was opened.

    Args:
        path: the database; it has been written to, so that its log and index are there.

    Raises:
        OSError: the database cannot be looked at.
    """

    def __init__(self, path: Path) -> None:
        # A working directory that changes must not make the files look moved.
        path = path.absolute()
        self._database = str(path)
        self._log = f"{path}{LOG_SUFFIX}"
        self._others = (f"{path}{INDEX_SUFFIX}", str(path.parent))
        self._known = {one: _identity(os.stat(one)) for one in (self._database, self._log, *self._others)}
        #: Size of the database when it was last looked at.
        self._bytes = os.stat(self._database).st_size
        #: Size of the log when it was last looked at, in bytes.
        self.log_bytes = 0
        #: True when the database's own file was written, or got smaller, between the last look and the last glance.
        self.touched = False
        self._looked_ns = self.written_ns()

    def glance(self) -> str | None:
        """Compare database and log; a sentence that says what is wrong, or None. Two system calls."""
        return self._differs(self._database) or self._differs(self._log)

    def log_shrunk(self) -> bool:
        """True when the log is smaller than when it was last looked at. One system call."""
        with contextlib.suppress(OSError):
            return os.stat(self._log).st_size < self.log_bytes
        return False

    def log_lacks(self, frames: int, page_bytes: int) -> str | None:
        """Compare the log's size with what SQLite has written to it.

        Args:
            frames: how many pages it holds, by SQLite's own account.
            page_bytes: size of a page.

        Returns:
            A sentence that says what is wrong, or None.
        """
        held, written = os.stat(self._log).st_size, _LOG_HEADER_BYTES + frames * (_FRAME_HEADER_BYTES + page_bytes)
        return f"{self._log} was cut short to {held:,} bytes" if frames > 0 and held < written else None

    def look(self, database_bytes: int) -> str | None:
        """Compare all files, and the database's size with what it must be.

        Args:
            database_bytes: how large SQLite takes the database to be, its log included.

        Returns:
            A sentence that says what is wrong, or None.
        """
        self._looked_ns = self.written_ns()
        wrong = self.glance() or next(filter(None, map(self._differs, self._others)), None)
        if wrong is not None:
            return wrong
        held = os.stat(self._database).st_size
        if held < self._bytes <= database_bytes:
            return f"{self._database} was cut short, from {self._bytes:,} bytes to {held:,}"
        # Smaller by SQLite's own account: another program has vacuumed it.
        self._bytes, self.touched = held, False
        return None

    def written_ns(self) -> int:
        """When the database's own file was written last, by a checkpoint or by a copy over it, in nanoseconds.

        Raises:
            OSError: it cannot be looked at.
        """
        return os.stat(self._database).st_mtime_ns

    def _differs(self, path: str) -> str | None:
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return f"{path} was removed or moved away"
        except OSError as error:
            return f"{path} cannot be reached ({error.strerror})"
        if _identity(found) != self._known[path]:
            return f"{path} was replaced by another"
        if path == self._log:
            self.log_bytes = found.st_size
        elif path == self._database:
            self.touched = found.st_size < self._bytes or found.st_mtime_ns != self._looked_ns
        return None


def displaced(wrong: str) -> JournalError:
    """The error of a write to files that are not at their paths any more."""
    return JournalError(
        "commit",
        f"{wrong}, and what is written now would be lost",
        hint="put the files back that were there, or stop the server, restore them from a backup, and start it again",
        recoverable=True,
    )


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino
