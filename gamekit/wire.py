"""The messages between client and server: one union per direction, their codecs, their limits.

One WebSocket frame is one message, an object whose `type` names it. JSON text frames by default; MessagePack binary
frames when the client asks for the subprotocol `gamekit.msgpack`. The same structs serve the HTTP fallback.

Two numbers order everything a client sees. `seq` counts the journal records of the game: it is part of the history
and survives restarts. `n` counts the deltas of one *epoch* (one run of the session on one host): a client that
reconnects says `resume {epoch, n}` and gets what it missed, or a snapshot when that is no longer kept.

This module owns no socket and no state.
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import msgspec

from gamekit.errors import RemoteProtocolError
from gamekit.game import GameId, PlayerId, Tick

#: Largest message a client may send, in bytes.
MAX_MESSAGE_BYTES = 16 * 1024
#: The window: commands one client may have under way, which is sent and not yet applied. The welcome tells it.
MAX_PENDING_COMMANDS = 128
#: Refusals that pass: they say nothing against the command, which is sent again under the same number. Until then the
#: server refuses higher numbers of the same client. Every other refusal of a command is final.
PASSING_REFUSALS = frozenset({"too_many_pending", "readonly", "unavailable", "draining", "waking", "busy"})
#: How many answers per client the session remembers for resends; a client's window is never wider.
ANSWERS_KEPT = 256
#: Longest client id, in characters.
MAX_CLIENT_CHARS = 64
#: Largest command id: what a JavaScript number holds exactly.
MAX_CID = 2**53 - 1
#: Largest seed, up or down, of a game that is made; games that were made with a larger one go on.
MAX_SEED = 2**53 - 1

SUBPROTOCOL_MSGPACK = "gamekit.msgpack"
SUBPROTOCOL_JSON = "gamekit.json"


class FromClientMessage(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, forbid_unknown_fields=True):
    """Base of what a client sends."""


class Resume(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last position a client has seen: delta `n` of `epoch`."""

    epoch: int
    n: int


class Hello(FromClientMessage, frozen=True):
    """Opens the conversation; the answer is `Welcome`, then a `Snapshot` or the missed `Delta`s.

    Attributes:
        token: the player's token; empty to watch as a spectator. Not needed when the socket's URL carried `?token=`.
        client: an id that the client keeps over reconnections (at most 64 characters); command ids count per client.
        resume: the last position seen, to get only what was missed.
    """

    token: str = ""
    client: str = ""
    resume: Resume | None = None


class Command(FromClientMessage, frozen=True):
    """Asks for something. `cid` counts up from 1 per client; a resend carries the same `cid`."""

    cid: int
    body: dict[str, Any]


class Ping(FromClientMessage, frozen=True):
    """Asks for a `Pong` that returns `t`, the client's own clock in milliseconds."""

    t: float = 0.0


FromClient: TypeAlias = Hello | Command | Ping


class ToClientMessage(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    """Base of what a server sends."""


class Welcome(ToClientMessage, frozen=True):
    """Answers `Hello`.

    Attributes:
        game: the game's id.
        name: the game's display name.
        player: who this connection plays, or None for a spectator.
        client: the client id under which commands are counted.
        last_cid: the highest `cid` of this client that the history holds; later ones must be resent.
        epoch: number of this run of the session; deltas are counted within it.
        tick: the session's tick now.
        tick_hz: ticks per second at speed 1.
        speed: ticks pass `speed * tick_hz` times a second.
        paused: True while game time stands still.
        rules: the rules in force.
        window: how many commands of this client may be under way: sent, and neither applied nor refused for good.
    """

    game: GameId
    name: str
    player: PlayerId | None
    client: str
    last_cid: int
    epoch: int
    tick: Tick
    tick_hz: int
    speed: float
    paused: bool
    rules: dict[str, Any]
    window: int = MAX_PENDING_COMMANDS


class Snapshot(ToClientMessage, frozen=True):
    """Everything the client may see at `tick`. `outcomes` are the latest answers of this client's commands."""

    tick: Tick
    seq: int
    n: int
    view: dict[str, Any]
    outcomes: tuple[Outcome, ...] = ()


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one command ended: `code` is None when it was carried out, else the refusal's code."""

    cid: int
    tick: Tick
    seq: int
    code: str | None = None
    message: str | None = None


class Delta(ToClientMessage, frozen=True):
    """What happened up to `tick`. Merge `changes` into the view (`gamekit.game.merge`); `events` tell the story.

    Attributes:
        tick: the tick that the view stands at after the merge.
        seq: number of the last journal record in it.
        n: number of this delta in its epoch.
        events: in the order in which they fell.
        at: the tick of each event; a fast game shows many ticks in one delta.
        changes: the patch.
    """

    tick: Tick
    seq: int
    n: int
    events: tuple[Any, ...]
    at: tuple[Tick, ...]
    changes: dict[str, Any]


class Ack(ToClientMessage, frozen=True):
    """The command is on disk, as part of journal record `seq`, and takes effect at `tick`."""

    cid: int
    tick: Tick
    seq: int


class Error(ToClientMessage, frozen=True, omit_defaults=True):
    """Something was refused. `code` is for programs, `message` says what to do, `cid` names the command if any."""

    code: str
    message: str
    cid: int | None = None


class Pong(ToClientMessage, frozen=True):
    """Answers `Ping`. `lateness_ms` is how late the host's ticks came lately (median)."""

    t: float
    tick: Tick
    lateness_ms: float = 0.0


class Heartbeat(ToClientMessage, frozen=True):
    """A word in the silence: the clock, when no delta carried it lately.

    Attributes:
        tick: the session's tick; None while the game sleeps: nothing has changed, and the client's own clock goes on.
        next_s: something is heard again within so many seconds.
    """

    tick: Tick | None
    next_s: float = 1.0


class Notice(ToClientMessage, frozen=True):
    """News about the session itself.

    Attributes:
        kind: "paused", "resumed", "speed", "overload", "overload_over", "readonly", "drain", or "waking" before the
            welcome, while the game is being brought back: then only the message says anything.
        message: a sentence for people.
        tick: the session's tick.
        speed: the speed at which time really passes: that which was set, times `factor`.
        paused: True while game time stands still.
        late_ms: how late ticks came, with "overload".
        factor: how much of its speed the game keeps while its time is dilated; else 1.
    """

    kind: str
    message: str
    tick: Tick
    speed: float
    paused: bool
    late_ms: float = 0.0
    factor: float = 1.0


class Part(ToClientMessage, frozen=True):
    """Part `i` of `of`, counted from 1, of one large message, for clients that ask with `?parts=deflate`.

    The `data` of all parts, one after the other, is the message in this socket's format, compressed (zlib, RFC 1950);
    base64 in JSON.
    """

    i: int
    of: int
    data: bytes


#: What a client acts upon; a large one may come in parts.
Whole: TypeAlias = Welcome | Snapshot | Delta | Ack | Error | Pong | Heartbeat | Notice
ToClient: TypeAlias = Whole | Part

_json_decoder = msgspec.json.Decoder(FromClient)
_msgpack_decoder = msgspec.msgpack.Decoder(FromClient)
_json_encoder = msgspec.json.Encoder()
_msgpack_encoder = msgspec.msgpack.Encoder()


_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def unreadable(json: bytes, error: Exception) -> str:
    """Why bytes that are no JSON could not be read, for their sender.

    Args:
        json: what was sent.
        error: what the decoder says.
    """
    if _half_pair(json):
        return "it holds half of a surrogate pair, such as \\ud800 alone, which is no character"
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    return str(error)


def _half_pair(json: bytes) -> bool:
    """Whether an escape stands for half of a surrogate pair without its other half beside it."""
    awaited_at: int | None = None
    for found in _ESCAPE.finditer(json):
        unit = int(found[1], 16) if found[1] else 0
        low = 0xDC00 <= unit < 0xE000
        if low != (awaited_at == found.start()):
            return True
        if awaited_at is not None and not low:
            return True
        awaited_at = found.end() if 0xD800 <= unit < 0xDC00 else None
    return awaited_at is not None


def decode(frame: str | bytes, *, binary: bool) -> FromClient:
    """The message in one client frame.

    Raises:
        RemoteProtocolError: codes "too_large", "bad_message" or "bad_cid".
    """
    size = len(frame.encode()) if isinstance(frame, str) else len(frame)
    if size > MAX_MESSAGE_BYTES:
        raise RemoteProtocolError(
            "too_large",
            f"The message has {size} bytes; the limit is {MAX_MESSAGE_BYTES}. Send smaller messages.",
        )
    try:
        message: FromClient = (_msgpack_decoder if binary else _json_decoder).decode(frame)  # type: ignore[arg-type]
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        sent = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else frame
        why = str(error) if binary else unreadable(sent, error)
        raise RemoteProtocolError(
            "bad_message", f"The message could not be read: {why}. See docs/protocol.md for the shapes."
        ) from None
    if isinstance(message, Command) and not 1 <= message.cid <= MAX_CID:
        raise RemoteProtocolError("bad_cid", f"cid must be from 1 to {MAX_CID}, counting up per client.")
    return message


def encode(message: ToClient, *, binary: bool) -> bytes:
    """One frame's payload: JSON text as UTF-8, or MessagePack."""
    return (_msgpack_encoder if binary else _json_encoder).encode(message)
