"""The client for scripts and notebooks: `client = gamekit.Client("http://127.0.0.1:8642")`.

A thin face over `gamekit.client.aio`: every method runs the coroutine of the same name on the process's I/O thread and
waits for it. Needs nothing of the caller's event loop, works from any thread, and an interrupt ends any wait.

`BaseClient`, `BaseGame` and `BasePlayer` are generic in the handles that they give out, so that a layer above can
give out richer ones (`gamekit.lab.handles`) and types follow.
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from gamekit.client import iothread, show
from gamekit.client.aio import AsyncClient
from gamekit.client.events import Events
from gamekit.client.game import AsyncGame
from gamekit.client.iothread import IoThread
from gamekit.client.link import Link
from gamekit.client.players import BasePlayer as BasePlayer  # noqa: PLC0414 - the layer above imports it from here
from gamekit.client.players import Ship as Ship  # noqa: PLC0414
from gamekit.client.playing import AsyncPlayer
from gamekit.client.reading import GameReading
from gamekit.client.rules import Rules
from gamekit.client.seen import Clock, Seen
from gamekit.client.settable import Settable
from gamekit.errors import GamekitError, SessionError
from gamekit.game import PlayerId, Tick

T = TypeVar("T")
GameT = TypeVar("GameT", bound="BaseGame[Any]")
PlayerT = TypeVar("PlayerT", bound="BasePlayer")


class BaseGame(GameReading, Settable, Generic[PlayerT]):
    """One game. Reading it connects as a spectator, once."""

    client: BaseClient[Any]
    io: IoThread
    inner: AsyncGame

    def __init__(self, client: BaseClient[Any], inner: AsyncGame) -> None:
        self.client = client
        self.io = client.io
        self.inner = inner
        self.id = inner.id
        self.name = inner.name
        self._players: dict[PlayerId, PlayerT] = {}

    @abstractmethod
    def _wrap_player(self, inner: AsyncPlayer) -> PlayerT:
        """The handle that this game gives out for a player."""

    def _player(self, inner: AsyncPlayer) -> PlayerT:
        known = self._players.get(inner.id)
        if known is None or known.inner is not inner:
            known = self._players[inner.id] = self._wrap_player(inner)
        return known

    # --- players ----------------------------------------------------------------------------------------------

    def join(self, name: str) -> PlayerT:
        """Enter as a new player.

        Raises:
            RequestRefused: the name is not possible.
        """
        return self._player(self.io.run(self.inner.join(name)))

    def creator(self) -> PlayerT:
        """The player who came with the making of the game; see `AsyncGame.creator`."""
        return self._player(self.io.run(self.inner.creator()))

    def play(self, token: str) -> PlayerT:
        """Go on as the player whose token this is.

        Raises:
            RequestRefused: the token is not of this game.
        """
        return self._player(self.io.run(self.inner.play(token)))

    @property
    def joined(self) -> dict[PlayerId, PlayerT]:
        """The players who play through this handle, by id, in the order in which they came."""
        return dict(self._players)

    # --- watching ---------------------------------------------------------------------------------------------

    @property
    def link(self) -> Link:
        """The spectator's connection, opened when first asked for."""
        link = self.inner.watched
        if link is None or link.seen is None:
            link = self.io.run(self.inner.watch())
        return link

    @property
    def seen(self) -> Seen:
        """The latest picture, as a spectator sees it."""
        seen = self.link.seen
        assert seen is not None, "a watched game has a picture"
        return seen

    @property
    def clock(self) -> Clock:
        """The game's clock as last heard of."""
        return self.link.clock

    def events(self, timeout_s: float | None = None) -> Events:
        """All public events from now on, each with its `tick`; see `BasePlayer.events`."""
        events = Events(timeout_s)
        self.io.call(events.attach, self.link)
        return events

    # --- the owner's verbs ------------------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """Game time passes this many times as fast as normal; setting it needs the admin token (0.1 to 1,000)."""
        return self.clock.speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self.io.run(self.inner.set_speed(speed))

    def pause(self) -> Tick:
        """Let game time stand still; needs the admin token. Returns the tick at which it does."""
        return self.io.run(self.inner.pause())

    def resume(self) -> Tick:
        """Let game time pass again; needs the admin token."""
        return self.io.run(self.inner.resume())

    def set_policy(self, when_empty: str | None = None, overload: str | None = None) -> Tick:
        """Choose anew what time does while the game is empty, or when the server is late; needs the admin token."""
        return self.io.run(self.inner.set_policy(when_empty, overload))

    def step(self, ticks: int = 1) -> Tick:
        """Let `ticks` pass at the game's speed, then stand still; needs the admin token.

        Returns:
            The tick at which time stands still, once it does.
        """
        return self.io.run(self.inner.step(ticks))

    @property
    def rules(self) -> Rules:
        """The rules in force: a mapping that prints as a table, e.g. `game.rules["jump_ticks"]`."""
        return self.io.run(self.inner.rules())

    def set_rules(self, **changes: int) -> Tick:
        """Change rules while the game runs, e.g. `game.set_rules(jump_ticks=20)`; needs the admin token.

        Args:
            changes: `field=value`; all of them are put in force, or none.

        Returns:
            The tick from which they count.

        Raises:
            RequestRefused: there is no such rule, the value is not allowed, or it counts only when a game is made; the
                message says what is allowed.
        """
        return self.io.run(self.inner.set_rules(**changes))

    # --- what the server keeps --------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """The game's row on the server: scenario, seed, tick, players and so on."""
        return self.io.run(self.inner.about())

    @property
    def why_awake(self) -> list[str]:
        """What keeps the game in the server's memory, in words; empty when it sleeps. Asking does not wake it."""
        return self.io.run(self.inner.why_awake())

    def commands(self, after_seq: int = 0) -> list[dict[str, Any]]:
        """The game's history: journal records after `after_seq`, oldest first."""
        return self.io.run(self.inner.commands(after_seq))

    def export(self, path: str | Path, *, tick: Tick | None = None) -> Path:
        """Write the game with its whole history into a capsule, one SQLite file; needs the admin token.

        Args:
            path: the file, replaced when it is there.
            tick: cut the history after this tick; by default it reaches to now.
        """
        return self.io.run(self.inner.export(path, tick=tick))

    def fork(self, tick: Tick | None = None, *, name: str | None = None) -> Self:
        """Make another game on the server with the same past; this one goes on. Needs the admin token.

        Args:
            tick: where the past ends; now by default.
            name: the other game's display name.

        Raises:
            RequestRefused: the game has not come to that tick yet.
        """
        return type(self)(self.client, self.io.run(self.inner.fork(tick, name=name)))

    @property
    def seats(self) -> dict[PlayerId, str]:
        """Tokens of players that are known here, for `play`: `{player id: token}`."""
        return dict(self.inner.seats)

    def latency_rows(self, since_s: float = 0.0) -> list[dict[str, Any]]:
        """Measured tick times, a row a second, since a Unix time in seconds."""
        return self.io.run(self.inner.latency(since_s))

    def close(self) -> None:
        """End this handle's connections; the game itself goes on. Idempotent."""
        self.io.run(self.inner.close())


class BaseClient(ABC, Generic[GameT]):
    """One server, as seen by one program.

    Args:
        url: the server's root, or any link that it hands out (admin link, `play_url`).
        token: the admin token, for what only the server's owner may do; taken from the link when it has one.

    Raises:
        ServerError: there is no gamekit server.
    """

    def __init__(self, url: str, *, token: str | None = None) -> None:
        iothread.check_may_wait()
        self.inner = AsyncClient(url, token=token)
        self._io: IoThread | None = iothread.acquire()
        self._finalizer = weakref.finalize(self, _abandon, self._io, self.inner)
        self._finalizer.atexit = False
        try:
            self._io.run(self.inner.check())
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _wrap_game(self, inner: AsyncGame) -> GameT:
        """The handle that this client gives out for a game."""

    @property
    def io(self) -> IoThread:
        """The thread on which this client runs.

        Raises:
            SessionError: the client is closed.
        """
        if self._io is None:
            raise SessionError(f"The client of {self.url} is closed; make a new one.")
        return self._io

    @property
    def url(self) -> str:
        """The server's root."""
        return self.inner.url

    @property
    def token(self) -> str:
        """The admin token, or ""."""
        return self.inner.token

    def new_game(
        self,
        scenario: str | dict[str, Any] | PathLike[str] | None = None,
        *,
        seed: int | None = None,
        rules: Mapping[str, Any] | None = None,
        name: str | None = None,
        player_name: str | None = None,
        game: str | None = None,
        when_empty: str | None = None,
        overload: str | None = None,
    ) -> GameT:
        """Make a game. Its first player is `game.creator()`; more come with `game.join(name)`.

        Args:
            scenario: a scenario's name, its definition, or the path of a TOML file that is read here and sent; the
                server's default when it is not given.
            seed: decides all that is left to chance; drawn by the server when it is not given.
            rules: `{field: value}` for the rules that shall differ from the defaults.
            name: the game's display name.
            player_name: the first player's name.
            game: the name of a designer's game that the server hosts; its first one when it is not given.
            when_empty: what time does while nobody is there: "run" (the default) or "pause".
            overload: what time does when the server is late: "catch-up" (the default) or "dilate".

        Raises:
            RequestRefused: the scenario or the rules are wrong; the message names the field.
            ConfigError: the file cannot be read.
            ServerError: the server could not be reached.
        """
        making = self.inner.new_game(
            scenario,
            seed=seed,
            rules=rules,
            name=name,
            player_name=player_name,
            game=game,
            when_empty=when_empty,
            overload=overload,
        )
        return self._wrap_game(self._run(making))

    def game(self, game: str) -> GameT:
        """A game that exists already, by its id.

        Raises:
            RequestRefused: there is no such game.
        """
        return self._wrap_game(self._run(self.inner.game(game)))

    def import_capsule(self, path: str | Path, *, new_id: bool = False) -> GameT:
        """Take a capsule in as a game of this server; needs the admin token.

        Args:
            path: the capsule's file.
            new_id: give the game an id of its own, beside one with the same id.

        Raises:
            RequestRefused: it is no whole capsule, or there is a game with its id already.
        """
        return self._wrap_game(self._run(self.inner.import_capsule(path, new_id=new_id)))

    def games(self) -> list[dict[str, Any]]:
        """All games on the server, oldest first; needs the admin token."""
        return self._run(self.inner.games())

    def play(self, link: str | None = None) -> BasePlayer:
        """Go on playing with a `play_url`; without one, with the link that the client was made from.

        Raises:
            ConfigError: the link leads to no game or has no token.
            RequestRefused: the game or the token is not known.
        """
        game, token = self.inner.seat(link)
        player: BasePlayer = self.game(game).play(token)
        return player

    def close(self) -> None:
        """End all connections, and the I/O thread with the last client of the process. Idempotent.

        Raises:
            SessionError: called in a callback, which would wait for itself; nothing was closed.
        """
        iothread.check_may_wait()
        io, self._io = self._io, None
        if io is None or not self._finalizer.detach():
            return
        try:
            if io.alive:
                io.run(self.inner.close())
        finally:
            iothread.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}{', closed' if self._io is None else ''}>"

    def _repr_html_(self) -> str:
        """The server and, for its owner, its games; never the token."""
        if self._io is None:
            return show.table("Server", ["url", "state"], [[self.url, "closed"]])
        caption = f"Server at {self.inner.page_root}/"
        if not self.token:
            return show.table(caption, ["url"], [[self.url]])
        try:
            games = self.games()
        except GamekitError as error:
            return show.table(caption, ["url", "state"], [[self.url, str(error)]])
        rows = [
            [game["id"], game["name"], game["state"], f"{game['tick']:,}", game["connections"]] for game in games[-20:]
        ]
        if not rows:
            return show.table(f"{caption}, no games yet", [], [])
        more = f", the latest 20 of {len(games)} games" if len(games) > len(rows) else ""
        return show.table(caption + more, ["game", "name", "state", "tick", "connections"], rows)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._io is None:
            coroutine.close()
        return self.io.run(coroutine)


class Player(BasePlayer):
    """One player, through one lasting connection."""


class Game(BaseGame[Player]):
    """One game."""

    def _wrap_player(self, inner: AsyncPlayer) -> Player:
        return Player(self.io, inner)


class Client(BaseClient[Game]):
    """One server, as seen by one program; see `BaseClient`."""

    def _wrap_game(self, inner: AsyncGame) -> Game:
        return Game(self, inner)


def _abandon(io: IoThread, inner: AsyncClient) -> None:
    """A client and all its handles were forgotten without `close`: end its connections without waiting."""
    io.spawn(inner.close(), iothread.release)
