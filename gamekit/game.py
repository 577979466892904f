"""The contract that any game fulfils, and its plain vocabulary.

A *game* is a set of pure rules: no clock, no entropy, no I/O. The session feeds it commands at ticks and asks it
to advance; everything else (durability, connections, time) is not its business. `gamekit.space` is the bundled
game; `tests/counter_game.py` is a second, tiny one that proves that the session knows a game by this page alone.

Laws, each checked by `tests/game_contract.py` for every game:

- *Deterministic*: the same `new`, then the same `advance` and `apply` calls, give the same `encode`.
- *Path independent*: `advance(s, a); advance(s, b)` equals `advance(s, b)` for a <= b.
- *Rejected changes nothing*: when `apply` returns `Rejected`, the state's encoding is unchanged.
- *Round trip*: `decode(encode(s))` behaves like `s` for ever after.
- *Nothing before its time*: `advance` to a tick before `next_due` returns no events and changes only the tick.
- *Divisible*: `advance_some`, broken off anywhere and called until it is through, gives the events, the encoding and
  the `next_due` of one `advance`.
- *Mirrors stay true*: a client that holds `view(s0, p)` and merges `changes(s, p, events)` after every step holds
  `view(s, p)`.

A step is an `advance`, an `apply` or a `set_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NewType, Protocol, TypeAlias, TypeVar

import msgspec

#: Integer game time; ten ticks are one second at speed 1.
Tick: TypeAlias = int
TICK_HZ = 10

GameId = NewType("GameId", str)
PlayerId = NewType("PlayerId", str)

#: A view: `{"sectors": {id: {...}}, "ships": {id: {...}}, ...}`. Two levels of string keys: table, entity.
View: TypeAlias = dict[str, Any]
#: A patch for a view: same shape. For a table whose value is a mapping of entities, each entity's given fields
#: replace the old ones, and an entity that is `None` is gone.
Changes: TypeAlias = dict[str, Any]


class Command(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    """What a player asks for, in the imperative. Subclass with `tag="lower_case_name"`."""


class Event(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """What has happened, in the past tense. Subclasses are tagged with their own class name."""


class Rejected(msgspec.Struct, frozen=True):
    """A refusal by the rules: a value, always answered, never raised.

    Attributes:
        code: stable snake_case word for programs, e.g. "unknown_ship".
        message: a sentence for people that says what to do instead.
    """

    code: str
    message: str


#: Asked between two parts of a game's work: True when the caller wants control back.
Enough: TypeAlias = Callable[[], bool]


class Progress(msgspec.Struct, frozen=True):
    """How far `advance_some` came.

    Attributes:
        events: what happened since the last call, in the order in which it fell.
        inside: whether the state stands in the middle of a tick, which `Game.tick` tells. Then only `advance_some` may
            be called next, or `advance`, which finishes that tick first; else the state stands between ticks.
    """

    events: list[Event]
    inside: bool = False


class RuleField(msgspec.Struct, frozen=True):
    """One line of a game's table of rules.

    Attributes:
        name: the field's name.
        default: its value when it is not set.
        low, high: the smallest and the largest value allowed.
        unit: what the number counts.
        sentence: what it does.
        at_start: whether it counts only when a game is made; any other may be changed while it runs.
    """

    name: str
    default: int
    low: int
    high: int
    unit: str
    sentence: str
    at_start: bool = False


class Weight(msgspec.Struct, frozen=True):
    """Something of a game that costs its server work or memory, and how much of it is harmless.

    Attributes:
        name: snake_case word, e.g. "ships".
        most: what a server lets strangers make, unless its owner says otherwise.
        unit: what the number counts.
        sentence: what it is.
        large: with more than this a game counts as large, of which fewer may be made; None where it does not matter.
    """

    name: str
    most: int
    unit: str
    sentence: str
    large: int | None = None


class Join(Command, frozen=True, tag="join"):
    """A player enters the game. Issued by the server, never by a client; `player` is new to the state.

    Attributes:
        name: the display name as the player chose it; any text of 1 to 40 characters.
    """

    name: str


S = TypeVar("S")


class Game(Protocol, Generic[S]):
    """The rules of one game over states of type `S`. States are mutable and owned by the caller.

    A game may also have

    - `prepare(state)`: it fills what the game keeps beside its state to be quick, so that this does not fall to the
      first tick. A server calls it in a thread before a state is played; it changes nothing of the state.
    - `prepare_in_parts(state)`: an iterator that does the same, a part of some milliseconds with each step.
    - `advance_some(state, to_tick, enough) -> Progress`: `advance` in parts, for a game whose single tick may take
      long; see the function `advance_some`, which serves every game. It stops at the first point between two parts at
      which `enough()` is true, and never before one part is done. A class that overrides `advance` alone is advanced by
      that, tick by tick.
    - `admitted(state, player, command) -> Command | Rejected`: asked before a player's command is journaled; it may put
      what a person typed in order, or refuse it. `apply` must not count on it, for older journals were never asked.
    - `weight_table() -> Weights` and `weigh(state) -> {name: number}`: what of a game costs its server something, and
      how much of it is in a state; a server refuses strangers what is more than its limits.
    - `called(state) -> names`: who is in the game beside its players, so that a newcomer's name is told from theirs.
    """

    #: Stable name of the game, e.g. "space".
    name: str
    #: Version of the encoded state; `upgrade` brings older data here.
    version: int
    #: Union of the command structs that players may send, for typed decoding.
    command_type: Any

    def new(self, config: Mapping[str, Any], seed: int) -> S:
        """Make the state at tick 0.

        Args:
            config: `{"scenario": name or definition, "rules": {field: value}}`; every key is optional.
            seed: any integer of 64 bits.

        Raises:
            ConfigError: the configuration is wrong; the message names the key and what is allowed.
        """
        ...

    def tick(self, state: S) -> Tick:
        """The tick that the state stands at."""
        ...

    def advance(self, state: S, to_tick: Tick) -> list[Event]:
        """Let time pass until `to_tick` (inclusive), in place; events in the order in which they fell."""
        ...

    def apply(self, state: S, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out one command at the state's tick, in place; or refuse it and change nothing.

        `player` has joined before, except when `command` is `Join`.
        """
        ...

    def next_due(self, state: S) -> Tick | None:
        """The next tick at which something falls due by itself, or None when nothing ever will."""
        ...

    def view(self, state: S, player: PlayerId | None) -> View:
        """What `player` may see; None is a spectator, who sees what is public."""
        ...

    def changes(self, state: S, player: PlayerId | None, events: Sequence[Event]) -> Changes:
        """The patch that `events` made to a view, read from the state after them.

        For `player=None` it holds the public fields; for a player only what that player sees *beyond* the public
        fields (possibly `{}`), so that the public part is made once for all.
        """
        ...

    def audience(self, state: S, event: Event) -> tuple[PlayerId, ...] | None:
        """The players who may see an event; None for everybody, spectators too.

        Asked when the event has just fallen: of the state after the `advance` to its tick, or the `apply`, that
        returned it. So what somebody may see does not change when they learn more later.
        """
        ...

    def secretive(self, state: S) -> bool:
        """Whether players could learn from the seed, or from the whole history, what `view` keeps from them.

        Then only the admin gets these.
        """
        ...

    def rules(self, state: S) -> dict[str, Any]:
        """The rules in force, as plain values; the view's table `rules` holds each as `{field: {"value": value}}`."""
        ...

    def rule_table(self) -> Sequence[RuleField]:
        """Every rule of the game with its default, range, unit and sentence."""
        ...

    def set_rules(self, state: S, changes: Mapping[str, Any]) -> list[Event] | Rejected:
        """Change rules at the state's tick, in place; or refuse all of it and change nothing.

        Args:
            state: the game.
            changes: `{field: new value}`, plain values from anybody.

        Returns:
            What happened, an event `RulesChanged` of the game's own among it; nothing when all are in force already.
        """
        ...

    def encode(self, state: S) -> bytes:
        """The whole state as bytes; equal states give equal bytes on every machine."""
        ...

    def decode(self, data: bytes, version: int) -> S:
        """The state from the bytes that `encode` made of it in the given version, upgraded if that is older.

        Raises:
            ConfigError: the version is unknown to this code.
        """
        ...


def advance_some(game: Game[Any], state: Any, to_tick: Tick, enough: Enough) -> Progress:
    """Let time pass as far as the caller has patience; called until the state stands at `to_tick`, it is `advance`.

    A game's own `advance_some` may stop inside a tick. For a game without one, time passes from one due tick to the
    next, and `enough` is asked between them.

    Args:
        game: the rules.
        state: the game, changed in place.
        to_tick: how far at most, inclusive.
        enough: asked between two parts of the work; at least one part is done in every call.

    Returns:
        What happened, and whether the state stands inside a tick.
    """
    if in_parts(game):
        progress: Progress = game.advance_some(state, to_tick, enough)  # type: ignore[attr-defined]
        return progress
    events: list[Event] = []
    while True:
        due = game.next_due(state)
        stop = to_tick if due is None or due > to_tick else due
        events += game.advance(state, stop)
        if stop == to_tick or enough():
            return Progress(events)


def in_parts(game: Game[Any]) -> bool:
    """Whether a game's own `advance_some` stands for its `advance`, which nothing overrides or wraps alone."""
    for names in (vars(game) if hasattr(game, "__dict__") else {}, *(vars(kind) for kind in type(game).__mro__)):
        if "advance_some" in names:
            return True
        if "advance" in names:
            return False
    return hasattr(game, "advance_some")


def merge(view: View, changes: Changes) -> None:
    """Merge a patch into a view in place. This is the whole client-side model; every client does exactly this."""
    for table, entities in changes.items():
        if not isinstance(entities, dict):
            view[table] = entities
            continue
        held = view.setdefault(table, {})
        for key, fields in entities.items():
            if fields is None:
                held.pop(key, None)
            elif isinstance(fields, dict) and isinstance(held.get(key), dict):
                held[key].update(fields)
            else:
                held[key] = fields
