"""What a client has not read yet, counted against it: all that waits, but for what its largest message needs.

A snapshot may be larger than any fixed mark. Whoever was just sent one has done nothing wrong, so the marks count what
came beside it.
"""

from __future__ import annotations


class Backlog:
    """The unread messages of one connection."""

    __slots__ = ("_largest",)

    def __init__(self) -> None:
        self._largest = 0

    def counted(self, size: int, waiting: int) -> int:
        """Note a message that was just written.

        Args:
            size: of the message with its frames, in bytes.
            waiting: what the system has not taken yet, this message's part included, in bytes.

        Returns:
            How many bytes of that count against the client.
        """
        if waiting <= size:
            # Nothing waits but this message.
            self._largest = size
            return 0
        self._largest = max(self._largest, size)
        return max(waiting - self._largest, 0)
