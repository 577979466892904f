"""The lock that lets only one process write a journal.

It is `flock` on a file of its own beside the database, not on the database itself: closing any descriptor of the
database would undo SQLite's own locks. The kernel releases it when its holder dies, however it dies, so there is no
stale lock to clean up; the file stays and holds the number of the process that locked it last, for the message only.
Forked children do not inherit the lock: a worker that outlives its parent must not keep the journal locked.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
from pathlib import Path

from gamekit.errors import JournalError
from gamekit.files import FILE_MODE

log = logging.getLogger("gamekit.journal")

_held: set[int] = set()


class ProcessLock:
    """An exclusive lock, held from construction to `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Take the lock at once.

        Args:
            path: the lock file; made if it is not there.

        Raises:
            JournalError: another process (or this one, elsewhere) holds it, or the file cannot be locked.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        except OSError as error:
            raise JournalError(
                "lock",
                f"{path} cannot be opened: {error.strerror}",
                hint="choose a directory that this user may write to",
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise JournalError(
                "lock",
                f"process {holder} has this journal open ({path})",
                hint="stop that process, choose another directory, or read the journal with SqliteReader meanwhile",
                recoverable=True,
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise JournalError(
                "lock",
                f"{path} cannot be locked: {error.strerror}",
                hint="keep the journal on a local file system",
            ) from None
        self._path = path
        # The number is a courtesy to whoever finds the lock taken: a full disk must not keep the journal shut.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor: int | None = descriptor
        _held.add(descriptor)

    @classmethod
    def of(cls, database: Path) -> ProcessLock:
        """Take the lock of a database.

        Raises:
            JournalError: see above.
        """
        return cls(database.with_name(f"{database.name}.lock"))

    def hold(self) -> str | None:
        """Make sure that the lock's file is at its path, and lock it anew where it was removed or replaced.

        Without the file, a second process would make one and believe that it is alone.

        Returns:
            None while this process alone has the lock; else a sentence that says why not.
        """
        if self._descriptor is None:
            return f"{self._path} is not locked any more"
        try:
            at_path: os.stat_result | None = os.stat(self._path)
        except FileNotFoundError:
            at_path = None
        except OSError as error:
            return f"{self._path} cannot be reached ({error.strerror})"
        if at_path is not None and os.path.samestat(at_path, os.fstat(self._descriptor)):
            return None
        try:
            other = ProcessLock(self._path)
        except JournalError as error:
            return f"{self._path} was removed or replaced, and {error.message}"
        old, self._descriptor, other._descriptor = self._descriptor, other._descriptor, None
        _held.discard(old)
        os.close(old)
        log.warning("%s had been removed or replaced; it is made and locked anew", self._path)
        return None

    def release(self) -> None:
        """Give the lock up. Idempotent."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _held.discard(descriptor)
            # Said aloud, because closing alone would leave it to a child forked a moment ago.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)


def _close_in_child() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)
