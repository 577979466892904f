"""Numbers on the command line: "nan" and "inf" are none, though `float` takes them and no range keeps "nan" out."""

from __future__ import annotations

import math
from typing import Any

import click


class Number(click.FloatRange):
    """A finite number within a range; see `click.FloatRange`."""

    #: What it is, as a refusal says it.
    meaning = "a number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not {self.meaning}.", param, ctx)
        return number


class Seconds(Number):
    """A time in seconds: up to thirty years.

    Args:
        least: the shortest.
    """

    meaning = "a time in seconds"

    def __init__(self, least: float = 0) -> None:
        super().__init__(least, 1e9)
