"""The client for asyncio programs: `client = await gamekit.connect("http://127.0.0.1:8642")`.

The server is here, its games in `gamekit.client.game`, their players in `gamekit.client.playing`. What waits is a
coroutine there, and only there: the blocking face runs these same coroutines on its thread. Orders (`ship.go(...)`) do
not wait: they return an `AsyncOrder` at once, online or not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gamekit.client.address import Address
from gamekit.client.game import AsyncGame
from gamekit.client.playing import AsyncPlayer
from gamekit.client.rest import Rest
from gamekit.errors import ConfigError
from gamekit.game import GameId
from gamekit.plain import plain_or_refused
from gamekit.scenario_file import plain_scenario


async def connect(url: str, *, token: str | None = None) -> AsyncClient:
    """Find a server.

    Args:
        url: the server's root, or any link that it hands out (admin link, `play_url`).
        token: the admin token, for what only the server's owner may do; taken from the link when it has one.

    Returns:
        The client; close it with `await client.close()` or use it as `async with`.

    Raises:
        ServerError: there is no gamekit server.
    """
    client = AsyncClient(url, token=token)
    try:
        await client.check()
    except BaseException:
        await client.close()
        raise
    return client


class AsyncClient:
    """One server, as seen by one program.

    Args:
        url: the server's root, or any link that it hands out.
        token: the admin token; taken from an admin link when it is not given.
    """

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.address = Address.parse(url)
        self.token = token or (self.address.token if self.address.game is None else "")
        #: The server's root as links for people have it: another one when browsers come through a proxy.
        self.page_root = self.address.root
        self.rest = Rest(self.address.root)
        self._games: list[AsyncGame] = []

    @property
    def url(self) -> str:
        """The server's root."""
        return self.address.root

    async def check(self) -> None:
        """Ask the server whether it is well.

        Raises:
            ServerError: it does not answer, or is no gamekit server.
        """
        await self.rest.get("/healthz")

    async def new_game(
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
    ) -> AsyncGame:
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
        asked = {
            "scenario": plain_scenario(scenario),
            "seed": seed,
            "rules": rules and plain_or_refused("rules", rules),
            "name": name,
        }
        asked |= {"player_name": player_name, "game": game, "when_empty": when_empty, "overload": overload}
        answer = await self.rest.post(
            "/api/game/new", {key: value for key, value in asked.items() if value is not None}, self.token
        )
        made = await self.game(answer["id"])
        made.admit(answer)
        return made

    async def game(self, game: str) -> AsyncGame:
        """A game that exists already, by its id.

        Raises:
            RequestRefused: there is no such game.
        """
        about = await self.rest.get(f"/api/game/{game}")
        handle = AsyncGame(self, GameId(about["id"]), str(about["name"]))
        self._games.append(handle)
        return handle

    async def import_capsule(self, path: str | Path, *, new_id: bool = False) -> AsyncGame:
        """Take a capsule in as a game of this server; needs the admin token.

        Args:
            path: the capsule's file.
            new_id: give the game an id of its own, beside one with the same id.

        Returns:
            The game; its `seats` hold a token for each of its players.

        Raises:
            RequestRefused: it is no whole capsule, or there is a game with its id already.
        """
        body = await asyncio.get_running_loop().run_in_executor(None, Path(path).read_bytes)
        answer = await self.rest.upload(f"/api/games/import?new_id={int(new_id)}", body, self.token)
        return await self.seated(answer)

    async def seated(self, answer: dict[str, Any]) -> AsyncGame:
        """The handle of a game that came with tokens for its players."""
        game = await self.game(answer["id"])
        game.seats.update({seat["player"]: seat["token"] for seat in answer["players"]})
        return game

    async def games(self) -> list[dict[str, Any]]:
        """All games on the server, oldest first; needs the admin token."""
        games: list[dict[str, Any]] = []
        after = ""
        while True:
            answer: dict[str, Any] = await self.rest.get(f"/api/games?after={after}", self.token)
            games += answer["games"]
            if (after := answer["next"] or "") == "":
                return games

    async def play(self, link: str | None = None) -> AsyncPlayer:
        """Go on playing with a `play_url`; without one, with the link that the client was made from.

        Raises:
            ConfigError: the link leads to no game or has no token.
            RequestRefused: the game or the token is not known.
        """
        game, token = self.seat(link)
        return await (await self.game(game)).play(token)

    def seat(self, link: str | None) -> tuple[str, str]:
        """The game and the token in a play link, by default the one that the client was made from.

        Raises:
            ConfigError: the link leads to no game or has no token.
        """
        address = Address.parse(link) if link else self.address
        if address.game is None or not address.token:
            raise ConfigError("A play link looks like http://127.0.0.1:8642/play/GAME#token=TOKEN.")
        return address.game, address.token

    async def close(self) -> None:
        """End all connections. Idempotent."""
        games, self._games = self._games, []
        for game in games:
            await game.close()
        self.rest.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.url}>"
