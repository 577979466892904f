"""When commands that the server does not take just now go out again: after a while, and more and more rarely.

Runs on the link's loop. What goes out again is the core's to decide; an outcome that makes room does not wait for this.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from gamekit.client.actions import PutOff

logger = logging.getLogger("gamekit.client")

#: How long the first wait takes and the longest one, in seconds; each takes twice as long as the one before.
FIRST_S = 1.0
LONGEST_S = 5.0


class Again:
    """The timer of one link.

    Args:
        send: sends what was put off, and tells whether some of it must wait on.
    """

    def __init__(self, send: Callable[[], bool]) -> None:
        self._send = send
        self._timer: asyncio.TimerHandle | None = None
        self._wait_s = FIRST_S

    def put_off(self, command: PutOff) -> None:
        """A command was refused for a reason that passes. Said once; a full window is nothing to say."""
        if self._timer is None and self._wait_s == FIRST_S and command.code != "too_many_pending":
            logger.warning("Commands wait and are sent again by themselves: %s [%s]", command.message, command.code)
        self._later()

    def taken(self) -> None:
        """The server takes commands: the next wait is a short one again."""
        self._wait_s = FIRST_S

    def cancel(self) -> None:
        """Send nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _later(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._wait_s, self._now)
            self._wait_s = min(2 * self._wait_s, LONGEST_S)

    def _now(self) -> None:
        self._timer = None
        if self._send():
            self._later()
