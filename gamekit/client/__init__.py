"""The client: an asyncio face (`connect`, `AsyncClient`) and a blocking one (`Client`) over one sans-IO core.

Needs a server only over the wire, and shares with it `gamekit.wire` and nothing else. Reconnects by itself, keeps
orders while offline and gives each of them exactly one answer. `gamekit.lab` gives the blocking handles their frames
and widgets; these here have none.
"""

from gamekit.client.aio import AsyncClient, connect
from gamekit.client.blocking import Client, Game, Player
from gamekit.client.game import AsyncGame
from gamekit.client.order import AsyncOrder, Order
from gamekit.client.players import Ship
from gamekit.client.playing import AsyncPlayer, AsyncShip
from gamekit.client.position import Position, position_of

__all__ = [
    "AsyncClient",
    "AsyncGame",
    "AsyncOrder",
    "AsyncPlayer",
    "AsyncShip",
    "Client",
    "Game",
    "Order",
    "Player",
    "Position",
    "Ship",
    "connect",
    "position_of",
]
