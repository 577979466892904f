"""The handles a designer works with: the client's, with frames and widgets.

`gamekit.Client` is the one from here. Nothing heavy is imported until a frame or widget is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gamekit.bots.bot import Bot
from gamekit.client.aio import AsyncGame
from gamekit.client.blocking import BaseClient, BaseGame, BasePlayer
from gamekit.client.playing import AsyncPlayer
from gamekit.lab.crew import Crew
from gamekit.lab.frames import Frames
from gamekit.widgets.feed import Feed

if TYPE_CHECKING:
    from gamekit.widgets.latency import LatencyWidget
    from gamekit.widgets.map import MapWidget


class Player(BasePlayer):
    """One player, through one lasting connection."""

    def __init__(self, game: Game, inner: AsyncPlayer) -> None:
        super().__init__(game.io, inner)
        self.game = game
        self._feed: Feed | None = None

    @property
    def frame(self) -> Frames:
        """What this player sees, as pandas DataFrames; see `gamekit.lab.frames`."""
        return Frames(self.game, self, self.inner.link)

    @property
    def feed(self) -> Feed:
        """What this player sees, for any number of widgets."""
        if self._feed is None:
            self._feed = Feed(self.io, self.inner.link)
        return self._feed

    def map(self, *, height: int = 480) -> MapWidget:
        """A live map; click a ship, then a place, to send it there.

        Args:
            height: in pixels.
        """
        from gamekit.widgets.map import MapWidget

        return MapWidget(self.feed, self, height=height)


class Game(BaseGame[Player]):
    """One game."""

    def __init__(self, client: Client, inner: AsyncGame) -> None:
        super().__init__(client, inner)
        self._feed: Feed | None = None

    def _wrap_player(self, inner: AsyncPlayer) -> Player:
        return Player(self, inner)

    def bots(self, *bots: Bot) -> Crew:
        """Let bots play: each joins under its name, and goes on until `crew.stop()` or the client's end.

        Args:
            bots: instances of subclasses of `gamekit.Bot`.

        Raises:
            RequestRefused: a name is not possible.
        """
        return Crew(self, bots)

    @property
    def frame(self) -> Frames:
        """What a spectator sees, and what the server keeps, as pandas DataFrames; see `gamekit.lab.frames`."""
        return Frames(self, self, self.link)

    @property
    def feed(self) -> Feed:
        """What a spectator sees, for any number of widgets."""
        if self._feed is None:
            self._feed = Feed(self.io, self.link)
        return self._feed

    def map(self, player: Player | None = None, *, height: int = 480) -> MapWidget:
        """A live map.

        Args:
            player: whose eyes to look through, and whose ships to order about; by default the player who joined
                last through this handle, or a spectator when nobody did.
            height: in pixels.
        """
        from gamekit.widgets.map import MapWidget

        if player is None and self._players:
            player = next(reversed(self._players.values()))
        return player.map(height=height) if player is not None else MapWidget(self.feed, None, height=height)

    def latency(self, *, height: int = 160) -> LatencyWidget:
        """A live chart of the lateness of the game's ticks over the last minute.

        Args:
            height: in pixels.
        """
        from gamekit.widgets.latency import LatencyWidget

        return LatencyWidget(self.io, self.inner, height=height)


class Client(BaseClient[Game]):
    """One server, as seen by one program.

    Args:
        url: the server's root, or any link that it hands out.
        token: the admin token, for what only the server's owner may do; taken from the link when it has one.

    Raises:
        ServerError: there is no gamekit server.
    """

    def _wrap_game(self, inner: AsyncGame) -> Game:
        return Game(self, inner)

    def play(self, link: str | None = None) -> Player:
        """Go on playing with a `play_url`; without one, with the link that the client was made from.

        Raises:
            ConfigError: the link leads to no game or has no token.
            RequestRefused: the game or the token is not known.
        """
        player = super().play(link)
        assert isinstance(player, Player), "this client's games give out these players"
        return player
