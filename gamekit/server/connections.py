"""The HTTP server's connections: how many there are, how long each may be idle or late, and what a full machine does.

Owns accepting, the caps (in all and per address) and the deadlines of connections: a request's head, its body, an
answer that is not read, and idleness between requests. Knows nothing of games and routes. A connection that becomes a
WebSocket is counted here until it is released; its own deadlines are in `sockets`.

Where a cap is reached, the connection that has waited longest without a request makes room; where none is idle for a
while, newcomers are told to come again. Where the system has no descriptor left, accepting pauses for a moment: the
listening socket stays readable, so going on would spin.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream

from gamekit.server.held import HEAD_S, Held, Noted
from gamekit.server.straight import unread

log = logging.getLogger("gamekit.server")

#: How long the body of a request may take, in seconds.
BODY_S = 60.0
#: Unread bytes that may wait in the server, of one address and in all, in bytes; beyond, those go of whose answers no
#: byte was taken for so long, in seconds.
UNREAD_ADDRESS_BYTES = 32 * 1024 * 1024
UNREAD_BYTES = 128 * 1024 * 1024
STALLED_S = 2.0
#: How often connections are looked at, in seconds, and how many of them in one go.
LOOK_S = 1.0
A_TURN = 256
#: How long accepting pauses when the system has no room, and how often the log says so at most, in seconds.
PAUSE_S = 0.5
SAY_AGAIN_S = 60.0
#: How long newcomers wait where every connection is at work, and after what time it is looked again, in seconds.
FULL_S = 1.0
FULL_PAUSE_S = 0.02
#: Connections accepted in one go, so that a crowd at the door does not hold up those inside.
ACCEPTS_A_TURN = 32
#: What the system says when it has no room for another connection.
NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
#: Most connections where nothing else is set, and descriptors left for the database and all else.
MOST_CONNECTIONS = 20_000
SPARE_DESCRIPTORS = 128
#: Most connections of one address that is not this machine's, where nothing else is set.
PER_ADDRESS = 256
#: What may be held of the bodies of all requests together, in bytes.
BODIES_BYTES = 128 * 1024 * 1024
#: What waits in a connection's buffer of what was read, in bytes; more than any request's head.
READ_BUFFER_BYTES = 1024 * 1024

_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def room_for_connections() -> int:
    """How many connections the process may hold, by its limit of descriptors."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return max(1, min(MOST_CONNECTIONS, limit - min(SPARE_DESCRIPTORS, limit // 2)))


class BoundedServer(HTTPServer):
    """Tornado's HTTP server with caps and deadlines.

    Args:
        request_callback: the application.
        most: connections in all.
        per_address: connections of one address; None for `PER_ADDRESS`, and without a cap for this machine's own.
        idle_s: how long a connection may wait for its next request, in seconds.
        uncapped: whether an address is a proxy's, behind which many stand.
        options: as `HTTPServer` takes them.
    """

    def initialize(  # type: ignore[override]
        self,
        request_callback: Any,
        *,
        most: int,
        per_address: int | None,
        idle_s: float,
        uncapped: Callable[[str], bool],
        **options: Any,
    ) -> None:
        """Tornado's way to hand the arguments over."""
        super().initialize(
            request_callback,
            idle_connection_timeout=idle_s + HEAD_S,
            body_timeout=BODY_S,
            max_buffer_size=READ_BUFFER_BYTES,
            **options,
        )
        self.most = most
        self.refused = 0
        #: What is held of the bodies of all requests, in bytes.
        self.body_bytes = 0
        self._per_address = per_address
        self._uncapped = uncapped
        self._idle_s = idle_s
        #: In the order in which they began to wait; those that are busy in between.
        self._held: dict[IOStream, Held] = {}
        self._of_address: Counter[str] = Counter()
        self._said_at: float | None = None
        self._task: asyncio.Task[None] | None = None

    # --- accepting --------------------------------------------------------------------------------------------

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Begin to accept."""
        for listening in sockets:
            self._sockets[listening.fileno()] = listening
            self._handlers[listening.fileno()] = self._listen(listening)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._look())

    def stop(self) -> None:
        """Accept no more."""
        super().stop()
        if self._task is not None:
            self._task.cancel()

    def _listen(self, listening: socket.socket) -> Callable[[], None]:
        """Accept on a socket; what is returned ends it."""
        loop = IOLoop.current()
        ended = False
        timer: object | None = None
        full_since: float | None = None

        def pause(seconds: float) -> None:
            nonlocal timer
            loop.remove_handler(listening)
            timer = loop.call_later(seconds, go_on)

        def go_on() -> None:
            nonlocal timer
            timer = None
            if not ended:
                loop.add_handler(listening, accept, IOLoop.READ)

        def accept(_: Any, __: int) -> None:
            nonlocal full_since
            for _turn in range(ACCEPTS_A_TURN):
                if ended:
                    return
                if len(self._held) < self.most or self._longest_idle(None):
                    full_since = None
                else:
                    # Most requests are over in a moment; newcomers wait outside until then.
                    full_since = loop.time() if full_since is None else full_since
                    if loop.time() - full_since < FULL_S:
                        pause(FULL_PAUSE_S)
                        return
                try:
                    connection, address = listening.accept()
                except BlockingIOError:
                    return
                except ConnectionAbortedError:
                    continue
                except OSError as error:
                    if error.errno not in NO_ROOM:
                        raise
                    pause(PAUSE_S)
                    self._no_room(error)
                    return
                self._take(connection, address)

        def end() -> None:
            nonlocal ended
            ended = True
            if timer is None:
                loop.remove_handler(listening)
            else:
                loop.remove_timeout(timer)

        go_on()
        return end

    def _take(self, connection: socket.socket, address: Any) -> None:
        peer = address[0] if isinstance(address, tuple) else ""
        cap = self._cap_of(peer)
        room = len(self._held) < self.most or self._make_room(None)
        if room and cap is not None and self._of_address[peer] >= cap:
            room = self._make_room(peer)
        if room:
            self._handle_connection(connection, address)
            return
        self.refused += 1
        # Whether it arrives does not matter: the connection's buffer is empty, so it does.
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.send(_FULL)
        connection.close()
        self._say(f"{len(self._held)} connections are open ({self._of_address[peer]} from {peer}): others are refused")

    def _cap_of(self, peer: str) -> int | None:
        if self._uncapped(peer):
            return None
        if self._per_address is not None:
            return self._per_address
        try:
            return None if ipaddress.ip_address(peer.partition("%")[0]).is_loopback else PER_ADDRESS
        except ValueError:
            return PER_ADDRESS

    def _make_room(self, peer: str | None) -> bool:
        """Close the connection that has waited longest without a request; of one address, or of any."""
        if held := self._longest_idle(peer):
            self._close(held)
        return held is not None

    def _longest_idle(self, peer: str | None) -> Held | None:
        for held in self._held.values():
            if not held.busy and not held.stream.writing() and peer in (None, held.address):
                return held
        return None

    def _no_room(self, error: OSError) -> None:
        for _ in range(ACCEPTS_A_TURN):
            if not self._make_room(None):
                break
        self._say(
            f"{error.strerror}: new connections wait until others have closed. Raise the limit of open files of this "
            "process (ulimit -n), or hold fewer with --max-connections"
        )

    def _say(self, what: str) -> None:
        now = IOLoop.current().time()
        if self._said_at is None or now - self._said_at >= SAY_AGAIN_S:
            self._said_at = now
            log.warning("%s; this is said once a minute at most", what)

    # --- connections ------------------------------------------------------------------------------------------

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Serve an accepted connection."""
        peer = address[0] if isinstance(address, tuple) and address else ""
        self._held[stream] = Held(stream, peer, IOLoop.current().time())
        self._of_address[peer] += 1
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Wait for a request."""
        delegate = super().start_request(server_conn, request_conn)
        held = self._held.get(request_conn.stream)  # type: ignore[attr-defined]
        if held is None:
            return delegate
        self._waits(held)
        return Noted(delegate, held, self._body_room)

    def on_close(self, server_conn: object) -> None:
        """HTTP is over on a connection: it is closed, or has become a WebSocket."""
        super().on_close(server_conn)
        stream = server_conn.stream  # type: ignore[attr-defined]
        if stream.closed():
            self.release(stream)

    def release(self, stream: IOStream) -> None:
        """A connection is gone. Idempotent."""
        if (held := self._held.pop(stream, None)) is not None:
            self._forget_body(held)
            self._of_address[held.address] -= 1
            if self._of_address[held.address] <= 0:
                del self._of_address[held.address]

    @property
    def open_connections(self) -> int:
        """How many there are, WebSockets among them."""
        return len(self._held)

    def streams(self, stream: IOStream) -> None:
        """The body of the request that a connection brings now is put aside as it comes, and held by nothing."""
        if (held := self._held.get(stream)) is not None:
            held.streams = True

    def _body_room(self, held: Held, size: int) -> bool:
        if self.body_bytes + size > BODIES_BYTES:
            self._say("Too many large requests are on their way at once: some are refused")
            return False
        self.body_bytes += size
        held.body_bytes += size
        return True

    def _forget_body(self, held: Held) -> None:
        self.body_bytes -= held.body_bytes
        held.body_bytes = 0
        held.streams = False

    def _waits(self, held: Held) -> None:
        self._forget_body(held)
        held.busy = False
        held.since = IOLoop.current().time()
        held.head_since = None
        # The longest waiting are first.
        self._held[held.stream] = self._held.pop(held.stream)

    def _close(self, held: Held) -> None:
        held.stream.close()
        self.release(held.stream)

    async def _look(self) -> None:
        """Close what keeps the server waiting, from now on."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            for number, held in enumerate(list(self._held.values()), 1):
                if held.stream.closed():
                    self.release(held.stream)
                elif held.overdue(loop.time(), self._idle_s):
                    self._close(held)
                if number % A_TURN == 0:
                    await asyncio.sleep(0)
            self._bound_unread(loop.time())

    def _bound_unread(self, now: float) -> None:
        """Close who has stalled longest, as long as more waits unread than may."""
        waiting = [held for held in self._held.values() if not held.stream.closed() and held.stream.writing()]
        of_address: Counter[str] = Counter()
        for held in waiting:
            of_address[held.address] += unread(held.stream)
        total = of_address.total()
        for held in sorted(waiting, key=lambda held: held.progress_at):
            if now - held.progress_at < STALLED_S:
                break
            if total > UNREAD_BYTES or of_address[held.address] > UNREAD_ADDRESS_BYTES:
                size = unread(held.stream)
                total -= size
                of_address[held.address] -= size
                self._close(held)
