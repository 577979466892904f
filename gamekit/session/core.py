"""One game session: the single source of truth about one running game, sans-IO.

Owns: the game's state, the order of commands, exactly-once answers, what each connection is shown.
Does not own: time (the host says `now` with every stimulus), durability (the host carries `AppendRecord` and
`ReserveTick` to a journal and reports back), sockets, encodings. Imports no clock, no loop, no I/O.

Invariants:

- A command is acknowledged only after its record is durable, and takes effect only then.
- The state never goes past the reserved tick, past a record that is not durable yet, or past `hold_at`. What is sent
  is always read from the state, so nothing is shown that recovery would not rebuild.
- Records are numbered without gaps and their ticks never fall; those of one tick apply in order of their numbers.
- All that is in `snapshot()` changes only by applying records and letting time pass: it is decided by the history.
- A host may have a tick, or a record, carried out in parts (`enough`). Until the last part is done nothing is read from
  the state, and `tick` and all that is sent stay at the last tick that was shown whole. Commands are journaled
  meanwhile; what needs the state waits (`_held`).

Longer than most files, because its methods are the transitions of one state machine; what has a state of its own (the
way in, the answers, the connections, the deltas, what is carried out in parts) is in its own module.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

import msgspec

from gamekit.errors import SessionError
from gamekit.game import TICK_HZ, Enough, Event, Game, GameId, PlayerId, Tick
from gamekit.session import control
from gamekit.session.answers import Answer, Answers
from gamekit.session.audience import Audience
from gamekit.session.execution import Execution
from gamekit.session.intake import Intake
from gamekit.session.policy import Policy
from gamekit.session.records import SAVED_FORMAT, Saved, read_line, read_saved
from gamekit.session.stimuli import (
    Action,
    Appended,
    AppendRecord,
    Attached,
    CaughtUp,
    ConnectionId,
    Detached,
    FellBehind,
    JournalFailed,
    KeepSnapshot,
    Meter,
    Received,
    ReserveTick,
    Retimed,
    Send,
    Settled,
    Stimulus,
    Submitted,
    Ticked,
    TickReserved,
)
from gamekit.wire import Ack, Error, Hello, Outcome, Ping, Pong

S = TypeVar("S")

#: How far ahead of the clock ticks are reserved: what passes at speed 1 in so many seconds, or in the second number of
#: seconds at the game's own speed, whichever is more. A restart after a crash skips at most this much.
RESERVE_S = 30
FAST_RESERVE_S = 2
#: Game time between snapshots, in ticks at speed 1; and the same when no command came in meanwhile.
SNAPSHOT_TICKS = 600
QUIET_SNAPSHOT_TICKS = 6000
#: A faster game keeps them less often in game time, but at most this many times: recovery replays what lies between.
SNAPSHOT_PACE = 20
#: How long a session that nobody watches keeps deltas for those who left, in ticks at speed 1.
LINGER_TICKS = 600


class _NoMeter:
    def lap(self, phase: str) -> None:
        pass


class Session(Generic[S]):
    """One running game.

    Args:
        game: the rules.
        state: the game's state; the session owns it from now on.
        id: the game's id.
        name: display name.
        epoch: number of this run, unique per game.
        seq: number of the last record that is applied to `state`.
        reserved: the tick up to which may be shown already.
        meter: told where the phases of a tick end; by default nobody listens.
    """

    def __init__(
        self,
        game: Game[S],
        state: S,
        *,
        id: GameId,
        name: str,
        epoch: int,
        seq: int = 0,
        reserved: Tick = 0,
        meter: Meter | None = None,
    ) -> None:
        self.game = game
        self.state = state
        self.id = id
        self.name = name
        self.epoch = epoch
        self.seq = seq
        self.reserved = reserved
        self.speed = 1.0
        self.hold_at: Tick | None = None
        self.policy = Policy()
        #: The share of `speed` at which the host lets time run just now: for what clients are told, not of the state.
        self.pace = 1.0
        self.players: dict[PlayerId, str] = {}
        self.answers = Answers()
        self.readonly: str | None = None
        admitted = getattr(game, "admitted", None)
        admit = None if admitted is None else lambda player, command: admitted(self.state, player, command)
        self.intake = Intake(game.command_type, seq, admit)
        self.audience = Audience(self)
        self.meter: Meter = meter or _NoMeter()
        #: How far ahead of the state a command may take effect at most, in ticks; None without limit. The host sets it,
        #: so that the commands of a game that is late do not wait for all that it has to make up for.
        self.lead: Tick | None = None
        #: True when the latest call ended because it was enough: more may be due already.
        self.cut = False
        self.execution = Execution(self)
        self._reserving = reserved
        #: Reservations on their way to the journal that still count; a lower one makes those before it void.
        self._requested: set[Tick] = set()
        self._players_numbered = 0
        self._snapshot_tick = game.tick(state)
        #: When the last connection left; None while nobody has ever been here in this run.
        self._unwatched_since: Tick | None = None
        self._announced_pause = False
        self.actions: list[Action] = []
        #: How far the call under way may go, and until when; None without limit.
        self._bound: Tick | None = None
        self._enough: Enough | None = None
        #: True while nothing of the session may move, or be looked at closely: it is not its turn.
        self._still = False
        #: The tick up to which everything was shown; and the same while the state stands inside a tick or a record.
        self._shown_at: Tick = game.tick(state)
        self._stands: Tick | None = None
        #: The latest answer of the game's, which must not be asked in the middle of a tick.
        self._secretive = True
        #: What cannot be answered before that is complete.
        self._held: deque[Attached | CaughtUp | FellBehind | Received] = deque()

    # --- what the host asks -----------------------------------------------------------------------------------

    @property
    def tick(self) -> Tick:
        """The tick that the state stands at, the last complete one; everything shown is at or before it."""
        return self.game.tick(self.state) if self._stands is None else self._stands

    @property
    def secretive(self) -> bool:
        """Whether the game keeps things from its players; in the middle of a tick, whether it did before."""
        if self._stands is None:
            self._secretive = self.game.secretive(self.state)
        return self._secretive

    @property
    def reached(self) -> Tick:
        """The last tick of which all time has passed, shown or not."""
        return self.game.tick(self.state) - self.execution.inside

    @property
    def midway(self) -> bool:
        """True while the state stands inside a tick or a record: it must not be read."""
        return self._stands is not None

    @property
    def paused(self) -> bool:
        """True while game time stands still."""
        return self.hold_at is not None and self.tick >= self.hold_at

    @property
    def watched(self) -> bool:
        """True when anybody is connected."""
        return bool(self.audience.viewers)

    @property
    def waiting(self) -> bool:
        """True while a durable command waits for its tick, or is being carried out."""
        return bool(self.intake.durable)

    def next_due(self) -> Tick | None:
        """The next tick at which the session wants a `Ticked`; None when only another stimulus can move it."""
        if self._stands is not None:
            return self._stands
        durable = self.intake.durable
        due = durable[0].tick if durable else None
        of_game = self.game.next_due(self.state)
        if of_game is not None and (due is None or of_game < due):
            due = of_game
        if self.audience.viewers and not self.readonly and not self.paused:
            renewal = self._reserving - self._reserve_ticks() // 2 + 1
            if due is None or renewal < due:
                due = renewal
        return None if due is None or due > self._limit() else due

    def new_player(self) -> PlayerId:
        """A player id that nobody in this game has or was given before in this run."""
        taken = [int(player[1:]) for player in self.players if player[1:].isdigit()]
        self._players_numbered = max(self._players_numbered, *taken, 0) + 1
        return PlayerId(f"p{self._players_numbered}")

    def handle(
        self, stimulus: Stimulus, now: Tick, bound: Tick | None = None, enough: Enough | None = None
    ) -> list[Action]:
        """Take in one stimulus.

        Args:
            stimulus: what happened.
            now: the tick that the clock shows.
            bound: how far the game may go in this call, for a session that has much to catch up with. Below the
                session's tick nothing of it moves, not even what it is in the middle of, and whoever comes waits.
            enough: asked between two parts of its work; True ends the call, and `cut` says that more may be due. None
                does all of it.

        Returns:
            What the host must do, in order.

        Raises:
            SessionError: the stimulus is impossible in this state; the host has a bug.
        """
        actions: list[Action] = []
        self.actions = actions
        self._bound, self._enough, self.cut = bound, enough, False
        self._still = bound is not None and bound < self.tick
        self._take(stimulus, now)
        if self._held and self._stands is None and not self._still:
            self._answer_held(now)
        self._bound = self._enough = None
        return actions

    def _answer_held(self, now: Tick) -> None:
        """Answer what waited for the tick, as of that tick; the rest in later calls when it takes long."""
        self._bound = self.tick - 1
        waiting, self._held = self._held, deque()
        while waiting:
            self._take(waiting.popleft(), now)
            if waiting and self._enough is not None and self._enough():
                self.cut = True
                break
        waiting.extend(self._held)
        self._held = waiting

    def _take(self, stimulus: Stimulus, now: Tick) -> None:
        match stimulus:
            case Ticked():
                self._advance(now)
                if stimulus.heartbeat:
                    self.actions += self.audience.heartbeat(stimulus.next_s)
            case Received():
                if not self._waits(stimulus.connection, stimulus):
                    self._receive(stimulus, now)
            case Appended():
                self._appended(stimulus.seq, now)
            case TickReserved():
                if stimulus.tick in self._requested:
                    self._requested.discard(stimulus.tick)
                    self.reserved = max(self.reserved, stimulus.tick)
                self._advance(now)
            case Attached():
                self._advance(now)
                if self._stands is not None or self._still:
                    self._held.append(stimulus)
                    return
                self.actions += self.audience.attach(stimulus)
                self._advance(now)
            case Detached():
                self._held = deque(one for one in self._held if one.connection != stimulus.connection)
                self.audience.detach(stimulus.connection)
                self._unwatched_since = self.tick
            case Submitted():
                self._submitted(stimulus, now)
            case FellBehind():
                if self._waits(stimulus.connection, stimulus):
                    return
                if viewer := self.audience.viewer(stimulus.connection):
                    viewer.behind = True
            case CaughtUp():
                if self._stands is not None or self._still:
                    self._held.append(stimulus)
                elif viewer := self.audience.viewer(stimulus.connection):
                    self.actions.append(self.audience.catch_up(viewer))
            case JournalFailed():
                self._journal_failed(stimulus)

    def _waits(self, connection: ConnectionId, stimulus: FellBehind | Received) -> bool:
        """Whether a stimulus comes after one of the same connection that waits; then it waits too."""
        if not self._held or all(one.connection != connection for one in self._held):
            return False
        self._held.append(stimulus)
        return True

    def notify(self, kind: str, text: str, late_ms: float = 0.0) -> list[Action]:
        """A notice to everybody connected."""
        return list(self.audience.notify(kind, text, late_ms))

    def granted(self, tick: Tick) -> None:
        """The journal holds a reservation up to `tick`, and no later one that counts."""
        self.reserved = tick
        # One less, so that the next step reserves ahead at once, and nothing that is due there waits for the next slot.
        self._reserving = tick - 1

    def settle(self) -> list[Action]:
        """What the journal must hold so that the session can be dropped now, and rebuilt exactly here.

        It gives back what was reserved, so the session may also go on: then it reserves anew. Only for a session in
        which no command is on its way.
        """
        keeps = self.tick != self._snapshot_tick or self.execution.commands > 0
        settled: list[Action] = [self.keep_snapshot()] if keeps else []
        self._requested.clear()
        self.granted(self.tick)
        return [*settled, ReserveTick(tick=self.tick, lower=True)]

    # --- the past ---------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The session as bytes: equal histories give equal bytes.

        Raises:
            SessionError: the state stands inside a tick or a record.
        """
        if self._stands is not None:
            raise SessionError(f"Game {self.id} is in the middle of a tick; let it finish before it is saved.")
        return msgspec.msgpack.encode(
            Saved(
                format=SAVED_FORMAT,
                state=self.game.encode(self.state),
                speed=self.speed,
                hold_at=self.hold_at,
                players=self.players,
                answers=self.answers.rows(),
                policy=self.policy,
            )
        )

    def keep_snapshot(self) -> KeepSnapshot:
        """A snapshot of now, to be kept."""
        self._snapshot_tick = self.tick
        self.execution.commands = 0
        return KeepSnapshot(tick=self.tick, seq=self.seq, encoded=self.snapshot())

    @property
    def kept(self) -> tuple[Tick, int]:
        """The tick of the latest snapshot that is kept of this session, and how many commands were applied since."""
        return self._snapshot_tick, self.execution.commands

    @kept.setter
    def kept(self, kept: tuple[Tick, int]) -> None:
        self._snapshot_tick, self.execution.commands = kept

    @classmethod
    def restore(
        cls, game: Game[S], encoded: bytes, version: int, *, id: GameId, name: str, epoch: int, seq: int
    ) -> Session[S]:
        """The session that a snapshot was made of, with nobody connected.

        Args:
            encoded: what `snapshot` gave.
            version: of the game's rules that made it.
            seq: the record after which it was made.

        Raises:
            SessionError: the snapshot is of an unknown format.
        """
        saved = read_saved(encoded)
        session = cls(game, game.decode(saved.state, version), id=id, name=name, epoch=epoch, seq=seq)
        session.speed = saved.speed
        session.hold_at = saved.hold_at
        session.players = saved.players
        session.answers = Answers(saved.answers)
        session.policy = saved.policy
        session.intake.last_tick = session.tick
        session._announced_pause = session.paused
        return session

    def replay(self, seq: int, tick: Tick, commands: str) -> list[Event]:
        """Apply one durable record of the past: the same code as live, with nobody connected.

        Raises:
            SessionError: the record does not follow on the last one.
        """
        if seq != self.seq + 1 or tick < self.tick:
            raise SessionError(
                f"Record {seq} at tick {tick} does not follow record {self.seq} at tick {self.tick} of game {self.id}; "
                "run `gamekit verify` on the database."
            )
        events = self.game.advance(self.state, tick)
        self.execution.apply(read_line(seq, tick, commands), None, shown=False)
        events += [one.event for one in self.execution.happened]
        self.execution.happened = []
        self.actions = []
        self.intake.last_seq, self.intake.last_tick = seq, tick
        return events

    def run_to(self, tick: Tick) -> list[Event]:
        """Let time pass to `tick` without commands, but not beyond where the game was paused."""
        target = tick if self.hold_at is None else min(tick, self.hold_at)
        return self.game.advance(self.state, target) if target > self.tick else []

    # --- commands ---------------------------------------------------------------------------------------------

    def _receive(self, received: Received, now: Tick) -> None:
        viewer = self.audience.viewer(received.connection)
        if viewer is None:
            raise SessionError(f"Connection {received.connection} sent a message before it was attached.")
        message = received.message
        reply: Ack | Error | Pong | None
        if isinstance(message, Ping):
            self._advance(now)
            reply = Pong(t=message.t, tick=self.tick)
        elif isinstance(message, Hello):
            raise SessionError("A hello is the host's to check; it becomes `Attached`.")
        elif viewer.player is None:
            text = "Spectators cannot give commands; join the game first."
            reply = Error(code="spectator", message=text, cid=message.cid)
        else:
            reply = self.intake.offer(
                viewer.player, viewer.client, message.cid, message.body, answers=self.answers, closed=self.readonly
            )
            self._flush(now)
        if reply is not None:
            self.actions.append(Send(connections=(viewer.connection,), message=reply))
        if isinstance(reply, Ack) and (known := self.answers.find(viewer.key, reply.cid)):
            self.actions += self.audience.refuse(viewer.key, known)

    def _submitted(self, asked: Submitted, now: Tick) -> None:
        reply = self.intake.offer(
            asked.player,
            asked.client,
            asked.cid,
            asked.body,
            answers=self.answers,
            closed=self.readonly,
            ticket=asked.ticket,
        )
        if isinstance(reply, Error):
            refused = Outcome(cid=asked.cid, tick=self.tick, seq=0, code=reply.code, message=reply.message)
            self.actions.append(Settled(ticket=asked.ticket, outcome=refused))
        elif reply is not None:
            known = self.answers.find(f"{asked.player}/{asked.client}", reply.cid)
            assert known is not None, "an ack without a pending command comes from the answers"
            self.actions.append(Settled(ticket=asked.ticket, outcome=known.outcome()))
        self._flush(now)

    def _flush(self, now: Tick) -> None:
        """Send what is gathered to the journal, as one record, unless one is under way."""
        if self.readonly:
            return
        at = self.game.tick(self.state)
        tick = now + 1
        if self.lead is not None:
            # Up to what falls due next, time passes at no cost.
            due = at if self._stands is not None else self.game.next_due(self.state)
            tick = tick if due is None else min(tick, max(at, due - 1) + self.lead)
        if self.hold_at is not None:
            tick = min(tick, self.hold_at)
        if made := self.intake.next_line(max(tick, at)):
            line, text = made
            self.actions.append(AppendRecord(epoch=self.epoch, seq=line.seq, tick=line.tick, commands=text))

    def _appended(self, seq: int, now: Tick) -> None:
        line, acks = self.intake.appended(seq)
        # A durable record reserves its tick: recovery goes at least that far.
        self.reserved = max(self.reserved, line.tick)
        for entry, ack in acks:
            self.actions += self.audience.acknowledge(entry.key, ack)
        self._flush(now)
        self._advance(now)

    def _journal_failed(self, failure: JournalFailed) -> None:
        if self.readonly:
            return
        until = "it can; the server tries every second" if failure.passes else "the server restarts"
        self.readonly = f"The journal cannot be written ({failure.message}); no command is accepted until {until}."
        self.actions += self.audience.notify("readonly", self.readonly)
        outcome = Outcome(cid=0, tick=self.tick, seq=0, code="readonly", message=self.readonly)
        entries, tickets = self.intake.abandon()
        self.actions += [Settled(ticket=ticket, outcome=outcome) for ticket in tickets]
        if failure.passes:
            # The game may stay in memory for long; what was sent is not left without a word.
            for entry in (one for one in entries if one.cid):
                turned_away = Answer(cid=entry.cid, tick=self.tick, seq=0, code="readonly", message=self.readonly)
                self.actions += self.audience.refuse(entry.key, turned_away)

    # --- time -------------------------------------------------------------------------------------------------

    def _reserve_ticks(self) -> int:
        return int(TICK_HZ * max(RESERVE_S, FAST_RESERVE_S * self.speed))

    def _reserve_less(self) -> None:
        """Give back what was reserved at a higher speed, so that a crash does not skip it."""
        most = max(self.execution.at, self.intake.last_tick) + self._reserve_ticks()
        if self._reserving > most:
            self._reserving = most
            self._requested.clear()
            self.reserved = min(self.reserved, most)
            self.actions.append(ReserveTick(tick=most, lower=True))

    def _limit(self) -> Tick:
        """The last tick that the state may go to now, by what is not durable yet or held."""
        limit, at = self.reserved, self.game.tick(self.state)
        if self.intake.under_way:
            # What failed on its way to the disk may be there: its tick is as far as anything may be shown.
            before = self.intake.under_way.tick - (0 if self.readonly else 1)
            limit = min(limit, max(before, at))
        if self._bound is not None:
            limit = min(limit, max(self._bound, at))
        if self.hold_at is not None:
            limit = min(limit, max(self.hold_at, self.intake.durable[0].tick if self.intake.durable else 0))
        return limit

    def _advance(self, now: Tick) -> None:
        """Go as far towards `now` as may be shown, apply what is durable, and send what happened."""
        at = self.game.tick(self.state) if self._stands is None else self._stands
        if self._bound is not None and self._bound < at:
            return
        self.meter.lap("other")
        self._shown_at = at
        # What took more than one call ends its last one, so that it is shown, and what waits for it is answered.
        self.cut = self._resume() if self.execution.midway else not self._go_on(now)
        if self.execution.midway or (self.hold_at is not None and self._past_hold()):
            self._stands = self._shown_at
            self.cut = True
        else:
            self._stands = None
            self._show()

    def _resume(self) -> bool:
        """Go on with the tick or the record under way; True, for more may be due."""
        in_record = self.execution.in_record
        if self.execution.resume(self._enough, self._shown) and in_record:
            self.intake.durable.popleft()
        self.meter.lap("commands" if in_record else "rules")
        return True

    def _past_hold(self) -> bool:
        """True on the way from a pause to a record that was numbered before it: time alone does not lead there."""
        return self.hold_at is not None and bool(self.intake.durable) and self.game.tick(self.state) > self.hold_at

    def _go_on(self, now: Tick) -> bool:
        """Reserve ahead, apply what is durable, let time pass; False when it was enough before."""
        wanted = now if self.hold_at is None else min(now, self.hold_at)
        ahead = self._reserve_ticks() // 2 if self.audience.viewers and not self.paused else 0
        # Step by step: however far the clock is ahead, no more is reserved than may be lived through soon.
        reach = wanted if self._bound is None else min(wanted, max(self._bound, self.tick))
        if reach > self._reserving - ahead and not self.readonly:
            self._reserving = reach + self._reserve_ticks()
            self._requested.add(self._reserving)
            self.actions.append(ReserveTick(tick=self._reserving))
        target = min(wanted, self._limit())
        execution, enough, shown, at = self.execution, self._enough, self._shown, self.game.tick(self.state)
        while self.intake.durable:
            # A pause does not hold back what was numbered before it: time stands still after the last of them.
            line = self.intake.durable[0]
            if line.tick > max(target, at) and not (self.hold_at is not None and line.tick >= self.hold_at):
                break
            if line.tick > at and not execution.advance(line.tick, enough, shown):
                return False
            at = line.tick
            self.meter.lap("rules")
            if not execution.apply(line, enough, shown):
                return False
            self.intake.durable.popleft()
            self.meter.lap("commands")
            if enough is not None and enough():
                return False
            # A command that slows the game down gave reserved ticks back, and what is given back is not shown.
            target = min(target, self.reserved)
            if self.hold_at is not None:
                target = min(target, self.hold_at)
        if enough is not None and self.lead is not None and target - at > self.lead:
            # There is more to make up for than may be done soon: what is done already does not wait for it.
            self._stands = None
            self._show()
        if target <= at:
            return True
        reached = execution.advance(target, enough, shown)
        self.meter.lap("rules")
        return reached

    def _show(self) -> None:
        """The state is complete: send what happened, and keep a snapshot when it is time."""
        self._shown_at = self.tick
        if happened := self.execution.happened:
            self.execution.happened = []
            if self._shown:
                self.actions += self.audience.show(happened)
            else:
                self.audience.stream.skip()
            self.meter.lap("fanout")
        if self.paused != self._announced_pause:
            self._announced_pause = self.paused
            kind, text = ("paused", "The game is paused.") if self.paused else ("resumed", "The game goes on.")
            self.actions += self.audience.notify(kind, text)
        self._snapshot_when_due()

    @property
    def _shown(self) -> bool:
        """True when somebody sees what happens, or may come back and ask for it."""
        if self.audience.viewers:
            return True
        left = self._unwatched_since
        return left is not None and self.tick - left <= LINGER_TICKS * max(1.0, self.speed)

    def steer(self, command: control.Control) -> None:
        """Carry out one of the session's own commands, at the state's tick."""
        at = self.execution.at
        match command:
            case control.Pause():
                self.hold_at = at
            case control.Resume():
                self.hold_at = None
            case control.Step(ticks=ticks):
                self.hold_at = at + ticks
            case control.SetSpeed(speed=speed):
                self.speed = speed
                self._reserve_less()
                pace = "normal" if speed == 1 else f"{speed:g} times normal"
                self.actions += self.audience.notify("speed", f"The game runs at {pace} speed.")
            case control.SetPolicy(when_empty=when_empty, overload=overload):
                self.policy = self.policy.changed(when_empty, overload)
        self.actions.append(Retimed())

    def _snapshot_when_due(self) -> None:
        interval = SNAPSHOT_TICKS if self.execution.commands else QUIET_SNAPSHOT_TICKS
        passed = self.tick - self._snapshot_tick
        if passed < interval or self.readonly:
            return
        if passed >= interval * min(max(1.0, self.speed), SNAPSHOT_PACE):
            self.actions.append(self.keep_snapshot())
