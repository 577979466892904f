"""Which event loop the async face of the client belongs to.

Sockets and tasks of an `AsyncClient` live on the loop on which it was first used. On another loop they would fail in
words of asyncio's own ("attached to a different loop"), or wait for ever; here they say what to do.
"""

from __future__ import annotations

import asyncio

from gamekit.errors import SessionError

_REMEDY = (
    "Make it and use it within one loop, e.g. `async with await gamekit.connect(url) as client: ...` inside one "
    "asyncio.run(...); where there is no loop, gamekit.Client(url) needs none and works from any thread."
)


class Home:
    """The loop that something belongs to: the one on which it is first used."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def gone(self) -> bool:
        """True when its loop has been closed, and all that ran on it has ended."""
        return self._loop is not None and self._loop.is_closed()

    def check_goes_on(self) -> None:
        """Complain when its loop does not run, so that nothing that is waited for can come.

        Raises:
            SessionError: it has ended, or stands still.
        """
        if self._loop is not None and not self._loop.is_running():
            self.check()

    def check(self) -> None:
        """Complain unless the running loop is the one that this belongs to.

        Raises:
            SessionError: it is another one, or none runs here.
        """
        try:
            running = asyncio.get_running_loop()
        except RuntimeError:
            raise SessionError(f"This async client is used where no event loop runs. {_REMEDY}") from None
        if self._loop is None:
            self._loop = running
        elif self._loop is not running:
            ended = "has ended" if self._loop.is_closed() else "is another one"
            raise SessionError(f"This async client belongs to the event loop it was made on, which {ended}. {_REMEDY}")
