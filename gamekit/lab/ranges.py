"""Which values of which rules are looked at: whole numbers from one to another, checked against the rules' own table.

Sampling happens in the unit interval; what becomes of it are whole numbers, because rules are whole numbers. Whoever
needs the size of a step must therefore ask for it after rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeAlias

import msgspec

from gamekit.errors import ConfigError
from gamekit.game import RuleField
from gamekit.space.rules import table

#: `{rule: (lowest, highest)}`, or names of rules whose ranges lie around their defaults.
Ranges: TypeAlias = Mapping[str, tuple[int, int]] | Sequence[str]


class Range(msgspec.Struct, frozen=True):
    """The values of one rule that are looked at, both ends included.

    Attributes:
        name: the rule.
        low, high: the ends, in `unit`.
        default: what the rule is when nobody sets it.
        unit: what the number counts.
        sentence: what the rule does.
    """

    name: str
    low: int
    high: int
    default: int
    unit: str
    sentence: str

    @property
    def width(self) -> int:
        """From end to end, in `unit`."""
        return self.high - self.low

    def drawn(self, share: float) -> int:
        """The value at a number from [0, 1), such that uniform numbers make all values equally frequent."""
        return min(self.low + int(share * (self.width + 1)), self.high)

    def nearest(self, share: float) -> int:
        """The value that lies nearest to this share of the way from end to end."""
        return self.low + round(share * self.width)


def ranges_of(wanted: Ranges, rules: Mapping[str, Any]) -> tuple[Range, ...]:
    """The ranges that somebody means.

    A name without a range means half to twice its value, as far as the rule may go; a rule that is 0 has no such
    neighbourhood and must be given one.

    Args:
        wanted: `{rule: (lowest, highest)}`, or names alone.
        rules: `{rule: value}` for what is set and does not vary.

    Raises:
        ConfigError: there is no such rule, it may not have these values, or it is set and varied at once.
    """
    fields = {field.name: field for field in table()}
    if isinstance(wanted, str) or not wanted:
        raise ConfigError("Say which rules to vary, and how far: {'storm_rate': (0, 2000), 'jump_ticks': (20, 100)}.")
    asked: dict[str, Any] = dict(wanted) if isinstance(wanted, Mapping) else dict.fromkeys(wanted)
    made = []
    for name, ends in asked.items():
        if name not in fields:
            alike = ", ".join(get_close_matches(name, fields)) or "`gamekit rules` lists them"
            raise ConfigError(f"There is no rule {name!r}; did you mean: {alike}?")
        if name in rules and ends is not None:
            raise ConfigError(f"{name} is varied and set to {rules[name]} as well; take it out of `rules`.")
        field = fields[name]
        low, high = _around(field, int(rules.get(name, field.default))) if ends is None else _ends(field, ends)
        made.append(Range(name, low, high, field.default, field.unit, field.sentence))
    return tuple(made)


def _around(field: RuleField, value: int) -> tuple[int, int]:
    """Half to twice a value; all there is when there are two values only."""
    if field.high - field.low == 1:
        return field.low, field.high
    low, high = max(value // 2, field.low), min(value * 2, field.high)
    if low >= high:
        raise ConfigError(
            f"{field.name} is {value}, which does not say how far to vary it; give its ends, within {field.low:,} to "
            f"{field.high:,} {field.unit}: {{{field.name!r}: (lowest, highest)}}."
        )
    return low, high


def _ends(field: RuleField, ends: Any) -> tuple[int, int]:
    """The two ends that somebody gave."""
    allowed = f"two whole numbers of {field.unit}, within {field.low:,} to {field.high:,}, the smaller one first"
    pair = tuple(ends) if isinstance(ends, Sequence) and not isinstance(ends, str) else ()
    if len(pair) != 2 or any(type(end) is not int for end in pair):
        raise ConfigError(f"{field.name}: expected {allowed}, got {ends!r}.")
    low, high = pair
    if not field.low <= low < high <= field.high:
        raise ConfigError(f"{field.name}: expected {allowed}, got {ends!r}.")
    return low, high
