"""What any journal backend promises.

The journal owns durability and nothing else: it does not know what a command means, and never imports a session or a
game. Writes are *submitted* and completed later, in order; a completion means that the write is on stable storage.
Reads are synchronous and see only what is durable.

Invariants every backend keeps, and `tests/journal/contract.py` checks over all of them:

- Writes of one `submit` call become durable together or not at all, and in the order of submission. A write that is
  refused takes the rest of its `submit` with it, so writes of different games go into different `submit`s.
- A completion is reported only after stable storage has confirmed the write.
- A *run* is a game under one epoch. After one write of a run has failed, every later write of that run fails too: no
  gaps. Opening the game again begins a new run.
- Only the run that the latest `open` began may write; a write under any other epoch, and any write to a game that this
  journal has not opened, is refused with `JournalFenced`. That does not disturb the run that owns the game.
- Records of a game are numbered 1, 2, 3 ... and each `chain` covers its record and its predecessor's chain. A record
  that does not fit (`JournalGap`: wrong number or earlier tick; `JournalCorrupt`: wrong chain), or a snapshot that
  does not (`JournalGap`: of a record not written yet; `JournalCorrupt`: wrong digest), is refused, not stored.
- Records are never deleted. Snapshots are thinned (`gamekit.journal.thinning`); the first of a game always stays.
- Measured tick times belong to no run: they are never fenced, may be committed a moment later than other writes, and
  may be dropped when they are older than a week.
- A write that another program's lock keeps waiting is not a failure: it becomes durable late, in its order, once. After
  a failure of unknown outcome nothing is tried again.
- A game that is not there reads as empty: no records, no snapshots, no clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias

import msgspec

from gamekit.errors import JournalCorrupt, JournalError, JournalGap
from gamekit.game import GameId, PlayerId, Tick
from gamekit.journal.buckets import UNKNOWN
from gamekit.journal.health import Health


class GameRow(msgspec.Struct, frozen=True):
    """One game as the catalogue knows it.

    Attributes:
        id: the game's id.
        game: name of the rules, e.g. "space".
        version: version of the rules' state when the game was made.
        name: display name.
        config: JSON text of the configuration that the game was made from.
        seed: the seed.
        created_s: Unix time in seconds.
        epoch: number of the latest run; each `open` raises it by one.
        damaged: what is wrong with the stored row, where something is; such a game is listed, but cannot be opened.
    """

    id: GameId
    game: str
    version: int
    name: str
    config: str
    seed: int
    created_s: float
    epoch: int = 0
    damaged: str | None = None


class Record(msgspec.Struct, frozen=True):
    """One line of a game's history: commands that take effect together, in order, at `tick`.

    Attributes:
        game: the game's id.
        epoch: the run of the session that wrote it.
        seq: 1, 2, 3 ... without gaps per game.
        tick: when the commands take effect; never smaller than the record's before.
        commands: JSON text: `[{"player": ..., "client": ..., "cid": ..., "body": {...}}, ...]`.
        chain: 32 hexadecimal digits, `chain_of` this record.
    """

    game: GameId
    epoch: int
    seq: int
    tick: Tick
    commands: str
    chain: str


class StoredSnapshot(msgspec.Struct, frozen=True):
    """A session's whole state after record `seq`, advanced to `tick`. `digest` is over the plain `data`."""

    game: GameId
    tick: Tick
    seq: int
    digest: str
    data: bytes
    version: int


class Clock(msgspec.Struct, frozen=True):
    """The reserved tick of a game: no tick after it was ever shown to anyone.

    Attributes:
        tick: the reserved tick.
        wall_s: Unix time in seconds at which the game's own time reaches it, or reached it; where the writer does not
            say, that of the commit that reserved it.
    """

    tick: Tick
    wall_s: float


class Past(msgspec.Struct, frozen=True):
    """Everything durable about one game, as one value: to be written elsewhere, or entered under another id.

    Attributes:
        row: the game's row of the catalogue.
        records: its history, from the first record on, without gaps.
        snapshots: its kept snapshots, oldest first; the first is of tick 0.
        tick: as far as its time may have gone: no earlier than the last record. A paused game stands earlier.
        players: `{player id: name}`.
    """

    row: GameRow
    records: list[Record]
    snapshots: list[StoredSnapshot]
    tick: Tick
    players: dict[PlayerId, str] = {}

    @property
    def last_seq(self) -> int:
        """Number of the last record; 0 when there is none."""
        return self.records[-1].seq if self.records else 0


class Card(msgspec.Struct, frozen=True):
    """What the catalogue tells of a game without opening it.

    Attributes:
        row: the game's row.
        tick: the reserved tick; 0 when nothing was reserved yet.
        seq: number of its last record.
    """

    row: GameRow
    tick: Tick
    seq: int


class LatencyRow(msgspec.Struct, frozen=True):
    """One second of one session's ticks (or the whole server's, with an empty game). Times in microseconds.

    Attributes:
        game: the game's id, or "" for the server as a whole.
        at_s: Unix time in seconds at the end of the second.
        ticks: how many ticks were executed.
        late_p50_us, late_p99_us, late_max_us: start of the tick against the grid.
        work_p50_us, work_p99_us, work_max_us: duration of the tick's work.
        commands_us, rules_us, journal_us, fanout_us: the second's sum by phase.
        late_buckets, work_buckets: how many ticks were so late and took so long, see `gamekit.journal.buckets`; empty
            in rows that were written before single ticks were counted.
    """

    game: str
    at_s: float
    ticks: int
    late_p50_us: int
    late_p99_us: int
    late_max_us: int
    work_p50_us: int
    work_p99_us: int
    work_max_us: int
    commands_us: int
    rules_us: int
    journal_us: int
    fanout_us: int
    late_buckets: str = UNKNOWN
    work_buckets: str = UNKNOWN


class Append(msgspec.Struct, frozen=True):
    """Write one record."""

    record: Record


class Reserve(msgspec.Struct, frozen=True):
    """Move the game's clock to `tick`; never back, except as the last act of a run that closes (`final`).

    Reserving an earlier tick without `final` succeeds and changes nothing. `at_s` becomes the clock's `wall_s`.
    """

    game: GameId
    epoch: int
    tick: Tick
    final: bool = False
    at_s: float | None = None


class SaveSnapshot(msgspec.Struct, frozen=True):
    """Keep a snapshot."""

    snapshot: StoredSnapshot
    epoch: int


class PutPlayer(msgspec.Struct, frozen=True):
    """Note a player in the catalogue, for people who read the database; the history itself decides."""

    game: GameId
    epoch: int
    player: PlayerId
    name: str


class PutLatency(msgspec.Struct, frozen=True):
    """Keep measured tick times."""

    rows: tuple[LatencyRow, ...]


Write: TypeAlias = Append | Reserve | SaveSnapshot | PutPlayer | PutLatency


class Completion(msgspec.Struct, frozen=True):
    """One finished write: durable when `error` is None."""

    write: Write
    error: JournalError | None = None


class JournalReader(Protocol):
    """The half of a journal that reads. Reads are synchronous, from any thread, and see only what is durable."""

    def close(self) -> None:
        """Release everything. Idempotent; every later call raises `JournalError`."""
        ...

    def games(self) -> list[GameRow]:
        """All games, oldest first."""
        ...

    def count(self) -> int:
        """How many games there are."""
        ...

    def game(self, game: GameId) -> GameRow | None:
        """One game's row."""
        ...

    def catalogue(self, after: GameId | None = None, limit: int = 1000) -> list[Card]:
        """A page of all games, oldest first: at most `limit` of those that come after game `after`."""
        ...

    def records(self, game: GameId, after_seq: int = 0) -> Iterator[Record]:
        """The records after `after_seq` in order, each checked against its chain as it is reached.

        Raises:
            JournalGap: a number is missing, or record `after_seq` is.
            JournalCorrupt: a record does not match its chain.
        """
        ...

    def chain(self, game: GameId, seq: int) -> str:
        """The chain of record `seq`; "" for seq 0.

        Raises:
            JournalGap: there is no such record.
        """
        ...

    def snapshots(self, game: GameId) -> list[tuple[Tick, int, str]]:
        """`(tick, seq, digest)` of each kept snapshot, oldest first."""
        ...

    def snapshot(self, game: GameId, seq: int | None = None, tick: Tick | None = None) -> StoredSnapshot | None:
        """The latest snapshot, or with arguments the latest whose seq (and tick) are at most those.

        Raises:
            JournalCorrupt: the stored bytes do not match their checksum; an earlier snapshot may.
        """
        ...

    def version(self, game: GameId) -> int | None:
        """The version of the rules' state in the latest snapshot; None for a game that has none."""
        ...

    def clock(self, game: GameId) -> Clock | None:
        """The reserved tick, or None when nothing was reserved yet."""
        ...

    def last_alive(self) -> float | None:
        """Unix time in seconds of the latest sign of life of a server.

        Where none was ever noted, that of the latest clock; None where there is none either.
        """
        ...

    def unsettled(self, since_s: float, limit: int) -> list[GameId]:
        """Games that were in use when their writer died: what the journal has of them goes on after their snapshots.

        An orderly end, and sleep, leave a snapshot after the last record and the clock at its tick.

        Args:
            since_s: only those whose clock was set to Unix time `since_s` in seconds, or later.
            limit: at most so many; those of the latest clocks, these first.
        """
        ...

    def players(self, game: GameId) -> dict[PlayerId, str]:
        """`{player id: name}` of everybody who was noted, in the order in which they were."""
        ...

    def latency(self, game: str, since_s: float = 0.0, limit: int | None = None) -> list[LatencyRow]:
        """Measured tick times of a game ("" for the server as a whole) from Unix time `since_s` on, oldest first.

        Args:
            game: the game's id.
            since_s: Unix time in seconds.
            limit: at most so many rows, the oldest of them; None for all.
        """
        ...


class Journal(JournalReader, Protocol):
    """A durable log. One process writes; see each backend for how that is enforced."""

    def start(self, on_commit: Callable[[Sequence[Completion]], None]) -> None:
        """Begin to accept writes; `create`, `open` and `submit` need it, reads do not.

        Args:
            on_commit: called once per commit (and for writes refused without one) with the finished writes in the
                order of submission, from whatever thread the backend commits on; it must return quickly, must not
                raise and must not call the journal's own blocking methods (`create`, `open`, `close`).

        Raises:
            JournalError: it was started before, or is closed.
        """
        ...

    def close(self) -> None:
        """Finish the writes under way, report them, and release everything. Idempotent."""
        ...

    def health(self) -> Health:
        """How the storage does at this moment; from any thread, without waiting for anything."""
        ...

    def create(self, row: GameRow, first: StoredSnapshot) -> None:
        """Enter a new game with its first snapshot, durable on return. It takes writes once it has been opened.

        Args:
            row: the game; its `epoch` is kept, normally 0.
            first: the state before record 1 (its `seq` is 0), of the same game.

        Raises:
            JournalError: the id is taken, the snapshot does not belong to the row, or the write failed.
        """
        ...

    def adopt(self, past: Past) -> None:
        """Enter a game that has a past already, all of it durable on return. It takes writes once it has been opened.

        Raises:
            JournalGap: the records have a gap, go back in time, or a snapshot lies outside them.
            JournalCorrupt: a record does not match its chain, or a snapshot its digest.
            JournalError: the id is taken, or the write failed.
        """
        ...

    def open(self, game: GameId) -> GameRow:
        """Take the game over for writing: raises its epoch by one (durable on return) and returns the row with it.

        The run before can write no more. An `open` that raises changes nothing.

        Raises:
            KeyError: no such game.
            JournalError: the write failed.
        """
        ...

    def open_all(self, games: Sequence[GameId]) -> dict[GameId, GameRow]:
        """`open` many games in one commit; those that there are not are left out.

        Raises:
            JournalError: the write failed; what was opened all the same has a new run, to which nothing was written.
        """
        ...

    def note_alive(self, at_s: float) -> None:
        """Note a sign of life: a server was at work at Unix time `at_s`; durable on return.

        Raises:
            JournalError: the write failed.
        """
        ...

    def move_clocks(self, by_s: float) -> None:
        """Let every clock's `wall_s` be so many seconds later: that time never passed for any game. Durable on return.

        Raises:
            JournalError: the write failed.
        """
        ...

    def submit(self, writes: Sequence[Write]) -> None:
        """Hand over writes that become durable together. Returns at once; `on_commit` tells how it went.

        Raises:
            JournalError: the journal was not started, or is closed.
        """
        ...


def chain_of(previous: str, game: GameId, epoch: int, seq: int, tick: Tick, commands: str) -> str:
    """The chain value of a record: BLAKE2b-128 over its predecessor's chain and every field, as 32 hex digits."""
    head = f"{previous}|{game}|{epoch}|{seq}|{tick}|".encode()
    return hashlib.blake2b(head + commands.encode(), digest_size=16).hexdigest()


def digest_of(data: bytes) -> str:
    """The digest of a snapshot's plain bytes: BLAKE2b-128, as 32 hex digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def check_link(record: Record, last_seq: int, last_chain: str) -> None:
    """Make sure that `record` is the one after record `last_seq`, whose chain is `last_chain`.

    Raises:
        JournalGap: the number is not the next one.
        JournalCorrupt: the chain does not match.
    """
    if record.seq != last_seq + 1:
        raise JournalGap(
            "records",
            f"record {record.seq} of game {record.game} follows record {last_seq}",
            hint="restore the database from a copy, or go back to a snapshot before the gap",
        )
    try:
        chain = chain_of(last_chain, record.game, record.epoch, record.seq, record.tick, record.commands)
    except UnicodeEncodeError:
        chain = ""
    if chain != record.chain:
        raise JournalCorrupt(
            "records",
            f"record {record.seq} of game {record.game} does not match its chain",
            hint="restore the database from a copy, or go back to a snapshot before this record",
        )
