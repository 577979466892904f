"""What is measured, by name. A workload, a server and a seed make a run; a run is one line of JSON.

Figures that are counted (records, commits, encodings, messages) are the same wherever it runs, but for chance in the
times at which things fall; CPU seconds are of this machine; wall times are of this machine and this moment.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from gamekit.bench.harness import Generator, Generators, figures
from gamekit.bench.machine import machine
from gamekit.bench.processes import BenchServer, cpu_s, machine_cpu_s, resident_kb
from gamekit.files import replace_text

#: Told what is being done, for a progress bar.
Progress = Callable[[str], None]


class Workload(msgspec.Struct, frozen=True):
    """What players do.

    Attributes:
        name: how it is called.
        sessions, players: how many, and how many in each.
        ships: of each player, always under way.
        every_s: seconds between a player's commands; 0 for silence.
        warm_s: seconds from the last connection until the first window.
        window_s, windows: how long is measured, and how often in one server's life.
    """

    name: str
    sessions: int
    players: int
    ships: int
    every_s: float
    warm_s: float = 3.0
    window_s: float = 10.0
    windows: int = 3


WORKLOADS = {
    one.name: one
    for one in (
        # Two players a session, each with 50 ships always under way.
        Workload("players", 100, 2, 50, 2.0),
        # A player a session, with 50 ships always under way.
        Workload("many", 1000, 1, 50, 2.0),
        # Two thousand watch one session of 500 ships, in which legs begin in every tick.
        Workload("broadcast", 1, 2000, 500, 0.0),
        # A silent socket a session, in which nothing happens: most of the warm-up is falling asleep.
        Workload("idle", 10_000, 1, 0, 0.0, 150.0, 20.0, 1),
    )
}


def run(
    workload: Workload,
    server: str = "gamekit",
    seed: int = 1,
    *,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Measure one workload on one server.

    Args:
        workload: what players do.
        server: a key of `processes.SERVERS`.
        seed: of the galaxies and of what players do.
        progress: told what is being done.

    Returns:
        One flat row; times in milliseconds, CPU in seconds a second, medians over the windows.
    """
    with (
        tempfile.TemporaryDirectory(prefix="gamekit-bench-") as place,
        BenchServer(server, Path(place)) as served,
    ):
        empty_kb = resident_kb(served.pid)
        progress(f"{workload.name} on {server}: making {workload.sessions} sessions")
        seats = _seats(served, workload, seed)
        with Generator(seats, workload.every_s, seed) as load:
            progress(f"{workload.name} on {server}: {len(seats)} sockets connected")
            time.sleep(workload.warm_s)
            windows = []
            for number in range(workload.windows):
                progress(f"{workload.name} on {server}: window {number + 1} of {workload.windows}")
                windows.append(window(served, load, workload.window_s))
            resident = resident_kb(served.pid) - empty_kb
    row = {
        "benchmark": "serve",
        "workload": workload.name,
        "server": server,
        "seed": seed,
        "sessions": workload.sessions,
        "players": workload.players,
        "ships": workload.ships,
        "every_s": workload.every_s,
        "window_s": workload.window_s,
        "windows": workload.windows,
        "sockets": len(seats),
    }
    row["first_orders"] = windows[-1]["seen"]["first_orders"]
    return row | summary(windows) | {"resident_kb_per_socket": round(resident / len(seats), 1)} | machine()


def _seats(served: BenchServer, workload: Workload, seed: int) -> list[dict[str, Any]]:
    if workload.name != "broadcast":
        return served.seats(workload.sessions, workload.players, workload.ships, seed)
    # One player; everybody looks on with the same token.
    [made] = served.seats(1, 1, workload.ships, seed)
    return [made] * workload.players


def window(served: BenchServer, load: Generator | Generators, seconds: float) -> dict[str, Any]:
    """What server, load and the rest of the machine did in so many seconds; for `summary`."""
    before = figures(served)
    cpu, all_cpu, wall = cpu_s(served.pid), machine_cpu_s(), time.perf_counter()
    seen = load.measure(seconds)
    wall = time.perf_counter() - wall
    cpu = cpu_s(served.pid) - cpu
    others = machine_cpu_s() - all_cpu - cpu - seen["cpu_s"]
    after = figures(served)
    counted = {key: after.counted[key] - before.counted.get(key, 0) for key in after.counted}
    return {
        "cpu": cpu / wall,
        "generator_cpu": seen["cpu_s"] / seen["wall_s"],
        "others_cpu": max(others, 0.0) / wall,
        "late_p50": after.late_ms(before, 50),
        "late_p99": after.late_ms(before, 99),
        "acks": seen["ack_ms"],
        "seen": seen,
        "counted": {key: value / wall for key, value in counted.items()},
    }


def summary(windows: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over windows, rates a second, and percentiles of all acks."""
    acks = sorted(ms for one in windows for ms in one["acks"])
    seen = [one["seen"] for one in windows]

    def middle(key: str) -> float:
        return float(statistics.median(one[key] for one in windows))

    def per_s(key: str) -> float:
        return round(float(statistics.median(one[key] / one["wall_s"] for one in seen)), 1)

    return {
        "server_cpu_per_s": round(middle("cpu"), 4),
        "server_cpu_windows": [round(one["cpu"], 4) for one in windows],
        "generator_cpu_per_s": round(middle("generator_cpu"), 4),
        "others_cpu_per_s": _known(middle("others_cpu")),
        "late_ms_p50": _known(middle("late_p50")),
        "late_ms_p99": _known(middle("late_p99")),
        "ack_ms_p50": _known(_rank(acks, 50)),
        "ack_ms_p99": _known(_rank(acks, 99)),
        "commands_per_s": per_s("sent"),
        "acks_per_s": round(len(acks) / sum(one["wall_s"] for one in seen), 1),
        "frames_per_s": per_s("frames"),
        "bytes_per_s": per_s("bytes"),
        "refused": sum(one["refused"] for one in seen),
        "sockets_open": min(one["open"] for one in seen),
        "counted_per_s": {
            key: round(statistics.median(one["counted"][key] for one in windows), 1) for key in windows[0]["counted"]
        },
    }


def _rank(ordered: Sequence[float], percent: float) -> float:
    """Nearest rank; NaN of nothing."""
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] if ordered else float("nan")


def _known(value: float) -> float | None:
    """Rounded; None where there was nothing to measure, because JSON knows no NaN."""
    return None if math.isnan(value) else round(value, 2)


def line(row: dict[str, Any]) -> str:
    """A run as one line of JSON."""
    return json.dumps(row)


def write(row: dict[str, Any], file: Path) -> None:
    """Append a run to a file of lines."""
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text(encoding="utf-8") if file.is_file() else ""
    replace_text(file, before + line(row) + os.linesep)
