"""One connection of the HTTP server, and where it stands: waiting for a request, hearing one, answering it.

Owns the deadlines of one connection and what it holds of a request's body. `connections` owns all of them together.
"""

from __future__ import annotations

import array
import fcntl
import termios
from collections.abc import Awaitable, Callable

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import IOStream

#: How long the head of a request may take once it has begun, in seconds.
HEAD_S = 15.0
#: How long an answer may lie unread without a byte of it being taken, in seconds.
UNREAD_S = 20.0


def unsent_bytes(stream: IOStream) -> int:
    """What the system has taken for a connection, and the other end has not acknowledged; 0 where it does not tell."""
    waiting = array.array("i", [0])
    try:
        fcntl.ioctl(stream.fileno(), termios.TIOCOUTQ, waiting)
    except (OSError, ValueError, AttributeError):
        return 0
    return waiting[0]


class Held:
    """One connection and where it stands."""

    __slots__ = ("address", "body_bytes", "busy", "head_since", "progress", "progress_at", "since", "stream", "streams")

    def __init__(self, stream: IOStream, address: str, now: float) -> None:
        self.stream = stream
        self.address = address
        #: True from the end of a request's head until the next request is awaited.
        self.busy = False
        #: What is held of the body of its request, in bytes, and whether that goes elsewhere as it comes.
        self.body_bytes = 0
        self.streams = False
        #: Since when it waits for a request, and since when a part of its head is there.
        self.since = now
        self.head_since: float | None = None
        #: How much was taken of what was written to it, and since when it is so much.
        self.progress = 0
        self.progress_at = now

    def overdue(self, now: float, idle_s: float) -> bool:
        """Whether it has kept the server waiting for too long."""
        stream = self.stream
        if stream.writing():
            # Tornado has no public count of what the system took; what still lies in the system's buffer was not read.
            if (taken := stream._total_write_done_index - unsent_bytes(stream)) != self.progress:
                self.progress, self.progress_at = taken, now
            return now - self.progress_at > UNREAD_S
        self.progress_at = now
        if self.busy:
            return False
        if not stream._read_buffer_size:
            self.head_since = None
        elif self.head_since is None:
            self.head_since = now
        return now - self.since > idle_s or (self.head_since is not None and now - self.head_since > HEAD_S)


class Noted(HTTPMessageDelegate):
    """Passes a request on, and notes how far it is.

    Args:
        inner: where it is passed on to.
        held: its connection.
        room: whether so many more bytes of bodies may be held, of all requests together.
    """

    def __init__(self, inner: HTTPMessageDelegate, held: Held, room: Callable[[Held, int], bool]) -> None:
        self._inner = inner
        self._held = held
        self._room = room

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """The head is there."""
        self._held.busy = True
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """A part of the body."""
        if not self._held.streams and not self._room(self._held, len(chunk)):
            raise HTTPInputError("too many bodies are on their way at once")
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        """The request is whole."""
        self._inner.finish()

    def on_connection_close(self) -> None:
        """It will never be."""
        self._inner.on_connection_close()
