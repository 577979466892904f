"""What a game's rules raise that would end more than their game: a call of `sys.exit`, for one, ends a whole loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from gamekit.errors import SessionError

T = TypeVar("T")

#: What ends a program, a generator or a task. Rules are none of these, so from them it is a failure like any other.
LEAVING = (SystemExit, GeneratorExit, asyncio.CancelledError)
#: Everything that rules may fail with.
FAULTS = (Exception, *LEAVING)


def contained(work: Callable[..., T], *arguments: object) -> T:
    """Do work that asks rules, and that waits for nothing.

    Args:
        work, arguments: what is called with what.

    Returns:
        What it returns.

    Raises:
        SessionError: it would have ended the program, or the task that it is done for.
        Exception: what else it raises.
    """
    try:
        return work(*arguments)
    except LEAVING as error:
        text = f"The game's rules ended the program ({error!r}), which is not theirs to do; let them raise an error."
        raise SessionError(text) from error
