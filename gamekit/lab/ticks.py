"""Ticks as somebody gives them: whole numbers, also those of a data frame, and never a fraction of one in a state."""

from __future__ import annotations

import math
from operator import index
from typing import Any

from gamekit.errors import ConfigError
from gamekit.game import TICK_HZ, Tick


def whole(tick: Any) -> Tick:
    """A tick as a plain integer; numpy's and pandas' are taken as well.

    Raises:
        ConfigError: it is none.
    """
    try:
        return index(tick)
    except TypeError:
        raise ConfigError(
            f"A tick is a whole number, {TICK_HZ} a second of game time at speed 1; got {tick!r}."
        ) from None


def how_long(call: str, ticks: Any, hours: Any) -> Tick:
    """A stretch of game time that somebody gave in one of two ways, in ticks.

    Args:
        call: what was called, for the messages.
        ticks: a whole number; or
        hours: game time, rounded to whole ticks.

    Raises:
        ConfigError: neither or both were given, or it is no such number.
    """
    if (ticks is None) == (hours is None):
        raise ConfigError(f"Say how long, in one way: {call}(hours=2), or {call}(ticks=600).")
    if ticks is not None:
        return whole(ticks)
    if not isinstance(hours, int | float) or not math.isfinite(hours):
        raise ConfigError(f"hours: must be a number of hours of game time, got {hours!r}.")
    return round(hours * 3600 * TICK_HZ)
