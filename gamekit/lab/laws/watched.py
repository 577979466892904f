"""A designer's game whose hooks are looked at while they are asked.

Each hook is asked everything twice: another answer to the same question is told at once, with the hook and the tick. A
price is asked once more with another stock at the station, because it may depend on nothing but what it is given. Now
and then the state is compared before and after a hook. What hooks answered goes into a checksum for each, by which two
runs find the hook that first answered otherwise.
"""

from __future__ import annotations

import copy
import functools
import types
import zlib
from collections.abc import Callable
from typing import Any

from msgspec.structs import fields

from gamekit.errors import HookFailed
from gamekit.game import Rejected
from gamekit.lab.sweeps.origins import is_own
from gamekit.lab.sweeps.reads import Names
from gamekit.space import SpaceGame, SpaceState
from gamekit.space.model import Station

#: Hooks that only read, and may be asked as often as one likes.
READING = ("price", "total", "bid", "dispatch")
#: Calls from the first on after which states are compared; later after the 32nd, 64th, ... one.
LOOKS = 16
#: What no rule may read, by the name under which code knows it.
_SUSPECTS = frozenset({
    *("random", "secrets", "uuid", "time", "datetime", "perf_counter", "perf_counter_ns", "monotonic", "date"),
    *("os", "environ", "hash", "id", "set", "frozenset", "threading", "getrandbits", "randint", "choice", "shuffle"),
})  # fmt: skip


class Watch:
    """A copy of a game with its hooks looked at; otherwise the same game.

    Args:
        game: the game.
        twice: whether to ask twice and look at states; else only checksums are taken.
    """

    def __init__(self, game: SpaceGame, *, twice: bool) -> None:
        self.plain = game
        self.game = copy.copy(game)
        self.twice = twice
        #: The state that is being played; hooks that are not given it read it here.
        self.state: SpaceState | None = None
        #: {hook: checksum of all its answers since the latest note}
        self.told: dict[str, int] = {}
        self._calls: dict[str, int] = {}
        for hook in READING:
            if getattr(type(game), hook) is not getattr(SpaceGame, hook):
                setattr(self.game, hook, functools.partial(self._asked, hook, getattr(self.game, hook)))
        self._set("commands", {
            kind: functools.partial(self._carried_out, str(kind.__struct_config__.tag), handler)
            for kind, handler in game.commands.items()
        })  # fmt: skip
        self._set("metrics", {
            name: functools.partial(self._asked, f"metrics[{name}]", metric) for name, metric in game.metrics.items()
        })  # fmt: skip

    def _set(self, name: str, value: Any) -> None:
        setattr(self.game, name, value)

    def _asked(self, hook: str, call: Callable[..., Any], *given: Any) -> Any:
        self._calls[hook] = count = self._calls.get(hook, 0) + 1
        looks = self.twice and (count <= LOOKS or count & (count - 1) == 0)
        before = self._encoded() if looks else b""
        answer = call(*_own_lists(given))
        if self.twice:
            again = call(*_own_lists(given))
            if again != answer:
                self._fail(
                    hook,
                    f"gave {_shown(answer)} and then {_shown(again)} when it was asked the same thing twice, so it "
                    "reads a clock, chance or a memory of its own; a hook reads the state and nothing else",
                )
            if looks and self._encoded() != before:
                self._fail(hook, "changed the state; it may only read it")
            if looks and hook in ("price", "total"):
                self._ask_elsewhere(hook, call, given, answer)
        if hook not in ("price", "total"):
            # Prices are asked for when nobody knows them yet, so not at the same steps in every way of playing.
            self.told[hook] = zlib.crc32(repr(answer).encode(), self.told.get(hook, 0))
        return answer

    def _carried_out(self, tag: str, handler: Callable[..., Any], state: Any, player: Any, command: Any) -> Any:
        before = self._encoded() if self.twice else b""
        answer = handler(state, player, command)
        if self.twice and isinstance(answer, Rejected) and self._encoded() != before:
            self._fail(f"commands[{tag}]", "refused and changed the state all the same; a refusal changes nothing")
        hook = f"commands[{tag}]"
        self.told[hook] = zlib.crc32(repr(answer).encode(), self.told.get(hook, 0))
        return answer

    def _ask_elsewhere(self, hook: str, call: Callable[..., Any], given: tuple[Any, ...], answer: Any) -> None:
        """The same question about a station in which everything that ever changes is otherwise."""
        station, *rest = given
        others = {
            "stock": {ware: units + 1 for ware, units in station.stock.items()},
            "status": "starved" if station.status != "starved" else "clogged",
            "reason": f"{station.reason} ",
            "due": station.due + 1,
            "since": station.since + 1,
        }
        for field, value in others.items():
            other = _with(station, field, value)
            try:
                again = call(other, *_own_lists(rest))
            except Exception as error:
                again = error
            if again != answer:
                self._fail(
                    hook,
                    f"gave {_shown(answer)}, and {_shown(again)} with another `{field}` of the station; a price may "
                    "depend on nothing but what it is given, and of the station on what never changes (the stock is "
                    "an argument)",
                )

    def _encoded(self) -> bytes:
        return self.plain.encode(self.state) if self.state is not None else b""

    def _fail(self, hook: str, what: str) -> None:
        tick = self.state.tick if self.state is not None else 0
        raise HookFailed(self.plain.name, hook, f"{what} (tick {tick:,}{suspects(self.plain, hook)})")


def suspects(game: SpaceGame, hook: str) -> str:
    """What a hook's code names that no rule may read, as words in a sentence; "" when nothing."""
    name = hook.partition("[")[0]
    functions = [getattr(type(game), name, None)] if name in READING else [*game.commands.values()]
    found: set[str] = set()
    seen: set[int] = set()
    while functions:
        function = functions.pop()
        if not isinstance(function, types.FunctionType) or id(function) in seen or not is_own(function.__module__):
            continue
        seen.add(id(function))
        read = Names(function.__code__)
        found |= (read.names | {one for several in read.attributes.values() for one in several}) & _SUSPECTS
        found |= {one.partition(".")[0] for one in read.imported} & _SUSPECTS
        functions += [function.__globals__.get(one) for one in read.names]
    return f"; its code names {', '.join(sorted(found))}" if found else ""


def _own_lists(given: Any) -> list[Any]:
    """Arguments with lists of their own, which a hook may take apart."""
    return [list(one) if isinstance(one, list) else one for one in given]


def _with(station: Station, field: str, value: Any) -> Station:
    values = {one.name: getattr(station, one.name) for one in fields(station)}
    return Station(**{**values, field: value})


def _shown(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 80 else text[:77] + "..."
