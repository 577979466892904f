"""The handles a designer works with: the client's, with frames and widgets.

`gamekit.Client` is the one from here. Nothing heavy is imported until a frame or widget is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gamekit.bots.bot import Bot
from gamekit.client.blocking import BaseClient, BaseGame, BasePlayer
from gamekit.client.blocking import Ship as BaseShip
from gamekit.client.game import AsyncGame
from gamekit.client.names import find
from gamekit.client.playing import AsyncPlayer
from gamekit.errors import SessionError
from gamekit.game import PlayerId
from gamekit.lab.crew import Crew
from gamekit.lab.frames import Frames
from gamekit.widgets.feed import Feed

if TYPE_CHECKING:
    from gamekit.widgets.console import ConsoleWidget
    from gamekit.widgets.latency import LatencyWidget
    from gamekit.widgets.map import MapWidget
    from gamekit.widgets.tables import FleetWidget, MarketWidget, OrdersWidget


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

    def fleet(self) -> FleetWidget:
        """A live table of this player's ships."""
        from gamekit.widgets.tables import FleetWidget

        return FleetWidget(self.feed, self)

    def market(self) -> MarketWidget:
        """A live table of the best prices that this player knows of."""
        from gamekit.widgets.tables import MarketWidget

        return MarketWidget(self.feed, self)

    def orders(self, ship: str | BaseShip | None = None, *, height: int = 440) -> OrdersWidget:
        """The ships' queues beside a map: send, trade, put orders into another sequence, take them out.

        Args:
            ship: which ship is selected first: a handle, name or id; the first one by default.
            height: in pixels.

        Raises:
            UnknownName: the player has no such ship.
        """
        from gamekit.widgets.tables import OrdersWidget

        chosen = next(iter(self.ships), "") if ship is None else self.ships[ship].id
        return OrdersWidget(self.feed, self, chosen, height=height)


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
            bots: instances of subclasses of `gamekit.Bot`; one that played here and was stopped goes on as its player.

        Raises:
            ConfigError: one of them is no bot, is there twice, or has a hook that would never run.
            SessionError: one of them plays at this moment, or plays another game.
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

    def map(self, player: Player | str | None = None, *, height: int = 480) -> MapWidget:
        """A live map.

        Args:
            player: whose eyes to look through, and whose ships to order about, by handle or name; by default the player
                who joined last through this handle, or a spectator when nobody did.
            height: in pixels.
        """
        from gamekit.widgets.map import MapWidget

        player = self._whose(player)
        return player.map(height=height) if player is not None else MapWidget(self.feed, None, height=height)

    def latency(self, *, height: int = 160) -> LatencyWidget:
        """A live chart of the lateness of the game's ticks over the last minute.

        Args:
            height: in pixels.
        """
        from gamekit.widgets.latency import LatencyWidget

        return LatencyWidget(self.io, self.inner, height=height)

    def fleet(self, player: Player | str | None = None) -> FleetWidget:
        """A live table of ships.

        Args:
            player: whose, by handle or name; by default the player who joined last through this handle, or everybody's
                when nobody did.
        """
        from gamekit.widgets.tables import FleetWidget

        player = self._whose(player)
        return player.fleet() if player is not None else FleetWidget(self.feed, None)

    def market(self, player: Player | str | None = None) -> MarketWidget:
        """A live table of best prices.

        Args:
            player: whose knowledge; by default as in `fleet`.
        """
        from gamekit.widgets.tables import MarketWidget

        player = self._whose(player)
        return player.market() if player is not None else MarketWidget(self.feed, None)

    def orders(self, ship: str | BaseShip | None = None, *, height: int = 440) -> OrdersWidget:
        """The queue of a ship of the player who joined last, or of the player whose handle it is; see `Player.orders`.

        Raises:
            SessionError: nobody plays through this handle.
            UnknownName: the player has no such ship.
        """
        player = ship.player if isinstance(ship, BaseShip) else self._latest
        if not isinstance(player, Player):
            raise SessionError("Only players give orders: game.join(name) first, or use me.orders(ship).")
        return player.orders(ship, height=height)

    def console(self) -> ConsoleWidget:
        """Pace, forks, who is there, why the game is awake, and its rules; most of it needs the admin token."""
        from gamekit.lab.branch import fork
        from gamekit.widgets.console import ConsoleWidget

        feed = self._latest.feed if self._latest is not None else self.feed
        return ConsoleWidget(feed, self, lambda: fork(self))

    def _whose(self, player: Player | str | None) -> Player | None:
        """The player who was named, or the one who joined last.

        Raises:
            UnknownName: nobody of that name joined through this handle.
        """
        if player is None or isinstance(player, Player):
            return player or self._latest
        joined = {str(key): {"name": one.name} for key, one in self._players.items()}
        return self._players[PlayerId(find(joined, player, "player who joined through this handle"))]

    @property
    def _latest(self) -> Player | None:
        return next(reversed(self._players.values()), None)


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
