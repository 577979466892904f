"""Large messages in parts, for clients that ask for them: compressed, and cut so small that each is a sign of life.

A client hears nothing of a message before its last byte has come. On a slow line a large picture takes longer than any
client waits in silence; in parts it arrives nine to sixteen times smaller, and tells how far it is. See docs/adr/0031.
"""

from __future__ import annotations

import zlib

from gamekit import wire
from gamekit.server.frames import frame

#: What a client writes into its socket's address to get parts: `?parts=deflate`.
ASKED_FOR = "deflate"
#: Messages up to this size go whole, in bytes.
WHOLE_BYTES = 16 * 1024
#: Compressed bytes of one part: at 2 kB/s a client hears one every three seconds.
PART_BYTES = 4 * 1024
#: 1.1 ms for a picture of 464 kB that takes 4.5 ms to make; level 6 makes it a quarter smaller in thrice the time.
_LEVEL = 1


def framed(payload: bytes, *, binary: bool, parts: bool) -> bytes:
    """One message as its frames.

    Args:
        payload: the message; UTF-8 when it is not binary.
        binary: True for MessagePack frames, False for JSON.
        parts: True when the client takes large messages in parts.
    """
    if not parts or len(payload) <= WHOLE_BYTES:
        return frame(payload, binary=binary)
    packed = zlib.compress(payload, _LEVEL)
    of = -(-len(packed) // PART_BYTES)
    cut = (wire.Part(i=i, of=of, data=packed[(i - 1) * PART_BYTES : i * PART_BYTES]) for i in range(1, of + 1))
    return b"".join(frame(wire.encode(part, binary=binary), binary=binary) for part in cut)
