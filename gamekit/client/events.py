"""Events as a stream: what happens from the moment the stream is made, until it or its link is closed.

A stream that nobody reads keeps the latest `LONGEST` events and drops older ones.
"""

from __future__ import annotations

import asyncio
import queue
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Self

from gamekit.client.actions import Happened, Stopped
from gamekit.client.iothread import check_may_wait
from gamekit.client.link import Link

#: Events that a stream keeps for a slow reader.
LONGEST = 100_000

Event = dict[str, Any]


def each_event(news: object, callback: Callable[[Event], object]) -> None:
    """Call back with each event in a piece of news, with its `tick`."""
    if isinstance(news, Happened):
        for event in news.events:
            callback(dict(event))


class AsyncEvents:
    """`async for event in player.events(): ...`; made and read on the client's loop."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._waiting: deque[Event] = deque(maxlen=LONGEST)
        self._news = asyncio.Event()
        self._over = link.error is not None
        self._end = link.subscribe(self._listen)

    def _listen(self, news: object) -> None:
        each_event(news, self._waiting.append)
        if isinstance(news, Stopped):
            self.close()
        self._news.set()

    def close(self) -> None:
        """Take in no more; what was taken in can still be read. Idempotent."""
        self._over = True
        self._end()
        self._news.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        self._link.home.check()
        while not self._waiting:
            if self._over:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.popleft()


class Events:
    """`for event in player.events(): ...`; may be read from any thread but in callbacks, `with` closes it.

    Args:
        timeout_s: the stream ends when this many seconds have passed since it was made; None for never.
    """

    def __init__(self, timeout_s: float | None = None) -> None:
        self._waiting: queue.Queue[Event | None] = queue.Queue()
        self._until_s = None if timeout_s is None else time.monotonic() + timeout_s
        self._over = False
        self._end: Callable[[], None] = lambda: None

    def attach(self, link: Link) -> None:
        """Begin to listen. On the client's loop."""
        if link.error is not None:
            self.close()
        else:
            self._end = link.subscribe(self._listen)

    def _listen(self, news: object) -> None:
        each_event(news, self._take)
        if isinstance(news, Stopped):
            self.close()

    def _take(self, event: Event) -> None:
        if self._waiting.qsize() >= LONGEST:
            self._waiting.get_nowait()
        self._waiting.put_nowait(event)

    def close(self) -> None:
        """Take in no more; what was taken in can still be read. Idempotent."""
        self._end()
        self._waiting.put_nowait(None)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        check_may_wait()
        left_s = None if self._until_s is None else max(self._until_s - time.monotonic(), 0.0)
        try:
            event = None if self._over else self._waiting.get(timeout=left_s)
        except queue.Empty:
            event = None
        if event is None:
            self._over = True
            self.close()
            raise StopIteration
        return event

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
