"""How a server is set up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from gamekit.journal import Retention
from gamekit.server.wall import MAX_CATCH_UP_S


class Settings(msgspec.Struct, frozen=True):
    """A server's settings; each is a flag of `gamekit serve`.

    Attributes:
        address: address to bind to.
        port: port to bind to; 0 takes any free one.
        directory: where the database and the secret are kept.
        allowed_origins: further origins whose pages may connect, beside the server's own.
        allowed_hosts: names that the server is asked by; with one given, no other name is taken.
        trusted_proxies: addresses or networks whose `X-Forwarded-` headers are believed.
        max_connections: connections that are held at once; None for what the limit of descriptors leaves.
        max_per_address: those of one address; None for 256, and any number from this machine itself.
        idle_timeout_s: how long a connection may wait for its next request, in seconds.
        games: import paths of further games that may be made and opened here, `module:Class`.
        rules: `{field: value}`, the rules of new games where their makers do not say otherwise.
        base_url: path below which the server answers too, and that its links have, e.g. "/games"; `{port}` in it is
            the port.
        sleep_after_s: how long a game must be unused before it leaves memory, in seconds.
        limits: `NAME=VALUE`, what may be made without the admin token, where it differs from `server.limits`.
        keep: how many snapshots of each game stay.
        max_catch_up_days: where the clock says that no server ran for longer than this, it is not believed.
        trust_clock: it is believed whatever it says.
        skip_missing_time: it is believed, but a time without a server that is longer than that passed for no game.
    """

    address: str = "127.0.0.1"
    port: int = 8642
    directory: Path = Path("data")
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    max_connections: int | None = None
    max_per_address: int | None = None
    idle_timeout_s: float = 75.0
    games: tuple[str, ...] = ()
    rules: dict[str, Any] = {}
    base_url: str = ""
    sleep_after_s: float = 60.0
    limits: tuple[str, ...] = ()
    keep: Retention = Retention()
    max_catch_up_days: float = MAX_CATCH_UP_S / 86_400
    trust_clock: bool = False
    skip_missing_time: bool = False

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.directory / "gamekit.db"


#: Largest body of an HTTP request, in bytes.
MAX_BODY_BYTES = 256 * 1024
#: The same for a new game: a definition of the largest size that is allowed, as clients write it.
MAX_NEW_GAME_BYTES = 7 * 1024 * 1024
#: What is read of any request at all; a larger one is not read to its end.
MAX_READ_BYTES = 8 * 1024 * 1024
#: Larger frames close the socket unread (1009); smaller ones over the wire's limit get an error.
MAX_FRAME_BYTES = 64 * 1024
#: How long a new socket may take to say hello, in seconds.
HELLO_TIMEOUT_S = 10.0
#: Messages a second that a socket may send for long, and in one burst; beyond that it is read more slowly.
MESSAGES_PER_S = 100.0
MESSAGES_BURST = 200.0
#: A hello counts as one message more for every so many bytes that it is answered with.
BYTES_PER_MESSAGE = 20_000
#: Bytes waiting to be read by a client: above the first it gets snapshots, above the second it is disconnected.
BEHIND_BYTES = 256 * 1024
TOO_SLOW_BYTES = 4 * 1024 * 1024
#: How far one call may let a session go that must catch up, in ticks; the rest follows in the next calls.
CATCH_UP_TICKS = 6000
#: What one call into a game's rules may take of the loop, in microseconds; the rest is done in later turns. And how
#: long a game that needed more than that waits for its turn with everything, though it may be done sooner.
SLICE_US = 5_000
HEAVY_US = 2_000_000
#: Alarms of games that are soon done follow each other for so long before the loop has its turn, in microseconds.
ALARMS_US = 10_000
#: A call that could not be divided, and that others noticed, in microseconds: after it the game rests so many times as
#: long. Before that, half as long is enough.
LONG_CALL_US = 100_000
REST_AFTER_LONG = 4
#: A call during which others cannot go on at all, in microseconds: after so many in a row, each within so long after
#: the one before, the server pauses the game.
HARD_CALL_US = 2_000_000
HARD_CALLS = 3
HARD_WITHIN_US = 60_000_000
#: A command takes effect at most so far ahead of what its game has reached, by what its ticks take, in microseconds.
#: Before that is known, and in games of which ticks take next to nothing, it is so many ticks.
LEAD_US = 100_000
UNKNOWN_LEAD_TICKS = 1_000
#: What a game may be late by at most, in microseconds, unless it was later when that began: beyond it time is given up.
MAKE_UP_US = 30_000_000
#: How long a reader, or a command from outside a socket, waits for a game that is behind its clock to come nearer to
#: it, in seconds. Then they get it as it is.
READ_WAIT_S = 0.25
COMMAND_WAIT_S = 0.5
#: How often a session that nobody watches goes on with its game, in seconds.
UNWATCHED_S = 60.0
#: How often the host looks after what is done by the second: heartbeats, measured times, sleep.
HEARTBEAT_S = 1.0
#: The longest time between two heartbeats to a silent socket, in seconds: less than the minute after which proxies give
#: a silent connection up (nginx's `proxy_read_timeout`).
HEARTBEAT_MAX_S = 50
#: Threads in which games are taken over, and what computes beside the loop begins; see `lanes`.
RECOVERY_THREADS = 2
#: How long a request waits for a game that is being brought back, when to ask again then, and how often a socket that
#: waits is told how far it is, in seconds.
WAKE_WAIT_S = 10.0
WAKE_RETRY_S = 2.0
WAKE_TOLD_S = 2.0
#: Threads in which pages of rows are read from the database and encoded.
ROW_THREADS = 2
#: How long a drain waits for what is under way, and for sockets to close, in seconds. With the snapshots, the last
#: checkpoint and the end of the process it must be less than 5 s on a busy machine; that leaves these half of it.
DRAIN_S = 2.0
DRAIN_SOCKETS_S = 0.5
