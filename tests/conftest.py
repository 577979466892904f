"""What tests measured by the way: printed at the end of the run, asserted nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

_lines = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Add a line to the run's report."""
    return request.config.stash.setdefault(_lines, []).append


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what one of several processes measured to the one that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["report"] = session.config.stash.get(_lines, [])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take in what a process measured."""
    node.config.stash.setdefault(_lines, []).extend(getattr(node, "workeroutput", {}).get("report", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the report."""
    if lines := config.stash.get(_lines, []):
        terminalreporter.section("measured on this machine, asserted nowhere")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(autouse=True, scope="session")
def _failures(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What breaks in tests is kept where pytest keeps its files; the error names the capsule."""
    os.environ.setdefault("GAMEKIT_FAILURES", str(tmp_path_factory.getbasetemp() / "failures"))
