"""Fixtures: a started journal of every backend, and one of SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .stage import MemoryStage, SqliteStage, Stage


@pytest.fixture(params=["memory", "sqlite"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """Each backend in turn."""
    made: Stage = MemoryStage() if request.param == "memory" else SqliteStage(tmp_path / "journal.db")
    made.start()
    yield made
    made.journal.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteStage]:
    """The SQLite backend."""
    made = SqliteStage(tmp_path / "journal.db")
    made.start()
    yield made
    made.journal.close()
