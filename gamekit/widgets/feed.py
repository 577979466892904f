"""One game's news for any number of widgets: gathered, made into a message once, and told at most ten times a second.

Runs on the client's I/O thread and costs nothing while no widget listens. Messages are plain values:

- `{"kind": "view", "view", "player", STATE}`: everything anew.
- `{"kind": "changes", "changes": [patch, ...], STATE}`: what happened since, possibly nothing but time.

STATE is `"clock": {"tick", "speed", "paused", "tickHz"}`, `"connected"`, and `"ended"`, true when nothing will follow.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from gamekit.client.actions import Connected, Happened, News, Redrawn, Stopped
from gamekit.client.iothread import IoThread
from gamekit.client.link import Link

logger = logging.getLogger("gamekit.widgets")

#: Shortest time between two messages, in seconds.
INTERVAL_S = 0.1

Message = dict[str, Any]
Sink = Callable[[Message], None]


class Feed:
    """News of one connection.

    Args:
        io: the thread on which the link lives.
        link: whose news it is.
    """

    def __init__(self, io: IoThread, link: Link) -> None:
        self.io = io
        self.link = link
        #: Its one way to the front end, once a widget has asked for it; see `gamekit.widgets.stream`.
        self.stream: object = None
        self._sinks: set[Sink] = set()
        self._followers: set[Sink] = set()
        self._patches: list[dict[str, Any]] = []
        self._whole = False
        self._sent_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._end: Callable[[], None] | None = None

    def whole(self) -> Message:
        """The message that shows everything anew. From any thread."""
        welcome = self.link.welcome
        seen = self.link.seen
        return {
            "kind": "view",
            "view": seen.view if seen else {},
            "player": welcome.player if welcome else None,
            **self._state(),
        }

    def add(self, sink: Sink) -> None:
        """Have `sink` called with each message, beginning with a whole view. On the I/O thread."""
        self._sinks.add(sink)
        if self._end is None:
            self._end = self.link.subscribe(self._listen)
        self._send([sink], self.whole())

    def remove(self, sink: Sink) -> None:
        """Call `sink` no more. On the I/O thread; idempotent."""
        self._sinks.discard(sink)
        if self._sinks or self._end is None:
            return
        self._end()
        self._end = None
        self._patches.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def also(self, sink: Sink) -> None:
        """Have `sink` called too, whenever those who were added are; it wakes nothing. On the I/O thread."""
        self._followers.add(sink)

    def also_not(self, sink: Sink) -> None:
        """Undo `also`. On the I/O thread; idempotent."""
        self._followers.discard(sink)

    def _listen(self, news: News) -> None:
        match news:
            case Happened():
                if news.changes:
                    self._patches.append(news.changes)
            case Redrawn() | Connected(yes=True):
                self._whole = True
            case Stopped():
                self._flush()
                return
        if self._timer is None:
            wait_s = max(self._sent_s + INTERVAL_S - time.monotonic(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._sent_s = time.monotonic()
        message = self.whole() if self._whole else {"kind": "changes", "changes": self._patches, **self._state()}
        self._whole, self._patches = False, []
        self._send([*self._sinks, *self._followers], message)

    def _send(self, sinks: list[Sink], message: Message) -> None:
        for sink in sinks:
            try:
                sink(message)
            except Exception:
                logger.exception("A widget could not be told and gets no more news.")
                self.also_not(sink)
                self.remove(sink)

    def _state(self) -> Message:
        clock = self.link.clock
        return {
            "clock": {
                "tick": clock.at(time.monotonic()),
                "speed": clock.speed,
                "paused": clock.paused,
                "tickHz": clock.tick_hz,
            },
            "connected": self.link.connected,
            "ended": self.link.error is not None,
        }
