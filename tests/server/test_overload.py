"""A server that was held up catches up, in steps, and says how late it was."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from gamekit.session import Ticked
from tests.live import LiveServer
from tests.rawclient import RawSocket
from tests.session.world import World

#: How long the process is stopped; long against everything that could be late without it.
STALL_S = 2.0
SPEED = 100


def test_a_stalled_server_catches_up_and_its_lateness_is_seen_everywhere(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        made = server.new_game(seed=1)
        # Fast enough that something is due in every tenth of a second.
        server.admin(made["id"], "speed", speed=SPEED)

        async def stall() -> dict[str, Any]:
            socket = await RawSocket.open(made["ws_url"], token=made["token"])
            before = (await socket.of("snapshot"))["tick"]
            # A stall takes real time, so this waits for real time to pass.
            os.kill(server.pid, signal.SIGSTOP)
            await asyncio.sleep(STALL_S)
            os.kill(server.pid, signal.SIGCONT)
            pong: dict[str, Any] = {"lateness_ms": 0.0, "tick": 0}
            while not pong["lateness_ms"]:
                await socket.send(type="ping", t=0)
                pong = await socket.of("pong")
            kept: list[dict[str, Any]] = []
            while not any(row["late_max_us"] > 1e6 * STALL_S / 2 for row in kept):
                await socket.send(type="ping", t=0)
                await socket.of("pong")
                _, answer = server.call("GET", f"/api/game/{made['id']}/latency", token=made["token"])
                kept = answer["rows"]
            await socket.close()
            return {"before": before, "after": pong["tick"]}

        seen = asyncio.run(asyncio.wait_for(stall(), 60))
        assert seen["after"] >= seen["before"] + STALL_S * 10 * SPEED, "the game lost the time of the stall"


def test_a_long_catch_up_is_one_history_however_it_is_cut_into_steps() -> None:
    at_once, stepwise = World({"rules": {"every_ticks": 7}}), World({"rules": {"every_ticks": 7}})
    for world in (at_once, stepwise):
        world.join()
    at_once.now += 50_000
    at_once.feed(Ticked())
    at_once.durable()
    for _ in range(50):
        stepwise.now += 1_000
        stepwise.feed(Ticked())
        stepwise.durable()
    assert at_once.session.tick == stepwise.session.tick == at_once.now
    assert at_once.session.snapshot() == stepwise.session.snapshot()
