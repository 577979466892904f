"""Reading frames from sockets: whatever has come at once, instead of each field of a frame by itself.

Tornado reads two bytes, four and the rest of a frame, each with a future of its own, and takes the socket out of the
poll set and puts it back for every frame. Its parser stays; it is only handed its bytes from a buffer.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable
from typing import Any, Protocol, cast

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketProtocol13

#: Most that is read at once, in bytes; it bounds what is held of a client whose messages have to wait.
CHUNK_BYTES = 64 * 1024
#: The protocol's own pings and pongs (RFC 6455, section 5.5).
_CONTROL = frozenset((0x9, 0xA))


class Paced(Protocol):
    """A handler that reads no faster than it will."""

    def control_frame(self) -> Awaitable[Any] | None:
        """A ping or pong came: what to wait for before more is read; None for nothing."""
        ...


class ReadAhead(WebSocketProtocol13):
    """Version 13 of the protocol (RFC 6455), with one read of the stream for all that is there."""

    #: What was read, and how much of it the parser has had.
    _ahead = b""
    _had = 0
    #: True when something came; whoever looks may take it back.
    heard = False

    def _handle_message(self, opcode: int, data: bytes) -> Future[None] | None:
        handled = super()._handle_message(opcode, data)
        if opcode in _CONTROL:
            # Tornado answers pings before a handler hears of them, however many; what is returned is awaited.
            return cast("Future[None] | None", cast("Paced", self.handler).control_frame())
        return handled

    async def _read_bytes(self, n: int) -> bytes:
        # The one door by which Tornado's parser reads; it has no public one.
        if self.stream.closed():
            # Gone means gone: what was read ahead of a connection that broke is not carried out any more.
            raise StreamClosedError(real_error=self.stream.error)
        until = self._had + n
        while len(self._ahead) < until:
            chunk = await self.stream.read_bytes(CHUNK_BYTES, partial=True)
            self.heard = True
            self._ahead = self._ahead[self._had :] + chunk
            self._had, until = 0, n
        data = self._ahead[self._had : until]
        self._had = until
        if until == len(self._ahead):
            self._ahead, self._had = b"", 0
        self._wire_bytes_in += n
        return data
