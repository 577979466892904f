"""Bots in a live game: each sits on a player's lasting connection and is shown every picture that comes in.

Runs on the client's loop. Reconnecting, numbering and exactly-once answers are the link's, so a bot that was offline
goes on where it was, and nothing it ordered is done twice. A bot's hooks must be quick: they run where the sockets are
served. One that raises leaves its seat; its player and the other bots stay.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from gamekit.bots.bot import NO_SHIP, Bot
from gamekit.client.actions import Happened, News, Redrawn, Stopped, Ticked
from gamekit.client.order import AsyncOrder
from gamekit.client.playing import AsyncPlayer
from gamekit.errors import ClientClosed, SessionError

logger = logging.getLogger("gamekit.bots")


class Seat:
    """One bot on one player's connection, from `begin` until `leave` or until it fails."""

    def __init__(self, bot: Bot, player: AsyncPlayer) -> None:
        bot.sit(player.id, player.game.id)
        self.bot = bot
        self.player = player
        #: What the bot raised, if it did; or why its connection ended.
        self.error: BaseException | None = None
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        #: {ship id: its commands that may not be decided yet}
        self._under_way: dict[str, list[AsyncOrder]] = {}
        self._looking = False
        self._again: list[dict[str, Any]] | None = None
        self._end = player.link.subscribe(self._listen)
        bot.playing = True

    def begin(self) -> None:
        """Show the bot what there is."""
        self._look([])

    def leave(self) -> None:
        """Show it nothing more; what it ordered goes on. Idempotent."""
        self._end()
        self.bot.playing = False
        if not self.over.done():
            self.over.set_result(None)

    def _listen(self, news: News) -> None:
        match news:
            case Happened():
                self._look(list(news.events))
            case Redrawn() | Ticked():
                self._look([])
            case Stopped() if not self.over.done():
                # Whoever closes the client lets its bots go; that is no failure of theirs.
                self.error = None if isinstance(news.error, ClientClosed) else news.error
                self.leave()

    def _look(self, events: list[dict[str, Any]]) -> None:
        if self._looking:
            # A command that is answered at once is news in the middle of giving it: that is for the next look.
            self._again = [*(self._again or []), *events]
            return
        self._looking = True
        try:
            while not self.over.done():
                for body in self.bot.decide(self.player.seen, events, self._busy()):
                    self._give(body)
                if self._again is None:
                    return
                events, self._again = self._again, None
        except Exception as error:
            self._fail(error)
        finally:
            self._looking = False

    def _fail(self, error: Exception) -> None:
        self.error = error
        logger.error("The bot %s failed and plays no longer.", self.bot.name, exc_info=error)
        self.leave()

    def _give(self, body: dict[str, Any]) -> None:
        order = AsyncOrder(body)
        # A refusal is the bot's to know, not the log's.
        order.asked = True
        ship = body.get("ship")
        self._under_way.setdefault(ship if isinstance(ship, str) else NO_SHIP, []).append(order)
        self.player.send(order)

    def _busy(self) -> set[str]:
        for ship, orders in list(self._under_way.items()):
            left = [order for order in orders if order.status not in ("done", "failed")]
            if left:
                self._under_way[ship] = left
            else:
                del self._under_way[ship]
        return set(self._under_way)


class AsyncCrew:
    """The bots of one game; `await crew.wait()` until they are done, `crew.stop()` to let them go."""

    def __init__(self, seats: Sequence[Seat]) -> None:
        self.seats = list(seats)

    def begin(self) -> None:
        """Let them all look for the first time."""
        for seat in self.seats:
            seat.begin()

    def stop(self) -> None:
        """Show them nothing more. Idempotent."""
        for seat in self.seats:
            seat.leave()

    async def wait(self) -> None:
        """Wait until every bot has left its seat: stopped, failed or disconnected for good.

        Raises:
            SessionError: a bot failed; the cause is what it raised.
        """
        for seat in self.seats:
            seat.player.link.home.check()
        await asyncio.gather(*(asyncio.shield(seat.over) for seat in self.seats))
        self.check()

    def check(self) -> None:
        """Complain of the first bot that failed.

        Raises:
            SessionError: one did; the cause is what it raised.
        """
        for seat in self.seats:
            if seat.error is not None:
                text = f"The bot {seat.bot.name} failed: {type(seat.error).__name__}: {seat.error}"
                raise SessionError(text) from seat.error
