"""A base for small games of one's own: what the contract asks for and a small game need not think about.

    class Counter(SmallGame):
        name = "counter"
        state_type = Tally          # a msgspec.Struct with `tick: int` and `players: dict`
        commands = {Add: add}       # {command struct: function(state, player, command) -> events or Rejected}

        def see(self, state, player):
            return {"tally": {"main": {"value": state.value}}}

State, commands and events are structs, so encoding, decoding and checks come from their types. Everything that is seen
is sent after every step in which something happened, and what is seen no more is sent as gone: mirrors stay true by
themselves. A step or a command that changes what is seen and returns no event of its own gets `ViewChanged`. That is
right for a few dozen things; a game with thousands overrides `changes`. The laws are those of `gamekit.game`: no clock,
no randomness but from `state.seed`, whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any, ClassVar, TypeAlias, cast

import msgspec

from gamekit.errors import ConfigError
from gamekit.game import Changes, Command, Event, Join, PlayerId, Rejected, RuleField, Tick, View
from gamekit.mirrored import Mirrors, gone, joined, mirrors_of, rows_of, together

Carried: TypeAlias = "list[Event] | Rejected"


class PlayerJoined(Event, frozen=True):
    """A player is new."""

    player: PlayerId
    name: str


class RulesChanged(Event, frozen=True):
    """Rules have new values."""

    changes: dict[str, int]


class ViewChanged(Event, frozen=True):
    """What is seen changed without an event of the game's own.

    Attributes:
        players: who sees it; None is everybody.
    """

    players: tuple[PlayerId, ...] | None = None


class SmallState(msgspec.Struct, weakref=True):
    """What every small game's state has. Subclass it; give every further field a default.

    Attributes:
        seed: decides all that is left to chance.
        tick: the tick that the state stands at.
        rules: `{field: value}`, the rules in force.
        players: `{player id: name}` in the order in which they came.
    """

    seed: int
    tick: Tick = 0
    rules: dict[str, int] = msgspec.field(default_factory=dict)
    players: dict[PlayerId, str] = msgspec.field(default_factory=dict)


class SmallGame:
    """The contract `gamekit.game.Game` with everything filled in that has a sensible answer.

    Attributes:
        name: the game's name, of small letters, digits, - and _.
        version: raise it when the state's fields change.
        state_type: a subclass of `SmallState`.
        commands: `{command struct: function(state, player, command)}`; it returns events, or `Rejected` and then has
            changed nothing.
        table: the rules, each with default, range, unit and sentence.
        every: the game's own step falls due every so many ticks; 0 for a game in which nothing happens by itself.
    """

    name: str = ""
    version: int = 1
    state_type: type[Any] = SmallState
    commands: ClassVar[Mapping[type[Command], Callable[..., Carried]]] = {}
    table: ClassVar[Sequence[RuleField]] = ()
    every: int = 0
    command_type: Any = Join

    def __init__(self) -> None:
        if not self.name or not self.commands or not issubclass(self.state_type, SmallState):
            raise ConfigError(
                f"class {type(self).__name__}: give it a `name`, `commands` = {{command struct: function}} and a "
                "`state_type` that subclasses SmallState."
            )
        kinds = list(self.commands)
        self.command_type = reduce(lambda union, kind: cast("Any", union | kind), kinds[1:], cast("Any", kinds[0]))

    # --- what a small game says itself --------------------------------------------------------------------------

    def start(self, state: Any, scenario: Any) -> None:
        """Set a new state up; `scenario` is whatever `new_game(scenario=...)` was given, None for nothing."""

    def step(self, state: Any) -> list[Event]:
        """What happens by itself at `state.tick`, every `every` ticks."""
        return []

    def joined(self, state: Any, player: PlayerId) -> None:
        """Set up what a new player has; the name is in `state.players` already."""

    def see(self, state: Any, player: PlayerId | None) -> View:
        """What `player` may see beside names and rules, as tables of rows by id; None is a spectator.

        What a spectator sees is public: it is sent to every player too, also where a player's own view leaves it out.
        The rows of a table may come and go. Give each row all its fields at any time, None where there is nothing: a
        field that is left out stays in mirrors as None.
        """
        return {}

    # --- the rest of the contract -------------------------------------------------------------------------------

    def new(self, config: Mapping[str, Any], seed: int) -> Any:
        """The state at tick 0."""
        if unknown := set(config) - {"scenario", "rules"}:
            raise ConfigError(f"config: unknown key {min(unknown)!r}; allowed are 'scenario' and 'rules'.")
        state = self.state_type(seed=seed, rules={field.name: field.default for field in self.table})
        for name, value in config.get("rules", {}).items():
            if problem := self._forbidden(name, value):
                raise ConfigError(f"rules.{name}: {problem}")
            state.rules[name] = value
        self.start(state, config.get("scenario"))
        self._mirrors(state)
        return state

    def tick(self, state: Any) -> Tick:
        """The tick that the state stands at."""
        return int(state.tick)

    def advance(self, state: Any, to_tick: Tick) -> list[Event]:
        """Let time pass, from step to step."""
        events: list[Event] = []
        while (due := self.next_due(state)) is not None and due <= to_tick:
            state.tick = due
            before = self.encode(state)
            events += self.step(state) or self._unsaid(state, before)
        state.tick = max(state.tick, to_tick)
        return events

    def next_due(self, state: Any) -> Tick | None:
        """The next step."""
        return (state.tick // self.every + 1) * self.every if self.every else None

    def apply(self, state: Any, player: PlayerId, command: Command) -> Carried:
        """Carry out one command."""
        if isinstance(command, Join):
            if player in state.players:
                return Rejected("already_joined", f"{player} plays already; send commands instead.")
            state.players[player] = command.name
            self.joined(state, player)
            return [PlayerJoined(player, command.name)]
        carry_out = self.commands.get(type(command))
        if carry_out is None:
            known = ", ".join(str(kind.__struct_config__.tag) for kind in self.commands)
            return Rejected("unknown_command", f"This game knows {known}.")
        before = self.encode(state)
        done = carry_out(state, player, command)
        return done if isinstance(done, Rejected) else done or self._unsaid(state, before)

    def view(self, state: Any, player: PlayerId | None) -> View:
        """What `player` may see, with everybody's name and the rules."""
        view = self._seen(state, player)
        self._mirrors(state).viewed(player, view)
        return view

    def changes(self, state: Any, player: PlayerId | None, events: Sequence[Event]) -> Changes:
        """Everything that is seen now, and as None what was seen before: a small game is small."""
        if not events:
            return {}
        mirrors = self._mirrors(state)
        base = mirrors.base(player, events, lambda: self.encode(state))
        view = self.view(state, player)
        mirrors.patched(player, view)
        patch = view
        if player is not None:
            public = self.view(state, None)
            patch = {table: rows for table, rows in view.items() if rows != public.get(table)}
            # The public patch is merged first, and may hold rows that this player does not see.
            base = together(base, rows_of(public))
        return joined(patch, gone(base, view))

    def audience(self, state: Any, event: Event) -> tuple[PlayerId, ...] | None:
        """Everybody, but for a `ViewChanged` that says who."""
        return event.players if isinstance(event, ViewChanged) else None

    def secretive(self, state: Any) -> bool:
        """A small game keeps nothing that its history would tell."""
        return False

    def rules(self, state: Any) -> dict[str, Any]:
        """The rules in force."""
        return dict(state.rules)

    def rule_table(self) -> Sequence[RuleField]:
        """Every rule."""
        return self.table

    def set_rules(self, state: Any, changes: Mapping[str, Any]) -> Carried:
        """Change rules, all of them or none."""
        for name, value in changes.items():
            if problem := self._forbidden(name, value):
                return Rejected("bad_rule", f"{name}: {problem}")
        new = {name: value for name, value in changes.items() if state.rules[name] != value}
        state.rules.update(new)
        return [RulesChanged(new)] if new else []

    def encode(self, state: Any) -> bytes:
        """The state as MessagePack."""
        return msgspec.msgpack.encode(state)

    def decode(self, data: bytes, version: int) -> Any:
        """The state from its bytes."""
        if version != self.version:
            raise ConfigError(f"version: this code reads states of version {self.version}, not {version}.")
        state = self._decoded(data)
        self._mirrors(state, data)
        return state

    def _decoded(self, data: bytes) -> Any:
        return msgspec.msgpack.decode(data, type=self.state_type)

    def _seen(self, state: Any, player: PlayerId | None) -> View:
        seen = self.see(state, player)
        own = seen.get("players", {})
        players = {key: {"name": name, **own.get(key, {})} for key, name in state.players.items()}
        rules = {name: {"value": value} for name, value in state.rules.items()}
        return {**seen, "players": players, "rules": rules}

    def _mirrors(self, state: Any, data: bytes | None = None) -> Mirrors:
        """What mirrors hold of the state; begun when it is made, or decoded from `data`."""

        def begin() -> Mirrors:
            encoded = msgspec.msgpack.encode(state) if data is None else data
            return Mirrors(lambda player: self._seen(self._decoded(encoded), player))

        return mirrors_of(state, begin)

    def _unsaid(self, state: Any, before: bytes) -> list[Event]:
        """The event for a change that the game told nothing of; none when no player sees it.

        Args:
            state: as it is after the change.
            before: the state as bytes, at the same tick.
        """
        if self.encode(state) == before:
            return []
        old = self._decoded(before)
        if self._seen(old, None) != self._seen(state, None):
            return [ViewChanged()]
        seers = [one for one in state.players if self._seen(old, one) != self._seen(state, one)]
        return [ViewChanged(tuple(seers))] if seers else []

    def _forbidden(self, name: str, value: Any) -> str | None:
        """What is wrong with a rule's value, or None."""
        field = next((one for one in self.table if one.name == name), None)
        if field is None:
            return f"there is no such rule; there are {', '.join(one.name for one in self.table) or 'none'}."
        if type(value) is not int or not field.low <= value <= field.high:
            return f"must be a whole number from {field.low} to {field.high}, got {value!r}."
        return None
