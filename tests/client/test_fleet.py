"""Buying, naming and selling ships with the asynchronous client against the real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from gamekit.client import connect
from gamekit.client.playing import AsyncPlayer
from gamekit.errors import CommandFailed, UnknownName
from tests.live import LiveServer


async def until(player: AsyncPlayer, condition: Callable[[], bool]) -> None:
    """Wait for the news after which `condition` holds."""
    async with asyncio.timeout(30):
        while not condition():
            await player.link.moved()


def test_fleet_grows_gets_names_and_shrinks(tmp_path: Path) -> None:
    async def main(url: str, token: str) -> None:
        async with await connect(url, token=token) as client:
            game = await client.new_game(seed=7, name="Fleet")
            red = await game.join("Red")
            blue = await game.join("Blue")
            hub = red.ship.station
            assert hub is not None
            await red.buy_ship("courier", hub)
            await until(red, lambda: len(red.ships) == 2)
            new = next(ship for ship in red.ships.values() if ship.id != red.ship.id)
            assert (new.fields["class"], new.station, new.queue) == ("courier", hub, [])
            # Others see the ship too, but not what is inside.
            await until(blue, lambda: new.id in blue.view["ships"])
            assert "hold" not in blue.view["ships"][new.id]
            await new.rename("Hermes")
            await until(blue, lambda: blue.view["ships"][new.id]["name"] == "Hermes")
            with pytest.raises(CommandFailed, match="belongs to Red"):
                await blue.handle_of(new.id).sell_ship()
            await new.sell_ship()
            await until(red, lambda: new.id not in red.ships)
            await until(blue, lambda: new.id not in blue.view["ships"])
            with pytest.raises(UnknownName):
                red.buy_ship("courier", "Nowhere")

    with LiveServer(tmp_path / "games") as server:
        asyncio.run(main(server.url, server.admin_token))
