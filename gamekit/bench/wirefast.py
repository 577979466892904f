"""A WebSocket client that costs next to nothing, for the load generator: it counts frames and decodes but few.

Speaks just what the servers of the benchmarks speak: unfragmented frames, no extensions. Masks with a key of zeros,
which RFC 6455 (section 5.3) lets a server take like any other, so that masking costs nothing here and the same there.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from urllib.parse import urlsplit

#: A frame of a client with a key of zeros is its payload behind this: FIN and text; the mask bit.
_TEXT, _PONG, _MASKED = 0x81, 0x8A, 0x80
_KEY = bytes(4)


def masked(payload: bytes, first: int = _TEXT) -> bytes:
    """One frame from a client."""
    size = len(payload)
    if size < 126:
        return bytes((first, _MASKED | size)) + _KEY + payload
    return struct.pack("!BBH", first, _MASKED | 126, size) + _KEY + payload


class FastSocket(asyncio.Protocol):
    """One connection.

    Args:
        url: `ws://host:port/path?query`.
        on_frame: called with each payload.
    """

    def __init__(self, url: str, on_frame: Callable[[bytes], None]) -> None:
        self._url = url
        self._on_frame = on_frame
        self._transport: asyncio.Transport
        self._held = b""
        self._upgraded = False
        #: Why the connection ended; None while it is open.
        self.ended: str | None = None
        self.bytes = 0

    @classmethod
    async def open(cls, url: str, on_frame: Callable[[bytes], None]) -> FastSocket:
        """Connect; frames come when the server has agreed."""
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(
            lambda: cls(url, on_frame), parts.hostname or "127.0.0.1", parts.port or 80
        )
        return socket

    def send(self, payload: bytes) -> None:
        """Send one text frame."""
        self._transport.write(masked(payload))

    def close(self) -> None:
        """Let go of it."""
        self._transport.abort()

    # --- asyncio.Protocol -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        parts = urlsplit(self._url)
        query = f"?{parts.query}" if parts.query else ""
        transport.write(
            f"GET {parts.path}{query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: Z2FtZWtpdC1iZW5jaG1hcg==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Cut what came into frames."""
        self.bytes += len(data)
        held = self._held + data if self._held else data
        if not self._upgraded:
            head, end, held = held.partition(b"\r\n\r\n")
            if not end:
                self._held = head
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.ended = head.decode(errors="replace")
                self._transport.abort()
                return
            self._upgraded = True
        at, size = 0, len(held)
        while size - at >= 2:
            length, begin = held[at + 1], at + 2
            if length == 126:
                if size - at < 4:
                    break
                length, begin = int.from_bytes(held[at + 2 : at + 4]), at + 4
            elif length == 127:
                if size - at < 10:
                    break
                length, begin = int.from_bytes(held[at + 2 : at + 10]), at + 10
            if size - begin < length:
                break
            kind = held[at] & 0x0F
            if kind == 9:
                self._transport.write(masked(held[begin : begin + length], _PONG))
            elif kind in (1, 2):
                self._on_frame(held[begin : begin + length])
            at = begin + length
        self._held = held[at:]

    def connection_lost(self, error: Exception | None) -> None:
        """It is over."""
        self.ended = self.ended or repr(error)
