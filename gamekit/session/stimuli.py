"""What goes into a session and what comes out: plain values, no behaviour.

A *stimulus* tells the session what has happened; an *action* tells its host what to do now, in the given order.
"""

from __future__ import annotations

from typing import NewType, Protocol, TypeAlias

import msgspec

from gamekit.game import Join, PlayerId, Tick
from gamekit.wire import FromClient, Outcome, Resume, ToClient

#: One attached connection; the host numbers them.
ConnectionId = NewType("ConnectionId", int)
#: A question whose answer the host waits for outside any connection (an HTTP request); the host numbers them.
TicketId = NewType("TicketId", int)


class Ticked(msgspec.Struct, frozen=True):
    """The clock moved; `now`, given with every stimulus, tells where to."""

    #: True to send the clock to every connection that has had no delta since the last one.
    heartbeat: bool = False
    #: With it goes the promise that the next one, or other news, comes within so many seconds.
    next_s: float = 1.0


class Attached(msgspec.Struct, frozen=True):
    """A connection said hello and its token was checked; also when it says hello again."""

    connection: ConnectionId
    player: PlayerId | None
    client: str
    resume: Resume | None = None


class Detached(msgspec.Struct, frozen=True):
    """A connection is gone."""

    connection: ConnectionId


class Received(msgspec.Struct, frozen=True):
    """A decoded message from an attached connection."""

    connection: ConnectionId
    message: FromClient


class FellBehind(msgspec.Struct, frozen=True):
    """A connection does not read fast enough: no more deltas until it has caught up."""

    connection: ConnectionId


class CaughtUp(msgspec.Struct, frozen=True):
    """A connection that fell behind has read everything: it gets a snapshot and goes on."""

    connection: ConnectionId


class Submitted(msgspec.Struct, frozen=True):
    """A command from outside any connection. `cid` 0 means that it is not numbered (server and admin commands)."""

    ticket: TicketId
    player: PlayerId
    client: str
    cid: int
    body: dict[str, object] | Join


class Appended(msgspec.Struct, frozen=True):
    """Record `seq` is durable."""

    seq: int


class TickReserved(msgspec.Struct, frozen=True):
    """Ticks up to `tick` may be shown."""

    tick: Tick


class JournalFailed(msgspec.Struct, frozen=True):
    """A write of this session failed; nothing more can be promised. `passes`: the cause may end by itself."""

    message: str
    passes: bool = False


Stimulus: TypeAlias = (
    Ticked
    | Attached
    | Detached
    | Received
    | FellBehind
    | CaughtUp
    | Submitted
    | Appended
    | TickReserved
    | JournalFailed
)


class AppendRecord(msgspec.Struct, frozen=True):
    """Write this record; answer with `Appended` or `JournalFailed`. Fields as in the journal's record."""

    epoch: int
    seq: int
    tick: Tick
    commands: str


class ReserveTick(msgspec.Struct, frozen=True):
    """Write this reservation; answer with `TickReserved` or `JournalFailed`. One that is lower needs no answer."""

    tick: Tick
    lower: bool = False


class KeepSnapshot(msgspec.Struct, frozen=True):
    """Keep this snapshot; no answer is needed."""

    tick: Tick
    seq: int
    encoded: bytes


class NotePlayer(msgspec.Struct, frozen=True):
    """Note a new player in the catalogue."""

    player: PlayerId
    name: str


class Send(msgspec.Struct, frozen=True):
    """Send one message to these connections; encode it once."""

    connections: tuple[ConnectionId, ...]
    message: ToClient


class Settled(msgspec.Struct, frozen=True):
    """The answer to a `Submitted` ticket: how the command ended, or why it was never accepted."""

    ticket: TicketId
    outcome: Outcome


class Retimed(msgspec.Struct, frozen=True):
    """Speed or pause changed: anchor the clock anew at the session's tick."""


Action: TypeAlias = AppendRecord | ReserveTick | KeepSnapshot | NotePlayer | Send | Settled | Retimed


class Meter(Protocol):
    """Where a host measures the phases of a tick; a session only says when one ends."""

    def lap(self, phase: str) -> None:
        """The time since the last lap belongs to `phase`: "commands", "rules" or "fanout"."""
        ...
