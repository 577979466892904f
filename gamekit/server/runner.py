"""Runs one session: turns the clock and the world's events into stimuli, and does what the actions say.

Owns one session, its clock and its connections' delivery. Knows nothing of HTTP; sockets reach it through `Socket`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from gamekit import wire
from gamekit.errors import HookFailed
from gamekit.game import GameId, Tick
from gamekit.history import stored
from gamekit.journal import Append, Completion, PutPlayer, Record, Reserve, SaveSnapshot, Write, chain_of
from gamekit.server.clock import GameClock
from gamekit.server.frames import frame
from gamekit.server.measure import TickTimes
from gamekit.server.settings import CATCH_UP_TICKS, UNWATCHED_S
from gamekit.session import (
    Action,
    Appended,
    AppendRecord,
    Attached,
    ConnectionId,
    Detached,
    JournalFailed,
    KeepSnapshot,
    NotePlayer,
    ReserveTick,
    Retimed,
    Send,
    Session,
    Settled,
    Stimulus,
    Ticked,
    TicketId,
    TickReserved,
)
from gamekit.wire import Outcome

if TYPE_CHECKING:
    from gamekit.server.host import Host

log = logging.getLogger("gamekit.server")

#: Sessions that nobody watches go on together on this grid, so that they share commits.
UNWATCHED_GRID_US = 1_000_000


class Socket(Protocol):
    """A connection that can be written to."""

    #: True for MessagePack frames, False for JSON.
    binary: bool

    def deliver(self, framed: bytes) -> None:
        """Write one whole frame; never blocks and never raises."""
        ...

    def dismiss(self, why: str) -> None:
        """Close the connection, because its session has ended."""
        ...


class Runner:
    """One session in the host's loop.

    Args:
        host: gives clock, journal and metrics.
        session: what to run.
        chain: the chain of the session's last record.
        phase: in which slot of the 100 ms it ticks.
    """

    def __init__(self, host: Host, session: Session[Any], *, chain: str, phase: int) -> None:
        self.host = host
        self.session = session
        self.sockets: dict[ConnectionId, Socket] = {}
        self.times = TickTimes()
        session.meter = self.times
        self.clock = GameClock(phase)
        self.clock.anchor(host.now_us(), session.tick, session.speed)
        #: When the host wakes this session next, on the host's clock; None while it sleeps until a stimulus.
        self.due_us: int | None = None
        self._chain = chain
        self._append_started_us = 0
        self._tickets: dict[TicketId, Callable[[Outcome], None]] = {}
        #: Why this session takes nothing more: its rules or its host failed, or it was closed; None while it runs.
        self.ended: str | None = None

    @property
    def id(self) -> GameId:
        """The game's id."""
        return self.session.id

    @property
    def busy(self) -> bool:
        """True while a command or a question is on its way."""
        if self.ended or self.session.readonly:
            return False
        return not self.session.intake.empty or bool(self._tickets) or self.session.waiting

    def wake(self, now_us: int) -> None:
        """The host's clock reached `due_us`: let the session tick, and measure it."""
        late_us = now_us - (self.due_us or now_us)
        begun = time.perf_counter_ns()
        self.feed(Ticked())
        work_us = (time.perf_counter_ns() - begun) // 1000
        if self.session.watched:
            self.times.add(late_us, work_us)
            self.host.metrics.lateness.observe(late_us / 1e6)
            self.host.metrics.work.observe(work_us / 1e6)
            self.host.measured.add(self)

    def feed(self, stimulus: Stimulus) -> None:
        """Give the session one stimulus and do what it says. A session that has ended takes nothing."""
        if self.ended is not None:
            return
        now_us = self.host.now_us()
        tick = self.clock.tick_at(now_us)
        bound = self.session.tick + CATCH_UP_TICKS
        try:
            self._perform(self.session.handle(stimulus, tick, bound))
            self._schedule(now_us, bound)
        except Exception as error:
            # What the state is now is not known: nothing of it may be shown, kept or built upon.
            log.exception("game %s failed and is stopped; its history is safe, a restart recovers it", self.id)
            why = f" ({error})" if isinstance(error, HookFailed) else ""
            self.end(f"The game failed and is stopped{why}; a restart of the server recovers it from its history.")

    def end(self, why: str) -> None:
        """Take nothing more, answer who waits, and let the connections go."""
        self.ended = why
        self.due_us = None
        outcome = Outcome(cid=0, tick=0, seq=0, code="unavailable", message=why)
        waiting, self._tickets = list(self._tickets.values()), {}
        for answer in waiting:
            answer(outcome)
        for socket in list(self.sockets.values()):
            socket.dismiss(why)

    def ask(self, stimulus: Callable[[TicketId], Stimulus], answer: Callable[[Outcome], None]) -> None:
        """Submit something whose outcome somebody waits for."""
        if self.ended is not None:
            answer(Outcome(cid=0, tick=0, seq=0, code="unavailable", message=self.ended))
            return
        ticket = self.host.new_ticket()
        self._tickets[ticket] = answer
        self.feed(stimulus(ticket))

    def attach(self, hello: Attached, socket: Socket) -> None:
        """A socket said hello."""
        self.sockets[hello.connection] = socket
        self.host.watched.add(self)
        self.feed(hello)

    def detach(self, connection: ConnectionId) -> None:
        """A socket is gone."""
        if self.sockets.pop(connection, None) is not None:
            self.feed(Detached(connection))
        if not self.sockets:
            self.host.watched.discard(self)

    def committed(self, done: Completion) -> None:
        """The journal finished one of this session's writes."""
        if done.error is not None:
            self.host.log_journal_error(self.id, done.error)
            self.feed(JournalFailed(done.error.message))
        elif isinstance(done.write, Append):
            wait_us = self.host.now_us() - self._append_started_us
            self.times.add_journal(wait_us)
            self.host.metrics.journal.observe(wait_us / 1e6)
            self.feed(Appended(done.write.record.seq))
        elif isinstance(done.write, Reserve) and not done.write.final:
            self.feed(TickReserved(done.write.tick))

    def notify(self, kind: str, text: str) -> None:
        """Tell everybody connected."""
        if self.ended is None:
            self._perform(self.session.notify(kind, text))

    def close(self) -> list[Write]:
        """End in order; what the journal must hold so that the next run begins exactly here.

        Nothing for a session that failed, or whose last record may or may not be on disk: its history tells.
        """
        session = self.session
        certain = self.ended is None and not session.readonly and session.intake.empty
        self.end("The server is shutting down; connect again in a moment.")
        if not certain:
            return []
        keep = session.keep_snapshot()
        return [
            self._snapshot(keep),
            Reserve(game=self.id, epoch=session.epoch, tick=session.tick, final=True),
        ]

    def _perform(self, actions: list[Action]) -> None:
        """Do what the session says: first what must reach the disk, so that nothing else can get in its way."""
        writes = [write for action in actions if (write := self._write(action)) is not None]
        if writes:
            self.host.journal.submit(writes)
        for action in actions:
            if isinstance(action, Send):
                self._send(action)
            elif isinstance(action, Settled):
                if answer := self._tickets.pop(action.ticket, None):
                    answer(action.outcome)
            elif isinstance(action, Retimed):
                # Never before a tick that a command was numbered for at the old pace.
                tick = max(self.session.tick, self.session.intake.last_tick)
                self.clock.anchor(self.host.now_us(), tick, self.session.speed)

    def _write(self, action: Action) -> Write | None:
        match action:
            case AppendRecord():
                return self._append(action)
            case ReserveTick():
                return Reserve(game=self.id, epoch=self.session.epoch, tick=action.tick, final=action.lower)
            case KeepSnapshot():
                return self._snapshot(action)
            case NotePlayer():
                return PutPlayer(self.id, self.session.epoch, action.player, action.name)
        return None

    def _append(self, action: AppendRecord) -> Write:
        chain = chain_of(self._chain, self.id, action.epoch, action.seq, action.tick, action.commands)
        self._chain = chain
        self._append_started_us = self.host.now_us()
        record = Record(
            game=self.id, epoch=action.epoch, seq=action.seq, tick=action.tick, commands=action.commands, chain=chain
        )
        return Append(record)

    def _snapshot(self, keep: KeepSnapshot) -> Write:
        snapshot = stored(self.session, keep.encoded, tick=keep.tick, seq=keep.seq)
        return SaveSnapshot(snapshot, epoch=self.session.epoch)

    def _send(self, action: Send) -> None:
        """Encode and frame once per format, and hand the same bytes to every socket."""
        begun = time.perf_counter_ns()
        message = action.message
        if isinstance(message, wire.Pong):
            message = msgspec.structs.replace(message, lateness_ms=self.times.lately_late_us / 1000)
        framed: dict[bool, bytes] = {}
        metrics = self.host.metrics
        for connection in action.connections:
            socket = self.sockets.get(connection)
            if socket is None:
                continue
            if socket.binary not in framed:
                framed[socket.binary] = frame(wire.encode(message, binary=socket.binary), binary=socket.binary)
            socket.deliver(framed[socket.binary])
        metrics.encodings.inc(len(framed))
        metrics.messages.inc(len(action.connections))
        self.times.add_fanout((time.perf_counter_ns() - begun) // 1000)

    def _schedule(self, now_us: int, bound: Tick) -> None:
        """Tell the host when this session wants to tick next.

        Args:
            now_us: the host's clock.
            bound: how far the session was allowed to go just now.
        """
        session = self.session
        due = session.next_due()
        still = session.paused or session.readonly is not None
        due_us: int | None
        if session.tick >= bound and not still:
            due_us = self.clock.next_slot(now_us)
        elif session.watched or session.waiting:
            due_us = None if due is None else max(self.clock.slot_of(due), self.clock.next_slot(now_us))
        elif still:
            due_us = None
        else:
            due_us = (now_us + int(UNWATCHED_S * 1e6)) // UNWATCHED_GRID_US * UNWATCHED_GRID_US
            if session.hold_at is not None:
                due_us = min(due_us, max(self.clock.slot_of(session.hold_at), self.clock.next_slot(now_us)))
            if self.due_us is not None and now_us < self.due_us < due_us:
                due_us = self.due_us
        if due_us != self.due_us:
            self.due_us = due_us
            self.host.schedule(self)
