"""A server that was held up catches up, in steps, and says how late it was."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

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

        async def stall() -> None:
            socket = await RawSocket.open(made["ws_url"], token=made["token"])
            start = (await socket.of("snapshot"))["tick"]
            # The game runs at its new speed, beyond what was reserved at the old one.
            first = await socket.until(lambda message: message["type"] == "delta" and message["tick"] > start + 500)
            # A stall takes real time, so this waits for real time to pass.
            os.kill(server.pid, signal.SIGSTOP)
            await asyncio.sleep(STALL_S)
            os.kill(server.pid, signal.SIGCONT)
            behind = float("inf")
            lateness_ms, kept = 0.0, []
            while behind > STALL_S / 2 or not lateness_ms or not kept:
                # Once it has caught up, the game has run as long as real time has, the stall included.
                await socket.send(type="ping", t=0)
                pong = await socket.of("pong")
                lateness_ms = pong["lateness_ms"]
                game_s = (pong["tick"] - first["tick"]) / 10 / SPEED
                behind = pong["received_s"] - first["received_s"] - game_s
                _, answer = server.call("GET", f"/api/game/{made['id']}/latency", token=made["token"])
                kept = [row for row in answer["rows"] if row["late_max_us"] > 1e6 * STALL_S / 2]
            await socket.close()

        asyncio.run(asyncio.wait_for(stall(), 60))


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
