"""The benchmark of headless simulation, in its tiny form: it runs, and its figures are what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gamekit.lab import simulate
from gamekit.space import scenarios

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "simulate.py"


@pytest.fixture(scope="module")
def lines() -> dict[str, dict[str, Any]]:
    """`{run: its line}`."""
    command = [sys.executable, str(SCRIPT), "--tiny"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return {line["run"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_every_scenario_is_measured(lines: dict[str, dict[str, Any]], report: Callable[[str], None]) -> None:
    assert {info.name for info in scenarios()} < set(lines)
    for line in lines.values():
        assert {"scenario", "seed", "ticks", "events", "digest", "cpu_s", "peak_mb"} <= set(line)
        assert line["ticks"] == 360
    assert lines["duel"]["digest"] == simulate("duel", hours=0.01).digest
    assert (lines["traders"]["ships"], lines["crowded"]["ships"]) == (200, 2_000)
    traders = lines["traders"]
    report(
        f"headless: {traders['ship_bytes']} bytes a ship (aim: under 2,000), state of 200 ships encoded in "
        f"{traders['encode_ms']} ms (aim: under 1 ms)"
    )


def test_a_ship_is_small_and_so_is_its_encoding(lines: dict[str, dict[str, Any]]) -> None:
    for run in ("traders", "traders-busy", "crowded"):
        assert 0 < lines[run]["ship_bytes"] < 2_000, run
        assert lines[run]["state_bytes"] < 1_000 * lines[run]["ships"]
