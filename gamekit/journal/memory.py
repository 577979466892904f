"""A journal in memory: the whole contract, but nothing outlives the process.

For tests, notebooks and simulations. Two things that a disk does by itself can be done here by hand: *when* a commit
happens (`auto=False`, then `commit`), and *whether* it succeeds (`fail_next_commit`). `crash` answers with what a new
process would find. It has no thread: commits happen, and `on_commit` is called, in whichever thread asks for them.

It shares `admission` and `thinning` with the SQLite backend, so it refuses and drops the same things. Latency rows
are kept for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from gamekit.errors import JournalCorrupt, JournalError, JournalGap
from gamekit.game import GameId, PlayerId, Tick
from gamekit.journal.admission import Admission, check_first, check_past
from gamekit.journal.contract import (
    Append,
    Card,
    Clock,
    Completion,
    GameRow,
    LatencyRow,
    Past,
    PutLatency,
    PutPlayer,
    Record,
    Reserve,
    SaveSnapshot,
    StoredSnapshot,
    Write,
    check_link,
    digest_of,
)
from gamekit.journal.health import Health
from gamekit.journal.thinning import KEEP_LATEST, drops


@dataclass(slots=True)
class Book:
    """Everything durable of one game."""

    row: GameRow
    records: list[Record] = field(default_factory=list)
    #: Ordered by (seq, tick).
    snapshots: list[StoredSnapshot] = field(default_factory=list)
    players: dict[PlayerId, str] = field(default_factory=dict)
    clock: Clock | None = None


@dataclass(slots=True)
class Storage:
    """What survives a crash."""

    books: dict[GameId, Book] = field(default_factory=dict)
    latency: list[LatencyRow] = field(default_factory=list)
    alive_s: float | None = None


class MemoryJournal:
    """The journal contract in memory, with its commits under the caller's control.

    Attributes:
        storage: what is durable; tests may look into it and damage it.
        commits: how many commits there were.
    """

    def __init__(
        self, *, auto: bool = True, wall: Callable[[], float] = time.time, storage: Storage | None = None
    ) -> None:
        """Make a journal.

        Args:
            auto: True to commit within `submit`; False to wait for `commit`.
            wall: returns Unix time in seconds, noted with clocks.
            storage: what an earlier journal left; nothing by default.
        """
        self.storage = Storage() if storage is None else storage
        self.commits = 0
        self._auto = auto
        self._wall = wall
        self._waiting: list[tuple[Write, ...]] = []
        self._admission = Admission()
        self._next_failure: JournalError | None = None
        self._on_commit: Callable[[Sequence[Completion]], None] | None = None
        self._closed = False
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Control by tests.

    @property
    def waiting(self) -> int:
        """How many submissions wait for a commit."""
        return len(self._waiting)

    def commit(self, count: int | None = None) -> int:
        """Commit the oldest `count` submissions that are waiting, or all of them, as one batch.

        Returns:
            The number of submissions in the batch; with none waiting nothing happens.
        """
        with self._lock:
            size = len(self._waiting) if count is None else count
            batch, self._waiting = self._waiting[:size], self._waiting[size:]
            if not batch:
                return 0
            failure, self._next_failure = self._next_failure, None
            errors = [self._settle(writes, failure) for writes in batch]
            if not all(errors):
                self.commits += 1
            completions = [
                Completion(write, error) for writes, error in zip(batch, errors, strict=True) for write in writes
            ]
        if self._on_commit is not None:
            self._on_commit(completions)
        return len(batch)

    def fail_next_commit(self, error: JournalError | None = None) -> None:
        """Let the next commit fail with `error`, and nothing of it be stored; also that of a `create` or `open`."""
        self._next_failure = error or JournalError("commit", "made to fail", hint="open the game again")

    def crash(self) -> MemoryJournal:
        """Forget what is not durable, as a killed process does, and return a new journal over what is."""
        with self._lock:
            self._waiting.clear()
            self._closed = True
        return MemoryJournal(auto=self._auto, wall=self._wall, storage=self.storage)

    # The contract.

    def health(self) -> Health:
        """All is well, always."""
        return Health()

    def start(self, on_commit: Callable[[Sequence[Completion]], None]) -> None:
        """Begin to accept writes."""
        if self._closed or self._on_commit is not None:
            raise JournalError(
                "start", "the journal was started before, or is closed", hint="start a journal once, after opening it"
            )
        self._on_commit = on_commit

    def close(self) -> None:
        """Commit what is waiting, and take no more. Idempotent."""
        if not self._closed:
            self.commit()
            self._closed = True

    def create(self, row: GameRow, first: StoredSnapshot) -> None:
        """Enter a new game with its first snapshot."""
        check_first(row, first)
        with self._lock:
            self._check_started("create")
            if row.id in self.storage.books:
                raise JournalError("create", f"there is a game {row.id} already", hint="choose another id")
            self._raise_failure()
            self.storage.books[row.id] = Book(row, snapshots=[first])

    def adopt(self, past: Past) -> None:
        """Enter a game that has a past already."""
        check_past(past)
        game = past.row.id
        with self._lock:
            self._check_started("adopt")
            if game in self.storage.books:
                raise JournalError("adopt", f"there is a game {game} already", hint="give it a new id")
            self._raise_failure()
            clock = Clock(past.tick, self._wall())
            self.storage.books[game] = Book(
                past.row, list(past.records), list(past.snapshots), dict(past.players), clock
            )

    def open(self, game: GameId) -> GameRow:
        """Take the game over for writing. What waits for a `commit` is of the run before, and will be refused."""
        with self._lock:
            self._check_started("open")
            book = self.storage.books[game]
            self._raise_failure()
            book.row = replace(book.row, epoch=book.row.epoch + 1)
            self._admission.opened(book.row, book.records[-1] if book.records else None)
            return book.row

    def open_all(self, games: Sequence[GameId]) -> dict[GameId, GameRow]:
        """`open` many games; those that there are not are left out."""
        return {game: self.open(game) for game in dict.fromkeys(games) if game in self.storage.books}

    def submit(self, writes: Sequence[Write]) -> None:
        """Hand over writes that become durable together."""
        with self._lock:
            self._check_started("submit")
            if writes:
                self._waiting.append(tuple(writes))
        if self._auto:
            self.commit()

    def games(self) -> list[GameRow]:
        """All games, oldest first."""
        self._check_open()
        return sorted((book.row for book in self.storage.books.values()), key=lambda row: row.created_s)

    def count(self) -> int:
        """How many games there are."""
        self._check_open()
        return len(self.storage.books)

    def game(self, game: GameId) -> GameRow | None:
        """One game's row."""
        book = self._book(game)
        return book.row if book else None

    def catalogue(self, after: GameId | None = None, limit: int = 1000) -> list[Card]:
        """A page of all games, oldest first: at most `limit` of those that come after game `after`."""
        rows = self.games()
        begin = next((at + 1 for at, row in enumerate(rows) if row.id == after), 0 if after is None else len(rows))
        books = [self.storage.books[row.id] for row in rows[begin : begin + limit]]
        return [Card(book.row, book.clock.tick if book.clock else 0, len(book.records)) for book in books]

    def records(self, game: GameId, after_seq: int = 0) -> Iterator[Record]:
        """The records after `after_seq` in order, each checked against its chain as it is reached."""
        book = self._book(game)
        later = [record for record in book.records if record.seq > after_seq] if book else []
        if later:
            seq, chain = after_seq, self.chain(game, after_seq)
            for record in later:
                check_link(record, seq, chain)
                seq, chain = record.seq, record.chain
                yield record

    def chain(self, game: GameId, seq: int) -> str:
        """The chain of record `seq`; "" for seq 0."""
        book = self._book(game)
        if seq == 0:
            return ""
        for record in reversed(book.records if book else []):
            if record.seq == seq:
                return record.chain
        raise JournalGap("chain", f"game {game} has no record {seq}", hint="go back to a snapshot that has its record")

    def snapshots(self, game: GameId) -> list[tuple[Tick, int, str]]:
        """`(tick, seq, digest)` of each kept snapshot, oldest first."""
        book = self._book(game)
        return [(kept.tick, kept.seq, kept.digest) for kept in book.snapshots] if book else []

    def snapshot(self, game: GameId, seq: int | None = None, tick: Tick | None = None) -> StoredSnapshot | None:
        """The latest snapshot, or with arguments the latest whose seq (and tick) are at most those."""
        book = self._book(game)
        for kept in reversed(book.snapshots if book else []):
            if (seq is None or kept.seq <= seq) and (tick is None or kept.tick <= tick):
                if digest_of(kept.data) != kept.digest:
                    raise JournalCorrupt(
                        "snapshot",
                        f"the snapshot of game {game} after record {kept.seq} does not match its digest",
                        hint="take the snapshot before it and replay the records from there",
                    )
                return kept
        return None

    def version(self, game: GameId) -> int | None:
        """The version of the rules' state in the latest snapshot; None for a game that has none."""
        book = self._book(game)
        return book.snapshots[-1].version if book and book.snapshots else None

    def clock(self, game: GameId) -> Clock | None:
        """The reserved tick, or None when nothing was reserved yet."""
        book = self._book(game)
        return book.clock if book else None

    def last_alive(self) -> float | None:
        """The latest sign of life, or the latest clock."""
        self._check_open()
        if self.storage.alive_s is not None:
            return self.storage.alive_s
        return max((book.clock.wall_s for book in self.storage.books.values() if book.clock), default=None)

    def note_alive(self, at_s: float) -> None:
        """A server was at work at Unix time `at_s`."""
        self._check_started("note alive")
        self.storage.alive_s = at_s

    def move_clocks(self, by_s: float) -> None:
        """Every clock is so many seconds later."""
        self._check_started("move clocks")
        for book in self.storage.books.values():
            if book.clock is not None:
                book.clock = Clock(book.clock.tick, book.clock.wall_s + by_s)

    def unsettled(self, since_s: float, limit: int) -> list[GameId]:
        """Games that were in use when their writer died, those of the latest clocks first."""
        self._check_open()
        found = []
        for game, book in self.storage.books.items():
            kept, clock = book.snapshots[-1], book.clock
            if clock is None or clock.wall_s < since_s:
                continue
            if clock.tick > kept.tick or len(book.records) > kept.seq:
                found.append((-clock.wall_s, game))
        return [game for _, game in sorted(found)[:limit]]

    def players(self, game: GameId) -> dict[PlayerId, str]:
        """`{player id: name}` of everybody who was noted."""
        book = self._book(game)
        return dict(book.players) if book else {}

    def latency(self, game: str, since_s: float = 0.0, limit: int | None = None) -> list[LatencyRow]:
        """Measured tick times of a game ("" for the server as a whole) from Unix time `since_s` on, oldest first."""
        self._check_open()
        rows = [row for row in self.storage.latency if row.game == game and row.at_s >= since_s]
        return sorted(rows, key=lambda row: row.at_s)[:limit]

    def _settle(self, writes: tuple[Write, ...], failure: JournalError | None) -> JournalError | None:
        """Admit and store the writes of one submission; the error when they were not."""
        error = self._admission.admit(writes)
        if error is None and failure is not None:
            self._admission.fail(writes, failure)
            error = failure
        if error is None:
            for write in writes:
                self._store(write)
        return error

    def _store(self, write: Write) -> None:
        books = self.storage.books
        if isinstance(write, Append):
            books[write.record.game].records.append(write.record)
        elif isinstance(write, Reserve):
            book = books[write.game]
            if write.final or book.clock is None or write.tick >= book.clock.tick:
                book.clock = Clock(write.tick, self._wall() if write.at_s is None else write.at_s)
        elif isinstance(write, SaveSnapshot):
            _keep(books[write.snapshot.game].snapshots, write.snapshot)
        elif isinstance(write, PutPlayer):
            books[write.game].players[write.player] = write.name
        elif isinstance(write, PutLatency):
            self.storage.latency.extend(write.rows)

    def _book(self, game: GameId) -> Book | None:
        self._check_open()
        return self.storage.books.get(game)

    def _raise_failure(self) -> None:
        failure, self._next_failure = self._next_failure, None
        if failure is not None:
            raise failure

    def _check_open(self) -> None:
        if self._closed:
            raise JournalError("read", "the journal is closed", hint="open the journal again")

    def _check_started(self, op: str) -> None:
        if self._closed or self._on_commit is None:
            raise JournalError(op, "the journal was not started, or is closed", hint="call start first")


def _keep(snapshots: list[StoredSnapshot], new: StoredSnapshot) -> None:
    """Add a snapshot in its place, instead of one of the same seq and tick, and thin the list."""
    snapshots[:] = [kept for kept in snapshots if (kept.seq, kept.tick) != (new.seq, new.tick)]
    snapshots.append(new)
    snapshots.sort(key=lambda kept: (kept.seq, kept.tick))
    if len(snapshots) > KEEP_LATEST:
        candidate = len(snapshots) - KEEP_LATEST - 1
        one, before = snapshots[candidate], snapshots[candidate - 1] if candidate else None
        first = before is not None and before.version != one.version
        if drops(one.tick, before.tick if before else None, first_of_version=first):
            del snapshots[candidate]
