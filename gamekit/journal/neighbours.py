"""Other programs that work on the same file, as far as they can be seen: what replicates a database beside us.

SQLite 3.7.0 to 3.51.2 (but for 3.44.6 and 3.50.7) may lose a commit when two connections write or checkpoint at the
same moment. Ours is the only one of gamekit; a replicator like Litestream checkpoints as well. It leaves a directory of
its own beside the file, by which it is known.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gamekit.errors import JournalError

#: The first version in which two connections may checkpoint, and earlier ones that got the same repair.
SAFE_FROM = (3, 51, 3)
REPAIRED = {(3, 44): 6, (3, 50): 7}


def may_share(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite allows another connection to checkpoint."""
    major, minor, patch = version[:3]
    return (major, minor, patch) >= SAFE_FROM or patch >= REPAIRED.get((major, minor), 1_000)


def check_neighbours(path: Path, version: tuple[int, ...] = sqlite3.sqlite_version_info) -> None:
    """Make sure that nobody else checkpoints the database, or that this SQLite allows it.

    Args:
        path: the database.
        version: SQLite's.

    Raises:
        JournalError: Litestream replicates it, and a commit may get lost.
    """
    trace = path.with_name(f".{path.name}-litestream")
    if may_share(version) or not trace.exists():
        return
    raise JournalError(
        "open database",
        f"{path} is replicated by Litestream ({trace} is there), which SQLite {'.'.join(map(str, version))} may "
        "answer by losing a commit",
        hint="run gamekit on SQLite 3.51.3 or later (or 3.50.7, 3.44.6); or stop Litestream, remove that directory, "
        "and copy the data with `gamekit backup`",
    )
