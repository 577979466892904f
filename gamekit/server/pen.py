"""Writes one session down: what it says must reach the disk, as the journal's writes. Owns the chain of its records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gamekit.history import stored
from gamekit.journal import Append, PutPlayer, Record, Reserve, SaveSnapshot, Write, chain_of
from gamekit.server.clock import GameClock
from gamekit.session import Action, AppendRecord, KeepSnapshot, NotePlayer, ReserveTick, Send, Session

if TYPE_CHECKING:
    from gamekit.server.host import Host


class Pen:
    """The hand of one runner.

    Args:
        host: tells the time.
        clock: the session's: when a reserved tick falls.
        chain: the chain of its last record.
    """

    def __init__(self, host: Host, clock: GameClock, chain: str) -> None:
        self.host = host
        self.clock = clock
        #: When the latest record was handed over, on the host's clock.
        self.begun_us = 0
        self._chain = chain

    def writes(self, session: Session[Any], actions: Sequence[Action]) -> list[Write]:
        """The writes among a session's actions, in their order."""
        return [write for action in actions if (write := self._write(session, action)) is not None]

    def _write(self, session: Session[Any], action: Action) -> Write | None:
        match action:
            case Send():
                return None
            case AppendRecord():
                return self._append(session, action)
            case ReserveTick(tick=tick, lower=lower):
                at_s = self.host.to_wall(self.clock.since(tick))
                return Reserve(game=session.id, epoch=session.epoch, tick=tick, final=lower, at_s=at_s)
            case KeepSnapshot(tick=tick, seq=seq, encoded=encoded):
                return SaveSnapshot(stored(session, encoded, tick=tick, seq=seq), epoch=session.epoch)
            case NotePlayer(player=player, name=name):
                return PutPlayer(session.id, session.epoch, player, name)
        return None

    def _append(self, session: Session[Any], action: AppendRecord) -> Write:
        epoch, seq, tick, commands = action.epoch, action.seq, action.tick, action.commands
        chain = self._chain = chain_of(self._chain, session.id, epoch, seq, tick, commands)
        self.begun_us = self.host.now_us()
        return Append(Record(game=session.id, epoch=epoch, seq=seq, tick=tick, commands=commands, chain=chain))
