"""The benchmark runs, tells what it promises, and writes the same history every time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "journal.py"


def run(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """The one line that the benchmark prints."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--data", tmp_path, "--games", "5", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    result: dict[str, Any] = json.loads(line)
    return result


@pytest.mark.parametrize(
    "arguments", [("--commands-per-s", "500", "--seconds", "0.1", "--busy", "0.5", "--fsync-probe"), ("--rows", "50")]
)
def test_benchmark_reports_every_row_and_a_steady_digest(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    first, second = run(tmp_path, *arguments), run(tmp_path, *arguments)
    assert first["rows"] == 50
    assert first["digest"] == second["digest"]
    assert first["rows_per_commit"] >= 1
    assert 0 < first["ack_p50_ms"] <= first["ack_p99_ms"] <= first["ack_max_ms"]
    assert list(tmp_path.iterdir()) == []
