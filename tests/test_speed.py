"""The speed of the server, measured by its benchmark: the figures go into the report, none is asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def measured(*arguments: object) -> dict[str, Any]:
    """One run of the benchmark."""
    command = [sys.executable, str(ROOT / "benchmarks" / "serve.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_acknowledgements_of_a_hundred_sessions_with_two_players(report: Callable[[str], None]) -> None:
    result = measured("--sessions", 100, "--players", 2, "--seconds", 6)
    assert result["commands_per_s"] > 0
    assert result["messages_received"] > 1000
    report(
        f"100 sessions x 2 players: {result['commands_per_s']:.0f} commands/s, durable ack p50 "
        f"{result['ack_ms_p50']} ms, p99 {result['ack_ms_p99']} ms (aim: below one tick, 100 ms); server CPU "
        f"{result['server_cpu_per_s']:.3f} s/s, generator {result['generator_cpu_per_s']:.3f} s/s"
    )


def test_three_hundred_sessions_that_nobody_uses(report: Callable[[str], None]) -> None:
    result = measured("--sessions", 300, "--idle", "--seconds", 10, "--sleep-after", 10)
    assert result["resident_kb_per_session"] > 0
    report(
        f"300 idle sessions: {100 * result['asleep_cpu_per_s']:.2f} % of a core (aim: under 1 %); before that, "
        f"awake for ten seconds and falling asleep: {100 * result['awake_cpu_per_s']:.2f} %, "
        f"{result['resident_kb_per_session']:.0f} kB each"
    )
