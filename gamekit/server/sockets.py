"""The WebSocket endpoint: hello, messages, backpressure. A bad client is answered or disconnected here, harmlessly."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, StreamClosedError
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol, WebSocketProtocol13

from gamekit import wire
from gamekit.errors import GamekitError, NoSuchGame, RemoteProtocolError
from gamekit.game import GameId
from gamekit.server import parts
from gamekit.server.access import Refusal
from gamekit.server.api import PROBLEM_TYPE, problem_document
from gamekit.server.backlog import Backlog
from gamekit.server.frames import frame
from gamekit.server.held import unsent_bytes
from gamekit.server.pings import PING
from gamekit.server.readahead import ReadAhead
from gamekit.server.settings import (
    BEHIND_BYTES,
    BYTES_PER_MESSAGE,
    HELLO_TIMEOUT_S,
    MESSAGES_BURST,
    MESSAGES_PER_S,
    TOO_SLOW_BYTES,
    WAKE_TOLD_S,
)
from gamekit.server.straight import broken, unread, write_straight
from gamekit.session import Attached, CaughtUp, ConnectionId, FellBehind, Received

if TYPE_CHECKING:
    from gamekit.server.app import Server
    from gamekit.server.runner import Runner

log = logging.getLogger("gamekit.server")

CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008
CLOSE_TRY_AGAIN = 1013
CLOSE_NO_GAME = 4404
#: How often a connection that is not read from is asked whether it is gone, and whether it has read, in seconds.
GONE_LOOK_S = 0.25
UNREAD_LOOK_S = 0.05
#: What a snapshot costs the loop, seen and encoded, in seconds a byte: 9 ms for 465 kB, 70 ms for 5.4 MB; from which
#: size on it is paid for, in bytes; and how many times smaller it is in parts.
SNAPSHOT_S_A_BYTE = 2e-8
LARGE_BYTES = 64 * 1024
PARTS_RATIO = 10
#: Within so many bytes a frame tells its message's type.
_TYPE_BYTES = 48


class GameSocket(WebSocketHandler):
    """One player's (or spectator's) connection to one game."""

    def initialize(self, server: Server) -> None:
        """Tornado's way to hand the route's arguments over."""
        self.server = server
        self.host = server.host
        self.binary = False
        self.parts = False
        self.runner: Runner | None = None
        self.connection = ConnectionId(0)
        self.attached = False
        self.behind = False
        self._allowance = MESSAGES_BURST
        self._allowance_at = 0.0
        self._hello_timer: object | None = None
        self._delivered = 0
        self._asked = False
        self._backlog = Backlog()
        #: True until a hello is answered, and until its snapshot is paid for.
        self._welcome_due = self._price_due = False
        #: True once it was counted as one that does not read in time.
        self._slow = False
        #: Bytes that the other end had acknowledged at the latest look.
        self._taken = 0
        #: True once the connection is closed.
        self.gone = False
        #: The connection below, also when it is closed.
        self._stream: IOStream | None = None

    # --- the handshake ----------------------------------------------------------------------------------------

    async def get(self, *args: str, **kwargs: str) -> None:
        """Refuse what cannot become a socket with a sentence, as every other route does; then Tornado's handshake."""
        refused = self.server.access.origin_refusal(self.request)
        if refused is None and self.request.headers.get("Upgrade", "").lower() != "websocket":
            detail = "This address is for WebSockets: the client, and every proxy on the way, must pass Upgrade on."
            refused = Refusal(400, "bad_request", detail)
        if refused is None:
            await super().get(*args, **kwargs)
            return
        self.set_status(refused.status)
        self.set_header("Content-Type", PROBLEM_TYPE)
        self.finish(problem_document(*refused))

    def check_origin(self, origin: str) -> bool:
        """Only this server's pages, and those of allowed origins, may connect from a browser."""
        return self.server.access.origin_refusal(self.request) is None

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """MessagePack when the client asks for it, else JSON."""
        for offered in subprotocols:
            if offered in {wire.SUBPROTOCOL_MSGPACK, wire.SUBPROTOCOL_JSON}:
                self.binary = offered == wire.SUBPROTOCOL_MSGPACK
                return offered
        return None

    def get_websocket_protocol(self) -> WebSocketProtocol | None:
        """Tornado's, but reading ahead."""
        protocol = super().get_websocket_protocol()
        if isinstance(protocol, WebSocketProtocol13):
            return ReadAhead(self, mask_outgoing=False, params=protocol.params)
        return protocol

    async def open(self, game: str) -> None:
        """Find the game; say welcome at once when the URL carries a token."""
        self.set_nodelay(True)
        self._stream = None if self.ws_connection is None else self.ws_connection.stream
        self.server.sockets.add(self)
        self.host.metrics.connections.inc()
        try:
            runner = await self._brought_back(GameId(game))
        except NoSuchGame:
            self._refuse("no_such_game", f"There is no game {game!r}; check the link.", CLOSE_NO_GAME)
            return
        except GamekitError as error:
            self._refuse("unavailable", f"The game cannot be opened: {error}", CLOSE_TRY_AGAIN)
            return
        if self.gone:
            return
        # Only now is it read from, so only now can it answer.
        self.host.pings.add(self)
        self.runner = runner
        try:
            token = self.get_query_argument("token", None)
            client = self.get_query_argument("client", "")
            self.parts = self.get_query_argument("parts", "") == parts.ASKED_FOR
        except HTTPError:
            self._refuse("bad_token", "The address could not be read; join the game again.", CLOSE_POLICY)
            return
        if token is not None:
            await self._hello_later(wire.Hello(token=token, client=client))
        else:
            self._hello_timer = IOLoop.current().call_later(HELLO_TIMEOUT_S, self._hello_missing)

    async def _brought_back(self, game: GameId) -> Runner:
        """The game's runner; while it is long in coming, how far it is is told now and then."""
        coming = asyncio.ensure_future(self.host.runner(game, self.request.remote_ip or ""))
        try:
            while True:
                done, _ = await asyncio.wait([coming], timeout=WAKE_TOLD_S)
                if done:
                    return coming.result()
                if told := self.host.openings.told(game):
                    self._tell(wire.Notice("waking", told["message"], tick=0, speed=1.0, paused=True))
        finally:
            coming.cancel()

    def _tell(self, message: wire.ToClient) -> None:
        self.deliver(frame(wire.encode(message, binary=self.binary), binary=self.binary))

    def _hello_missing(self) -> None:
        if not self.attached:
            text = f"The first message must be a hello, within {HELLO_TIMEOUT_S:.0f} seconds."
            self._refuse("no_hello", text, CLOSE_POLICY)

    def _hello(self, hello: wire.Hello) -> None:
        runner = self.runner
        if runner is None:
            return
        player = None
        token = hello.token or self._argument("token")
        if token:
            player = self.server.tokens.player(runner.id, token)
            if player is None or player not in runner.session.players:
                self._refuse("bad_token", "The token is not valid for this game; join it again.", CLOSE_POLICY)
                return
        client = hello.client or self._argument("client")
        if len(client) > wire.MAX_CLIENT_CHARS or "/" in client:
            text = f"A client id is at most {wire.MAX_CLIENT_CHARS} characters without '/'."
            self._refuse("bad_client", text, CLOSE_POLICY)
            return
        repeated, began_s = self.attached, time.thread_time()
        if not self.attached:
            self.connection = self.server.new_connection()
        self.attached = True
        before = self._delivered
        self._welcome_due = self._price_due = True
        runner.attach(Attached(self.connection, player, client, hello.resume), self)
        if repeated and self._price_due:
            # One costs next to nothing; twenty sockets with a hundred each cost seconds.
            self.server.budgets.charge(self._accounts()[1:], time.thread_time() - began_s, cheap_too=True)
        # A snapshot is work: whoever asks for large ones again and again is read more slowly.
        self._allowance -= (self._delivered - before) / BYTES_PER_MESSAGE

    def _accounts(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """To which accounts this connection's expensive answers go."""
        return ("game", self.runner.id if self.runner is not None else ""), ("address", self.request.remote_ip or "")

    def _argument(self, name: str) -> str:
        """A parameter of the URL; `open` has made sure that it can be read."""
        return self.get_query_argument(name, "")

    # --- messages ---------------------------------------------------------------------------------------------

    def on_message(self, received: str | bytes) -> Awaitable[None] | None:
        """Take one message. Reading goes on when the returned wait is over, so a flood is slowed down at its source."""
        if self.host.draining or self.runner is None:
            return None
        wait_s = self._debt_s()
        if wait_s > 0 or self.runner.asleep or (self._stream is not None and unread(self._stream) > BEHIND_BYTES):
            return self._take_later(received, wait_s)
        return self._take(received, self.runner)

    def control_frame(self) -> Awaitable[bool] | None:
        """A ping or pong of the WebSocket protocol came, which counts as a message."""
        wait_s = self._debt_s()
        return self._turn(wait_s) if wait_s > 0 else None

    def _take(self, received: str | bytes, runner: Runner) -> Awaitable[None] | None:
        try:
            message = wire.decode(received, binary=isinstance(received, bytes))
        except RemoteProtocolError as error:
            self._error(error.code, error.message, error.cid)
            return None
        if isinstance(message, wire.Hello):
            if self.attached or self._welcome_due or self.server.budgets.wait_s(self._accounts()) > 0:
                return self._hello_later(message)
            self._hello(message)
        elif not self.attached:
            self._error("hello_first", "Say hello before anything else.")
        else:
            runner.feed(Received(self.connection, message))
        return None

    async def _hello_later(self, hello: wire.Hello) -> None:
        """Answer a hello when the one before it is answered, and its game and its address have paid for theirs."""
        if self.attached:
            # Others have their turn between two of one socket.
            await asyncio.sleep(0)
        while (wait_s := self.server.budgets.wait_s(self._accounts())) > 0 or self._welcome_due:
            if not await self._turn(max(wait_s, UNREAD_LOOK_S)):
                return
        if not self.gone:
            self._hello(hello)

    async def _take_later(self, received: str | bytes, wait_s: float) -> None:
        """Take a message when it is this client's turn, and its game is awake. Nothing is read meanwhile."""
        if not await self._turn(wait_s):
            return
        if self.runner is not None and self.runner.asleep:
            try:
                self.runner = await self.host.runner(self.runner.id)
            except GamekitError as error:
                self._refuse("unavailable", f"The game cannot be woken: {error}", CLOSE_TRY_AGAIN)
                return
        if self.runner is None or self.host.draining or self.ws_connection is None:
            return
        if (later := self._take(received, self.runner)) is not None:
            await later

    async def _turn(self, wait_s: float) -> bool:
        """Wait for this client's turn: so long, and until it has read what it was sent. False when it is gone."""
        stream, loop = self._stream, asyncio.get_running_loop()
        until = loop.time() + wait_s
        while stream is not None and not stream.closed() and not self.gone and not self.host.draining:
            left_s = until - loop.time()
            full = unread(stream) > BEHIND_BYTES
            if full and not self._slow:
                self._slow = True
                self.host.metrics.slow.inc()
            if left_s <= 0 and not full:
                return True
            try:
                await asyncio.sleep(min(left_s, GONE_LOOK_S) if left_s > 0 else UNREAD_LOOK_S)
            except asyncio.CancelledError:
                # The loop ends with the server; Tornado would log that as an error of this handler.
                return False
            # Nothing is read from it meanwhile, so nothing else would notice.
            if broken(stream):
                stream.close()
        return False

    def _debt_s(self) -> float:
        """How long this client must wait, because it has sent more than its share."""
        now = IOLoop.current().time()
        earned = (now - self._allowance_at) * MESSAGES_PER_S
        self._allowance = min(self._allowance + earned, MESSAGES_BURST) - 1
        self._allowance_at = now
        return -self._allowance / MESSAGES_PER_S

    def on_close(self) -> None:
        """The connection is gone, for whatever reason."""
        self.gone = True
        if self._hello_timer is not None:
            IOLoop.current().remove_timeout(self._hello_timer)
            self._hello_timer = None
        self.server.sockets.discard(self)
        if self._stream is not None and self.server.http is not None:
            self.server.http.release(self._stream)
        self.host.pings.discard(self)
        self.host.metrics.connections.dec()
        if self.runner is not None and self.attached:
            self.runner.detach(self.connection)

    # --- delivery ---------------------------------------------------------------------------------------------

    def deliver(self, framed: bytes) -> None:
        """Write one frame; a client that does not read is moved to snapshots, then disconnected."""
        connection = self.ws_connection
        stream = None if connection is None else connection.stream
        # A connection whose stream is closed is closing.
        if stream is None or connection is None or connection.is_closing():
            return
        try:
            waiting = write_straight(stream, framed)
        except StreamClosedError:
            return
        self._delivered += len(framed)
        if self._welcome_due or self._price_due:
            self._answered(framed)
        counted = self._backlog.counted(len(framed), waiting)
        if counted > TOO_SLOW_BYTES:
            self.close(CLOSE_TRY_AGAIN, "too slow: reconnect and resume")
        elif counted > BEHIND_BYTES and not self.behind and self.runner is not None:
            self.behind = self._slow = True
            self.host.metrics.slow.inc()
            # Not at once: this runs inside the session's own actions.
            IOLoop.current().add_callback(self.runner.feed, FellBehind(self.connection))
            IOLoop.current().add_callback(self._wait_until_read)

    def _answered(self, framed: bytes) -> None:
        """A hello is being answered; a game under load does that when it is its turn, and what it costs counts then."""
        if self._welcome_due:
            self._welcome_due = b"welcome" not in framed[:_TYPE_BYTES]
        elif (size := len(framed) * (PARTS_RATIO if self.parts else 1)) > LARGE_BYTES:
            self._price_due = False
            self.server.budgets.charge(self._accounts(), size * SNAPSHOT_S_A_BYTE)

    def check(self) -> None:
        """Ask a client that said nothing for a sign of life, and let go of one that did not give it."""
        connection = self.ws_connection
        if not isinstance(connection, ReadAhead):
            return
        if connection.heard or self._reads(connection.stream):
            connection.heard = self._asked = False
        elif self._asked:
            self.close(CLOSE_TRY_AGAIN, "no sign of life: reconnect and resume")
        else:
            self._asked = True
            self.deliver(PING)

    def _reads(self, stream: IOStream) -> bool:
        """Whether more of a large message that is on its way was taken since the last look: a slow line lives too."""
        waiting = unread(stream)
        if not waiting:
            return False
        taken, before = self._delivered - waiting - unsent_bytes(stream), self._taken
        self._taken = taken
        return taken > before

    def dismiss(self, why: str) -> None:
        """Close, because the session has ended."""
        draining = self.host.draining
        self.close(CLOSE_GOING_AWAY if draining else CLOSE_TRY_AGAIN, "drain" if draining else "unavailable")

    async def _wait_until_read(self) -> None:
        """When everything was read, go on with a snapshot."""
        stream = self.ws_connection.stream if self.ws_connection else None
        while stream is not None and not stream.closed() and stream.writing():
            await asyncio.sleep(0.1)
        if self.runner is not None and stream is not None and not stream.closed():
            self.behind = False
            self.runner.feed(CaughtUp(self.connection))

    def _error(self, code: str, text: str, cid: int | None = None) -> None:
        self.host.metrics.refused.inc()
        self._tell(wire.Error(code=code, message=text, cid=cid))

    def _refuse(self, code: str, text: str, close_code: int) -> None:
        self._error(code, text)
        self.close(close_code, code)
