"""What is searched for, how far a value is from it, and how sure a mean over seeds is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from gamekit.errors import ConfigError
from gamekit.interval import mean_interval

Target: TypeAlias = float | Literal["highest", "lowest"]


class Goal(msgspec.Struct, frozen=True):
    """A metric's target.

    Attributes:
        target: the value that the metric's mean over the seeds shall have, or which end it shall go to.
        confidence: of all intervals.
    """

    target: Target
    confidence: float

    def __post_init__(self) -> None:
        known = ("highest", "lowest")
        if self.target not in known if isinstance(self.target, str) else not math.isfinite(self.target):
            raise ConfigError(f'target: must be a number, "highest" or "lowest", got {self.target!r}.')
        if not 0.5 <= self.confidence < 1:
            raise ConfigError(f"confidence: must be from 0.5 to less than 1, got {self.confidence}.")

    @property
    def told(self) -> str:
        """In words, after "bring the metric to"."""
        return f"{self.target:g}" if not isinstance(self.target, str) else f"its {self.target}"

    def miss(self, value: float) -> float:
        """What the search makes small: the distance from the target, or the value with the right sign."""
        if isinstance(self.target, str):
            return -value if self.target == "highest" else value
        return abs(value - self.target)

    def as_good(self, values: Sequence[float], best: Sequence[float]) -> bool:
        """Whether luck could explain that the best rules did better than these.

        Args:
            values, best: a value for each seed, the same seeds, under these rules and under the best ones.
        """
        if self.holds(best):
            return self.holds(values)
        low, high = self.interval([one - other for one, other in zip(values, best, strict=True)])
        return low <= 0 <= high

    def holds(self, values: Sequence[float]) -> bool:
        """Whether the target is a number that lies within the interval of the values' mean."""
        if isinstance(self.target, str):
            return False
        low, high = self.interval(values)
        return low <= self.target <= high

    def interval(self, values: Sequence[float]) -> tuple[float, float]:
        """The interval of the mean; of a single value it is everything."""
        return mean_interval(values, self.confidence) if len(values) > 1 else (-math.inf, math.inf)
