"""Bots in a live game, for scripts and notebooks: `crew = game.bots(Hauler("A"), Hauler("B"))`."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gamekit.bots.bot import Bot
from gamekit.bots.live import AsyncCrew, Seat
from gamekit.client import show
from gamekit.errors import SessionError

if TYPE_CHECKING:
    from gamekit.lab.handles import Game, Player


def _may_sit(bot: Bot, game: Game) -> None:
    """A bot sits down for the first time, or again in its own game after it was stopped."""
    if not bot.seated:
        return
    if bot.game != game.id or bot.me.id not in game.joined:
        where = "a game that runs here" if bot.game is None else f"the game {bot.game}, joined by another handle"
        raise SessionError(f"{bot.name} plays {bot.me.id} in {where}; make a new bot for this one.")
    if bot.playing:
        raise SessionError(f"{bot.name} plays already; stop its crew first, or make another bot.")


class Crew:
    """Bots at play in a live game, until `stop`, until the client is closed, or each until it fails.

    Attributes:
        bots: who plays.
        players: `{bot's name: its player}`: look over its shoulder with `.ships`, `.frame`, `.map()`. Of bots with the
            same name the first has it, the others have their player's id behind it, e.g. "Hauler (p3)".

    Raises:
        ConfigError: one of them is no bot, is there twice, or was not begun.
        SessionError: one of them plays at this moment, or plays another game.
    """

    def __init__(self, game: Game, bots: tuple[Bot, ...]) -> None:
        Bot.check(bots)
        for bot in bots:
            _may_sit(bot, game)
        self.bots = bots
        self._io = game.io
        self.players: dict[str, Player] = {}
        seated: list[tuple[Bot, Player]] = []
        for bot in bots:
            player = game.joined[bot.me.id] if bot.seated else game.join(bot.name)
            seated.append((bot, player))
            self.players[bot.name if bot.name not in self.players else f"{bot.name} ({player.id})"] = player
        self._inner: AsyncCrew = self._io.call(lambda: AsyncCrew([Seat(bot, player.inner) for bot, player in seated]))
        self._io.call(self._inner.begin)

    def stop(self) -> None:
        """Show the bots nothing more; what they ordered goes on. Idempotent.

        Raises:
            SessionError: a bot had failed; the message says which, and the cause is what it raised.
        """
        if self._io.alive:
            self._io.call(self._inner.stop)
        self._inner.check()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until every bot has left its seat.

        Args:
            timeout_s: real time in seconds; None waits as long as it takes.

        Returns:
            False when the time was up and somebody still plays.

        Raises:
            SessionError: a bot failed; the message says which, and the cause is what it raised.
        """

        async def waited() -> bool:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._inner.wait()
            except TimeoutError:
                return False
            return True

        # With the client all have left.
        over = self._io.run(waited()) if self._io.alive else True
        self._inner.check()
        return over

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _rows(self) -> list[list[object]]:
        rows: list[list[object]] = []
        for bot, seat in zip(self.bots, self._inner.seats, strict=True):
            state = f"failed: {seat.error}" if seat.error else "left" if seat.over.done() else "plays"
            rows.append([bot.name, type(bot).__name__, seat.player.id, f"{bot.decisions:,}", state])
        return rows

    def __repr__(self) -> str:
        return f"<Crew {', '.join(f'{row[0]} ({row[4]})' for row in self._rows())}>"

    def _repr_html_(self) -> str:
        return show.table("Bots", ["name", "class", "player", "decisions", "state"], self._rows())
