"""The session console: what an owner wants at hand while a game runs.

Every verb is the server's own, with its own refusals; what the server says no to is shown in its words. Rules are
edited in a form that is made from the game's table of rules, and go out together as one journaled command.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import traitlets

from gamekit.client import show
from gamekit.errors import GamekitError
from gamekit.widgets.bundle import bundle
from gamekit.widgets.feed import Feed, Message
from gamekit.widgets.shared import SharedWidget

if TYPE_CHECKING:
    from gamekit.client.blocking import BaseGame

#: How often the server is asked who is there and why the game is awake, while somebody looks; in seconds.
_INTERVAL_S = 1.0
#: A speed that is dragged is sent when it has rested for so long, in seconds.
_SETTLED_S = 0.25


class ConsoleWidget(SharedWidget):
    """Pace, forks, who is there, why it is awake, and the rules.

    Args:
        feed: any news of the game, for its clock; of a connection that is there already, so that no other is made.
        game: the game.
        fork_here: makes a branch in this process of the game up to now; blocks.

    Attributes:
        forks: games made on the server with the console's button, oldest first.
        branches: branches made in the notebook with the console's button, oldest first.
    """

    _esm = bundle(Path(__file__).parent / "js" / "console.js")

    #: Game time passes so many times as fast as normal (0.1 to 1,000). Setting it sets the game's; links both ways.
    speed = traitlets.Float(1.0).tag(sync=True)
    #: What the server says of the game, once a second while it is in sight.
    about = traitlets.Dict().tag(sync=True)
    #: The rules in force, their values by name.
    rules = traitlets.Dict().tag(sync=True)
    #: What may be set: `[{name, default, low, high, unit, sentence, at_start}, ...]`.
    fields: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)

    def __init__(self, feed: Feed, game: BaseGame[Any], fork_here: Callable[[], Any]) -> None:
        self.forks: list[Any] = []
        self.branches: list[Any] = []
        self._game = game
        self._fork_here = fork_here
        self._polling: asyncio.Task[None] | None = None
        self._settling: asyncio.TimerHandle | None = None
        self._rules_seen: object = None
        super().__init__(feed, None, speed=float(feed.link.clock.speed))
        table = game.rules
        self.rules = dict(table)
        self.fields = [msgspec.to_builtins(one) for one in table.fields.values() if one.low < one.high]
        self.about = game.about()
        self.observe(self._speed_asked, names="speed")

    def still(self) -> dict[str, str]:
        """The rules in force, and how the game stands."""
        clock = self.feed.link.clock
        pace = "paused" if clock.paused else f"speed {clock.speed:g}"
        who = ", ".join(player["name"] for player in self.about.get("players", ())) or "nobody"
        caption = f"{self._game.name} ({self._game.id}) at tick {self.tick:,}, {pace}; plays: {who}"
        rows = [
            [
                one["name"],
                f"{self.rules[one['name']]:,}",
                f"{one['low']:,} to {one['high']:,} {one['unit']}",
                one["sentence"],
            ]
            for one in self.fields
        ]
        return {"text/html": show.table(caption, ["rule", "value", "allowed", "meaning"], rows)}

    # --- on the client's I/O thread ---------------------------------------------------------------------------

    def _told(self, message: Message) -> None:
        super()._told(message)
        if self._settling is None:
            self.speed = float(message["clock"]["speed"])
        rules = message.get("view", {}).get("rules") or any("rules" in one for one in message.get("changes", ()))
        if rules and rules != self._rules_seen:
            self._rules_seen = rules if isinstance(rules, dict) else None
            self._start(self._read_rules())
        if self._polling is None or self._polling.done():
            self._polling = asyncio.get_running_loop().create_task(self._poll(), name="gamekit console widget")
            self._tasks.add(self._polling)

    async def _poll(self) -> None:
        while self.stream.feeding:
            try:
                self.about = await self._game.inner.about()
            except GamekitError:
                return  # the stream says that the server is away, and what follows asks again
            await asyncio.sleep(_INTERVAL_S)

    async def _read_rules(self) -> None:
        try:
            table = await self._game.inner.rules()
        except GamekitError:
            return
        self.rules = dict(table)

    def _heard(self, content: dict[str, Any]) -> None:
        match content.get("kind"):
            case "do":
                self._start(self._do(str(content.get("verb")), content.get("value")))
            case _:
                super()._heard(content)

    async def _do(self, verb: str, value: Any) -> None:
        """Carry out one verb and say how it went."""
        game = self._game.inner
        try:
            match verb:
                case "pause":
                    said = f"Paused at tick {await game.pause():,}."
                case "resume":
                    said = f"Time passes again from tick {await game.resume():,}."
                case "step":
                    said = f"Stepped to tick {await game.step(int(value)):,}."
                case "speed":
                    await game.set_speed(float(value))
                    said = f"Speed {float(value):g}."
                case "rules":
                    tick = await game.set_rules(**dict(value))
                    said = f"{', '.join(value)} changed; in force from tick {tick:,}."
                    await self._read_rules()
                case "fork":
                    said = await self._fork_on_server()
                case "branch":
                    made = await asyncio.to_thread(self._fork_here)
                    self.branches.append(made)
                    said = f"A branch at tick {made.tick:,}: console.branches[{len(self.branches) - 1}]."
                case "capsule":
                    path = Path(f"{self._game.id}-tick-{self.tick}.capsule")
                    said = f"Written to {await game.export(path)}."
                case _:
                    said = f"The console has no {verb!r}."
        except (GamekitError, OSError, ValueError, TypeError) as error:
            self.send({"kind": "said", "verb": verb, "bad": True, "message": str(error)})
            if verb == "speed":
                # The front end shows what was asked for; it is not so.
                self.send_state("speed")
        else:
            self.send({"kind": "said", "verb": verb, "bad": False, "message": said})

    async def _fork_on_server(self) -> str:
        made = await self._game.inner.fork()
        handle = type(self._game)(self._game.client, made)
        self.forks.append(handle)
        return f"Forked as {made.name} ({made.id}): console.forks[{len(self.forks) - 1}]."

    # --- on whatever thread a speed is set ---------------------------------------------------------------------

    def _speed_asked(self, change: Any) -> None:
        if change["new"] != self.feed.link.clock.speed:
            self.feed.io.post(self._settle)

    def _settle(self) -> None:
        if self._settling is not None:
            self._settling.cancel()
        self._settling = asyncio.get_running_loop().call_later(_SETTLED_S, self._settled)

    def _settled(self) -> None:
        self._settling = None
        if self.speed != self.feed.link.clock.speed:
            self._start(self._do("speed", self.speed))
