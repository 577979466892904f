"""Where results are kept: a SQLite file with a row for each run, or memory.

Rows are written as chunks come in, so that a sweep that was stopped goes on where it was. The columns are the varied
rules, the seed, the metrics and what tells how the run went; the file opens with sqlite-utils, Datasette and pandas.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gamekit.lab.sweeps.jobs import Job, Result

TABLE = "runs"


class Store:
    """Results by key.

    Args:
        path: the file; None keeps them in memory only.
    """

    def __init__(self, path: Path | None) -> None:
        self.results: dict[str, Result] = {}
        self._database: Any = None
        if path is not None:
            from sqlite_utils import Database

            self._database = Database(str(path))
            if TABLE in self._database.table_names():
                for row in self._database.query(f"SELECT key, result FROM {TABLE} WHERE error = ''"):
                    self.results[row["key"]] = Result(**json.loads(row["result"]))

    def keep(self, pairs: Sequence[tuple[Job, Result]], hours: float) -> None:
        """Add results, durable on return."""
        for _, result in pairs:
            self.results[result.key] = result
        if self._database is None:
            return
        rows = []
        for job, result in pairs:
            told = {name: getattr(result, name) for name in result.__struct_fields__}
            shown = {name: told[name] for name in ("digest", "events", "cpu_s", "error", "traceback")}
            varied = {
                name: json.dumps(value) if isinstance(value, dict) else value for name, value in job.varied.items()
            }
            rows.append(
                {"key": result.key, **varied, "seed": job.seed, "hours": hours, **result.values, **shown}
                | {"result": json.dumps(told)}
            )
        self._database.table(TABLE).insert_all(rows, pk="key", replace=True, alter=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
