"""A small server that speaks the protocol honestly and can be told to break off at a chosen moment.

The real server cannot be made to lose a connection between two given bytes; this one can. It keeps the promises that
the client relies on: commands are applied once per number, answers are remembered, missed deltas can be had.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from gamekit import wire
from gamekit.wire import Ack, Command, Delta, Error, Hello, Outcome, Ping, Pong
from tests.client.sketch import done, failed, snapshot, welcome

#: Where a connection can be cut: on receipt of a command before anything is kept, or after one of the answers.
BEFORE_KEEPING, BEFORE_ACK, AFTER_ACK = "before keeping", "before ack", "after ack"


class FakeServer:
    """One game `g1` with one player, whose token is "good".

    Attributes:
        applied: bodies of the commands that took effect, in order.
        cut: {cid: where to break the connection off, once}.
        refuse: {cid: code with which the rules refuse it}.
        refuse_now: {cid: codes with which it is refused before the journal, one after the other}.
        epoch: changes when the fake is "restarted"; deltas of older ones are forgotten.
        deaf: True to answer nothing on sockets.
        hellos: all that were received.
    """

    def __init__(self) -> None:
        self.applied: list[dict[str, Any]] = []
        self.cut: dict[int, str] = {}
        self.refuse: dict[int, str] = {}
        self.refuse_now: dict[int, list[str]] = {}
        #: {cid: the code with which it was refused for now}, of those that have not come again
        self.turned_away: dict[int, str] = {}
        self.epoch = 1
        self.deaf = False
        self.close_code: tuple[int, str] | None = None
        self.hellos: list[Hello] = []
        self.pings = 0
        self.answers: dict[int, Outcome] = {}
        self.deltas: list[Delta] = []
        self.sockets: set[FakeSocket] = set()
        self.url = ""
        self.port = 0
        self.on_hello: Callable[[], None] = lambda: None
        self._http: HTTPServer | None = None

    async def __aenter__(self) -> FakeServer:
        self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vanish()

    def listen(self) -> None:
        """Accept connections, on the same port as before."""
        arguments = {"server": self}
        application = Application(
            [
                (r"/healthz", Fixed, {"body": {"status": "ok"}}),
                (r"/api/game/g1", Fixed, {"body": {"id": "g1", "name": "Test"}}),
                (r"/api/game/g1/ws", FakeSocket, arguments),
                (r".*", Missing),
            ],
            log_function=lambda _: None,
        )
        self._http = HTTPServer(application)
        if self.port:
            self._http.listen(self.port, "127.0.0.1")
        else:
            socket, self.port = bind_unused_port()
            self._http.add_socket(socket)
        self.url = f"http://127.0.0.1:{self.port}"

    async def vanish(self) -> None:
        """Stop listening and cut every connection without a word."""
        if self._http is not None:
            self._http.stop()
            for socket in list(self.sockets):
                socket.cut_off()
            await self._http.close_all_connections()

    def restart(self) -> None:
        """A new run: clients that resume get a snapshot."""
        self.epoch += 1
        self.deltas.clear()

    def happen(self, *events: dict[str, Any], changes: dict[str, Any] | None = None) -> None:
        """Make a delta and send it to everybody."""
        n = len(self.deltas) + 1
        at = (10 + n,) * len(events)
        delta = Delta(tick=10 + n, seq=len(self.answers) + 1, n=n, events=events, at=at, changes=changes or {})
        self.deltas.append(delta)
        for socket in list(self.sockets):
            if socket.greeted:
                socket.say(delta)

    def decide(self, command: Command) -> Outcome:
        """Apply a command, or find the answer that it was given before."""
        if command.cid not in self.answers:
            code = self.refuse.get(command.cid)
            n = len(self.deltas) + 1
            self.answers[command.cid] = Outcome(
                cid=command.cid, tick=10 + n, seq=len(self.answers) + 2, code=code, message="No." if code else None
            )
            if code is None:
                self.applied.append(command.body)
            event = failed(command.cid, code) if code else done(command.cid)
            self.happen({**event, "client": self.hellos[-1].client})
        return self.answers[command.cid]


class Fixed(RequestHandler):
    """Answers with one JSON value."""

    def initialize(self, body: dict[str, Any]) -> None:
        self.body = body

    def get(self) -> None:
        self.finish(json.dumps(self.body))


class Missing(RequestHandler):
    """Answers like the server does for a game that it does not know."""

    def get(self) -> None:
        self.set_status(404)
        self.finish(
            json.dumps({"title": "Not Found", "status": 404, "detail": "No such game.", "code": "no_such_game"})
        )


class FakeSocket(WebSocketHandler):
    """One connection."""

    def initialize(self, server: FakeServer) -> None:
        self.server = server
        self.greeted = False
        self.is_cut = False

    def open(self, *_: str, **__: str) -> None:
        self.server.sockets.add(self)

    def on_close(self) -> None:
        self.server.sockets.discard(self)

    def say(self, message: wire.ToClient) -> None:
        """Send, unless this side has gone silent."""
        if not self.server.deaf and not self.is_cut:
            self.write_message(msgspec.json.encode(message).decode()).add_done_callback(lambda sent: sent.exception())

    def cut_off(self) -> None:
        """Break the connection without a closing handshake."""
        self.is_cut = True
        self.server.sockets.discard(self)
        if self.ws_connection is not None and self.ws_connection.stream is not None:
            self.ws_connection.stream.close()

    def on_message(self, frame: str | bytes) -> None:
        if self.is_cut:
            # Frames that had come in before the cut are lost with it.
            return
        server = self.server
        message = wire.decode(frame, binary=False)
        match message:
            case Hello():
                server.hellos.append(message)
                self.greet(message)
            case Ping():
                server.pings += 1
                self.say(Pong(t=message.t, tick=10))
            case Command():
                self.command(message)

    def greet(self, hello: Hello) -> None:
        server = self.server
        if server.close_code is not None:
            code, word = server.close_code
            self.say(Error(code=word, message="That is not allowed here."))
            self.close(code, word)
            return
        self.greeted = True
        self.say(welcome(last_cid=max(server.answers, default=0), epoch=server.epoch, client=hello.client))
        if hello.resume is not None and hello.resume.epoch == server.epoch:
            for delta in server.deltas[hello.resume.n :]:
                self.say(delta)
        else:
            self.say(snapshot(n=len(server.deltas), outcomes=tuple(server.answers.values())))
        server.on_hello()

    def command(self, command: Command) -> None:
        server = self.server
        where = server.cut.pop(command.cid, None)
        if where == BEFORE_KEEPING:
            self.cut_off()
            return
        if where == BEFORE_ACK:
            self.cut_off()
            server.decide(command)
            return
        codes = server.refuse_now.get(command.cid)
        first = min(server.turned_away, default=command.cid)
        if first < command.cid or codes:
            code = server.turned_away[first] if first < command.cid else codes.pop(0)  # type: ignore[union-attr]
            server.turned_away[command.cid] = code
            self.say(Error(code=code, message="not now", cid=command.cid))
            return
        server.turned_away.pop(command.cid, None)
        outcome = server.decide(command)
        self.say(Ack(cid=outcome.cid, tick=outcome.tick, seq=outcome.seq))
        if outcome.code is not None:
            self.say(Error(code=outcome.code, message=outcome.message or "", cid=outcome.cid))
        if where == AFTER_ACK:
            self.cut_off()
