"""How commands and snapshots are written: JSON text in records, MessagePack in snapshots."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from gamekit.errors import SessionError
from gamekit.game import Join, PlayerId, Tick
from gamekit.session.answers import Answer
from gamekit.session.control import Control
from gamekit.session.policy import Policy
from gamekit.session.stimuli import TicketId


@lru_cache(maxsize=64)
def decoder_of(command_type: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a game's commands. Making one costs half of what bringing a sleeping session back does."""
    return msgspec.json.Decoder(command_type)


class Entry(msgspec.Struct, frozen=True):
    """One command inside a record, as it is journaled. `cid` is 0 for commands that are not numbered."""

    player: PlayerId
    client: str
    cid: int
    body: msgspec.Raw

    @property
    def key(self) -> str:
        """Under which the client's commands are counted."""
        return client_key(self.player, self.client)


class Line(msgspec.Struct, frozen=True):
    """A record on its way from the intake to the state. `tickets` are those who wait: {entry index: tickets}."""

    seq: int
    tick: Tick
    entries: list[Entry]
    tickets: dict[int, list[TicketId]]


class Saved(msgspec.Struct, omit_defaults=True):
    """A session's snapshot: the game's own encoding and what the session adds to it, all decided by the history.

    Fields that came later have a default and are left out when they hold it, so that older digests stay true.
    """

    format: int
    state: bytes
    speed: float
    hold_at: Tick | None
    players: dict[PlayerId, str]
    answers: dict[str, list[Answer]]
    policy: Policy = Policy()


SAVED_FORMAT = 1

_entries = msgspec.json.Decoder(list[Entry])
_saved = msgspec.msgpack.Decoder(Saved)
_control: msgspec.json.Decoder[Control] = msgspec.json.Decoder(Control)
_join = msgspec.json.Decoder(Join)


def client_key(player: PlayerId | None, client: str) -> str:
    """What commands are counted under: one client of one player."""
    return f"{player}/{client}"


def read_line(seq: int, tick: Tick, commands: str) -> Line:
    """A journaled record as a line nobody waits for."""
    return Line(seq=seq, tick=tick, entries=_entries.decode(commands), tickets={})


def read_control(body: msgspec.Raw) -> Control:
    """A journaled command of the session's own."""
    return _control.decode(body)


def read_join(body: msgspec.Raw) -> Join:
    """A journaled join."""
    return _join.decode(body)


def read_saved(encoded: bytes) -> Saved:
    """A snapshot's content.

    Raises:
        SessionError: it is of a format that this code does not know.
    """
    saved = _saved.decode(encoded)
    if saved.format != SAVED_FORMAT:
        raise SessionError(f"Snapshot format {saved.format} is unknown; use a newer gamekit to open this game.")
    return saved
