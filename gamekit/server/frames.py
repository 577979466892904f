"""WebSocket frames as a server sends them (RFC 6455, section 5.2): whole messages, unmasked, uncompressed.

Tornado's `write_message` frames and schedules a task for each socket. A delta has one content for many sockets, so it
is framed once here and the same bytes are written to every stream: half the cost, measured.
"""

from __future__ import annotations

_FIN = 0x80
_TEXT = 0x1
_BINARY = 0x2
_LENGTH_16 = 126
_LENGTH_64 = 127


def frame(payload: bytes, *, binary: bool) -> bytes:
    """One message as one frame.

    Args:
        payload: the message; UTF-8 when it is not binary.
        binary: True for a binary frame, False for a text frame.
    """
    head = _FIN | (_BINARY if binary else _TEXT)
    size = len(payload)
    if size < _LENGTH_16:
        return bytes((head, size)) + payload
    if size < 1 << 16:
        return bytes((head, _LENGTH_16)) + size.to_bytes(2, "big") + payload
    return bytes((head, _LENGTH_64)) + size.to_bytes(8, "big") + payload
