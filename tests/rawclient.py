"""A client of its own for tests: it speaks the protocol from its documentation, and shares no code with gamekit's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

from tornado.websocket import WebSocketClientConnection, websocket_connect

Message = dict[str, Any]


class RawSocket:
    """One connection; every received message is kept, in order."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self.connection = connection
        self.messages: list[Message] = []
        self._ended = False

    @classmethod
    async def open(cls, url: str, **hello: Any) -> RawSocket:
        """Connect, and say hello when there is something to say."""
        socket = cls(await websocket_connect(url, max_message_size=64 * 1024 * 1024))
        if hello:
            await socket.send(type="hello", **hello)
        return socket

    async def send(self, **message: Any) -> None:
        """Send one message."""
        await self.connection.write_message(json.dumps(message))

    async def send_raw(self, frame: str | bytes, *, binary: bool = False) -> None:
        """Send any bytes."""
        await self.connection.write_message(frame, binary=binary)

    async def receive(self) -> Message | None:
        """The next message, or None when the connection is closed."""
        frame = None if self._ended else await self.connection.read_message()
        if frame is None:
            self._ended = True
            return None
        message: Message = json.loads(frame)
        message["received_s"] = time.monotonic()
        self.messages.append(message)
        return message

    async def until(self, wanted: Callable[[Message], bool], timeout_s: float = 30) -> Message:
        """The next message that fits; fails when the connection closes or nothing comes in time."""

        async def search() -> Message:
            while True:
                message = await self.receive()
                assert message is not None, f"closed with {self.connection.close_code} before it came"
                if wanted(message):
                    return message

        return await asyncio.wait_for(search(), timeout_s)

    async def of(self, kind: str, timeout_s: float = 30, /, **fields: Any) -> Message:
        """The next message of a type with the given fields."""
        return await self.until(
            lambda message: message["type"] == kind and all(message.get(key) == value for key, value in fields.items()),
            timeout_s,
        )

    async def closed(self, timeout_s: float = 30) -> int | None:
        """Wait until the server closes the connection; its close code."""

        async def drain() -> None:
            while await self.receive() is not None:
                pass

        await asyncio.wait_for(drain(), timeout_s)
        code = self.connection.close_code
        self.connection.close()
        return code

    async def close(self) -> None:
        """Close the connection, and wait until it is closed."""
        self.connection.close()
        await self.closed()
