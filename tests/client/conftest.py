"""What all tests of the client share: nothing may be logged that a test did not ask for."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def nothing_unexpected_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail on a warning or error; a test that provokes one clears `caplog` after looking at it."""
    yield
    noise = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    assert not noise
