"""A session with everything around it in one process: a journal that is durable when told so, and recording clients."""

from __future__ import annotations

import json
from typing import Any

from gamekit import wire
from gamekit.game import Enough, Game, GameId, Join, PlayerId, merge
from gamekit.session import (
    ADMIN,
    Appended,
    AppendRecord,
    Attached,
    ConnectionId,
    Detached,
    JournalFailed,
    KeepSnapshot,
    NotePlayer,
    Received,
    ReserveTick,
    Retimed,
    Send,
    Session,
    Settled,
    Stimulus,
    Submitted,
    Ticked,
    TicketId,
    TickReserved,
)
from gamekit.wire import Outcome, Resume
from tests.counter_game import CounterGame

GAME = CounterGame()


class Viewer:
    """What one connection has received, and the mirror that it keeps."""

    def __init__(self) -> None:
        self.messages: list[wire.ToClient] = []
        self.view: dict[str, Any] = {}
        self.n = 0
        self.epoch = 0
        self.tick = 0

    def take(self, message: wire.ToClient) -> None:
        """Receive one message, through the real codec."""
        self.messages.append(message)
        plain = json.loads(wire.encode(message, binary=False))
        if isinstance(message, wire.Welcome):
            self.epoch = message.epoch
        elif isinstance(message, wire.Snapshot):
            self.view, self.n = plain["view"], message.n
        elif isinstance(message, wire.Delta):
            assert message.n > self.n, "a delta came twice or out of order"
            self.n = message.n
            merge(self.view, plain["changes"])
        # A welcome tells the tick of now, and deltas that were missed before it follow; an ack tells a tick to come.
        if isinstance(message, wire.Snapshot | wire.Delta | wire.Heartbeat | wire.Pong):
            assert message.tick >= self.tick, "time went back"
            self.tick = message.tick

    def of(self, kind: type) -> list[Any]:
        """The received messages of one kind."""
        return [message for message in self.messages if isinstance(message, kind)]


class World:
    """One session, its journal and its clock. `durable()` completes what waits; nothing is durable before.

    With `enough`, the session does its work in parts: a stimulus gets one call, and the rest follows in `pass_ticks`.
    """

    def __init__(
        self,
        config: dict[str, Any] | None = None,
        seed: int = 1,
        game: Game[Any] = GAME,
        enough: Enough | None = None,
    ) -> None:
        self.enough = enough
        self.game = game
        self.config = config or {}
        self.seed = seed
        self.now = 0
        self.records: list[AppendRecord] = []
        self.reserved = 0
        self.snapshots: list[KeepSnapshot] = []
        self.waiting: list[AppendRecord | ReserveTick] = []
        self.viewers: dict[ConnectionId, Viewer] = {}
        self.settled: dict[TicketId, Outcome] = {}
        self.players: dict[PlayerId, str] = {}
        self.retimed = 0
        self._numbers = 0
        self.session = self._first(epoch=1)
        self.snapshots.append(self.session.keep_snapshot())

    def _first(self, epoch: int) -> Session[Any]:
        state = self.game.new(self.config, self.seed)
        return Session(self.game, state, id=GameId("g"), name="Test", epoch=epoch)

    # --- driving ----------------------------------------------------------------------------------------------

    def feed(self, stimulus: Stimulus) -> None:
        """Give the session a stimulus and do what it says, as a host would."""
        for action in self.session.handle(stimulus, self.now, None, self.enough):
            match action:
                case Send():
                    for connection in action.connections:
                        self.viewers[connection].take(action.message)
                case AppendRecord() | ReserveTick():
                    self.waiting.append(action)
                case KeepSnapshot():
                    self.snapshots.append(action)
                case NotePlayer():
                    self.players[action.player] = action.name
                case Settled():
                    assert action.ticket not in self.settled, "a question was answered twice"
                    self.settled[action.ticket] = action.outcome
                case Retimed():
                    self.retimed += 1

    def durable(self, count: int | None = None) -> None:
        """Complete the first `count` waiting writes; all of them, and what they cause, by default."""
        done = 0
        while self.waiting and (count is None or done < count):
            write = self.waiting.pop(0)
            done += 1
            if isinstance(write, AppendRecord):
                self.records.append(write)
                self.feed(Appended(write.seq))
            elif write.lower:
                self.reserved = write.tick
            else:
                self.reserved = max(self.reserved, write.tick)
                self.feed(TickReserved(write.tick))

    def fail(self) -> None:
        """The journal breaks: nothing that waits becomes durable."""
        self.waiting.clear()
        self.feed(JournalFailed("disk full"))

    def pass_ticks(self, ticks: int, *, durable: bool = True) -> None:
        """Let the clock run, waking the session when it asks for it."""
        for _ in range(ticks):
            self.now += 1
            due = self.session.next_due()
            if due is not None and due <= self.now:
                self.feed(Ticked())
            if durable:
                self.durable()

    def finish(self) -> None:
        """Let the session do all that is due now, and all that is written become durable."""
        self.feed(Ticked())
        while self.session.cut or self.waiting:
            self.durable()
            self.feed(Ticked())

    def join(self, name: str = "Ada") -> PlayerId:
        """A new player, applied."""
        player = self.session.new_player()
        ticket = self.submit(player, Join(name=name))
        self.durable()
        self.pass_ticks(2)
        assert self.settled[ticket].code is None
        return player

    def submit(self, player: PlayerId, body: Any, *, cid: int = 0, client: str = "@server") -> TicketId:
        """A command without a connection."""
        self._numbers += 1
        ticket = TicketId(self._numbers)
        self.feed(Submitted(ticket, player, client, cid, body))
        return ticket

    def admin(self, **body: Any) -> TicketId:
        """One of the session's own commands, durable."""
        ticket = self.submit(ADMIN, body)
        self.durable()
        return ticket

    def connect(self, player: PlayerId | None = None, client: str = "c", resume: Resume | None = None) -> ConnectionId:
        """A new connection."""
        self._numbers += 1
        connection = ConnectionId(self._numbers)
        self.viewers[connection] = Viewer()
        self.feed(Attached(connection, player, client, resume))
        return connection

    def disconnect(self, connection: ConnectionId) -> None:
        """The connection is gone; what it has received stays."""
        self.feed(Detached(connection))

    def send(self, connection: ConnectionId, cid: int, **body: Any) -> None:
        """A command from a connection."""
        self.feed(Received(connection, wire.Command(cid=cid, body=body)))

    # --- the crash --------------------------------------------------------------------------------------------

    def recovered(self, *, use_snapshots: bool = True) -> Session[Any]:
        """The session that a new process rebuilds from what is durable."""
        epoch = self.session.epoch + 1
        if use_snapshots:
            kept = self.snapshots[-1]
            session = Session.restore(
                self.game, kept.encoded, self.game.version, id=GameId("g"), name="Test", epoch=epoch, seq=kept.seq
            )
        else:
            session = self._first(epoch)
        for record in self.records[session.seq :]:
            session.replay(record.seq, record.tick, record.commands)
        session.run_to(self.reserved)
        session.reserved = session.tick
        return session

    def crash(self, *, use_snapshots: bool = True) -> None:
        """Lose everything that is not durable, and start again; the clock goes on from the recovered tick."""
        self.waiting.clear()
        self.settled.clear()
        self.session = self.recovered(use_snapshots=use_snapshots)
        self.now = self.session.tick
