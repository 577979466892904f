"""One real server for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A running server; its log must hold no error at the end."""
    directory: Path = tmp_path_factory.mktemp("server") / "data"
    with LiveServer(directory) as running:
        yield running
    log = running.log.read_text()
    assert " ERROR " not in log, log
    assert "Traceback" not in log, log
