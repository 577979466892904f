"""A process with a database of runs, killed half-way."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path


def kill_half_way(text: str, database: Path, runs: int) -> None:
    """Start a script, with the database as its argument, and kill it with its workers once so many runs are kept."""
    script = database.with_suffix(".py")
    script.write_text(text)
    with subprocess.Popen([sys.executable, script, database], start_new_session=True) as process:
        while process.poll() is None and kept(database) < runs:
            time.sleep(0.02)
        assert process.poll() is None, "it was through before it could be killed; make it longer"
        os.killpg(process.pid, signal.SIGKILL)


def kept(database: Path) -> int:
    """How many results the file holds."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
        except sqlite3.OperationalError:
            return 0
