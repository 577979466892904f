"""The blocking face of players and their ships; see `gamekit.client.playing` for what they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gamekit.client.actions import Abandoned
from gamekit.client.bodies import checked_body
from gamekit.client.events import Events
from gamekit.client.iothread import IoThread
from gamekit.client.order import Order
from gamekit.client.playing import AsyncPlayer
from gamekit.client.reading import PlayerReading, ShipReading
from gamekit.client.seen import Clock, Seen
from gamekit.errors import GamekitError


class Ship(ShipReading[Order]):
    """One of a player's ships. Orders return at once; `wait` waits until they are carried out."""

    player: BasePlayer

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the ship has carried out everything in its queue; see `AsyncShip.wait`.

        Args:
            timeout_s: real time in seconds; None waits as long as it takes.

        Raises:
            CommandFailed: an order of this ship was refused, a step of its queue failed, or it holds and cannot go
                on; the message says why.
            TimeoutError: not in time; the message says what the ship is doing.
        """
        player = self.player
        player.io.run(player.inner.handle_of(self.id).wait(timeout_s))


class BasePlayer(PlayerReading[Ship, Order]):
    """One player, through one lasting connection."""

    def __init__(self, io: IoThread, inner: AsyncPlayer) -> None:
        self.io = io
        self.inner = inner
        self.id = inner.id
        self.token = inner.token

    @property
    def seen(self) -> Seen:
        """The latest picture, as this player sees it."""
        return self.inner.seen

    @property
    def clock(self) -> Clock:
        """The game's clock as last heard of."""
        return self.inner.clock

    @property
    def play_url(self) -> str:
        """The player page with this player's token, for a browser; whoever has it plays this player."""
        return self.inner.play_url

    @property
    def connected(self) -> bool:
        """True while the server is talked to; without it orders queue up and leave later, in order."""
        return self.inner.connected

    @property
    def pending(self) -> int:
        """How many orders are given and not decided yet."""
        return self.inner.pending

    def handle_of(self, ship: str) -> Ship:
        """The handle of the ship with this id, whether it is there or not."""
        return Ship(self, ship)

    def submit(self, body: Mapping[str, Any]) -> Order:
        """Give any command of the game, as plain values with its `type`; returns at once, online or not.

        Raises:
            LocalProtocolError: it is too large or not made of plain values; nothing was sent.
            GamekitError: the client was closed, or the server refused it for good.
        """
        self.inner.link.check()
        order = Order(checked_body(body))
        self.io.post(self._send, order)
        return order

    def events(self, timeout_s: float | None = None) -> Events:
        """The events that this player may see, each with its `tick`, from now on.

        Args:
            timeout_s: end the stream after this much real time; None for never.
        """
        events = Events(timeout_s)
        self.io.call(events.attach, self.inner.link)
        return events

    def on_event(self, callback: Callable[[dict[str, Any]], object]) -> Callable[[], None]:
        """Have `callback` called with each event from now on, on the I/O thread; it must not block.

        Returns:
            A function that ends this.
        """
        end = self.io.call(self.inner.on_event, callback)
        return lambda: self.io.post(end)

    def _send(self, order: Order) -> None:
        try:
            self.inner.send(order)
        except GamekitError as error:
            order.take(Abandoned(0, error))
