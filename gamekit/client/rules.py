"""The rules in force in a game, as a mapping that explains itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from gamekit.client import show
from gamekit.errors import UnknownName
from gamekit.game import RuleField, Tick


class Rules(Mapping[str, int]):
    """`{field: value}` at one tick; printing it shows range, unit and meaning too. Change them with `game.set_rules`.

    Args:
        tick: when these were in force.
        values: every field's value.
        fields: what each of them means.
    """

    def __init__(self, tick: Tick, values: Mapping[str, int], fields: Sequence[RuleField]) -> None:
        self.tick = tick
        #: {name: the field's line of the table}
        self.fields = {field.name: field for field in fields}
        self._values = dict(values)

    def __getitem__(self, name: str) -> int:
        try:
            return self._values[name]
        except KeyError:
            close = get_close_matches(name, self._values, 3)
            hint = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join(self._values)}."
            raise UnknownName(f"There is no rule {name!r}; {hint}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._values)

    def __repr__(self) -> str:
        width = max((len(name) for name in self._values), default=0)
        lines = [
            f"{name:<{width}}  {value:>12,}  {allowed:<28}{counts:<14}{meaning}"
            for name, value, _, allowed, counts, meaning in self._rows()
        ]
        return "\n".join([f"Rules at tick {self.tick:,}", *lines])

    def _repr_html_(self) -> str:
        rows = [
            [name, f"{value:,}", "" if value == default else f"{default:,}", allowed, counts, meaning]
            for name, value, default, allowed, counts, meaning in self._rows()
        ]
        columns = ["rule", "value", "default", "allowed", "counts", "meaning"]
        return show.table(f"Rules at tick {self.tick:,}", columns, rows)

    def _rows(self) -> Iterator[tuple[str, int, int, str, str, str]]:
        """Name, value, default, what is allowed, when it counts, and what it does."""
        for name, value in self._values.items():
            field = self.fields[name]
            allowed = f"{field.low:,} to {field.high:,} {field.unit}"
            yield name, value, field.default, allowed, "at the start" if field.at_start else "live", field.sentence
