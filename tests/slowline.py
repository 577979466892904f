"""A slow line before a server: bytes to it pass at once, bytes from its sockets at a rate, without pause or loss."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class SlowLine:
    """A relay on a free port of 127.0.0.1.

    Args:
        url: the server's root.
        bytes_per_s: how fast what sockets send comes through; HTTP is not slowed.

    Attributes:
        sockets: how many WebSockets were opened through it.
        cut_after: bytes after which the next socket breaks, once; None for never.
    """

    def __init__(self, url: str, bytes_per_s: int) -> None:
        self._upstream = urlsplit(url).port
        self._bytes_per_s = bytes_per_s
        self.sockets = 0
        self.cut_after: int | None = None
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._relay(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        down: asyncio.StreamWriter | None = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            slow = b"upgrade: websocket" in head.lower()
            self.sockets += slow
            up, down = await asyncio.open_connection("127.0.0.1", self._upstream)
            down.write(head)
            pumps = {
                asyncio.ensure_future(self._pump(reader, down, slow=False)),
                asyncio.ensure_future(self._pump(up, writer, slow=slow)),
            }
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (down, writer):
                if end is not None:
                    end.close()
                    with contextlib.suppress(OSError):
                        await end.wait_closed()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, slow: bool) -> None:
        passed = 0
        try:
            while data := await source.read(1024 if slow else 65_536):
                if slow:
                    await asyncio.sleep(len(data) / self._bytes_per_s)
                target.write(data)
                await target.drain()
                passed += len(data)
                if slow and self.cut_after is not None and passed > self.cut_after:
                    self.cut_after = None
                    return
        except OSError:
            pass


@contextlib.contextmanager
def slow_line(url: str, bytes_per_s: int) -> Iterator[SlowLine]:
    """A slow line on a thread of its own, for tests that do not run on a loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="slow line")
    thread.start()
    line = SlowLine(url, bytes_per_s)
    try:
        asyncio.run_coroutine_threadsafe(line.__aenter__(), loop).result()
        yield line
    finally:
        asyncio.run_coroutine_threadsafe(line.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
