"""Rolling restarts under load: every server drains, its successor goes on, and nothing is lost or repeated."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gamekit.client.aio import AsyncClient
from gamekit.client.playing import AsyncPlayer
from gamekit.journal import SqliteReader
from tests.live import LiveServer

#: `make long` runs the full size.
FULL = int(os.environ.get("GAMEKIT_LONG", "1")) > 1
GAMES, CLIENTS, RESTARTS = (20, 200, 10) if FULL else (4, 40, 3)


async def play(player: AsyncPlayer, over: asyncio.Event, number: int) -> int:
    """Give orders until it is over, some at a time; how many were decided."""
    decided = 0
    ship = next(iter(player.ships.values())).id
    while not over.is_set():
        orders = []
        for at in range(3):
            to = {"sector": player.ships[ship].sector, "x": (7 * number + decided + at) % 900, "y": 0}
            orders.append(player.submit({"type": "move", "ship": ship, "to": to}))
        decided += len(await asyncio.gather(*(order.outcome() for order in orders), return_exceptions=True))
        await asyncio.sleep(0.2)
    return decided


def test_clients_lose_and_repeat_nothing_over_rolling_restarts(tmp_path: Path, report: Callable[[str], None]) -> None:
    server = LiveServer(tmp_path / "data")
    stops: list[float] = []

    async def restart() -> None:
        loop = asyncio.get_running_loop()
        begun = time.monotonic()
        assert await loop.run_in_executor(None, server.stop) == 0
        stops.append(time.monotonic() - begun)
        await loop.run_in_executor(None, server.start)

    async def check() -> dict[tuple[str, str], int]:
        async with AsyncClient(server.url, token=server.admin_token) as client:
            games = [await client.new_game(seed=number) for number in range(GAMES)]
            players = [await games[number % GAMES].join(f"P{number}") for number in range(CLIENTS)]
            over = asyncio.Event()
            playing = [asyncio.create_task(play(player, over, at)) for at, player in enumerate(players)]
            for _ in range(RESTARTS):
                epochs = [player.seen.epoch for player in players]
                await restart()
                for player, epoch in zip(players, epochs, strict=True):
                    while not player.connected or player.seen.epoch == epoch:
                        await player.link.moved()
            over.set()
            counts = await asyncio.gather(*playing)
            return {(player.game.id, player.id): count for player, count in zip(players, counts, strict=True)}

    server.start()
    try:
        decided = asyncio.run(asyncio.wait_for(check(), 3600))
    finally:
        server.stop()
    with SqliteReader(tmp_path / "data" / "gamekit.db") as reader:
        for game in {game for game, _ in decided}:
            cids: dict[str, list[int]] = {}
            entries: list[Any] = [e for r in reader.records(game) for e in json.loads(r.commands)]  # type: ignore[arg-type]
            for entry in entries:
                if entry["cid"]:
                    cids.setdefault(entry["player"], []).append(entry["cid"])
            for player, seen in cids.items():
                assert seen == list(range(1, len(seen) + 1)), f"{player} of {game}: lost, repeated or out of order"
                assert len(seen) == decided[game, player], "an order was decided that is not in the history"  # type: ignore[index]
    total = sum(decided.values())
    assert total > CLIENTS * RESTARTS
    assert " ERROR " not in server.log.read_text()
    report(
        f"{CLIENTS} clients, {RESTARTS} restarts, {total} orders: a drain took {max(stops):.2f} s at most (aim: 5 s)"
    )
