"""The server under load: sessions with players who command and ships that fly, or sessions in which nothing happens.

    python benchmarks/serve.py --sessions 100 --players 2 --seconds 10     # acks, lateness, CPU
    python benchmarks/serve.py --sessions 1000 --idle --seconds 20         # what a session costs that nobody uses

One JSON line. The load generator shares one event loop among all its sockets; its own CPU is reported beside the
server's, so that it can be seen when it is the bottleneck. Times are wall time and noisy; CPU seconds come first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import sqlite3
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gamekit.bench.processes import cpu_s, resident_kb
from tests.live import LiveServer
from tests.rawclient import RawSocket


def percentile(values: list[float], percent: float) -> float:
    """Nearest rank; NaN of nothing."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


class Player:
    """Sends a move every `every_s` seconds and measures how long its ack takes."""

    def __init__(self, made: dict[str, Any], seed: int, every_s: float) -> None:
        self.made = made
        self.every_s = every_s
        self.random = random.Random(seed)
        self.ack_ms: list[float] = []
        self.received = 0
        self._sent_s: dict[int, float] = {}

    async def run(self, until_s: float) -> None:
        """Play until the loop's clock says `until_s`."""
        socket = await RawSocket.open(self.made["ws_url"], token=self.made["token"])
        view = (await socket.of("snapshot"))["view"]
        [ship] = [key for key, fields in view["ships"].items() if fields["owner"] == self.made["player"]]
        reading = asyncio.create_task(self._read(socket))
        loop = asyncio.get_running_loop()
        cid = 0
        await asyncio.sleep(self.random.random() * self.every_s)
        while loop.time() < until_s:
            cid += 1
            to = {"sector": self.random.choice(list(view["sectors"])), "x": self.random.randint(-900, 900), "y": 0}
            self._sent_s[cid] = time.monotonic()
            await socket.send(type="command", cid=cid, body={"type": "move", "ship": ship, "to": to})
            await asyncio.sleep(self.every_s)
        reading.cancel()
        await socket.close()

    async def _read(self, socket: RawSocket) -> None:
        while (message := await socket.receive()) is not None:
            self.received += 1
            if message["type"] == "ack":
                self.ack_ms.append((message["received_s"] - self._sent_s[message["cid"]]) * 1000)
            socket.messages.clear()


async def load(server: LiveServer, sessions: int, players: int, seconds: float, every_s: float) -> dict[str, Any]:
    """Make the games and play them."""
    made = []
    loop = asyncio.get_running_loop()
    for number in range(sessions):
        first = await loop.run_in_executor(None, lambda n=number: server.new_game(seed=n))
        made.append(first)
        for more in range(players - 1):
            path = f"/api/game/{first['id']}/join"
            _, joined = await loop.run_in_executor(
                None, lambda p=path, m=more: server.call("POST", p, {"name": f"P{m}"})
            )
            made.append(joined)
    playing = [Player(one, seed, every_s) for seed, one in enumerate(made)]
    # Let the sockets settle before measuring.
    begun = loop.time()
    tasks = [asyncio.create_task(player.run(begun + 2 + seconds)) for player in playing]
    await asyncio.sleep(2)
    for player in playing:
        player.ack_ms.clear()
    server_cpu, own_cpu, wall = cpu_s(server.pid), time.process_time(), time.monotonic()
    await asyncio.gather(*tasks)
    wall = time.monotonic() - wall
    acks = [ms for player in playing for ms in player.ack_ms]
    return {
        "commands_per_s": round(len(acks) / wall, 1),
        "ack_ms_p50": round(percentile(acks, 50), 2),
        "ack_ms_p99": round(percentile(acks, 99), 2),
        "messages_received": sum(player.received for player in playing),
        "server_cpu_per_s": round((cpu_s(server.pid) - server_cpu) / wall, 4),
        "generator_cpu_per_s": round((time.process_time() - own_cpu) / wall, 4),
    }


def sessions_in_memory(server: LiveServer) -> int:
    """As the server counts them."""
    with urllib.request.urlopen(server.url + "metrics") as answer:
        text = answer.read().decode()
    return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith("gamekit_sessions "))


def idle(server: LiveServer, sessions: int, seconds: float) -> dict[str, Any]:
    """Make games that nobody joins; what they cost until they fall asleep, and then what they cost asleep."""
    empty_kb = resident_kb(server.pid)
    for number in range(sessions):
        server.new_game(seed=number)
    resident = resident_kb(server.pid) - empty_kb
    cpu, wall = cpu_s(server.pid), time.monotonic()
    while sessions_in_memory(server) and time.monotonic() - wall < 200:
        resident = max(resident, resident_kb(server.pid) - empty_kb)
        time.sleep(0.5)
    assert not sessions_in_memory(server), "they do not fall asleep"
    awake = (cpu_s(server.pid) - cpu) / (time.monotonic() - wall)
    cpu, wall = cpu_s(server.pid), time.monotonic()
    time.sleep(seconds)
    return {
        "awake_cpu_per_s": round(awake, 5),
        "asleep_cpu_per_s": round((cpu_s(server.pid) - cpu) / (time.monotonic() - wall), 5),
        "resident_kb_per_session": round(resident / max(sessions, 1), 1),
    }


def lateness_ms(database: Path) -> dict[str, float]:
    """The worst and the typical lateness that the server itself noted."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("select late_p50_us, late_p99_us from latency").fetchall()
    return {
        "late_ms_p50": round(percentile([row[0] / 1000 for row in rows], 50), 2),
        "late_ms_p99": round(percentile([row[1] / 1000 for row in rows], 99), 2),
    }


def main() -> None:
    """Measure once and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--players", type=int, default=2, help="players per session")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between a player's commands")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long to measure")
    parser.add_argument("--idle", action="store_true", help="nobody is connected")
    parser.add_argument("--sleep-after", type=float, default=60.0, help="seconds without use until a game sleeps")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "data"
        with LiveServer(directory, options=("--sleep-after", str(asked.sleep_after))) as server:
            if asked.idle:
                result = idle(server, asked.sessions, asked.seconds)
            else:
                result = asyncio.run(load(server, asked.sessions, asked.players, asked.seconds, asked.every))
                result |= lateness_ms(directory / "gamekit.db")
    about = {
        "benchmark": "serve",
        "sessions": asked.sessions,
        "players": 0 if asked.idle else asked.players,
        "seconds": asked.seconds,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }
    print(json.dumps(about | result))


if __name__ == "__main__":
    main()
