"""Writes to sockets that have no backlog: straight to the kernel, without the future and the buffer of a stream.

Nearly every write of a server is one of these, a few hundred bytes to a client that reads. What the kernel does not
take goes the ordinary way, by Tornado's stream with its flow control, and so does all that follows until the backlog is
gone.
"""

from __future__ import annotations

import select

from tornado.iostream import IOStream

#: What says that a connection is over: closed or reset by the other end. Not every system tells the first so.
_GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


def write_straight(stream: IOStream, framed: bytes) -> int:
    """Write to an open stream; how many bytes the kernel has not taken yet.

    Raises:
        StreamClosedError: it is closed.
    """
    # Tornado has no public word for "nothing waits", nor a count of what does; a stream that was just closed has none.
    backlog = stream._write_buffer
    taken = 0
    if backlog is not None and not backlog:
        try:
            taken = stream.socket.send(framed)
        except OSError:
            # Full, or broken: the stream finds out which, and does what is to be done.
            taken = 0
        if taken == len(framed):
            return 0
    stream.write(memoryview(framed)[taken:] if taken else framed)
    backlog = stream._write_buffer
    return len(backlog) if backlog is not None else 0


def unread(stream: IOStream) -> int:
    """Bytes that the kernel has not taken yet; 0 for a stream that is closed."""
    backlog = stream._write_buffer
    return len(backlog) if backlog is not None else 0


def broken(stream: IOStream) -> bool:
    """Whether the other end has closed or reset the connection, also where nothing reads from it at the moment."""
    if stream.closed():
        return True
    poll = select.poll()
    poll.register(stream.fileno(), _GONE)
    return bool(poll.poll(0))
