"""Frames as files: Parquet, CSV, or one SQLite database that sqlite-utils and Datasette open.

Columns, names and units stay. What a format cannot say is said otherwise: in CSV and SQLite a duration is a number of
seconds and a moment is ISO 8601 text; cells that are objects (`body`, `details`) are JSON text everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gamekit.errors import ConfigError
from gamekit.files import replace_text, replacing
from gamekit.lab.frames.columns import COLUMNS, MEANINGS

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("parquet", "csv", "sqlite")
#: How frames are said to be meant, beside the files.
ABOUT = "columns.json"


def export(frames: Any, directory: Path, format: str, kinds: Iterable[str] | None) -> list[Path]:
    """Write frames; see `Exporting.export`."""
    if format not in FORMATS:
        raise ConfigError(f"format {format!r}: choose one of {', '.join(FORMATS)}.")
    chosen = [kind for kind in COLUMNS if hasattr(type(frames), kind)] if kinds is None else list(kinds)
    if unknown := [kind for kind in chosen if kind not in COLUMNS]:
        raise ConfigError(f"There is no frame {unknown[0]!r}; there are {', '.join(COLUMNS)}.")
    directory.mkdir(parents=True, exist_ok=True)
    made = {kind: getattr(frames, kind) for kind in chosen}
    if format == "sqlite":
        written = [_sqlite(made, directory / "frames.db")]
    else:
        write = _parquet if format == "parquet" else _csv
        written = [write(frame, directory / f"{kind}.{format}") for kind, frame in made.items()]
    about = directory / ABOUT
    replace_text(about, json.dumps({kind: _about(kind) for kind in made}, indent=1, ensure_ascii=False))
    return [*written, about]


class Exporting:
    """What every collection of frames can do beside giving them."""

    def export(
        self, directory: str | Path, *, format: str = "parquet", kinds: Iterable[str] | None = None
    ) -> list[Path]:
        """Write the frames into files of a directory, and `columns.json`, which says what their columns mean.

        Args:
            directory: made when it is not there; files of the same names are replaced.
            format: "parquet" (types are kept; needs the `lab` extra), "csv", or "sqlite" for one file `frames.db`
                with a table for each frame, for sqlite-utils and Datasette.
            kinds: which frames; all by default.

        Returns:
            The files.

        Raises:
            ConfigError: there is no such format or frame, or what Parquet needs is not installed.
        """
        return export(self, Path(directory), format, kinds)


def _about(kind: str) -> dict[str, dict[str, str]]:
    meanings = MEANINGS.get(kind, {})
    return {name: {"type": dtype, "meaning": meanings.get(name, "")} for name, dtype in COLUMNS[kind].items()}


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame with its objects as JSON text."""
    encode = msgspec.json.encode
    objects = [name for name, dtype in frame.dtypes.items() if dtype == "object"]
    return frame.assign(**{str(name): [encode(cell).decode() for cell in frame[name]] for name in objects})


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame with nothing in it that a text file could not hold."""
    made = _texts(frame)
    for name, dtype in made.dtypes.items():
        if dtype.kind == "m":
            made[name] = made[name].dt.total_seconds()
        elif dtype.kind == "M":
            made[name] = made[name].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return made


def _parquet(frame: pd.DataFrame, path: Path) -> Path:
    try:
        with replacing(path, private=False) as aside:
            _texts(frame).to_parquet(aside, index=False)
    except ImportError:
        raise ConfigError("Parquet needs pyarrow: pip install 'gamekit[lab]'; or use format='csv'.") from None
    return path


def _csv(frame: pd.DataFrame, path: Path) -> Path:
    with replacing(path, private=False) as aside:
        _plain(frame).to_csv(aside, index=False)
    return path


def _sqlite(frames: dict[str, pd.DataFrame], path: Path) -> Path:
    import sqlite3
    from contextlib import closing

    with replacing(path, private=False) as aside, closing(sqlite3.connect(aside)) as connection:
        for kind, frame in frames.items():
            _plain(frame).to_sql(kind, connection, index=False)
            for column in ("tick", "ship", "station", "player"):
                if column in frame:
                    connection.execute(f'create index "{kind}_{column}" on "{kind}" ("{column}")')
        connection.commit()
    return path
