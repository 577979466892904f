"""The mark of a database in use, by which a copy of a part of it is told from a whole one.

While a server runs, the latest commits are in the log beside the database. The main file alone is a valid database as
well, and an older one: without a mark a copy of it would pass for all there is. So the file that is opened for writing
says so, with its inode, before anything else is written, and no more once all of it is in the file again.

- Marked, with a log: a server uses it or was killed, or it is a copy of both files. All is there.
- Marked, without a log, and the inode is its own: another program has brought the log in and removed it, as SQLite does
  when it closes a database. All is there, unless somebody deleted the log by hand, which nothing can tell.
- Marked, without a log, and the inode is another's: it is a copy of the main file alone, and is refused.
- Not marked, made by `gamekit backup` or an export, and with a log: the log is another database's, and is refused.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from gamekit.errors import JournalCorrupt
from gamekit.journal.place import LOG_SUFFIX

KEY = "in_use"
#: Where SQLite's header says which version is needed to read a database: 1 for a rollback journal, 2 for a log.
_READ_VERSION_AT = 19

log = logging.getLogger("gamekit.journal")


def check_whole(path: Path, *, writing: bool) -> None:
    """Make sure that a database file is not a part of one, and that the log beside it is its own.

    Called before any connection of this process to it is open.

    Args:
        path: the database; it may not be there.
        writing: it is going to be written, so that another's log would be brought into it.

    Raises:
        JournalCorrupt: it is a part, or the log is another's.
    """
    if not path.exists():
        return
    if _log_bytes(path):
        if writing and _needs_no_log(path):
            raise JournalCorrupt(
                "open database",
                f"{path} was closed in order, or is a backup, and {path.name}{LOG_SUFFIX} beside it is of another "
                "database",
                hint=f"move {path.name}{LOG_SUFFIX} and {path.name}-shm away, then try again",
            )
        return
    inode = _marked(path)
    if inode is None:
        return
    if inode == path.stat().st_ino:
        if writing:
            log.warning("%s was in use and has no log any more; another program has brought it in", path)
        return
    # A server that ended in order a moment ago has taken mark and log away, one after the other.
    if _log_bytes(path) or _marked(path) is None:
        return
    raise JournalCorrupt(
        "open database",
        f"{path} is a copy of a database that a server was using, without its log, {path.name}{LOG_SUFFIX}: what was "
        "commanded last is missing",
        hint=f"copy both files, or use `gamekit backup`. To go on without what is missing: sqlite3 {path} "
        f"\"DELETE FROM meta WHERE key = '{KEY}'\"",
    )


def mark(connection: sqlite3.Connection, path: Path) -> str:
    """Say in the file that it is in use; what is said there, which no other opening says."""
    said = json.dumps({"inode": path.stat().st_ino, "process": os.getpid(), "since_s": time.time()})
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (KEY, said))
    return said


def said_in(path: Path) -> str | None:
    """What the main file by itself says of its use, whatever is beside it; None where it says nothing."""
    with contextlib.suppress(sqlite3.Error):
        # Immutable: nothing is made beside the file, and no lock is taken.
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            found = connection.execute("SELECT value FROM meta WHERE key = ?", (KEY,)).fetchone()
            return None if found is None else str(found[0])
    return None


def unmark(connection: sqlite3.Connection) -> None:
    """Say in the file that all of it is there; before the last checkpoint, or in a copy."""
    with contextlib.suppress(sqlite3.Error):
        connection.execute("DELETE FROM meta WHERE key = ?", (KEY,))


def _marked(path: Path) -> int | None:
    """The inode of the file that was in use when the main file was written last; None for one that is whole."""
    said = said_in(path)
    if said is None:
        return None
    with contextlib.suppress(ValueError, KeyError, TypeError):
        return int(json.loads(said)["inode"])
    return None


def _log_bytes(path: Path) -> int:
    try:
        return path.with_name(f"{path.name}{LOG_SUFFIX}").stat().st_size
    except OSError:
        return 0


def _needs_no_log(path: Path) -> bool:
    """True when the file was written without a log, as copies and capsules are."""
    try:
        with path.open("rb") as file:
            header = file.read(_READ_VERSION_AT + 1)
    except OSError:
        return False
    return len(header) > _READ_VERSION_AT and header[_READ_VERSION_AT] == 1
