"""One game, for asyncio programs: who plays, what is seen, the owner's verbs, and what the server keeps of it.

`gamekit.client.aio` gives these out; players are `gamekit.client.playing`'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from gamekit.client.events import AsyncEvents
from gamekit.client.link import Link
from gamekit.client.numbers import real, whole
from gamekit.client.playing import AsyncPlayer
from gamekit.client.reading import GameReading
from gamekit.client.rules import Rules
from gamekit.client.seen import Clock, Seen
from gamekit.client.settable import Settable
from gamekit.errors import SessionError
from gamekit.files import replacing
from gamekit.game import GameId, PlayerId, RuleField, Tick

if TYPE_CHECKING:
    from gamekit.client.aio import AsyncClient

#: How long a first connection may take, in seconds.
ATTACH_TIMEOUT_S = 15.0
#: How long a change of pace may take to be heard of, in seconds.
HEARD_TIMEOUT_S = 5.0

_fields = msgspec.json.Decoder(list[RuleField])


#: Rows of tables that are asked for at once; a server may send fewer.
_ROWS_A_PAGE = 5_000


class AsyncGame(GameReading, Settable):
    """One game. `await game.watch()` before reading its `view`, `tick` and so on."""

    client: AsyncClient
    joined: dict[PlayerId, AsyncPlayer]
    seats: dict[PlayerId, str]

    def __init__(self, client: AsyncClient, game: GameId, name: str) -> None:
        self.client = client
        self.id = game
        self.name = name
        #: Players who play through this handle, by id.
        self.joined = {}
        self._creator: dict[str, Any] | None = None
        #: Tokens of players that are known here, for `play`: `{player id: token}`.
        self.seats = {}
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
        return await self._control("speed", {"speed": real(speed, "speed")})

    async def set_policy(self, when_empty: str | None = None, overload: str | None = None) -> Tick:
        """Choose anew what time does while the game is empty, or when the server is late; needs the admin token."""
        body = {"when_empty": when_empty, "overload": overload}
        return int((await self.client.rest.post(f"{self._path}/policy", body, self.client.token))["tick"])

    async def rules(self) -> Rules:
        """The rules in force, with what each of them means."""
        answer = await self.client.rest.get(f"{self._path}/rules")
        return Rules(answer["tick"], answer["rules"], _fields.decode(msgspec.json.encode(answer["fields"])))

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
        ticks = whole(ticks, "ticks")
        await self.watch()
        target = await self._control("step", {"ticks": ticks}) + ticks
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
        return await self._pages(f"{self._path}/commands?after_seq={int(after_seq)}", "after_seq", "records")

    async def latency(self, since_s: float = 0.0) -> list[dict[str, Any]]:
        """Measured tick times, a row a second, since a Unix time in seconds."""
        return await self._pages(f"{self._path}/latency?since_s={max(since_s, 0.0):.6f}", "after_s", "rows")

    async def _pages(self, path: str, cursor: str, table: str) -> list[dict[str, Any]]:
        """All rows of a table that comes in pages.

        Args:
            path: of the first page, with its query.
            cursor: the parameter that takes the `next` of the page before.
            table: under which name the rows stand.
        """
        rows: list[dict[str, Any]] = []
        place, _, query = path.partition("?")
        while True:
            answer = await self.client.rest.get(f"{place}?{query}&limit={_ROWS_A_PAGE}", self._any_token)
            rows += answer[table]
            if (after := answer.get("next")) is None:
                return rows
            query = f"{cursor}={after!r}"

    async def export(self, path: str | Path, *, tick: Tick | None = None) -> Path:
        """Write the game with its whole history into a capsule, one SQLite file; needs the admin token.

        Args:
            path: the file, replaced when it is there.
            tick: cut the history after this tick; by default it reaches to now.
        """
        query = "" if tick is None else f"?tick={int(tick)}"
        body = await self.client.rest.download(f"{self._path}/export{query}", self.client.token)
        await asyncio.get_running_loop().run_in_executor(None, _written, Path(path), body)
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


def _written(path: Path, body: bytes) -> None:
    with replacing(path) as aside:
        aside.write_bytes(body)
