"""A player written in Python.

    class Hauler(gamekit.Bot):
        def on_idle(self, ship):
            ship.go("Sol Mine").then().buy("ore", 10).then().go("Sirius Works").then().sell("ore", 10)

A bot is a function of what it is shown: pictures and events go in, commands come out. It waits for nothing, knows no
clock but the game's tick and no chance but its own `random`, which its seed decides. So the same bot plays a live game
over the client (`game.bots(Hauler())`) and a headless one at thousands of times real time
(`lab.play(branch, Hauler())`), and given the same pictures it gives the same commands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from inspect import iscoroutinefunction
from random import Random
from typing import Any

from gamekit.client.bodies import checked_body
from gamekit.client.order import OrderState
from gamekit.client.reading import PlayerReading, ShipReading
from gamekit.client.seen import Clock, Seen
from gamekit.errors import ConfigError, SessionError
from gamekit.game import GameId, PlayerId, Tick

#: What a bot may override, besides `decide`.
HOOKS = ("on_start", "on_idle", "on_holding", "on_failed", "on_refused", "on_event", "on_look")
#: In the place of a ship: a command that concerns none.
NO_SHIP = ""


class _NeverWaits:
    """What is asked of it that would wait is explained; for the rest it is as if it had no such thing."""

    def __getattr__(self, name: str) -> Any:
        if name in {"wait", "result", "ack", "__await__"}:
            raise AttributeError(
                f"A bot waits for nothing, so there is no {name!r} here: give the orders that follow with then(), and "
                "see what comes of them in on_idle, on_failed and on_refused."
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


class Decision(OrderState, _NeverWaits):
    """A command that a bot gives. What becomes of it the bot sees in its next pictures."""


class BotShip(ShipReading[Decision], _NeverWaits):
    """One of a bot's ships: everything a ship can be ordered and tells, but nothing that waits."""


class BotPlayer(PlayerReading[BotShip, Decision]):
    """What a bot sees and owns, as of the picture that it was shown last.

    Attributes:
        given: the commands of the decision that is being made.
    """

    def __init__(self, player: PlayerId) -> None:
        self.id = player
        self.token = ""
        self.given: list[dict[str, Any]] = []
        self._seen: Seen | None = None

    def show(self, seen: Seen) -> None:
        """Let the bot see a picture, and begin a decision."""
        self._seen = seen
        self.given = []

    @property
    def seen(self) -> Seen:
        """The picture that is decided about."""
        if self._seen is None:
            raise SessionError("This bot has been shown nothing yet; read the game in its hooks, e.g. on_start.")
        return self._seen

    @property
    def clock(self) -> Clock:
        """The game's clock, standing at the picture's tick: `now` and positions are those of the picture."""
        return Clock(tick=self.seen.tick)

    @property
    def connected(self) -> bool:
        """True: what lies between a bot and its game is not the bot's business."""
        return True

    @property
    def pending(self) -> int:
        """How many commands this decision has given so far."""
        return len(self.given)

    def handle_of(self, ship: str) -> BotShip:
        """The handle of the ship with this id, whether it is there or not."""
        return BotShip(self, ship)

    def submit(self, body: Mapping[str, Any]) -> Decision:
        """Give any command of the game, as plain values with its `type`."""
        decision = Decision(checked_body(body))
        self.given.append(decision.body)
        return decision


class Bot:
    """The base class of players written in Python. Override what you need; every hook may give orders, none may wait.

    Args:
        name: its player's name; the class's name by default.
        seed: decides everything that the bot leaves to chance.

    Attributes:
        me: its player: `me.ships`, `me.view`, `me.credits`, `me.tick`, `me.submit({...})`.
        random: the bot's own chance, a `random.Random`.
        patience_ticks: a ship that was given nothing to do is asked about again after this much game time.
        decisions: how often it was shown a picture.
    """

    patience_ticks: Tick = 50

    def __init__(self, name: str | None = None, seed: int = 1) -> None:
        self.name = name or type(self).__name__
        self.seed = seed
        self.random = Random(f"{self.name}/{seed}")
        self.decisions = 0
        #: The live game that it plays; None when it plays one that runs here, or nowhere.
        self.game: GameId | None = None
        #: True while it has a seat in a live game.
        self.playing = False
        self._me: BotPlayer | None = None
        #: {ship id: the tick from which it may be asked about again}
        self._ask_again: dict[str, Tick] = {}
        #: {ship id: why it holds}, so that each reason is told once
        self._holding: dict[str, str] = {}

    # --- hooks ------------------------------------------------------------------------------------------------

    def on_start(self) -> None:
        """The game is seen for the first time."""

    def on_idle(self, ship: BotShip) -> None:
        """A ship has nothing to do. Asked again when it is idle again, or after `patience_ticks` without an order."""

    def on_holding(self, ship: BotShip) -> None:
        """A ship cannot go on, `ship.reason` says why. It goes on by itself when it can; told once for each reason."""

    def on_failed(self, ship: BotShip, code: str, message: str) -> None:
        """A step of a ship's queue failed; the steps after it go on."""

    def on_refused(self, code: str, message: str) -> None:
        """The rules refused a command."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Something happened that this player may see; `event` has its `type` and `tick`."""

    def on_look(self) -> None:
        """Called with every picture, after all other hooks; not while a command that concerns no ship is on its way."""

    # --- for whoever seats it ---------------------------------------------------------------------------------

    @property
    def me(self) -> BotPlayer:
        """The bot's player.

        Raises:
            SessionError: it plays nowhere yet.
        """
        if self._me is None:
            text = f"{self.name} plays nowhere yet; seat it with game.bots(...) or lab.play(...)."
            raise SessionError(text)
        return self._me

    @property
    def seated(self) -> bool:
        """True once it plays somewhere."""
        return self._me is not None

    def sit(self, player: PlayerId, game: GameId | None = None) -> None:
        """Play as this player from now on, of one game and for good.

        Args:
            player: as whom.
            game: the live game; None for one that runs here.

        Raises:
            SessionError: it plays another already.
        """
        if self._me is not None and (self._me.id, self.game) != (player, game):
            raise SessionError(f"{self.name} plays {self._me.id} already; make another bot for another seat.")
        self.game = game
        self._me = self._me or BotPlayer(player)

    def decide(
        self, seen: Seen, events: Sequence[dict[str, Any]] = (), busy: Collection[str] = ()
    ) -> list[dict[str, Any]]:
        """What to do about a picture. This is all that a game asks of a bot.

        Args:
            seen: the picture.
            events: what happened since the last one, each with its `tick`.
            busy: ships with a command that is not decided yet, which are not asked about; `NO_SHIP` for one without.

        Returns:
            Commands, as plain values with their `type`, in the order in which they are to be given.
        """
        me = self.me
        me.show(seen)
        self.decisions += 1
        if self.decisions == 1:
            self.on_start()
        for event in events:
            if event.get("player") == me.id:
                if event.get("type") == "CommandFailed":
                    self._refused(event)
                elif event.get("type") == "EntryFailed":
                    self.on_failed(me.handle_of(event["ship"]), str(event["code"]), str(event["message"]))
            self.on_event(event)
        for key, ship in seen.view.get("ships", {}).items():
            if ship.get("owner") == me.id and key not in busy:
                self._look_after(key, ship)
        if NO_SHIP not in busy:
            self.on_look()
        return me.given

    def asks_again(self) -> Collection[Tick]:
        """The ticks at which it wants to be shown the game again, also when nothing happens; some may be past."""
        return self._ask_again.values()

    def _refused(self, event: Mapping[str, Any]) -> None:
        """Have patience with ships that were ordered just now: one of them may not have been able to."""
        for key in self._ask_again:
            self._ask_again[key] = self.me.tick + self.patience_ticks
        self.on_refused(str(event["code"]), str(event["message"]))

    def _look_after(self, key: str, ship: Mapping[str, Any]) -> None:
        me = self.me
        if ship.get("status") == "holding":
            reason = str(ship.get("reason", ""))
            if self._holding.get(key) != reason:
                self._holding[key] = reason
                self.on_holding(me.handle_of(key))
            return
        self._holding.pop(key, None)
        if ship.get("queue") or ship.get("job") or ship.get("auto_trade"):
            self._ask_again.pop(key, None)
            return
        if me.tick < self._ask_again.get(key, 0) or any(body.get("ship") == key for body in me.given):
            return
        before = len(me.given)
        self.on_idle(me.handle_of(key))
        # Never twice at one tick: what was ordered may be refused at once, and would be ordered again without end.
        self._ask_again[key] = me.tick + (1 if len(me.given) > before else self.patience_ticks)

    @classmethod
    def check(cls, bots: Sequence[Bot]) -> None:
        """Make sure, before anybody joins, that these can play.

        Raises:
            ConfigError: something is no bot, is there twice, was not begun, or has a hook that would never run.
        """
        if len({id(bot) for bot in bots}) != len(bots):
            raise ConfigError("A bot sits once; make another one: Hauler('A'), Hauler('B').")
        for bot in bots:
            if isinstance(bot, type):
                raise ConfigError(f"Give bots, not their class: {bot.__name__}('A name').")
            if not isinstance(bot, cls):
                raise ConfigError(f"A bot is an instance of a subclass of gamekit.Bot, not {bot!r}.")
            kind = type(bot).__name__
            if not hasattr(bot, "_ask_again"):
                raise ConfigError(f"{kind}.__init__ must call super().__init__(name, seed) before all else.")
            if waits := [hook for hook in HOOKS if iscoroutinefunction(getattr(bot, hook))]:
                raise ConfigError(f"{kind}.{waits[0]} is async, and would never run: write `def`; a bot never waits.")

    def __repr__(self) -> str:
        where = f"plays {self._me.id}" if self._me is not None else "plays nowhere yet"
        return f"<{type(self).__name__} {self.name}, {where}, {self.decisions:,} decisions>"
