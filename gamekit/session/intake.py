"""The way in: commands are checked, numbered and gathered into records, each accepted exactly once.

Owns the commands between "received" and "durable and applied". At most one record is under way to the journal; what
comes in meanwhile is gathered for the next one, so that a slow disk makes records larger, not more.

A client's numbers never overtake each other: while one waits to be sent again because it was refused for a reason that
passes, higher ones are refused for the same reason.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from gamekit.errors import SessionError
from gamekit.game import Command, Join, PlayerId, Rejected, Tick
from gamekit.session import control
from gamekit.session.answers import Answers
from gamekit.session.records import Entry, Line, client_key, decoder_of
from gamekit.session.stimuli import TicketId
from gamekit.session.turned import TurnedAway
from gamekit.wire import MAX_PENDING_COMMANDS, Ack, Error


class Intake:
    """Commands on their way in.

    Args:
        command_type: union of the commands that players may send.
        seq: number of the last record of the game.
        admit: asked about every command of a player's before it is journaled, when the game wants that.
    """

    def __init__(
        self, command_type: Any, seq: int, admit: Callable[[PlayerId, Command], Command | Rejected] | None = None
    ) -> None:
        self.last_seq = seq
        self.last_tick: Tick = 0
        self.under_way: Line | None = None
        #: Durable lines that wait for their tick, in order.
        self.durable: deque[Line] = deque()
        self._command_type = command_type
        self._admit = admit
        self._buffer: list[Entry] = []
        self._tickets: dict[int, list[TicketId]] = {}
        #: {client key: {cid: the Ack once durable, else None}}, in order of cid
        self._pending: dict[str, dict[int, Ack | None]] = {}
        #: The numbers that must come again before higher ones are taken.
        self.turned_away = TurnedAway()

    @property
    def empty(self) -> bool:
        """True when no command waits for the journal."""
        return self.under_way is None and not self._buffer

    def offer(
        self,
        player: PlayerId,
        client: str,
        cid: int,
        body: Any,
        *,
        answers: Answers,
        closed: str | None,
        ticket: TicketId | None = None,
    ) -> Ack | Error | None:
        """Take a command in, or answer at once: with the old ack of a resend, or with why not.

        Args:
            player, client, cid: who sent it and its number; `cid` 0 is not numbered.
            body: the command as plain values, or a `Join`.
            answers: what was answered already.
            closed: why no new command may come in now, if so.
            ticket: who waits for its outcome outside a connection.

        Returns:
            None when the command is on its way; its ack follows when it is durable.
        """
        key = client_key(player, client)
        pending = self._pending.get(key, {}) if cid else {}
        if cid in pending and not (closed and pending[cid] is None):
            if ticket is not None:
                self._wait_also(key, cid, ticket)
                return None
            return pending[cid]
        if cid and (known := answers.find(key, cid)):
            return Ack(cid=known.cid, tick=known.tick, seq=known.seq)
        if closed:
            if cid:
                self.turned_away.add(key, cid, "readonly")
            return Error(code="readonly", message=closed, cid=cid or None)
        last = max(pending, default=answers.last_cid(key)) if cid else 0
        if cid and cid <= last:
            text = f"Command {cid} is not known (any more) and {last} already is; number new ones from {last + 1}."
            return Error(code="stale_cid", message=text, cid=cid)
        if len(pending) >= MAX_PENDING_COMMANDS:
            self.turned_away.add(key, cid, "too_many_pending")
            text = f"{MAX_PENDING_COMMANDS} commands are under way; send this one again when some have taken effect."
            return Error(code="too_many_pending", message=text, cid=cid)
        if cid and (before := self.turned_away.before(key, cid)):
            first, code = before
            self.turned_away.add(key, cid, code)
            text = f"Command {first} was refused for now and must come first; send it again, then this one."
            return Error(code=code, message=text, cid=cid)
        self.turned_away.came(key, cid)
        command = self._typed(player, body)
        kept = command if isinstance(command, Rejected) else self._kept(command)
        if isinstance(kept, Rejected):
            return Error(code=kept.code, message=kept.message, cid=cid or None)
        if cid:
            self._pending.setdefault(key, {})[cid] = None
        if ticket is not None:
            self._tickets[len(self._buffer)] = [ticket]
        self._buffer.append(Entry(player, client, cid, kept))
        return None

    def next_line(self, tick: Tick) -> tuple[Line, str] | None:
        """What is gathered, as one record at `tick` or later, with its JSON text; None while one is under way."""
        if self.under_way or not self._buffer:
            return None
        self.last_seq += 1
        self.last_tick = max(tick, self.last_tick)
        line = Line(seq=self.last_seq, tick=self.last_tick, entries=self._buffer, tickets=self._tickets)
        self._buffer, self._tickets = [], {}
        self.under_way = line
        return line, msgspec.json.encode(line.entries).decode()

    def appended(self, seq: int) -> tuple[Line, list[tuple[Entry, Ack]]]:
        """Record `seq` is durable and waits for its tick: the line, and the acks that may leave now.

        Raises:
            SessionError: another record is under way.
        """
        line = self.under_way
        if line is None or line.seq != seq:
            expected = f"record {line.seq}" if line else "none"
            raise SessionError(f"Record {seq} was reported durable, but {expected} is under way.")
        self.under_way = None
        self.durable.append(line)
        acks = []
        for entry in line.entries:
            if entry.cid:
                ack = Ack(cid=entry.cid, tick=line.tick, seq=line.seq)
                self._pending[client_key(entry.player, entry.client)][entry.cid] = ack
                acks.append((entry, ack))
        return line, acks

    def applied(self, key: str, cid: int) -> None:
        """A client's command has its answer; from now on `Answers` knows it."""
        pending = self._pending.get(key)
        if pending is not None:
            pending.pop(cid, None)
            if not pending:
                del self._pending[key]

    def last_durable_cid(self, key: str) -> int:
        """The highest acknowledged command of a client that is not applied yet; 0 if none."""
        return max((cid for cid, ack in self._pending.get(key, {}).items() if ack), default=0)

    def abandon(self) -> tuple[list[Entry], list[TicketId]]:
        """The journal failed: the commands that have no certain end, and who waits for one of them.

        The record under way stays, because it may be on disk all the same: time must not go past its tick.
        """
        waiting = [self._tickets, self.under_way.tickets if self.under_way else {}]
        tickets = [ticket for by_index in waiting for several in by_index.values() for ticket in several]
        for by_index in waiting:
            by_index.clear()
        entries = [*(self.under_way.entries if self.under_way else ()), *self._buffer]
        self._buffer.clear()
        return entries, tickets

    def _typed(self, player: PlayerId, body: Any) -> Command | Rejected:
        if isinstance(body, Join):
            return body
        kind: Any = control.Control if player == control.ADMIN else self._command_type
        try:
            command: Command = msgspec.convert(body, kind)
        except (msgspec.ValidationError, RecursionError) as error:
            return Rejected("bad_command", f"The command could not be read: {error}. See docs/protocol.md.")
        if self._admit is not None and player != control.ADMIN:
            return self._admit(player, command)
        return control.check(command) or command

    def _kept(self, command: Command) -> msgspec.Raw | Rejected:
        """The command as it is journaled, once it is certain that it will be read as what it is.

        MessagePack has values that JSON has not (numbers that are not finite, types of its own). A record that cannot
        be read again would stop the game for good.
        """
        try:
            text = msgspec.json.encode(command)
            if not isinstance(command, Join | control.Control):
                decoder_of(self._command_type).decode(text)
        except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
            return Rejected(
                "bad_command",
                f"The command cannot be kept: {error}. Send only what JSON can hold: numbers must be finite.",
            )
        return msgspec.Raw(text)

    def _wait_also(self, key: str, cid: int, ticket: TicketId) -> None:
        places = [(self._buffer, self._tickets)]
        for line in (self.under_way, *self.durable):
            if line is not None:
                places.append((line.entries, line.tickets))
        for entries, tickets in places:
            for index, entry in enumerate(entries):
                if entry.cid == cid and entry.key == key:
                    tickets.setdefault(index, []).append(ticket)
