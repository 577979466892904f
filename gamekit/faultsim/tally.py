"""A tiny game for the simulator: players give coins to each other, and a bell moves one now and then.

Made so that nothing goes unnoticed: its state holds a running checksum of everything that ever happened and at which
tick, so a command lost, done twice or done in another order shows in every later view. Coins are conserved: all that
players have came out of the bank.

`config`: `{"bell_ticks": 7, "sealed": False}`, how many ticks lie between two strokes of the bell, and whether players
could learn from the history what the game keeps from them.
Commands: `{"type": "give", "to": player, "coins": n}`. View: `{"table": {"bell": {"strokes", "trail"}}, "players": {id:
{"name", "coins"}}, "rules": {"bell_ticks": {"value"}}}`, where `secret` is seen by its owner only.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from gamekit.game import (
    Changes,
    Command,
    Enough,
    Event,
    Join,
    PlayerId,
    Progress,
    Rejected,
    RuleField,
    Tick,
    View,
)

#: What a player starts with.
START_COINS = 100
#: The rarest bell, in ticks.
MOST_BELL_TICKS = 100_000


class Give(Command, frozen=True, tag="give"):
    """Give `coins` of your own to another player."""

    to: str
    coins: int


class Joined(Event, frozen=True):
    """A player is new."""

    player: PlayerId


class Rang(Event, frozen=True):
    """The bell rang; somebody may have lost a coin to the bank."""

    strokes: int
    player: PlayerId | None = None


class Given(Event, frozen=True):
    """Coins changed hands."""

    player: PlayerId
    to: PlayerId
    coins: int


class SecretChanged(Event, frozen=True):
    """Private: a player's secret is new."""

    player: PlayerId
    secret: int


class RulesChanged(Event, frozen=True):
    """The bell rings at another pace from now on."""

    bell_ticks: int


class Purse(msgspec.Struct):
    """One player."""

    name: str
    coins: int
    secret: int = 0


class TallyState(msgspec.Struct):
    """Everything there is."""

    bell_ticks: int
    trail: int
    tick: Tick = 0
    strokes: int = 0
    #: True inside a tick: the bell has rung, and nobody has paid yet.
    rung: bool = False
    bank: int = 0
    sealed: bool = False
    players: dict[PlayerId, Purse] = msgspec.field(default_factory=dict)

    def mark(self, *what: object) -> None:
        """Something happened: the trail tells for ever."""
        self.trail = zlib.crc32(repr((self.tick, *what)).encode(), self.trail)


class TallyGame:
    """The rules; fulfils `gamekit.game.Game[TallyState]`."""

    name: str = "tally"
    version: int = 1
    command_type: Any = Give

    def new(self, config: Mapping[str, Any], seed: int) -> TallyState:
        """The state at tick 0."""
        bell_ticks, sealed = int(config.get("bell_ticks", 7)), bool(config.get("sealed", False))
        return TallyState(bell_ticks=bell_ticks, trail=seed & 0xFFFFFFFF, sealed=sealed)

    def tick(self, state: TallyState) -> Tick:
        """The tick that the state stands at."""
        return state.tick

    def advance(self, state: TallyState, to_tick: Tick) -> list[Event]:
        """The bell rings at every multiple of `bell_ticks`; who is rich then pays a coin to the bank."""
        return self.advance_some(state, to_tick, lambda: False).events

    def advance_some(self, state: TallyState, to_tick: Tick, enough: Enough) -> Progress:
        """The same in parts: a stroke can be left when the bell has rung and nobody has paid yet."""
        events: list[Event] = []
        while state.rung or self.next_due(state) <= to_tick:
            if not state.rung:
                state.tick = self.next_due(state)
                state.strokes += 1
                state.rung = True
                if enough():
                    return Progress(events, inside=True)
            state.rung = False
            names = list(state.players)
            payer = names[state.trail % len(names)] if names else None
            if payer is not None and state.players[payer].coins > 0:
                state.players[payer].coins -= 1
                state.bank += 1
            else:
                payer = None
            state.mark("bell", payer)
            events.append(Rang(state.strokes, payer))
            if enough():
                return Progress(events)
        state.tick = max(state.tick, to_tick)
        return Progress(events)

    def apply(self, state: TallyState, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out one command."""
        if isinstance(command, Join):
            if player in state.players:
                return Rejected("already_joined", f"{player} plays already; give coins instead.")
            state.players[player] = Purse(command.name, START_COINS)
            state.bank -= START_COINS
            state.mark("join", player)
            return [Joined(player)]
        assert isinstance(command, Give)
        giver, taker = state.players[player], state.players.get(PlayerId(command.to))
        if taker is None:
            return Rejected("no_such_player", f"Nobody is called {command.to!r}; the view lists the players.")
        if not 0 < command.coins <= giver.coins:
            return Rejected("too_few_coins", f"You have {giver.coins} coins; give at least 1 and at most that.")
        giver.coins -= command.coins
        taker.coins += command.coins
        state.mark(player, command.to, command.coins)
        giver.secret = state.trail % 1000
        given = Given(player, PlayerId(command.to), command.coins)
        return [given, SecretChanged(player, giver.secret)]

    def next_due(self, state: TallyState) -> Tick:
        """The next stroke of the bell."""
        return (state.tick // state.bell_ticks + 1) * state.bell_ticks

    def view(self, state: TallyState, player: PlayerId | None) -> View:
        """The bell and all purses; the viewer's own secret."""
        players: dict[str, dict[str, Any]] = {one: self._purse(state, one) for one in state.players}
        if player in players:
            players[player]["secret"] = state.players[player].secret
        return {"table": self._table(state), "players": players, "rules": self._rules(state)}

    def changes(self, state: TallyState, player: PlayerId | None, events: Sequence[Event]) -> Changes:
        """Public: the bell and the purses touched. For a player: the own secret."""
        touched: dict[str, dict[str, Any]] = {}
        for event in events:
            names = [event.to] if isinstance(event, Given) else []
            names += [event.player] if isinstance(event, Given | Joined | Rang) and event.player else []
            if player is None:
                touched |= {one: self._purse(state, one) for one in names}
            elif isinstance(event, SecretChanged | Joined) and event.player == player:
                touched[player] = {"secret": state.players[player].secret}
        changes: Changes = {"players": touched} if touched else {}
        if player is None and any(isinstance(event, RulesChanged) for event in events):
            changes["rules"] = self._rules(state)
        return changes | {"table": self._table(state)} if player is None else changes

    def audience(self, state: TallyState, event: Event) -> tuple[PlayerId, ...] | None:
        """Secrets are private."""
        return (event.player,) if isinstance(event, SecretChanged) else None

    def secretive(self, state: TallyState) -> bool:
        """Secrets are private; in a game that is not sealed anybody may work them out."""
        return state.sealed

    def rules(self, state: TallyState) -> dict[str, Any]:
        """The rules in force."""
        return {"bell_ticks": state.bell_ticks}

    def rule_table(self) -> list[RuleField]:
        """The only rule."""
        return [
            RuleField("bell_ticks", 7, 1, MOST_BELL_TICKS, "ticks", "How many lie between two strokes of the bell.")
        ]

    def set_rules(self, state: TallyState, changes: Mapping[str, Any]) -> list[Event] | Rejected:
        """Let the bell ring more often, or less."""
        ticks = changes.get("bell_ticks", state.bell_ticks)
        if changes.keys() - {"bell_ticks"} or type(ticks) is not int or not 1 <= ticks <= MOST_BELL_TICKS:
            return Rejected("bad_rule", f"Allowed is bell_ticks from 1 to {MOST_BELL_TICKS}.")
        if ticks == state.bell_ticks:
            return []
        state.bell_ticks = ticks
        state.mark("rules", ticks)
        return [RulesChanged(ticks)]

    def encode(self, state: TallyState) -> bytes:
        """The state as MessagePack."""
        return msgspec.msgpack.encode(state)

    def decode(self, data: bytes, version: int) -> TallyState:
        """The state from its bytes."""
        return msgspec.msgpack.decode(data, type=TallyState)

    @staticmethod
    def _rules(state: TallyState) -> dict[str, Any]:
        return {"bell_ticks": {"value": state.bell_ticks}}

    @staticmethod
    def _table(state: TallyState) -> dict[str, Any]:
        return {"bell": {"strokes": state.strokes, "trail": state.trail}}

    @staticmethod
    def _purse(state: TallyState, player: PlayerId) -> dict[str, Any]:
        return {"name": state.players[player].name, "coins": state.players[player].coins}
