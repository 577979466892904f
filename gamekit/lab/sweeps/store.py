"""Where results are kept: a SQLite file with a row for each run, or memory.

Rows are written as chunks come in, so that a sweep that was stopped goes on where it was. The columns are the varied
rules, the seed, the metrics and what tells how the run went; the file opens with sqlite-utils, Datasette and pandas.

A file that is none, or holds a server's games, is refused before anything is run, and never written to. Every error
names the file.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from gamekit.errors import ConfigError
from gamekit.lab.sweeps.jobs import KEYS, Job, Result

TABLE = "runs"
#: Tables by which a server's database and a capsule are known.
_GAMES = frozenset({"games", "commands", "snapshots"})
#: Columns without which a table of that name is another one.
_OURS = frozenset({"key", "seed", "result", "error"})
#: How long another program may hold the file, in seconds.
_PATIENCE_S = 30.0


def checked_path(database: Any) -> Path | None:
    """Where results shall be kept, looked at and not touched.

    Raises:
        ConfigError: it is a directory, cannot be written, or is a file of another kind, such as a server's database.
    """
    if database is None:
        return None
    if not isinstance(database, str | os.PathLike) or not os.fspath(database):
        raise ConfigError(f"database: expected the path of a SQLite file, got {database!r}.")
    path = Path(database).expanduser()
    if path.is_dir():
        raise ConfigError(f"database: {path} is a directory; name a file in it, e.g. {path / 'runs.db'}.")
    if path.exists() and not path.is_file():
        raise ConfigError(f"database: {path} is a device or a pipe, which keeps nothing; name a file.")
    if not path.parent.is_dir():
        raise ConfigError(f"database: {path} cannot be written, because there is no directory {path.parent}; make it.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"database: {path} may not be written by this user; name another file.")
    if path.exists():
        _check_tables(path)
    return path


def _check_tables(path: Path) -> None:
    with (
        _named(path, "cannot be read as a SQLite database"),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as connection,
    ):
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({TABLE})")}
    if len(_GAMES & names) > 1:
        raise ConfigError(f"database: {path} holds a server's games; runs are kept in a file of their own, name one.")
    if columns and not columns >= _OURS:
        raise ConfigError(f"database: {path} has a table {TABLE!r} that is no sweep's; name another file.")


@contextmanager
def _named(path: Path, what: str) -> Iterator[None]:
    """SQLite's errors, with the file's name."""
    try:
        yield
    except sqlite3.Error as error:
        raise ConfigError(f"database: {path} {what}: {error}.") from error


class Store:
    """Results by key.

    Args:
        path: the file; None keeps them in memory only.

    Raises:
        ConfigError: the file cannot be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        self.results: dict[str, Result] = {}
        #: How many results of the file were found by keys of an older gamekit, which covered less.
        self.older = 0
        self._database: Any = None
        self._path = path
        if path is not None:
            from sqlite_utils import Database

            with _named(path, "cannot be opened"):
                self._database = Database(sqlite3.connect(path, timeout=_PATIENCE_S))
                if TABLE in self._database.table_names():
                    self._read()

    def _read(self) -> None:
        for row in self._database.query(f"SELECT key, result FROM {TABLE} WHERE error = ''"):
            if row["key"].startswith(KEYS):
                self.results[row["key"]] = Result(**json.loads(row["result"]))
            else:
                self.older += 1

    def keep(self, pairs: Sequence[tuple[Job, Result]], hours: float) -> None:
        """Add results, durable on return.

        Raises:
            ConfigError: the file cannot be written.
        """
        for _, result in pairs:
            self.results[result.key] = result
        if self._database is None:
            return
        rows = []
        for job, result in pairs:
            told = {name: getattr(result, name) for name in result.__struct_fields__}
            shown = {name: told[name] for name in ("digest", "events", "cpu_s", "error", "traceback")}
            varied = {
                name: json.dumps(value, default=str) if isinstance(value, dict | list | tuple) else value
                for name, value in job.varied.items()
            }
            rows.append(
                {"key": result.key, **varied, "seed": job.seed, "hours": hours, **result.values, **shown}
                | {"result": json.dumps(told)}
            )
        assert self._path is not None
        with _named(self._path, "could not be written; what it holds already is kept"):
            self._database.table(TABLE).insert_all(rows, pk="key", replace=True, alter=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
