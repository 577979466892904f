"""Who is asked for a sign of life when: a ring of seconds, in which each connection has its place.

A ping of the WebSocket protocol (RFC 6455, section 5.5.2) finds the connections whose other end is gone without a
word, behind proxies too. Who says something anyhow is not asked. One timer serves all of them, where Tornado has a
task, a timer and a future for each.
"""

from __future__ import annotations

from typing import Protocol

#: Seconds between two looks at a connection. Who is gone is noticed at the third look at the latest: at the first it
#: may just have spoken, at the second it is asked.
PING_S = 25
#: The frame: a ping without a payload.
PING = b"\x89\x00"


class Answering(Protocol):
    """A connection whose other end answers, or not."""

    def check(self) -> None:
        """Look whether the other end lives."""
        ...


class Pings:
    """The open connections, by the second in which they are looked at."""

    def __init__(self) -> None:
        #: In the order in which they came.
        self._ring: list[dict[Answering, None]] = [{} for _ in range(PING_S)]
        self._places: dict[Answering, int] = {}
        self._at = 0

    def add(self, connection: Answering) -> None:
        """Look at it every `PING_S` seconds from now on."""
        self._places[connection] = self._at
        self._ring[self._at][connection] = None

    def discard(self, connection: Answering) -> None:
        """It is over; whoever is not looked at is passed by."""
        if (place := self._places.pop(connection, None)) is not None:
            del self._ring[place][connection]

    def due(self) -> list[Answering]:
        """A second has passed: who is looked at now."""
        self._at = (self._at + 1) % PING_S
        return list(self._ring[self._at])
