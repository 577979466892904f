"""A lasting connection to one game: sockets come and go, the link stays.

Owns the socket, the reconnection delays, the watch for silence, and the handing on of what happens. All decisions are
the core's. Everything here runs on one event loop; only `seen`, `clock`, `connected` and `recent` may be read from
other threads.

Reconnection: after 0 to 0.2 s at first, doubling up to 5 s, each delay drawn at random so that the players of a
server that comes back do not all arrive in one moment. It goes on until the server says that it is no use, or the
link is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from tornado.httpclient import HTTPClientError
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketError

from gamekit.client import actions
from gamekit.client.again import Again
from gamekit.client.core import Core, Phase
from gamekit.client.loops import Home
from gamekit.client.opening import open_socket
from gamekit.client.order import AsyncOrder, OrderState
from gamekit.client.parts import Assembly
from gamekit.client.rest import read_problem
from gamekit.client.seen import Clock, Seen
from gamekit.errors import ClientClosed, GamekitError, RemoteProtocolError, ServerError
from gamekit.wire import FromClient, Part, Ping, ToClient, Welcome

logger = logging.getLogger("gamekit.client")

O = TypeVar("O", bound=OrderState)  # noqa: E741

#: After this long without a word the server is asked for one; after as long again the connection is given up. So much
#: longer when the server has said that it will speak more rarely.
SILENCE_S = 5.0
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 5.0
#: How long a closing handshake may take.
CLOSING_S = 2.0
#: Events kept for whoever asks what happened lately.
EVENTS_KEPT = 10_000

#: HTTP answers to the upgrade after which it is no use to try again.
_FATAL_STATUS = {400, 401, 403, 404, 410}

_decoder = msgspec.json.Decoder(ToClient)
_encoder = msgspec.json.Encoder()

Listener = Callable[[actions.News], None]


class Link:
    """One client's lasting connection to one game.

    Args:
        url: the game's WebSocket URL, without a token.
        token: the player's token, or "" to watch.
        client: the client id under which commands are numbered.
    """

    def __init__(self, url: str, token: str, client: str) -> None:
        self.url = url
        #: The latest events, each with its `tick`, oldest first.
        self.recent: deque[dict[str, Any]] = deque(maxlen=EVENTS_KEPT)
        self._core = Core(token, client)
        self._orders: dict[int, OrderState] = {}
        self._listeners: dict[object, Listener] = {}
        self._connection: WebSocketClientConnection | None = None
        #: The socket is gone.
        self._gone = asyncio.Event()
        #: There is a reason to stop talking: the socket is gone, or the link has ended.
        self._enough = asyncio.Event()
        self._moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard_s = self._spoke_s = self._progress_s = 0.0
        self._assembly = Assembly(_decoder.decode)
        self._again = Again(self._try_again)
        self._trouble = "it was not tried yet"
        #: The loop that it runs on.
        self.home = Home()
        self.home.check()
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"gamekit link {url}")

    # --- what may be read from any thread ---------------------------------------------------------------------

    @property
    def seen(self) -> Seen | None:
        """The latest picture; None before the first."""
        return self._core.seen

    @property
    def clock(self) -> Clock:
        """The game's clock as last heard of."""
        return self._core.clock

    @property
    def welcome(self) -> Welcome | None:
        """The server's latest welcome."""
        return self._core.welcome

    @property
    def connected(self) -> bool:
        """True while the server is talked to; commands given meanwhile leave at once."""
        return self._core.phase is Phase.ATTACHED

    @property
    def receiving(self) -> float | None:
        """How much of a large message that is under way has come, from 0 to 1; None when there is none."""
        received = self._assembly.received
        return received[0] / received[1] if received else None

    @property
    def pending(self) -> int:
        """How many commands are given and not decided yet."""
        return self._core.pending

    @property
    def error(self) -> GamekitError | None:
        """Why the link has ended, if it has."""
        return self._core.error

    # --- on the loop only -------------------------------------------------------------------------------------

    def submit(self, order: O) -> O:
        """Send an order's command as soon as it can be; orders keep the order in which they are submitted.

        Raises:
            LocalProtocolError: the command cannot be sent.
            SessionError: this is not the link's loop.
            GamekitError: the link has ended.
        """
        self.home.check()
        self.check()
        order.home = self.home
        ticket, decided = self._core.submit(order.body)
        self._orders[ticket] = order
        self._act(decided)
        return order

    def check(self) -> None:
        """Complain when nothing can be sent any more.

        Raises:
            GamekitError: the link has ended.
        """
        if isinstance(self.error, ClientClosed):
            raise ClientClosed("This client is closed, so nothing was sent; make a new one with gamekit.Client(url).")
        if self.error is not None:
            raise self.error

    def order(self, body: dict[str, Any]) -> AsyncOrder:
        """Make an order and submit it."""
        return self.submit(AsyncOrder(body))

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with all that happens from now on, on the loop.

        Returns:
            A function that ends the subscription.
        """
        key = object()
        self._listeners[key] = listener
        return lambda: self._listeners.pop(key, None) and None

    async def attached(self, timeout_s: float | None = None) -> Seen:
        """Wait for the first picture.

        Args:
            timeout_s: how long to wait without getting more of it, in seconds; None for ever.

        Raises:
            ServerError: the server could not be reached in time, or refused.
        """
        began_s = time.monotonic()
        while (seen := self.seen) is None:
            try:
                async with asyncio.timeout(self._patience(began_s, timeout_s)):
                    await self.moved()
            except TimeoutError:
                if (self._patience(began_s, timeout_s) or 0.0) > 0.0:
                    continue
                came = self.receiving
                trouble = self._trouble if came is None else f"its picture stopped at {100 * came:.0f} %"
                text = f"No answer from {self.url} within {timeout_s:g} s: {trouble}. Is the server running?"
                raise ServerError(text) from None
        return seen

    def _patience(self, began_s: float, timeout_s: float | None) -> float | None:
        """How many seconds more to wait for the picture: counted from when more of it came."""
        if timeout_s is None:
            return None
        return max(began_s, self._progress_s) + timeout_s - time.monotonic()

    async def moved(self) -> None:
        """Wait until something happens: a new picture, more of one that is on its way, an end of the link.

        Raises:
            GamekitError: the link has ended.
        """
        self.home.check()
        if self.error is None:
            await asyncio.shield(self._moved)
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        """End the link; commands that are not decided yet fail. Idempotent."""
        text = "The client was closed before this command was decided; it may or may not be carried out."
        if self.home.gone:
            # All that ran on it has ended with it.
            for action in self._core.stop(ClientClosed(text)):
                if isinstance(action, actions.Abandoned):
                    self._orders.pop(action.ticket).take(action)
            return
        self.home.check()
        self._act(self._core.stop(ClientClosed(text)))
        self._again.cancel()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    # --- the socket -------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            await self._keep_connected()
        except Exception as error:
            logger.exception("The link to %s failed.", self.url)
            self._act(self._core.stop(ServerError(f"The client failed: {error!r}. Please report this.")))

    async def _keep_connected(self) -> None:
        delay_s = FIRST_DELAY_S
        while self.error is None:
            connection = await self._connect()
            if connection is not None:
                try:
                    greeted = await self._converse(connection)
                finally:
                    await self._hang_up(connection)
                if greeted:
                    delay_s = FIRST_DELAY_S
            if self.error is None:
                await asyncio.sleep(random.uniform(0, delay_s))
                delay_s = min(delay_s * 2, LONGEST_DELAY_S)

    async def _connect(self) -> WebSocketClientConnection | None:
        self._gone.clear()
        self._enough.clear()
        try:
            return await open_socket(self.url, self._on_message)
        except HTTPClientError as error:
            self._trouble = str(error)
            if error.code in _FATAL_STATUS:
                self._act(self._core.stop(read_problem(error.code, error.response.body if error.response else b"")))
        except (OSError, StreamClosedError, WebSocketError) as error:
            self._trouble = str(error) or type(error).__name__
        return None

    async def _converse(self, connection: WebSocketClientConnection) -> bool:
        """Talk until the connection is gone; True when the server had welcomed us."""
        self._connection = connection
        self._assembly = Assembly(_decoder.decode)
        self._heard_s = self._progress_s = time.monotonic()
        self._act(self._core.connected())
        asked = False
        while not self._enough.is_set():
            quiet_s = time.monotonic() - self._heard_s
            patience_s = SILENCE_S + max(self._core.promised_s - 1.0, 0.0)
            if quiet_s >= patience_s and asked:
                self._trouble = "the server fell silent"
                break
            asked = quiet_s >= patience_s
            if asked:
                self._transmit(Ping(t=time.monotonic() * 1000))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._enough.wait(), SILENCE_S if asked else patience_s - quiet_s)
        greeted = self._core.phase is Phase.ATTACHED
        self._connection = None
        if connection.close_code is not None:
            complaint = self._core.complaint
            self._trouble = (
                complaint.message if complaint else f"the connection was closed with {connection.close_code}"
            )
        self._act(self._core.disconnected(connection.close_code, connection.close_reason))
        return greeted

    async def _hang_up(self, connection: WebSocketClientConnection) -> None:
        """Close a socket politely, and cut it when the other side does not answer."""
        self._connection = None
        stream = connection.protocol.stream if connection.protocol else None
        connection.close()
        try:
            async with asyncio.timeout(CLOSING_S):
                await self._gone.wait()
        except TimeoutError:
            pass
        finally:
            if stream is not None:
                stream.close()

    def _on_message(self, frame: str | bytes | None) -> None:
        if frame is None:
            self._gone.set()
            self._enough.set()
            return
        self._heard_s = time.monotonic()
        try:
            message = _decoder.decode(frame)
            if isinstance(message, Part):
                self._part_came()
            for whole in self._assembly.take(message):
                self._act(self._core.received(whole, self._heard_s))
        except msgspec.DecodeError as error:
            text = f"The server sent something unknown ({error}). Use the same version of gamekit on both sides."
            self._act(self._core.stop(RemoteProtocolError("bad_message", text)))
        except RemoteProtocolError as error:
            self._act(self._core.stop(error))

    def _part_came(self) -> None:
        """More of a large message is there: that is progress, and a client that only listens must be heard of, too."""
        self._progress_s = self._heard_s
        self._wake()
        if self._heard_s - self._spoke_s > SILENCE_S:
            self._transmit(Ping(t=self._heard_s * 1000))

    def _transmit(self, message: FromClient) -> None:
        if self._connection is None:
            return
        self._spoke_s = time.monotonic()
        # A message that does not leave any more is not lost: the core resends what was not acknowledged.
        with contextlib.suppress(WebSocketClosedError):
            sending = asyncio.ensure_future(self._connection.write_message(_encoder.encode(message).decode()))
            sending.add_done_callback(lambda sent: sent.cancelled() or sent.exception())

    def _try_again(self) -> bool:
        """Send what was put off; True while some of it must wait on."""
        self._act(self._core.try_again())
        return self._core.put_off

    # --- what the core decided --------------------------------------------------------------------------------

    def _act(self, decided: list[actions.Action]) -> None:
        for action in decided:
            match action:
                case actions.Transmit():
                    self._transmit(action.message)
                case (
                    actions.Numbered()
                    | actions.Acknowledged()
                    | actions.Decided()
                    | actions.Turned()
                    | actions.PutOff()
                    | actions.Abandoned()
                ):
                    order = self._orders[action.ticket]
                    if isinstance(action, actions.PutOff):
                        self._again.put_off(action)
                    elif isinstance(action, actions.Acknowledged):
                        self._again.taken()
                    order.take(action)
                    if order.settled:
                        del self._orders[action.ticket]
                case actions.Complained():
                    logger.warning("The server refused a message: %s [%s]", action.error.message, action.error.code)
                case actions.Happened():
                    self.recent.extend(action.events)
                    self._tell(action)
                case actions.Redrawn() | actions.Ticked() | actions.Noticed() | actions.Connected():
                    self._tell(action)
                case actions.Stopped():
                    self._enough.set()
                    self._tell(action)

    def _wake(self) -> None:
        """Let those go on who wait until something happens."""
        if not self._moved.done():
            self._moved.set_result(None)
            self._moved = asyncio.get_running_loop().create_future()

    def _tell(self, news: actions.News) -> None:
        self._wake()
        for listener in list(self._listeners.values()):
            try:
                listener(news)
            except Exception:
                logger.exception("A listener failed; the link goes on.")
