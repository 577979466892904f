"""A game with a state of 5.4 MB, and what a process holds in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.live import LiveServer

#: Two sectors and three companies of 10,000 ships: a snapshot of 5.4 MB.
LARGE = {
    "sectors": [{"id": "s0", "name": "S0", "x": 0, "y": 0}, {"id": "s1", "name": "S1", "x": 100, "y": 0}],
    "gates": [["s0", "s1"]],
    "stations": [{"sector": "s0", "recipe": "hub", "x": 0, "y": 0}],
    "companies": [{"name": name, "ships": 10_000, "credits": 1} for name in "ABC"],
}


def large_game(server: LiveServer) -> dict[str, Any]:
    """A game as large as only the server's owner may make it."""
    status, made = server.call("POST", "/api/game/new", {"scenario": LARGE, "seed": 1}, token=server.admin_token)
    assert status == 201, made
    result: dict[str, Any] = made
    return result


def memory_kb(pid: int) -> int:
    """What a process holds in memory, in kilobytes."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1])
