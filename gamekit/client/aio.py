"""The client for asyncio programs: `client = await gamekit.connect("http://127.0.0.1:8642")`.

Everything that waits is a coroutine here, and only here: the blocking face runs these same coroutines on its thread.
Orders (`ship.go(...)`) do not wait: they return an `AsyncOrder` at once, online or not.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from gamekit.client.address import Address
from gamekit.client.events import AsyncEvents
from gamekit.client.link import Link
from gamekit.client.playing import AsyncPlayer
from gamekit.client.reading import GameReading
from gamekit.client.rest import Rest
from gamekit.client.rules import Rules
from gamekit.client.seen import Clock, Seen
from gamekit.errors import ConfigError, SessionError
from gamekit.game import GameId, PlayerId, RuleField, Tick
from gamekit.scenario_file import plain_scenario

#: How long a first connection may take, in seconds.
ATTACH_TIMEOUT_S = 15.0
#: How long a change of pace may take to be heard of, in seconds.
HEARD_TIMEOUT_S = 5.0


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
        asked = {"scenario": plain_scenario(scenario), "seed": seed, "rules": rules and dict(rules), "name": name}
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


class AsyncGame(GameReading):
    """One game. `await game.watch()` before reading its `view`, `tick` and so on."""

    def __init__(self, client: AsyncClient, game: GameId, name: str) -> None:
        self.client = client
        self.id = game
        self.name = name
        #: Players who play through this handle, by id.
        self.joined: dict[PlayerId, AsyncPlayer] = {}
        self._creator: dict[str, Any] | None = None
        #: Tokens of players that are known here, for `play`: `{player id: token}`.
        self.seats: dict[PlayerId, str] = {}
        self._link: Link | None = None

    # --- players ----------------------------------------------------------------------------------------------

    def admit(self, answer: dict[str, Any]) -> None:
        """Note the player that came with the game's making."""
        self._creator = answer
        self.seats[answer["player"]] = answer["token"]

    async def join(self, name: str) -> AsyncPlayer:
        """Enter as a new player.

        Raises:
            RequestRefused: the name is not possible.
        """
        answer = await self.client.rest.post(f"{self._path}/join", {"name": name})
        return await self.play(answer["token"])

    async def creator(self) -> AsyncPlayer:
        """The player who came with the making of the game.

        Raises:
            SessionError: the game was not made through this handle; join it, or play with a token.
        """
        if self._creator is None:
            raise SessionError("This game was made elsewhere: use game.join(name), or game.play(token) to go on.")
        return self.joined.get(self._creator["player"]) or await self.play(self._creator["token"])

    async def play(self, token: str) -> AsyncPlayer:
        """Go on as the player whose token this is.

        Raises:
            RequestRefused: the token is not of this game.
        """
        link = self._new_link(token)
        try:
            await link.attached(ATTACH_TIMEOUT_S)
        except BaseException:
            await link.close()
            raise
        player = AsyncPlayer(self, link, token)
        self.joined[player.id] = player
        self.seats[player.id] = token
        return player

    # --- watching ---------------------------------------------------------------------------------------------

    async def watch(self) -> Link:
        """Connect as a spectator, once."""
        if self._link is None:
            self._link = self._new_link("")
        await self._link.attached(ATTACH_TIMEOUT_S)
        return self._link

    @property
    def watched(self) -> Link | None:
        """The spectator's connection, if there is one."""
        return self._link

    @property
    def seen(self) -> Seen:
        """The latest picture, as a spectator sees it.

        Raises:
            SessionError: nobody watches yet.
        """
        seen = self._link.seen if self._link else None
        if seen is None:
            raise SessionError("Nothing is seen of the game yet; call `await game.watch()` first.")
        return seen

    @property
    def clock(self) -> Clock:
        """The game's clock as last heard of."""
        return self._link.clock if self._link else Clock()

    def events(self) -> AsyncEvents:
        """All public events from now on, each with its `tick`; needs `watch` before."""
        if self._link is None:
            raise SessionError("Nothing is seen of the game yet; call `await game.watch()` first.")
        return AsyncEvents(self._link)

    # --- the owner's verbs ------------------------------------------------------------------------------------

    async def pause(self) -> Tick:
        """Let game time stand still; needs the admin token. Returns the tick at which it does."""
        return await self._control("pause")

    async def resume(self) -> Tick:
        """Let game time pass again; needs the admin token."""
        return await self._control("resume")

    async def set_speed(self, speed: float) -> Tick:
        """Let game time pass `speed` times as fast as normal (0.1 to 1,000); needs the admin token."""
        return await self._control("speed", {"speed": float(speed)})

    async def set_policy(self, when_empty: str | None = None, overload: str | None = None) -> Tick:
        """Choose anew what time does while the game is empty, or when the server is late; needs the admin token."""
        body = {"when_empty": when_empty, "overload": overload}
        return int((await self.client.rest.post(f"{self._path}/policy", body, self.client.token))["tick"])

    async def rules(self) -> Rules:
        """The rules in force, with what each of them means."""
        answer = await self.client.rest.get(f"{self._path}/rules")
        return Rules(answer["tick"], answer["rules"], msgspec.convert(answer["fields"], list[RuleField]))

    async def set_rules(self, **changes: int) -> Tick:
        """Change rules while the game runs, all of them or none; needs the admin token.

        Args:
            changes: `field=value`, e.g. `jump_ticks=20`.

        Returns:
            The tick from which they count.

        Raises:
            RequestRefused: there is no such rule, the value is not allowed, or it counts only when a game is made; the
                message says what is allowed.
        """
        answer = await self.client.rest.patch(f"{self._path}/rules", dict(changes), self.client.token)
        wanted = {name: {"value": answer["rules"][name]} for name in changes}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARD_TIMEOUT_S):
                for link in self._links():
                    while link.seen is None or not wanted.items() <= link.seen.view.get("rules", {}).items():
                        await link.moved()
        return int(answer["tick"])

    async def step(self, ticks: int = 1) -> Tick:
        """Let `ticks` pass at the game's speed, then stand still; needs the admin token.

        Returns:
            The tick at which time stands still, once it does.
        """
        await self.watch()
        target = await self._control("step", {"ticks": int(ticks)}) + int(ticks)
        for link in self._links():
            while not (link.clock.paused and link.clock.tick >= target):
                await link.moved()
        return target

    async def _control(self, verb: str, body: dict[str, Any] | None = None) -> Tick:
        """One verb; returns when every connection of this handle has heard of its effect."""
        answer = await self.client.rest.post(f"{self._path}/{verb}", body, self.client.token)
        if verb != "step":
            # Another owner may have changed it again meanwhile; then nothing is left to wait for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(HEARD_TIMEOUT_S):
                    for link in self._links():
                        while (link.clock.paused, link.clock.speed) != (answer["paused"], answer["speed"]):
                            await link.moved()
        return int(answer["tick"])

    def _links(self) -> list[Link]:
        links = [player.link for player in self.joined.values()]
        return links + ([self._link] if self._link else [])

    # --- what the server keeps --------------------------------------------------------------------------------

    async def about(self) -> dict[str, Any]:
        """The game's row on the server: scenario, seed, tick, players and so on."""
        answer: dict[str, Any] = await self.client.rest.get(self._path)
        return answer

    async def why_awake(self) -> list[str]:
        """What keeps the game in the server's memory, in words; empty when it sleeps. Asking does not wake it."""
        reasons: list[str] = (await self.about())["why_awake"]
        return reasons

    async def commands(self, after_seq: int = 0) -> list[dict[str, Any]]:
        """The game's history: journal records after `after_seq`, oldest first."""
        answer = await self.client.rest.get(f"{self._path}/commands?after_seq={int(after_seq)}", self._any_token)
        records: list[dict[str, Any]] = answer["records"]
        return records

    async def latency(self, since_s: float = 0.0) -> list[dict[str, Any]]:
        """Measured tick times, a row a second, since a Unix time in seconds."""
        answer = await self.client.rest.get(f"{self._path}/latency?since_s={float(since_s)!r}", self._any_token)
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    async def export(self, path: str | Path, *, tick: Tick | None = None) -> Path:
        """Write the game with its whole history into a capsule, one SQLite file; needs the admin token.

        Args:
            path: the file, replaced when it is there.
            tick: cut the history after this tick; by default it reaches to now.
        """
        query = "" if tick is None else f"?tick={int(tick)}"
        body = await self.client.rest.download(f"{self._path}/export{query}", self.client.token)
        await asyncio.get_running_loop().run_in_executor(None, Path(path).write_bytes, body)
        return Path(path)

    async def fork(self, tick: Tick | None = None, *, name: str | None = None) -> AsyncGame:
        """Make another game on the server with the same past; this one goes on. Needs the admin token.

        Args:
            tick: where the past ends; now by default.
            name: the other game's display name.

        Returns:
            The other game; its `seats` hold a token for each player, for `play`.

        Raises:
            RequestRefused: the game has not come to that tick yet.
        """
        asked = {key: value for key, value in {"tick": tick, "name": name}.items() if value is not None}
        return await self.client.seated(await self.client.rest.post(f"{self._path}/fork", asked, self.client.token))

    async def close(self) -> None:
        """End this handle's connections; the game itself goes on. Idempotent."""
        for link in self._links():
            await link.close()

    @property
    def _path(self) -> str:
        return f"/api/game/{self.id}"

    @property
    def _any_token(self) -> str:
        return self.client.token or next(iter(self.seats.values()), "")

    def _new_link(self, token: str) -> Link:
        return Link(self.client.address.socket(self.id), token, client=uuid.uuid4().hex)
