"""The asyncio face of players and their ships.

A player's handle remembers the orders and failures of each ship until somebody waits for the ship: that is how
`ship.wait()` can tell of a refusal that came before the wait began.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from gamekit.client.actions import Happened
from gamekit.client.bodies import checked_body
from gamekit.client.chain import Progress, failed_step
from gamekit.client.events import AsyncEvents, each_event
from gamekit.client.link import Link
from gamekit.client.order import AsyncOrder, OrderState
from gamekit.client.reading import PlayerReading, ShipReading
from gamekit.client.seen import Clock, Seen
from gamekit.errors import CommandFailed, SessionError

if TYPE_CHECKING:
    from gamekit.client.game import AsyncGame

OrderT = TypeVar("OrderT", bound=OrderState)

#: Orders and failures of one ship that are remembered for whoever waits for it.
ORDERS_REMEMBERED = 256


class AsyncShip(ShipReading[AsyncOrder]):
    """One of a player's ships."""

    player: AsyncPlayer

    async def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the ship has carried out everything in its queue.

        Raises:
            CommandFailed: an order of this ship was refused, a step of its queue failed, or it holds and cannot go
                on; the message says why.
            TimeoutError: not within `timeout_s` seconds of real time; the message says what the ship is doing.
            UnknownName: the ship is gone.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self.player.ship_idle(self.id)
        except TimeoutError:
            raise TimeoutError(f"{self.name} has not finished within {timeout_s:g} s: {self.doing}") from None


class AsyncPlayer(PlayerReading[AsyncShip, AsyncOrder]):
    """One player, through one lasting connection."""

    def __init__(self, game: AsyncGame, link: Link, token: str) -> None:
        welcome = link.welcome
        if welcome is None or welcome.player is None:
            raise SessionError("This connection plays nobody; join the game, or use a player's token.")
        self.game = game
        self.link = link
        self.id = welcome.player
        self.token = token
        #: {ship id: its latest orders since it was last waited for}
        self._orders: dict[str, deque[OrderState]] = {}
        #: {ship id: the latest steps that failed since it was last waited for}
        self._failures: dict[str, deque[CommandFailed]] = {}
        self._progress = Progress(welcome.player)
        link.subscribe(self._note_failures)

    @property
    def seen(self) -> Seen:
        """The latest picture, as this player sees it."""
        seen = self.link.seen
        assert seen is not None, "a player is made from an attached link"
        return seen

    @property
    def clock(self) -> Clock:
        """The game's clock as last heard of."""
        return self.link.clock

    @property
    def play_url(self) -> str:
        """The player page with this player's token, for a browser; whoever has it plays this player."""
        return f"{self.game.client.page_root}/play/{self.game.id}#token={self.token}"

    @property
    def connected(self) -> bool:
        """True while the server is talked to; without it orders queue up and leave later, in order."""
        return self.link.connected

    @property
    def pending(self) -> int:
        """How many orders are given and not decided yet."""
        return self.link.pending

    def handle_of(self, ship: str) -> AsyncShip:
        """The handle of the ship with this id, whether it is there or not."""
        return AsyncShip(self, ship)

    def submit(self, body: Mapping[str, Any]) -> AsyncOrder:
        """Give any command of the game, as plain values with its `type`.

        Raises:
            LocalProtocolError: it is too large or not made of plain values; nothing was sent.
            GamekitError: the client was closed, or the server refused it for good.
        """
        return self.send(AsyncOrder(checked_body(body)))

    def send(self, order: OrderT) -> OrderT:
        """Submit an order and remember it for whoever waits for its ship."""
        sent = self.link.submit(order)
        ship = order.body.get("ship")
        if isinstance(ship, str):
            self._progress.sent(order)
            if _replaces(order.body):
                # What became of the orders that it replaces is no longer of interest.
                self._orders.pop(ship, None)
                self._failures.pop(ship, None)
            self._orders.setdefault(ship, deque(maxlen=ORDERS_REMEMBERED)).append(order)
        return sent

    def events(self) -> AsyncEvents:
        """All events that this player may see from now on, each with its `tick`."""
        return AsyncEvents(self.link)

    def on_event(self, callback: Callable[[dict[str, Any]], object]) -> Callable[[], None]:
        """Have `callback` called with each event from now on, on the client's loop.

        Returns:
            A function that ends this.
        """
        return self.link.subscribe(lambda news: each_event(news, callback))

    async def ship_idle(self, ship: str) -> None:
        """Wait until a ship has nothing left to do; see `AsyncShip.wait`."""
        self.link.home.check()
        while orders := self._orders.get(ship):
            for order in orders:
                order.asked = True
            try:
                await orders[0].outcome()
            except CommandFailed:
                orders.popleft()
                raise
            orders.popleft()
        while True:
            if failures := self._failures.pop(ship, None):
                raise failures[0]
            fields = self.handle_of(ship).fields
            if fields["status"] == "holding":
                raise CommandFailed("holding", f"{fields['name']} holds: {fields['reason']}")
            if not fields.get("queue"):
                return
            await self.link.moved()

    async def order_carried_out(self, order: OrderState) -> None:
        """Wait until a ship has carried out an order and all that it is chained to; see `AsyncOrder.wait`."""
        self.link.home.check()
        steps = order.steps
        for number, step in enumerate(steps, 1):
            step.asked = True
            try:
                await step.outcome()
                while not self._progress.over(step, self.handle_of(str(step.body["ship"]))):
                    await self.link.moved()
            except CommandFailed as error:
                raise failed_step(steps, number, error) from None

    def _note_failures(self, news: object) -> None:
        self._progress.listen(news, self.link.welcome.client if self.link.welcome else None)
        if isinstance(news, Happened):
            for event in news.events:
                if event.get("type") == "EntryFailed":
                    error = CommandFailed(str(event["code"]), str(event["message"]))
                    self._failures.setdefault(str(event["ship"]), deque(maxlen=ORDERS_REMEMBERED)).append(error)


def _replaces(body: Mapping[str, Any]) -> bool:
    """Whether a command takes the place of what its ship has in its queue."""
    match body.get("type"):
        case "move":
            return not body.get("append", False)
        case "buy" | "sell":
            return not body.get("append", True)
        case kind:
            return kind == "stop"
