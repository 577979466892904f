"""Chromium for tests: the system's, or the one that playwright has."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: Nothing in the background, nothing to the outside.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def browser_path(playwright: Playwright) -> str:
    """Where the browser is. Without any, the test is skipped with a loud line; under CI it fails."""
    path = next(filter(None, map(shutil.which, _NAMES)), None) or playwright.chromium.executable_path
    if not Path(path).exists():
        text = "NOT TESTED: there is no browser here. Install chromium, or run `playwright install chromium`."
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    return path


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=browser_path(playwright), args=ARGUMENTS)
        yield launched
        launched.close()
