"""Opening a socket to a game, in a way that leaves none behind when it is not wanted any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tornado.httpclient import HTTPRequest
from tornado.httputil import url_concat
from tornado.websocket import WebSocketClientConnection, websocket_connect

from gamekit.client.parts import MAX_MESSAGE_BYTES

#: How long the connection may take, and the upgrade, in seconds.
CONNECT_S = 5.0
UPGRADE_S = 10.0
#: How long a socket that is not wanted any more is waited for, to be closed, in seconds.
UNWANTED_S = 2.0

#: Asks for large messages in parts, so that a picture on a slow line is heard of while it comes.
_PARTS = {"parts": "deflate"}


async def open_socket(url: str, on_message: Callable[[str | bytes | None], None]) -> WebSocketClientConnection:
    """Connect to a game's socket.

    Args:
        url: the socket's address, without a token.
        on_message: called with each frame, and with None in the end.

    Raises:
        HTTPClientError: the upgrade was refused.
        OSError, StreamClosedError, WebSocketError: there is no connection.
    """
    request = HTTPRequest(url_concat(url, _PARTS), connect_timeout=CONNECT_S, request_timeout=UPGRADE_S)
    opening = asyncio.ensure_future(
        websocket_connect(request, on_message_callback=on_message, max_message_size=MAX_MESSAGE_BYTES)
    )
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # A socket that opens after nobody wants it any more would stay open for ever: whenever that is, also when
        # the time to wait for it is over, or this is cancelled once more.
        opening.add_done_callback(_unwanted)
        await asyncio.wait([opening], timeout=UNWANTED_S)
        raise


def _unwanted(opening: asyncio.Future[WebSocketClientConnection]) -> None:
    """Close a socket that nobody waits for any more, now that it has opened."""
    if opening.cancelled() or opening.exception() is not None:
        return
    connection = opening.result()
    stream = connection.protocol.stream if connection.protocol else None
    connection.close()
    if stream is not None:
        stream.close()
