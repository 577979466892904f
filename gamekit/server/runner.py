"""Runs one session: turns the clock and the world's events into stimuli, and does what the actions say.

Owns one session, its clock and its connections' delivery. Knows nothing of HTTP; sockets reach it through `Socket`.
While the session sleeps under open sockets, the runner stays without it: a `Bed` in its place, see `sleep`. Longer than
most files, because all of it is one order: what is done with a session, its clock and its sockets at one moment.

Invariants:

- One call into the session takes about `SLICE_US` of the loop, or one part of its work that cannot be divided. What is
  left is done in `turns`; until then nothing of the session's state moves.
- Whatever a game raises ends this game, and is seen by no other: everything that asks it goes through `guarded`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from gamekit import wire
from gamekit.errors import HookFailed, SessionError
from gamekit.game import GameId, Tick
from gamekit.journal import Append, Completion, Reserve, Write
from gamekit.server.beats import silent_frame
from gamekit.server.clock import GameClock
from gamekit.server.guard import FAULTS, contained
from gamekit.server.measure import TickTimes
from gamekit.server.overload import Load
from gamekit.server.pace import Pace
from gamekit.server.parts import framed
from gamekit.server.pen import Pen
from gamekit.server.settings import (
    CATCH_UP_TICKS,
    HARD_CALL_US,
    HARD_CALLS,
    HARD_WITHIN_US,
    HEARTBEAT_MAX_S,
    LONG_CALL_US,
    SLICE_US,
    UNKNOWN_LEAD_TICKS,
    UNWATCHED_S,
)
from gamekit.server.silences import Silences
from gamekit.server.sleep import Bed
from gamekit.server.turns import rest_us
from gamekit.session import (
    ADMIN,
    Action,
    Appended,
    Attached,
    ConnectionId,
    Detached,
    JournalFailed,
    Received,
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
from gamekit.wire import Outcome

if TYPE_CHECKING:
    from gamekit.server.host import Host

log = logging.getLogger("gamekit.server")
T = TypeVar("T")

#: Sessions that nobody watches go on together on this grid, so that they share commits.
UNWATCHED_GRID_US = 1_000_000
_TICKED = Ticked()


class Socket(Protocol):
    """A connection that can be written to."""

    #: True for MessagePack frames, False for JSON.
    binary: bool
    #: True for large messages in parts.
    parts: bool

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
        clock: its clock, where it is not to begin at the session's tick now.
    """

    def __init__(
        self, host: Host, session: Session[Any], *, chain: str, phase: int = 0, clock: GameClock | None = None
    ) -> None:
        self.host = host
        self.id: GameId = session.id
        self._session: Session[Any] | None = session
        #: What is left of the session while it sleeps; None while it is awake.
        self.bed: Bed | None = None
        self.sockets: dict[ConnectionId, Socket] = {}
        self.times = TickTimes()
        self.load = Load()
        session.meter = self.times
        session.lead = UNKNOWN_LEAD_TICKS
        if clock is None:
            clock = GameClock(phase)
            clock.anchor(host.now_us(), session.tick, session.speed)
        self.clock = clock
        #: When somebody last asked for the session or said anything to it, on the host's clock.
        self.used_us = host.now_us()
        #: How many bring the session to now in order to read from it; it must not be dropped under them.
        self.readers = 0
        #: The second in which its silent sockets hear of it; see `beats`.
        self.beat_at = 0
        self._quiet_s = 1
        #: Each connection's own schedule of heartbeats, where a common one would tell what others do; else None.
        self._silences = Silences() if session.secretive else None
        self.pace = Pace(self)
        #: Until when the session rests after a call that took long, on the host's clock.
        self.rest_until_us = 0
        self.queued = False
        #: True when it may sleep as soon as the tick under way is complete.
        self.drowsy = False
        #: Since when its tick is due that waits for its turn.
        self._since_us: int | None = None
        #: How late the tick under way began, and the work that it has taken until now.
        self._late_us = self._work_us = self._measured_slot_us = 0
        #: Calls that took very long, one after the other, and when the latest one ended.
        self._hard_calls = self._hard_us = 0
        #: The last of the writes after which the session may be dropped, until something happens to it.
        self._settling: Write | None = None
        #: When the host wakes this session next, on the host's clock; None while it sleeps until a stimulus.
        self.due_us: int | None = None
        self._pen = Pen(host, clock, chain)
        self._tickets: dict[TicketId, Callable[[Outcome], None]] = {}
        #: Why this session takes nothing more: its rules or its host failed, or it was closed; None while it runs.
        self.ended: str | None = None
        #: True when the journal's failure that made the session read-only is one that passes.
        self.failure_passes = False
        #: True when it was closed, and all of it is in the journal.
        self.closed = False

    @property
    def session(self) -> Session[Any]:
        """The session.

        Raises:
            SessionError: it sleeps; ask the host for its runner, which wakes it.
        """
        if self._session is None:
            raise SessionError(f"Game {self.id} sleeps; ask for it again.")
        return self._session

    @property
    def asleep(self) -> bool:
        """True while the session is not in memory."""
        return self._session is None

    @property
    def busy(self) -> bool:
        """True while a command, a question or a tick is on its way."""
        session = self._session
        if self.ended or session is None:
            return False
        if session.readonly:
            return session.midway
        return not session.intake.empty or bool(self._tickets) or session.waiting or session.midway

    @property
    def readonly(self) -> str | None:
        """Why no command is accepted; None while commands are, and while the session sleeps or has ended."""
        return None if self._session is None or self.ended is not None else self._session.readonly

    @property
    def settling(self) -> bool:
        """True while what the session is rebuilt from is on its way to the disk, so that it can be dropped."""
        return self._settling is not None

    def wake(self, now_us: int) -> None:
        """The host's clock reached `due_us`: let the session tick, or wait for its turn when it is a heavy one."""
        if self.bed is not None:
            self.due_us = None
            self.host.rouse(self.id)
        elif self.waits(now_us):
            self._since_us, self.due_us = self.due_us, None
            self.host.turns.add(self)
        else:
            self._tick(now_us)

    def turn(self) -> None:
        """It is this session's turn on the loop."""
        session = self._session
        if session is None or (self.host.draining and not session.midway and not self.busy):
            return
        # What one slot brings is one tick, in however many turns: the first is measured, the rest is work of the next.
        now_us = self.host.now_us()
        slot_us = self.clock.next_slot(now_us)
        same_slot, self._measured_slot_us = slot_us == self._measured_slot_us, slot_us
        self._tick(now_us, same_slot=same_slot)

    def _tick(self, now_us: int, *, same_slot: bool = False) -> None:
        """Let the session go on with its time, and measure it, unless that was done in this slot."""
        since_us = self.due_us if self._since_us is None else self._since_us
        if since_us is not None:
            self._late_us = max(now_us - since_us, 0)
        begun = time.perf_counter_ns()
        self._feed(_TICKED, now_us, waits=False)
        self._work_us += (time.perf_counter_ns() - begun) // 1000
        session = self._session
        if session is None or self.ended is not None:
            return
        if self.drowsy and not session.midway:
            self.drowsy = False
            self.host.dormitory.consider(self)
        if not session.watched:
            return
        self.host.housekeeping.measured[self] = None
        if not session.midway:
            self.load.late(self._late_us)
            if not same_slot:
                metrics = self.host.metrics
                self.times.add(self._late_us, self._work_us)
                metrics.lateness.observe(self._late_us / 1e6)
                metrics.work.observe(self._work_us / 1e6)
                self._work_us = 0
            self._late_us = self.pace.late_us(session, now_us) if session.cut else 0

    def waits(self, now_us: int) -> bool:
        """Whether the session must wait for its turn with all that moves its state."""
        return self.queued or now_us < self.rest_until_us or now_us < self.load.heavy_until_us

    def feed(self, stimulus: Stimulus) -> None:
        """Give the session one stimulus and do what it says. One that has ended, or sleeps, takes nothing."""
        now_us = self.host.now_us()
        self._feed(stimulus, now_us, waits=self.waits(now_us))

    def _feed(self, stimulus: Stimulus, now_us: int, *, waits: bool) -> None:
        session = self._session
        if self.ended is not None or session is None:
            return
        self._settling = None
        if isinstance(stimulus, Received):
            self.used_us = now_us
        if not waits:
            since_us, self._since_us = self.due_us if self._since_us is None else self._since_us, None
            if since_us is not None and session.policy.overload == "dilate":
                self.pace.dilate(session, now_us - since_us)
        spent_ns, before = self.host.spent_ns(), session.tick
        bound = before + (-1 if waits else CATCH_UP_TICKS)
        try:
            actions = session.handle(stimulus, self.clock.tick_at(now_us), bound, self.host.patience())
            if actions:
                self._perform(actions)
            self._charge(session.tick - before, spent_ns, now_us)
            if waits:
                self.host.turns.add(self)
            else:
                self._schedule(session, now_us, bound)
        except FAULTS as error:
            self._failed(error)

    def read(self, ask: Callable[[], T]) -> T:
        """Ask the game something for somebody outside. Nothing of it changes, so it may fail; but it is charged."""
        spent_ns, now_us = self.host.spent_ns(), self.host.now_us()
        try:
            return contained(ask)
        finally:
            self._charge(None, spent_ns, now_us)

    def _charge(self, passed: Tick | None, spent_ns: int, now_us: int) -> None:
        """A call is over: what it cost, and what follows from that."""
        host, load, session = self.host, self.load, self.session
        wall_us = host.now_us() - now_us
        # A busy machine is not the game's fault; but a call that waits holds the others up as one that works does.
        cost_us = wall_us if wall_us >= HARD_CALL_US else (host.spent_ns() - spent_ns) // 1000
        if passed is not None:
            # How soon a command takes effect is a matter of real time.
            load.worked(passed, wall_us)
        if session.cut or wall_us >= SLICE_US:
            session.lead = load.stride(UNKNOWN_LEAD_TICKS)
        if cost_us < SLICE_US:
            return
        load.called(cost_us)
        self.rest_until_us = host.now_us() + rest_us(cost_us)
        if cost_us > LONG_CALL_US:
            host.metrics.long_calls.inc()
        if cost_us >= HARD_CALL_US:
            if now_us - self._hard_us > HARD_WITHIN_US:
                self._hard_calls = 0
            self._hard_calls, self._hard_us = self._hard_calls + 1, host.now_us()
            if self._hard_calls >= HARD_CALLS and not session.paused and not session.readonly:
                self._pause(cost_us)
        elif passed:
            self._hard_calls = 0

    def _pause(self, cost_us: int) -> None:
        """The game holds everybody up: it stands still until its owner has done something about that."""
        why = (
            f"The server pauses this game: {self._hard_calls} of its steps in a row took over {HARD_CALL_US / 1e6:g} s "
            f"each, the last {cost_us / 1e6:.1f} s, and held all other games up. Its owner makes the step cheaper, or "
            "the game smaller, and resumes it."
        )
        self.load.stopped, self._hard_calls = why, 0
        log.warning("game %s is paused: %s", self.id, why)
        self.notify("overload", why, self.load.late_us / 1000)
        # Before its next step, not after it.
        self.session.lead = 0
        self.ask(lambda ticket: Submitted(ticket, ADMIN, "@server", 0, {"type": "pause"}), lambda outcome: None)

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Ask the game something: if it raises, this game ends, and nothing else does."""
        try:
            yield
        except FAULTS as error:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        """What the state is now is not known: nothing of it may be shown, kept or built upon."""
        log.error(
            "game %s failed and is stopped; its history is safe, a restart recovers it, and "
            "`gamekit open %s --db DATA/gamekit.db` shows the tick before in a notebook",
            self.id,
            self.id,
            exc_info=error,
        )
        why = f" ({error})" if isinstance(error, HookFailed) else ""
        self.end(f"The game failed and is stopped{why}; a restart of the server recovers it from its history.")

    def end(self, why: str) -> None:
        """Take nothing more, answer who waits, and let the connections go."""
        self.ended = why
        self.due_us = None
        self.host.turns.discard(self)
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
        self.used_us = self.host.now_us()
        if not self.sockets:
            self.pace.join(self.session, self.used_us)
        self.sockets[hello.connection] = socket
        if self._silences is not None:
            self._silences.joined(hello.connection, self.host.beats.second)
        self.host.beats.plan_soon(self)
        self.feed(hello)

    def detach(self, connection: ConnectionId) -> None:
        """A socket is gone."""
        if self.sockets.pop(connection, None) is None:
            return
        if self._silences is not None:
            self._silences.left(connection)
        if self.asleep:
            self.host.dormitory.left(self, connection)
            return
        self.used_us = self.host.now_us()
        self.feed(Detached(connection))
        if not self.sockets:
            self.load = Load()
            self.session.pace = 1.0

    def committed(self, done: Completion) -> None:
        """The journal finished one of this session's writes."""
        if done.error is None and done.write is self._settling:
            self._settling = None
            self.host.dormitory.settled(self)
        elif done.error is not None:
            self.host.log_journal_error(self.id, done.error)
            self.fail(f"{done.error.message}; {done.error.hint}", passes=done.error.recoverable)
        elif isinstance(done.write, Append):
            wait_us = self.host.now_us() - self._pen.begun_us
            self.times.add_journal(wait_us)
            self.host.metrics.journal.observe(wait_us / 1e6)
            self.feed(Appended(done.write.record.seq))
        elif isinstance(done.write, Reserve) and not done.write.final:
            self.feed(TickReserved(done.write.tick))

    def fail(self, why: str, *, passes: bool) -> None:
        """The journal takes no write of this session; `passes` when that may end without a restart."""
        if self.readonly is None:
            self.failure_passes = passes
            self.feed(JournalFailed(why, passes))

    def notify(self, kind: str, text: str, late_ms: float = 0.0) -> None:
        """Tell everybody connected."""
        if self.ended is None and self._session is not None:
            with self.guarded():
                self._perform(self._session.notify(kind, text, late_ms))

    # --- sleep, silence, overload -----------------------------------------------------------------------------

    def behind(self, now_us: int) -> bool:
        """True when the session is not where its clock is."""
        return self.session.tick < self.pace.target(self.session, now_us)

    def settle(self) -> None:
        """Make durable what the session is rebuilt from; if nothing happens to it meanwhile, it is dropped then."""
        with self.guarded():
            writes = self._pen.writes(self.session, self.session.settle())
            self._settling = writes[-1]
            self.host.journal.submit(writes)
            # Its time goes on when something happens to it before it is dropped, and not by itself.
            self.due_us = None
            self.host.turns.discard(self)

    def lie_down(self, bed: Bed, due_us: int | None) -> None:
        """Let go of the session; the sockets stay. It is woken at `due_us`, or when somebody speaks."""
        self.bed = bed
        self._session = None
        self.host.turns.discard(self)
        self.due_us = due_us
        self.host.schedule(self)
        if self.sockets:
            self.host.beats.plan_soon(self)

    def rise(self, session: Session[Any]) -> None:
        """The session is back as it lay down: bring it to now."""
        self.bed = None
        self._session = session
        self.pace.join(session, self.host.now_us())
        session.meter = self.times
        session.lead = self.load.stride(UNKNOWN_LEAD_TICKS)
        self.due_us = None
        self.host.keep(self)
        self.host.beats.plan_soon(self)
        self.feed(Ticked())

    def beat(self) -> None:
        """Say a word to those who heard nothing, and plan the next: the longer nothing is said, the later."""
        if not self.sockets or self.ended is not None:
            return
        if self._silences is not None:
            next_s = self._beat_each(self._silences)
        elif self.bed is not None:
            next_s = self._quiet_s = HEARTBEAT_MAX_S
            for socket in list(self.sockets.values()):
                socket.deliver(silent_frame(HEARTBEAT_MAX_S, socket.binary))
            self.host.metrics.messages.inc(len(self.sockets))
        else:
            next_s, self._quiet_s = self._quiet_s, min(2 * self._quiet_s, HEARTBEAT_MAX_S)
            self.feed(Ticked(heartbeat=True, next_s=float(next_s)))
        self.host.beats.plan(self, next_s)

    def _beat_each(self, silences: Silences) -> int:
        """Send the heartbeats that are due to single connections; in how many seconds the next one is."""
        second = self.host.beats.second
        due = silences.due(second)
        for connection, next_s in due:
            if socket := self.sockets.get(connection):
                socket.deliver(silent_frame(next_s, socket.binary))
        self.host.metrics.messages.inc(len(due))
        return silences.wait_s(second)

    def look(self, now_us: int) -> None:
        """A second has passed: tell the players when the session is overloaded, and when it is over."""
        session = self._session
        if session is None or self.ended is not None or not self.sockets:
            return
        was = self.load.active
        news = self.load.look(now_us, session.policy.overload)
        if news is None:
            return
        if self.load.active and not was:
            self.host.metrics.overloads.labels(session.policy.overload).inc()
        session.pace = news.factor
        self.notify(news.kind, news.message, news.late_ms)

    # --- the journal ------------------------------------------------------------------------------------------

    def close(self) -> list[Write]:
        """End in order; what the journal must hold so that the next run begins exactly here.

        Nothing for a session that failed, that is in the middle of a tick, or whose last record may or may not be on
        disk: its history tells.
        """
        session = self._session
        if session is None or self.ended is not None:
            return []
        certain = not session.readonly and session.intake.empty and not session.midway
        writes: list[Write] = []
        with self.guarded():
            if certain:
                writes = self._pen.writes(session, session.settle())
        if self.ended is None:
            self.closed = bool(writes)
            self.end("The server is shutting down; connect again in a moment.")
        return writes

    def _perform(self, actions: list[Action]) -> None:
        """Do what the session says: first what must reach the disk, so that nothing else can get in its way."""
        # Nearly always there is nothing but what is sent.
        if others := [action for action in actions if not isinstance(action, Send)]:
            session = self.session
            if any(isinstance(action, Retimed) for action in others):
                # Never before a tick that a command was numbered for at the old pace.
                tick = max(session.tick, session.intake.last_tick)
                self.clock.anchor(self.host.now_us(), tick, session.speed)
                self.pace.anchored()
                if not session.paused:
                    self.load.stopped = None
            if writes := self._pen.writes(session, others):
                self.host.journal.submit(writes)
        for action in actions:
            if isinstance(action, Send):
                self._send(action)
            elif isinstance(action, Settled) and (answer := self._tickets.pop(action.ticket, None)):
                answer(action.outcome)

    def _send(self, action: Send) -> None:
        """Encode and frame once per format, and hand the same bytes to every socket."""
        begun = time.perf_counter_ns()
        message = action.message
        if isinstance(message, wire.Pong):
            if self._silences is None:
                message = msgspec.structs.replace(message, lateness_ms=self.times.lately_late_us / 1000)
        elif isinstance(message, wire.Delta):
            self._quiet_s = 1
            if self._silences is not None:
                for connection in action.connections:
                    self._silences.spoken(connection)
        frames: dict[tuple[bool, bool], bytes] = {}
        metrics = self.host.metrics
        sockets = self.sockets
        for connection in action.connections:
            socket = sockets.get(connection)
            if socket is None:
                continue
            form = (socket.binary, socket.parts)
            if form not in frames:
                payload = wire.encode(message, binary=socket.binary)
                frames[form] = framed(payload, binary=socket.binary, parts=socket.parts)
            socket.deliver(frames[form])
        metrics.encodings.inc(len(frames))
        metrics.messages.inc(len(action.connections))
        self.times.add_fanout((time.perf_counter_ns() - begun) // 1000)

    def _schedule(self, session: Session[Any], now_us: int, bound: Tick) -> None:
        """Tell the host when the session wants to tick next.

        Args:
            session: this runner's.
            now_us: the host's clock.
            bound: how far the session was allowed to go just now.
        """
        if session.cut or session.midway:
            self.load.cut(now_us)
            self.pace.overdue(session, now_us)
            self.due_us = None
            self.host.turns.add(self)
            return
        due = session.next_due()
        still = session.paused or session.readonly is not None
        due_us: int | None
        if session.tick >= bound and not still:
            self.pace.overdue(session, now_us)
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
        if due_us is not None:
            due_us = max(due_us, self.rest_until_us)
        if due_us != self.due_us:
            self.due_us = due_us
            self.host.schedule(self)
