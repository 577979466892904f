"""A second, tiny game: one shared counter that also bumps by itself, and a private score for each player.

It fulfils `gamekit.game.Game` and nothing else, so that what is tested with it knows a game by that contract alone.

Rules (`config["rules"]`): `every_ticks` (0 to 1,000,000, default 10; 0 = the counter never moves by itself),
`step` (1 to 1,000, default 1: how much it then moves), `max_add` (1 to 1,000,000, default 100). Scenarios: "counter"
(starts at 0) and "high" (starts at 1,000).

Commands: `{"type": "add", "n": 5}` moves the counter and scores n for the player who sent it; `{"type": "reset"}` sets
the counter to 0. View: `{"counters": {"main": {"value", "bumps"}}, "players": {id: {"name", "joined", "score"}}}` where
`score` is seen by its owner only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from gamekit.errors import ConfigError
from gamekit.game import Changes, Command, Event, Join, PlayerId, Rejected, RuleField, Tick, View


class Add(Command, frozen=True, tag="add"):
    """Move the counter by `n` (1 to `max_add`)."""

    n: int


class Reset(Command, frozen=True, tag="reset"):
    """Set the counter to 0."""


CounterCommand: TypeAlias = Add | Reset


class PlayerJoined(Event, frozen=True):
    """A player is new."""

    player: PlayerId
    name: str


class CounterMoved(Event, frozen=True):
    """The counter has a new value; `player` is None when it moved by itself."""

    value: int
    player: PlayerId | None = None


class ScoreChanged(Event, frozen=True):
    """Private: a player's score has a new value."""

    player: PlayerId
    score: int


class RulesChanged(Event, frozen=True):
    """Rules have new values."""

    changes: dict[str, int]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules in force."""

    every_ticks: int = 10
    step: int = 1
    max_add: int = 100


class Player(msgspec.Struct):
    """One player."""

    name: str
    joined: Tick
    score: int = 0


class CounterState(msgspec.Struct):
    """Everything there is. `players` is in order of joining, which its encoding keeps."""

    seed: int
    rules: Rules
    value: int = 0
    bumps: int = 0
    tick: Tick = 0
    players: dict[PlayerId, Player] = msgspec.field(default_factory=dict)


_LIMITS = {"every_ticks": (0, 1_000_000), "step": (1, 1_000), "max_add": (1, 1_000_000)}
_START = {"counter": 0, "high": 1_000}


class CounterGame:
    """The rules of the counter; fulfils `gamekit.game.Game[CounterState]`."""

    name: str = "counter"
    version: int = 1
    command_type: Any = CounterCommand

    def new(self, config: Mapping[str, Any], seed: int) -> CounterState:
        """The state at tick 0; see the module for the rules."""
        for key in config:
            if key not in ("scenario", "rules"):
                raise ConfigError(f"config: unknown key {key!r}; allowed are 'scenario' and 'rules'.")
        scenario = config.get("scenario", "counter")
        if not isinstance(scenario, str) or scenario not in _START:
            raise ConfigError(f"scenario: {scenario!r} is unknown; allowed are {', '.join(_START)}.")
        try:
            rules = msgspec.convert(config.get("rules", {}), Rules)
        except msgspec.ValidationError as error:
            raise ConfigError(f"rules: {error}; allowed are whole numbers for {', '.join(_LIMITS)}.") from None
        for field, (low, high) in _LIMITS.items():
            if not low <= getattr(rules, field) <= high:
                raise ConfigError(f"rules.{field}: must be from {low} to {high}.")
        return CounterState(seed=seed, rules=rules, value=_START[scenario])

    def tick(self, state: CounterState) -> Tick:
        """The tick that the state stands at."""
        return state.tick

    def advance(self, state: CounterState, to_tick: Tick) -> list[Event]:
        """Let time pass; the counter bumps at every multiple of `every_ticks`."""
        events: list[Event] = []
        while (due := self.next_due(state)) is not None and due <= to_tick:
            state.tick = due
            state.value += state.rules.step
            state.bumps += 1
            events.append(CounterMoved(state.value))
        state.tick = max(state.tick, to_tick)
        return events

    def apply(self, state: CounterState, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out one command."""
        match command:
            case Join(name=name):
                if player in state.players:
                    return Rejected("already_joined", f"{player} plays already; send commands instead.")
                state.players[player] = Player(name, state.tick)
                return [PlayerJoined(player, name)]
            case Add(n=n):
                if not 1 <= n <= state.rules.max_add:
                    return Rejected("bad_number", f"n must be from 1 to {state.rules.max_add}; send a number between.")
                state.value += n
                state.players[player].score += n
                return [CounterMoved(state.value, player), ScoreChanged(player, state.players[player].score)]
            case Reset():
                state.value = 0
                return [CounterMoved(0, player)]
        return Rejected("unknown_command", "This game knows 'add' and 'reset'.")

    def next_due(self, state: CounterState) -> Tick | None:
        """The next bump, or None when the counter never moves by itself."""
        every = state.rules.every_ticks
        return None if every == 0 else (state.tick // every + 1) * every

    def view(self, state: CounterState, player: PlayerId | None) -> View:
        """The counter and the players; the viewer's own score."""
        players: dict[str, dict[str, Any]] = {
            key: {"name": one.name, "joined": one.joined} for key, one in state.players.items()
        }
        if player in players:
            players[player]["score"] = state.players[player].score
        rules = {name: {"value": value} for name, value in self.rules(state).items()}
        return {"counters": {"main": self._counter(state)}, "players": players, "rules": rules}

    def changes(self, state: CounterState, player: PlayerId | None, events: Sequence[Event]) -> Changes:
        """Public: the counter and new players. For a player: the own score."""
        changes: Changes = {}
        for event in events:
            match event:
                case CounterMoved() if player is None:
                    changes["counters"] = {"main": self._counter(state)}
                case RulesChanged(changes=fields) if player is None:
                    changes.setdefault("rules", {}).update({name: {"value": fields[name]} for name in fields})
                case PlayerJoined(player=who) if player is None:
                    one = state.players[who]
                    changes.setdefault("players", {})[who] = {"name": one.name, "joined": one.joined}
                case PlayerJoined(player=who) | ScoreChanged(player=who) if player is not None and who == player:
                    changes["players"] = {who: {"score": state.players[who].score}}
        return changes

    def audience(self, state: CounterState, event: Event) -> tuple[PlayerId, ...] | None:
        """Scores are private."""
        return (event.player,) if isinstance(event, ScoreChanged) else None

    def secretive(self, state: CounterState) -> bool:
        """Scores are private, but anybody may count."""
        return False

    def rules(self, state: CounterState) -> dict[str, Any]:
        """The rules in force."""
        rules: dict[str, Any] = msgspec.to_builtins(state.rules)
        return rules

    def rule_table(self) -> list[RuleField]:
        """Every rule."""
        return [
            RuleField(name, getattr(Rules(), name), *_LIMITS[name], "number", "See the module.", name == "step")
            for name in _LIMITS
        ]

    def set_rules(self, state: CounterState, changes: Mapping[str, Any]) -> list[Event] | Rejected:
        """Change rules; `step` counts only when a game is made."""
        for name, value in changes.items():
            if name not in _LIMITS or type(value) is not int or not _LIMITS[name][0] <= value <= _LIMITS[name][1]:
                allowed = ", ".join(f"{field} from {low} to {high}" for field, (low, high) in _LIMITS.items())
                return Rejected("bad_rule", f"Allowed are {allowed}.")
            if name == "step" and value != state.rules.step:
                return Rejected("fixed_rule", "The rule step counts only when a game is made.")
        before = self.rules(state)
        state.rules = msgspec.structs.replace(state.rules, **changes)
        new = {name: value for name, value in changes.items() if value != before[name]}
        return [RulesChanged(new)] if new else []

    def encode(self, state: CounterState) -> bytes:
        """The state as MessagePack."""
        return msgspec.msgpack.encode(state)

    def decode(self, data: bytes, version: int) -> CounterState:
        """The state from its bytes."""
        if version != self.version:
            raise ConfigError(f"version: state of version {version} is unknown; allowed is {self.version}.")
        return msgspec.msgpack.decode(data, type=CounterState)

    @staticmethod
    def _counter(state: CounterState) -> dict[str, int]:
        return {"value": state.value, "bumps": state.bumps}
