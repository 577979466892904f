"""Numbers as somebody gives them in a notebook: Python's, numpy's and a data frame's; never silently cut off."""

from __future__ import annotations

from math import isfinite
from operator import index
from typing import Any

from gamekit.errors import ConfigError


def whole(number: Any, what: str) -> int:
    """A whole number; 3.0, as a data frame has it, is one.

    Raises:
        ConfigError: it is none.
    """
    try:
        return int(number) if isinstance(number, float) and number.is_integer() else index(number)
    except TypeError:
        raise ConfigError(f"Give {what} as a whole number, not {number!r}.") from None


def metres(number: Any, what: str) -> int:
    """A coordinate, rounded to whole metres; None is 0.

    Raises:
        ConfigError: it is no number.
    """
    return 0 if number is None else round(real(number, f"{what} in metres from the sector's centre"))


def real(number: Any, what: str) -> float:
    """Any number but an infinite one.

    Raises:
        ConfigError: it is none.
    """
    try:
        exact = float("nan") if isinstance(number, str | bytes) else float(number)
    except (TypeError, ValueError):
        exact = float("nan")
    if not isfinite(exact):
        raise ConfigError(f"Give {what} as a number, not {number!r}.")
    return exact
