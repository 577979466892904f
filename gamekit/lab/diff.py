"""Where two histories part: the first tick at which their states differ, and the fields that do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from gamekit.game import Tick
from gamekit.lab.own import Own
from gamekit.lab.replay import KEYFRAME_TICKS, Replay
from gamekit.lab.sources import made_anew, past_from, rules_for

if TYPE_CHECKING:
    import pandas as pd

#: Differences that are told at most; a state that differs in one place soon differs in many.
MOST = 200


class Difference(msgspec.Struct, frozen=True):
    """One field that differs.

    Attributes:
        path: e.g. `ships["ship-1"].at.to_x`.
        a, b: the values, as plain values; `None` where one side has nothing.
    """

    path: str
    a: Any
    b: Any


class Divergence(msgspec.Struct, frozen=True):
    """Two histories part.

    Attributes:
        tick: the first tick at which the states differ.
        fields: what differs then, at most `MOST`.
    """

    tick: Tick
    fields: list[Difference]

    @property
    def frame(self) -> pd.DataFrame:
        """The fields as a data frame with the columns `path`, `a` and `b`."""
        import pandas as pd

        rows = [(one.path, repr(one.a), repr(one.b)) for one in self.fields]
        return pd.DataFrame(rows, columns=["path", "a", "b"]).astype("string")

    def __str__(self) -> str:
        shown = "\n".join(f"  {one.path}: {one.a!r} / {one.b!r}" for one in self.fields[:10])
        more = f"\n  and {len(self.fields) - 10} more" if len(self.fields) > 10 else ""
        return f"The histories part at tick {self.tick}:\n{shown}{more}"


def diff(
    a: Any,
    b: Any = None,
    *,
    rules_a: Own = None,
    rules_b: Own = None,
    changed: Mapping[str, Any] | None = None,
) -> Divergence | None:
    """Find where two histories part.

    Both are replayed side by side; states are compared at every keyframe, and tick by tick from the last one that was
    equal. A difference that heals within a minute of game time is not noticed. Two versions of the rules' code are
    compared from the beginning, without the snapshots that one of them left.

    Args:
        a, b: live games, paths of capsules, `Past`s, replays or branches; without `b` it is `a` again, for two rules.
        rules_a, rules_b: the rules' code to replay each by, when it is neither what the source brings nor
            the bundled game's.
        changed: `{field: value}` for rules that `b` is made with instead of its own, and is played again by from its
            beginning. The rules themselves are not told as a difference then; what they do is.

    Returns:
        Where and in what they differ; None when they agree up to the end of the shorter one.
    """
    past_a = past_from(a)
    past_b = past_a if b is None else past_from(b)
    code_a, code_b = rules_for(past_a, rules_a, a), rules_for(past_b, rules_b, a if b is None else b)
    if changed is not None:
        past_b = made_anew(past_b, code_b, changed)
    elif type(code_a) is not type(code_b):
        # What was kept on the way was made by one of them and would hide what the other does.
        past_a, past_b = (replace(one, snapshots=one.snapshots[:1]) for one in (past_a, past_b))
    pair = _Pair(Replay(past_a, code_a), Replay(past_b, code_b), rules_too=changed is None)
    end = min(past_a.tick, past_b.tick)
    equal = -1
    for tick in [*range(0, end, KEYFRAME_TICKS), end]:
        if not pair.same(tick):
            return pair.parting(equal, tick)
        equal = tick
    return None


def differences(a: Any, b: Any, path: str = "") -> Iterator[Difference]:
    """The fields in which two values differ, structures and containers followed to their leaves."""
    if isinstance(a, msgspec.Struct) and type(a) is type(b):
        for name in a.__struct_fields__:
            yield from differences(getattr(a, name), getattr(b, name), f"{path}.{name}" if path else name)
    elif isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys([*a, *b]):
            yield from differences(a.get(key), b.get(key), f"{path}[{key!r}]".replace("'", '"'))
    elif isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        for index, (left, right) in enumerate(zip(a, b, strict=True)):
            yield from differences(left, right, f"{path}[{index}]")
    elif a != b:
        yield Difference(path, msgspec.to_builtins(a), msgspec.to_builtins(b))


def plain(state: Any) -> Any:
    """A state of any game as structures and containers, for `differences`."""
    saved = getattr(state, "saved", None)
    return saved() if callable(saved) else state


def first_differences(a: Any, b: Any, most: int = MOST) -> list[Difference]:
    """The first fields in which two states differ."""
    return list(islice(differences(plain(a), plain(b)), most))


class _Pair:
    """Two histories side by side. Without `rules_too` the rules in force are not compared."""

    def __init__(self, one: Replay, other: Replay, *, rules_too: bool) -> None:
        self.one, self.other = one, other
        self._rules_too = rules_too

    def same(self, tick: Tick) -> bool:
        """Whether nothing differs at a tick."""
        one, other = self.one.seek(tick), self.other.seek(tick)
        if self._rules_too:
            return one.rules.encode(one.state) == other.rules.encode(other.state) and _around(one) == _around(other)
        return next(self.differences(), None) is None

    def differences(self) -> Iterator[Difference]:
        """What differs where both stand."""
        for found in differences(plain(self.one.state), plain(self.other.state)):
            if self._rules_too or not found.path.startswith("rules."):
                yield found
        yield from differences(_around(self.one), _around(self.other), "session")

    def parting(self, equal: Tick, differs: Tick) -> Divergence:
        """The first tick after `equal` at which the states differ; they do at `differs`."""
        while differs - equal > 1:
            middle = (equal + differs) // 2
            if self.same(middle):
                equal = middle
            else:
                differs = middle
        self.same(differs)
        return Divergence(differs, list(islice(self.differences(), MOST)))


def _around(replay: Replay) -> dict[str, Any]:
    """What the session adds to the state; not its answers, which are told by their effects."""
    session = replay.session
    return {"speed": session.speed, "hold_at": session.hold_at, "players": dict(session.players)}
