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

Longer than most files, because its methods are the transitions of one state machine; what has a state of its own (the
way in, the answers, the connections, the deltas) is in its own module.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec

from gamekit.errors import SessionError
from gamekit.game import TICK_HZ, Event, Game, GameId, PlayerId, Rejected, Tick
from gamekit.session import control
from gamekit.session.answers import MESSAGE_CHARS, Answer, Answers
from gamekit.session.audience import Audience
from gamekit.session.intake import Intake
from gamekit.session.policy import Policy
from gamekit.session.records import SAVED_FORMAT, Entry, Line, Saved, read_control, read_join, read_line, read_saved
from gamekit.session.stimuli import (
    Action,
    Appended,
    AppendRecord,
    Attached,
    CaughtUp,
    Detached,
    FellBehind,
    JournalFailed,
    KeepSnapshot,
    Meter,
    NotePlayer,
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
from gamekit.session.stream import Happening, told, untold
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


@lru_cache(maxsize=64)
def _decoder_of(command_type: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a game's commands. Making one costs half of what bringing a sleeping session back does."""
    return msgspec.json.Decoder(command_type)


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
        self.intake = Intake(game.command_type, seq)
        self.audience = Audience(self)
        self.meter: Meter = meter or _NoMeter()
        self._command_decoder = _decoder_of(game.command_type)
        self._reserving = reserved
        #: Reservations on their way to the journal that still count; a lower one makes those before it void.
        self._requested: set[Tick] = set()
        self._players_numbered = 0
        self._snapshot_tick = self.tick
        #: When the last connection left; None while nobody has ever been here in this run.
        self._unwatched_since: Tick | None = None
        self._commands_since_snapshot = 0
        self._announced_pause = False
        self._actions: list[Action] = []
        #: How far the call under way may go; None without limit.
        self._bound: Tick | None = None

    # --- what the host asks -----------------------------------------------------------------------------------

    @property
    def tick(self) -> Tick:
        """The tick that the state stands at; everything shown is at or before it."""
        return self.game.tick(self.state)

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
        """True while a durable command waits for its tick."""
        return bool(self.intake.durable)

    def next_due(self) -> Tick | None:
        """The next tick at which the session wants a `Ticked`; None when only another stimulus can move it."""
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

    def handle(self, stimulus: Stimulus, now: Tick, bound: Tick | None = None) -> list[Action]:
        """Take in one stimulus.

        Args:
            stimulus: what happened.
            now: the tick that the clock shows.
            bound: how far the game may go in this call, for a session that has much to catch up with.

        Returns:
            What the host must do, in order.

        Raises:
            SessionError: the stimulus is impossible in this state; the host has a bug.
        """
        actions: list[Action] = []
        self._actions = actions
        self._bound = bound
        match stimulus:
            case Ticked():
                self._advance(now)
                if stimulus.heartbeat:
                    actions += self.audience.heartbeat(stimulus.next_s)
            case Received():
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
                actions += self.audience.attach(stimulus)
                self._advance(now)
            case Detached():
                self.audience.detach(stimulus.connection)
                self._unwatched_since = self.tick
            case Submitted():
                self._submitted(stimulus, now)
            case FellBehind():
                if viewer := self.audience.viewer(stimulus.connection):
                    viewer.behind = True
            case CaughtUp():
                if viewer := self.audience.viewer(stimulus.connection):
                    actions.append(self.audience.catch_up(viewer))
            case JournalFailed():
                self._journal_failed(stimulus.message)
        self._bound = None
        return actions

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
        keeps = self.tick != self._snapshot_tick or self._commands_since_snapshot > 0
        settled: list[Action] = [self.keep_snapshot()] if keeps else []
        self._requested.clear()
        self.granted(self.tick)
        return [*settled, ReserveTick(tick=self.tick, lower=True)]

    # --- the past ---------------------------------------------------------------------------------------------

    def snapshot(self) -> bytes:
        """The session as bytes: equal histories give equal bytes."""
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
        self._commands_since_snapshot = 0
        return KeepSnapshot(tick=self.tick, seq=self.seq, encoded=self.snapshot())

    @property
    def kept(self) -> tuple[Tick, int]:
        """The tick of the latest snapshot that is kept of this session, and how many commands were applied since."""
        return self._snapshot_tick, self._commands_since_snapshot

    @kept.setter
    def kept(self, kept: tuple[Tick, int]) -> None:
        self._snapshot_tick, self._commands_since_snapshot = kept

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
        events += [one.event for one in self._apply(read_line(seq, tick, commands))]
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
            self._actions.append(Send(connections=(viewer.connection,), message=reply))
        if isinstance(reply, Ack) and (known := self.answers.find(viewer.key, reply.cid)):
            self._actions += self.audience.refuse(viewer.key, known)

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
            self._actions.append(Settled(ticket=asked.ticket, outcome=refused))
        elif reply is not None:
            known = self.answers.find(f"{asked.player}/{asked.client}", reply.cid)
            assert known is not None, "an ack without a pending command comes from the answers"
            self._actions.append(Settled(ticket=asked.ticket, outcome=known.outcome()))
        self._flush(now)

    def _flush(self, now: Tick) -> None:
        """Send what is gathered to the journal, as one record, unless one is under way."""
        if self.readonly:
            return
        tick = now + 1 if self.hold_at is None else min(now + 1, self.hold_at)
        if made := self.intake.next_line(max(tick, self.tick)):
            line, text = made
            self._actions.append(AppendRecord(epoch=self.epoch, seq=line.seq, tick=line.tick, commands=text))

    def _appended(self, seq: int, now: Tick) -> None:
        line, acks = self.intake.appended(seq)
        # A durable record reserves its tick: recovery goes at least that far.
        self.reserved = max(self.reserved, line.tick)
        for entry, ack in acks:
            self._actions += self.audience.acknowledge(entry.key, ack)
        self._flush(now)
        self._advance(now)

    def _journal_failed(self, message: str) -> None:
        if self.readonly:
            return
        self.readonly = f"The journal cannot be written ({message}); no command is accepted until the server restarts."
        self._actions += self.audience.notify("readonly", self.readonly)
        outcome = Outcome(cid=0, tick=self.tick, seq=0, code="readonly", message=self.readonly)
        self._actions += [Settled(ticket=ticket, outcome=outcome) for ticket in self.intake.abandon()]

    # --- time -------------------------------------------------------------------------------------------------

    def _reserve_ticks(self) -> int:
        return int(TICK_HZ * max(RESERVE_S, FAST_RESERVE_S * self.speed))

    def _reserve_less(self) -> None:
        """Give back what was reserved at a higher speed, so that a crash does not skip it."""
        enough = max(self.tick, self.intake.last_tick) + self._reserve_ticks()
        if self._reserving > enough:
            self._reserving = enough
            self._requested.clear()
            self.reserved = min(self.reserved, enough)
            self._actions.append(ReserveTick(tick=enough, lower=True))

    def _limit(self) -> Tick:
        """The last tick that the state may go to now, by what is not durable yet or held."""
        limit = self.reserved
        if self.intake.under_way:
            # What failed on its way to the disk may be there: its tick is as far as anything may be shown.
            before = self.intake.under_way.tick - (0 if self.readonly else 1)
            limit = min(limit, max(before, self.tick))
        if self._bound is not None:
            limit = min(limit, max(self._bound, self.tick))
        if self.hold_at is not None:
            limit = min(limit, max(self.hold_at, self.intake.durable[0].tick if self.intake.durable else 0))
        return limit

    def _advance(self, now: Tick) -> None:
        """Go as far towards `now` as may be shown, apply what is durable, and send what happened."""
        wanted = now if self.hold_at is None else min(now, self.hold_at)
        ahead = self._reserve_ticks() // 2 if self.audience.viewers and not self.paused else 0
        if wanted > self._reserving - ahead and not self.readonly:
            self._reserving = wanted + self._reserve_ticks()
            self._requested.add(self._reserving)
            self._actions.append(ReserveTick(tick=self._reserving))
        target = min(wanted, self._limit())
        happened: list[Happening] = []
        self.meter.lap("other")
        while self.intake.durable:
            # A pause does not hold back what was numbered before it: time stands still after the last of them.
            line = self.intake.durable[0]
            if line.tick > max(target, self.tick) and not (self.hold_at is not None and line.tick >= self.hold_at):
                break
            self.intake.durable.popleft()
            happened += self._pass(line.tick)
            self.meter.lap("rules")
            happened += self._apply(line)
            self.meter.lap("commands")
            # A command that slows the game down gave reserved ticks back, and what is given back is not shown.
            target = min(target, self.reserved)
            if self.hold_at is not None:
                target = min(target, self.hold_at)
        if target > self.tick:
            happened += self._pass(target)
            self.meter.lap("rules")
        if happened:
            if self._shown:
                self._actions += self.audience.show(happened)
            else:
                self.audience.stream.skip()
            self.meter.lap("fanout")
        if self.paused != self._announced_pause:
            self._announced_pause = self.paused
            kind, text = ("paused", "The game is paused.") if self.paused else ("resumed", "The game goes on.")
            self._actions += self.audience.notify(kind, text)
        self._snapshot_when_due()

    @property
    def _shown(self) -> bool:
        """True when somebody sees what happens, or may come back and ask for it."""
        if self.audience.viewers:
            return True
        left = self._unwatched_since
        return left is not None and self.tick - left <= LINGER_TICKS * max(1.0, self.speed)

    def _pass(self, tick: Tick) -> list[Happening]:
        """Let time pass to `tick`; each event with the tick at which it fell and who may see it."""
        game, state = self.game, self.state
        if not self._shown:
            return untold(game, state, tick, game.advance(state, tick))
        happened: list[Happening] = []
        while (due := game.next_due(state)) is not None and due < tick:
            happened += told(game, state, due, game.advance(state, due))
        happened += told(game, state, tick, game.advance(state, tick))
        return happened

    def _apply(self, line: Line) -> list[Happening]:
        """Carry out a record's commands at the state's tick."""
        happened: list[Happening] = []
        tell = told if self._shown else untold
        for index, entry in enumerate(line.entries):
            result = self._execute(entry)
            code = message = None
            if isinstance(result, Rejected):
                code, message = result.code, result.message[:MESSAGE_CHARS]
            else:
                happened += tell(self.game, self.state, line.tick, result)
            answer = Answer(cid=entry.cid, tick=line.tick, seq=line.seq, code=code, message=message)
            if entry.cid:
                key = entry.key
                happened += tell(self.game, self.state, line.tick, [_outcome_event(entry, answer)])
                self.answers.add(key, answer)
                self.intake.applied(key, entry.cid)
                if code is not None:
                    self._actions += self.audience.refuse(key, answer)
            for ticket in line.tickets.get(index, ()):
                self._actions.append(Settled(ticket=ticket, outcome=answer.outcome()))
        self.seq = line.seq
        self._commands_since_snapshot += len(line.entries)
        return happened

    def _execute(self, entry: Entry) -> list[Event] | Rejected:
        if entry.player == control.ADMIN:
            command = read_control(entry.body)
            if isinstance(command, control.SetRules):
                return self.game.set_rules(self.state, command.changes)
            self._control(command)
            return []
        if entry.player in self.players:
            return self.game.apply(self.state, entry.player, self._command_decoder.decode(entry.body))
        join = read_join(entry.body)
        result = self.game.apply(self.state, entry.player, join)
        if not isinstance(result, Rejected):
            self.players[entry.player] = join.name
            self._actions.append(NotePlayer(player=entry.player, name=join.name))
        return result

    def _control(self, command: control.Control) -> None:
        match command:
            case control.Pause():
                self.hold_at = self.tick
            case control.Resume():
                self.hold_at = None
            case control.Step(ticks=ticks):
                self.hold_at = self.tick + ticks
            case control.SetSpeed(speed=speed):
                self.speed = speed
                self._reserve_less()
                pace = "normal" if speed == 1 else f"{speed:g} times normal"
                self._actions += self.audience.notify("speed", f"The game runs at {pace} speed.")
            case control.SetPolicy(when_empty=when_empty, overload=overload):
                self.policy = self.policy.changed(when_empty, overload)
        self._actions.append(Retimed())

    def _snapshot_when_due(self) -> None:
        interval = SNAPSHOT_TICKS if self._commands_since_snapshot else QUIET_SNAPSHOT_TICKS
        passed = self.tick - self._snapshot_tick
        if passed < interval or self.readonly:
            return
        if passed >= interval * min(max(1.0, self.speed), SNAPSHOT_PACE):
            self._actions.append(self.keep_snapshot())


def _outcome_event(entry: Entry, answer: Answer) -> Event:
    if answer.code is None:
        return control.CommandDone(player=entry.player, client=entry.client, cid=entry.cid)
    return control.CommandFailed(
        player=entry.player,
        client=entry.client,
        cid=entry.cid,
        code=answer.code,
        message=answer.message or answer.code,
    )
