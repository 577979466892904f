"""Carries out what falls due in a session: time that passes, and the commands of durable records, in parts.

A caller with little patience gets control back between two parts: between due ticks, inside a tick of a game that can
be advanced in parts, and between two commands of a record. Owns what is unfinished then. Decides neither how far time
may go nor which record is next (`core`), and sends nothing.

Invariants:

- While `midway` is true the state stands inside a tick or inside a record: it may be neither viewed nor encoded, and
  nothing but `resume` may touch it.
- However the work is cut into parts, the state, the events and the answers are the same.
- What a record's commands lead to (answers, news) leaves when the whole record is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from gamekit.game import Enough, Event, Game, PlayerId, Rejected, Tick, advance_some, in_parts
from gamekit.session import control
from gamekit.session.answers import MESSAGE_CHARS, Answer
from gamekit.session.records import Entry, Line, decoder_of, read_control, read_join
from gamekit.session.stimuli import Action, NotePlayer, Settled
from gamekit.session.stream import Happening, told, untold

if TYPE_CHECKING:
    from gamekit.session.core import Session

S = TypeVar("S")


class Execution(Generic[S]):
    """What is being carried out in one session.

    Args:
        session: whose state is changed; its answers, players and intake are told of the outcomes.
    """

    def __init__(self, session: Session[S]) -> None:
        self._session = session
        #: What happened and was not shown yet, in order; whoever shows it empties this.
        self.happened: list[Happening] = []
        #: How many commands were carried out since the latest snapshot.
        self.commands = 0
        self._decoder = decoder_of(session.game.command_type)
        #: True while the state stands inside a tick; and while it stands inside a tick or a record.
        self.inside = self.midway = False
        self._divisible = in_parts(session.game)
        #: Events of the tick inside which the state stands.
        self._events: list[Event] = []
        #: The record inside which the state stands, how many of its commands are done, and what they lead to.
        self._line: Line | None = None
        self._done = 0
        self._actions: list[Action] = []

    @property
    def in_record(self) -> bool:
        """True while the state stands inside a record."""
        return self._line is not None

    @property
    def at(self) -> Tick:
        """The tick of the state, also when it is not complete."""
        return self._session.game.tick(self._session.state)

    def resume(self, enough: Enough | None, shown: bool) -> bool:
        """Go on with the tick or the record inside which the state stands; True when that is complete."""
        if self.inside:
            return self._part(self.at, enough, shown)
        return self._line is None or self._apply(self._line, enough, shown)

    def advance(self, tick: Tick, enough: Enough | None, shown: bool) -> bool:
        """Let time pass to `tick`.

        Args:
            tick: where to, inclusive.
            enough: asked between two parts of the work; None to do all of it.
            shown: whether somebody sees what happens: then each event is kept with who may see it.

        Returns:
            True when the state stands there; False when it was enough before.
        """
        game, state = self._session.game, self._session.state
        while True:
            due = game.next_due(state) if shown else None
            stop = tick if due is None or due >= tick else due
            if not self._part(stop, enough, shown):
                return False
            if stop == tick:
                return True
            if enough is not None and enough():
                return False

    def _part(self, tick: Tick, enough: Enough | None, shown: bool) -> bool:
        """Let time pass to `tick`, with no due tick before it if somebody sees it; True when it came there."""
        game, state = self._session.game, self._session.state
        if enough is None or (shown and not self._divisible):
            events = game.advance(state, tick)
            there = True
        else:
            progress = advance_some(game, state, tick, enough)
            events = progress.events
            self.inside = self.midway = progress.inside
            if progress.inside:
                self._events += events
                return False
            there = game.tick(state) >= tick
        if self._events:
            events, self._events = self._events + events, []
        if events:
            self.happened += (told if shown else untold)(game, state, tick, events)
        return there

    def apply(self, line: Line, enough: Enough | None, shown: bool) -> bool:
        """Carry out a durable record's commands at the state's tick; False when it was enough before the last."""
        self._line, self._done = line, 0
        self.midway = True
        return self._apply(line, enough, shown)

    def _apply(self, line: Line, enough: Enough | None, shown: bool) -> bool:
        session = self._session
        sent, session.actions = session.actions, self._actions
        try:
            while self._done < len(line.entries):
                self._carry_out(line, self._done, told if shown else untold)
                self._done += 1
                if enough is not None and self._done < len(line.entries) and enough():
                    return False
        finally:
            session.actions = sent
        self._line = None
        self.midway = False
        self.commands += len(line.entries)
        session.seq = line.seq
        session.actions += self._actions
        self._actions = []
        return True

    def _carry_out(
        self,
        line: Line,
        index: int,
        tell: Callable[[Game[S], S, Tick, Sequence[Event]], list[Happening]],
    ) -> None:
        """Carry out one command of a record, and note its outcome."""
        session, entry = self._session, line.entries[index]
        result = self._execute(entry)
        code = message = None
        if isinstance(result, Rejected):
            code, message = result.code, result.message[:MESSAGE_CHARS]
        else:
            self.happened += tell(session.game, session.state, line.tick, result)
        answer = Answer(cid=entry.cid, tick=line.tick, seq=line.seq, code=code, message=message)
        if entry.cid:
            key = entry.key
            self.happened += tell(session.game, session.state, line.tick, [_outcome_event(entry, answer)])
            session.answers.add(key, answer)
            session.intake.applied(key, entry.cid)
            if code is not None:
                session.actions += session.audience.refuse(key, answer)
        for ticket in line.tickets.get(index, ()):
            session.actions.append(Settled(ticket=ticket, outcome=answer.outcome()))

    def _execute(self, entry: Entry) -> list[Event] | Rejected:
        session = self._session
        game, state = session.game, session.state
        if entry.player == control.ADMIN:
            command = read_control(entry.body)
            if isinstance(command, control.SetRules):
                return game.set_rules(state, command.changes)
            session.steer(command)
            return []
        if entry.player in session.players:
            return game.apply(state, entry.player, self._decoder.decode(entry.body))
        join = read_join(entry.body)
        result = game.apply(state, entry.player, join)
        if not isinstance(result, Rejected):
            session.players[PlayerId(entry.player)] = join.name
            session.actions.append(NotePlayer(player=entry.player, name=join.name))
        return result


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
