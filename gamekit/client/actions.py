"""What the core of the client decides, as plain values for its shell to carry out, in the given order.

Actions about a command carry the `ticket` that the core gave it; numbers on the wire (`cid`) come later.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from gamekit.errors import GamekitError
from gamekit.game import Changes, Tick, View
from gamekit.wire import Ack, Error, FromClient, Notice, Outcome


class Transmit(msgspec.Struct, frozen=True):
    """Send this message now."""

    message: FromClient


class Numbered(msgspec.Struct, frozen=True):
    """The command goes out for the first time, as `cid`."""

    ticket: int
    cid: int


class Acknowledged(msgspec.Struct, frozen=True):
    """The command is on the server's disk."""

    ticket: int
    ack: Ack


class Decided(msgspec.Struct, frozen=True):
    """The command was carried out, or refused by the rules."""

    ticket: int
    outcome: Outcome


class Turned(msgspec.Struct, frozen=True):
    """The command was turned away before it became part of the history."""

    ticket: int
    cid: int
    code: str
    message: str


class PutOff(msgspec.Struct, frozen=True):
    """The command was refused for a reason that passes; it goes out again under its number."""

    ticket: int
    cid: int
    code: str
    message: str


class Abandoned(msgspec.Struct, frozen=True):
    """The client gave up before the command was both acknowledged and decided."""

    ticket: int
    error: GamekitError


class Redrawn(msgspec.Struct, frozen=True):
    """The whole picture is new."""

    tick: Tick
    view: View


class Happened(msgspec.Struct, frozen=True):
    """The picture moved on; `events`, each with its own `tick`, tell why, `changes` how."""

    tick: Tick
    events: tuple[dict[str, Any], ...]
    changes: Changes


class Noticed(msgspec.Struct, frozen=True):
    """News about the session."""

    notice: Notice


class Ticked(msgspec.Struct, frozen=True):
    """The clock was heard of, and nothing else."""

    tick: Tick


class Connected(msgspec.Struct, frozen=True):
    """The conversation has begun (again), or broke off and will be taken up again."""

    yes: bool


class Complained(msgspec.Struct, frozen=True):
    """The server refused a message that was no command."""

    error: Error


class Stopped(msgspec.Struct, frozen=True):
    """The conversation is over for good; do not reconnect."""

    error: GamekitError


#: What listeners are told.
News: TypeAlias = Redrawn | Happened | Ticked | Noticed | Connected | Stopped

Action: TypeAlias = (
    Transmit
    | Numbered
    | Acknowledged
    | Decided
    | Turned
    | PutOff
    | Abandoned
    | Redrawn
    | Happened
    | Ticked
    | Noticed
    | Connected
    | Complained
    | Stopped
)
