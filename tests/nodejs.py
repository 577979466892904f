"""Node for tests of the page's modules: the one that the development packages bring, or the system's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def missing(what: str) -> None:
    """Skip loudly on a user's machine; in CI everything has to be there."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def node() -> str:
    """The path of Node 18 or newer: the one that the development packages bring, or the system's."""
    own = Path(sys.executable).with_name("node")
    found = str(own) if own.exists() else shutil.which("node")
    if found is None:
        missing("NOT TESTED: the page's JavaScript, because there is no node here. Run `make test`, which brings it.")
    assert found is not None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.lstrip("v").split(".")[0]) < 18:
        missing(f"NOT TESTED: the page's JavaScript, because node is {version.strip()}. Install Node 18 or newer.")
    return found
