"""Large messages that come in parts, put together again, sans-IO.

Owns what has come of one message, and what came between its parts and must wait for its end. Does not own sockets or
codecs: what is put together is bytes, decoded by the caller's function.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from gamekit.errors import RemoteProtocolError
from gamekit.wire import Delta, Part, ToClient, Whole

#: Largest message that is put together, in bytes: the snapshot of a galaxy of a thousand sectors has a few MB.
MAX_MESSAGE_BYTES = 64 * 1024 * 1024


class Assembly:
    """The messages of one connection, whole.

    Args:
        decode: makes a message of the bytes of one.
    """

    def __init__(self, decode: Callable[[bytes], ToClient]) -> None:
        self._decode = decode
        self._packed = bytearray()
        self._came = 0
        self._of = 0
        self._held: list[Whole] = []

    @property
    def received(self) -> tuple[int, int] | None:
        """How many parts of the message under way have come, and of how many; None while there is none."""
        return (self._came, self._of) if self._of else None

    def take(self, message: ToClient) -> list[Whole]:
        """What can be acted upon now that this came, in order.

        A delta that comes between the parts of a message waits for its end, because that may be the picture which it
        changes; answers and the clock do not wait.

        Raises:
            RemoteProtocolError: the parts do not fit together ("bad_message").
        """
        if not isinstance(message, Part):
            if self._of and isinstance(message, Delta):
                self._held.append(message)
                return []
            return [message]
        if message.i != self._came + 1 or message.i > message.of or self._of not in (0, message.of):
            raise _broken(f"part {message.i} of {message.of} came after {self._came} of {self._of}")
        self._came, self._of = message.i, message.of
        self._packed += message.data
        if len(self._packed) > MAX_MESSAGE_BYTES:
            raise _broken(f"its parts are larger than {MAX_MESSAGE_BYTES} bytes")
        if self._came < self._of:
            return []
        whole = self._decode(_unpacked(self._packed))
        if isinstance(whole, Part):
            raise _broken("it is a part itself")
        held, self._held = self._held, []
        self._packed = bytearray()
        self._came = self._of = 0
        return [whole, *held]


def _unpacked(packed: bytearray) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        data = unpacking.decompress(packed, MAX_MESSAGE_BYTES)
    except zlib.error as error:
        raise _broken(str(error)) from None
    if not unpacking.eof:
        raise _broken(f"it ends too early, or is larger than {MAX_MESSAGE_BYTES} bytes")
    return data


def _broken(what: str) -> RemoteProtocolError:
    text = f"A message in parts could not be put together: {what}. Use the same version of gamekit on both sides."
    return RemoteProtocolError("bad_message", text)
