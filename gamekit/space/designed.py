"""Rules of a designer's own, by subclassing `SpaceGame`: what may be overridden, and how it reaches the rules.

    class Quadratic(SpaceGame):
        name = "quadratic"

        def price(self, station, ware, stock, rules):
            empty = station.capacity[ware.id] - stock
            return ware.base_price * empty * empty // station.capacity[ware.id] ** 2

All hooks keep the laws of the game's contract: they read the state and nothing else (no clock, no randomness, no
memory of their own), give whole numbers, and give the same for the same state. A price is a function of what it is
given alone: each is asked for once and then known until the rules change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial, reduce
from typing import Any, ClassVar, TypeAlias, get_args

from gamekit.errors import ConfigError, HookFailed
from gamekit.game import Command, Event, PlayerId, Rejected
from gamekit.space import economy, ownbids
from gamekit.space.bounds import MOST
from gamekit.space.commands import SpaceCommand
from gamekit.space.hooks import NO_HOOKS, Assignment, Hooks, OwnEvent, Prospect, guarded, whole
from gamekit.space.model import Player, Ship, Station, Ware
from gamekit.space.rules import Rules
from gamekit.space.state import SpaceState

Handler: TypeAlias = Callable[[SpaceState, PlayerId, Any], list[Event] | Rejected]
Metric: TypeAlias = Callable[[SpaceState], int | float]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")


class Designed:
    """The hooks with what they do when nobody overrides them. `SpaceGame` is the class to subclass.

    Attributes:
        name: every subclass needs one of its own; games in a database name it.
        commands: `{command struct: handler}`; a handler takes state, player and command, and returns the events of
            what it did, or `Rejected` and then has changed nothing.
        metrics: `{name: function of the state}`, whole numbers or floats for the lab; never part of a state.
    """

    name: str = "space"
    command_type: Any = SpaceCommand
    commands: ClassVar[Mapping[type[Command], Handler]] = {}
    metrics: ClassVar[Mapping[str, Metric]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ == "gamekit.space.engine":
            return
        given = cls.__dict__.get("name")
        taken = [getattr(base, "name", None) for base in cls.__mro__[1:]]
        if not isinstance(given, str) or given in taken or not _NAME.fullmatch(given):
            raise ConfigError(
                f"class {cls.__name__}: give it a `name` of its own, of small letters, digits, - and _ (it has "
                f"{given!r}); games in a database are found by it."
            )
        cls.commands = _inherited(cls, "commands")
        cls.metrics = _inherited(cls, "metrics")
        cls.command_type = _command_type(cls)

    def price(self, station: Station, ware: Ware, stock: int, rules: Rules) -> int:
        """What one unit costs in centi-credits when `stock` units lie there: the unit that comes on top of them.

        A whole number from 0 on. A ship that sells gets it for its first unit, one that buys pays it for the last of
        the units that leave so many behind. Of the station, only what never changes (`capacity`, `kind`, ...) counts.
        """
        return economy.price(ware.base_price, rules.price_spread_percent, stock, station.capacity[ware.id])

    def total(self, station: Station, ware: Ware, stock: int, units: int, rules: Rules) -> int:
        """What the `units` that come on top of `stock` units cost together: the sum of `price` over them.

        Override it where there is a closed form; it should be that sum.
        """
        return sum(self.price(station, ware, number, rules) for number in range(stock, stock + units))

    def bid(self, state: SpaceState, ship: Ship, prospect: Prospect) -> int:
        """What a ship of an auto-trading owner bids for a trade; the highest bid wins, none is made of 0 or less.

        By default the profit for a thousand million ticks.
        """
        return ownbids.profit_for_time(state, ship, prospect)

    def dispatch(self, state: SpaceState, owner: Player, free: list[Ship]) -> list[Assignment] | None:
        """Who of an owner's waiting ships does what; None to auction the trades as usual.

        Ships that get nothing are asked about again after `6 * dispatch_ticks`.
        """
        return None

    def _attached(self, state: SpaceState) -> SpaceState:
        """The same state, which knows its hooks."""
        if type(self).__module__ != "gamekit.space.engine":
            state.hooks = hooks_of(self)
        return state

    def _own_command(self, state: SpaceState, player: PlayerId, command: Command) -> list[Event] | Rejected | None:
        """What a command of the game's own does; None when it is not one."""
        handler = self.commands.get(type(command))
        if handler is None:
            return None
        tag = type(command).__struct_config__.tag
        hook = f"commands[{tag}]"
        answer = guarded(self.name, hook, handler, state, player, command)
        if isinstance(answer, Rejected):
            return answer
        if not isinstance(answer, list) or not all(isinstance(event, Event) for event in answer):
            raise HookFailed(self.name, hook, f"returned {type(answer).__name__}; it must return events or Rejected")
        for event in answer:
            if isinstance(event, OwnEvent):
                _check_event(self.name, hook, event)
        return answer

    def measured(self, state: SpaceState) -> dict[str, int | float]:
        """Every metric of the game.

        Raises:
            HookFailed: a metric raised or gave no number.
        """
        found: dict[str, int | float] = {}
        for name, metric in self.metrics.items():
            value = guarded(self.name, f"metrics[{name}]", metric, state)
            if type(value) not in (int, float):
                raise HookFailed(self.name, f"metrics[{name}]", f"returned {value!r}; it must return a number")
            found[name] = value
        return found


def hooks_of(game: Designed) -> Hooks:
    """What a game overrides, for one state, with every answer checked; `NO_HOOKS` when it overrides nothing."""
    own = {hook for hook in ("price", "total", "bid", "dispatch") if getattr(type(game), hook) is not _DEFAULTS[hook]}
    if not own:
        return NO_HOOKS
    hooks = Hooks()
    if own & {"price", "total"}:
        prices = OwnPrices(game, own)
        hooks = hooks._replace(price=prices.price, total=prices.total)
    if own & {"price", "total", "bid"}:
        bid = partial(_bid, game) if "bid" in own else ownbids.profit_for_time
        hooks = hooks._replace(auction=partial(ownbids.auction, {}, bid))
    if "dispatch" in own:
        hooks = hooks._replace(whole_round=partial(ownbids.hold_round, game.name, partial(_dispatch, game)))
    return hooks


class OwnPrices:
    """A game's own prices in one state: each unit's is asked for once, and known until the rules change."""

    def __init__(self, game: Designed, own: set[str]) -> None:
        self._game = game
        self._own = own
        self._rules: Rules | None = None
        #: {(station id, ware id): {stock: price of the unit on top of it}}
        self._known: dict[tuple[str, str], dict[int, int]] = {}

    def price(self, state: SpaceState, station: Station, ware: Ware, stock: int) -> int:
        """What the unit that comes on top of `stock` units costs."""
        known = self._of(state, station, ware)
        price = known.get(stock)
        if price is None:
            price = known[stock] = self._asked(state, station, ware, stock)
        return price

    def total(self, state: SpaceState, station: Station, ware: Ware, stock: int, units: int) -> int:
        """What the `units` that come on top of `stock` units cost together."""
        if "total" in self._own:
            name, rules = self._game.name, state.rules
            answer = guarded(name, "total", self._game.total, station, ware, stock, units, rules)
            return whole(name, "total", answer, 0)
        known = self._of(state, station, ware)
        for number in range(stock, stock + units):
            if number not in known:
                known[number] = self._asked(state, station, ware, number)
        return sum([known[number] for number in range(stock, stock + units)])

    def _of(self, state: SpaceState, station: Station, ware: Ware) -> dict[int, int]:
        if self._rules is not state.rules:
            self._known.clear()
            self._rules = state.rules
        return self._known.setdefault((station.id, ware.id), {})

    def _asked(self, state: SpaceState, station: Station, ware: Ware, stock: int) -> int:
        name, hook = self._game.name, "price" if "price" in self._own else "total"
        if hook == "total":
            price = self.total(state, station, ware, stock, 1)
        else:
            price = whole(name, hook, guarded(name, hook, self._game.price, station, ware, stock, state.rules), 0)
        if price > MOST:
            raise HookFailed(name, hook, f"returned {price}; the most that is counted is {MOST}")
        return price


#: {hook: the method that is there when nobody overrides it}
_DEFAULTS = {hook: getattr(Designed, hook) for hook in ("price", "total", "bid", "dispatch")}


def _bid(game: Designed, state: SpaceState, ship: Ship, prospect: Prospect) -> int:
    return whole(game.name, "bid", guarded(game.name, "bid", game.bid, state, ship, prospect), None)


def _dispatch(game: Designed, state: SpaceState, owner: Player, free: list[Ship]) -> list[Assignment] | None:
    answer = guarded(game.name, "dispatch", game.dispatch, state, owner, free)
    if answer is not None and not (
        isinstance(answer, list | tuple) and all(isinstance(one, Assignment) for one in answer)
    ):
        raise HookFailed(game.name, "dispatch", f"returned {answer!r}; it must return a list of Assignment, or None")
    return None if answer is None else list(answer)


def _check_event(game: str, hook: str, event: OwnEvent) -> None:
    """Make sure that an event of a game's own names what it says that it names."""
    kind = type(event)
    needed = {field: (str, type(None)) for field in kind.touches or ()} | ({"player": (str,)} if kind.private else {})
    for field, kinds in needed.items():
        if not isinstance(getattr(event, field, ...), kinds):
            why = f"returned {event!r}, whose field {field!r} must be an id, because of its `touches` or `private`"
            raise HookFailed(game, hook, why)


def _inherited(cls: type[Designed], attribute: str) -> dict[Any, Any]:
    """What a class and its bases say together; a class comes after its bases."""
    together: dict[Any, Any] = {}
    for base in reversed(cls.__mro__):
        said = base.__dict__.get(attribute, {})
        if not isinstance(said, Mapping) or not all(callable(value) for value in said.values()):
            raise ConfigError(f"class {cls.__name__}: `{attribute}` must be a mapping to functions, not {said!r}.")
        together |= said
    return together


def _command_type(cls: type[Designed]) -> Any:
    """The union of the bundled commands and the class's own."""
    tags = {kind.__struct_config__.tag: kind for kind in get_args(SpaceCommand)} | {"join": None}
    for kind in cls.commands:
        if not (isinstance(kind, type) and issubclass(kind, Command)):
            raise ConfigError(f"class {cls.__name__}: commands: {kind!r} is no subclass of gamekit.game.Command.")
        tag = kind.__struct_config__.tag
        if tags.setdefault(tag, kind) is not kind:
            raise ConfigError(
                f"class {cls.__name__}: commands: the tag {tag!r} of {kind.__name__} is taken; "
                f"give another, e.g. class {kind.__name__}(Command, frozen=True, tag=...)."
            )
    return reduce(lambda union, kind: union | kind, cls.commands, SpaceCommand)
