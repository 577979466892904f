"""What the journal's tests stand on: backends behind one face, and an author who writes valid histories."""

from __future__ import annotations

import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from msgspec.structs import replace

from gamekit.game import GameId, PlayerId, Tick
from gamekit.journal import (
    Append,
    Completion,
    GameRow,
    Journal,
    LatencyRow,
    MemoryJournal,
    PutPlayer,
    Record,
    Reserve,
    SaveSnapshot,
    SqliteJournal,
    StoredSnapshot,
    Write,
    chain_of,
    digest_of,
)

#: Nothing here takes that long; whoever waits longer has found a fault.
PATIENCE_S = 20.0
WALL_S = 1_700_000_000.0


def game_row(game: str, *, created_s: float = WALL_S, seed: int = 7) -> GameRow:
    """A game's catalogue row with plausible values."""
    return GameRow(GameId(game), "space", 1, f"Game {game}", '{"scenario": "stars"}', seed, created_s)


def snapshot(game: str, *, seq: int = 0, tick: Tick = 0, data: bytes | None = None) -> StoredSnapshot:
    """A snapshot whose digest is right."""
    data = f"state of {game} at {tick} after {seq}".encode() if data is None else data
    return StoredSnapshot(GameId(game), tick, seq, digest_of(data), data, 1)


def latency_row(game: str, at_s: float, ticks: int = 10) -> LatencyRow:
    """One second's tick times."""
    return LatencyRow(game, at_s, ticks, 100, 900, 1_000, 200, 1_800, 2_000, 10, 20, 30, 40)


class Author:
    """Writes one game's history as a well-behaved run of its session does."""

    def __init__(self, row: GameRow, last: Record | None = None) -> None:
        self.game = row.id
        self.epoch = row.epoch
        self.seq = last.seq if last else 0
        self.chain = last.chain if last else ""
        self.tick = last.tick if last else 0

    def append(self, commands: str | None = None, *, ticks: int = 1) -> Append:
        """The next record, `ticks` after the one before it."""
        self.seq += 1
        self.tick += ticks
        if commands is None:
            commands = f'[{{"player":"p1","client":"c1","cid":{self.seq},"body":{{"type":"stop","ship":"ship-1"}}}}]'
        self.chain = chain_of(self.chain, self.game, self.epoch, self.seq, self.tick, commands)
        return Append(Record(self.game, self.epoch, self.seq, self.tick, commands, self.chain))

    def reserve(self, tick: Tick, *, final: bool = False) -> Reserve:
        """A move of the clock."""
        return Reserve(self.game, self.epoch, tick, final)

    def save(self, data: bytes | None = None, *, tick: Tick | None = None) -> SaveSnapshot:
        """A snapshot after the last record."""
        at = self.tick if tick is None else tick
        return SaveSnapshot(snapshot(self.game, seq=self.seq, tick=at, data=data), self.epoch)

    def put_player(self, player: str, name: str) -> PutPlayer:
        """A player's entry."""
        return PutPlayer(self.game, self.epoch, PlayerId(player), name)


class Stage(ABC):
    """A started journal that collects its completions. Subclasses know one backend and how to damage what it keeps."""

    journal: Journal

    def __init__(self) -> None:
        self.completions: list[Completion] = []
        #: How many completions each call of `on_commit` brought.
        self.calls: list[int] = []
        self._submitted = 0
        self._arrived = threading.Condition()

    @abstractmethod
    def make(self) -> Journal:
        """A new journal over what is durable."""

    @abstractmethod
    def change_record(self, game: GameId, seq: int, commands: str) -> None:
        """Overwrite the commands of a stored record, and nothing else."""

    @abstractmethod
    def lose_record(self, game: GameId, seq: int) -> None:
        """Delete a stored record."""

    @abstractmethod
    def flip_snapshot_bit(self, game: GameId, seq: int) -> None:
        """Flip one bit of a stored snapshot's bytes."""

    @abstractmethod
    def locked(self) -> AbstractContextManager[None]:
        """Another program's lock keeps every write waiting, for longer than the journal thinks nothing of it."""

    def start(self) -> None:
        """Make a journal and start it."""
        self.journal = self.make()
        self.journal.start(self.note)

    def restart(self) -> None:
        """Close the journal and start another over what it left."""
        self.journal.close()
        self.start()

    def note(self, completions: Sequence[Completion]) -> None:
        """The journal's `on_commit`."""
        with self._arrived:
            self.completions.extend(completions)
            self.calls.append(len(completions))
            self._arrived.notify_all()

    def begin(self, game: str) -> Author:
        """Create and open a game."""
        self.journal.create(game_row(game), snapshot(game))
        return Author(self.journal.open(GameId(game)))

    def submit(self, *writes: Write) -> None:
        """Submit writes as one unit."""
        self._submitted += len(writes)
        self.journal.submit(writes)

    def settle(self) -> None:
        """Wait until everything submitted was reported."""
        with self._arrived:
            done = self._arrived.wait_for(lambda: len(self.completions) >= self._submitted, PATIENCE_S)
        assert done, f"{len(self.completions)} of {self._submitted} writes were reported"

    def write(self, *writes: Write) -> list[Completion]:
        """Submit writes as one unit and return how they ended."""
        self.submit(*writes)
        self.settle()
        return self.completions[-len(writes) :]


class MemoryStage(Stage):
    """The memory backend, committing as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._memory: MemoryJournal | None = None

    def make(self) -> Journal:
        storage = self._memory.storage if self._memory else None
        self._memory = MemoryJournal(wall=lambda: WALL_S, storage=storage)
        return self._memory

    @contextmanager
    def locked(self) -> Iterator[None]:
        assert self._memory
        self._memory._auto = False
        yield
        self._memory._auto = True
        self._memory.commit()

    def change_record(self, game: GameId, seq: int, commands: str) -> None:
        assert self._memory
        records = self._memory.storage.books[game].records
        records[seq - 1] = replace(records[seq - 1], commands=commands)

    def lose_record(self, game: GameId, seq: int) -> None:
        assert self._memory
        del self._memory.storage.books[game].records[seq - 1]

    def flip_snapshot_bit(self, game: GameId, seq: int) -> None:
        assert self._memory
        kept = self._memory.storage.books[game].snapshots
        index = next(index for index, one in enumerate(kept) if one.seq == seq)
        kept[index] = replace(kept[index], data=flipped(kept[index].data))


class SqliteStage(Stage):
    """The SQLite backend over a file."""

    def __init__(self, path: Path, latency_delay_s: float = 0.01, commit_pace_s: float = 0.001) -> None:
        super().__init__()
        self.path = path
        self._latency_delay_s = latency_delay_s
        self._commit_pace_s = commit_pace_s
        self._gate = threading.Event()
        self._gate.set()
        self._reached = threading.Event()

    def make(self) -> Journal:
        return SqliteJournal(
            self.path, wall=lambda: WALL_S, latency_delay_s=self._latency_delay_s, commit_pace_s=self._commit_pace_s
        )

    def note(self, completions: Sequence[Completion]) -> None:
        self._reached.set()
        assert self._gate.wait(PATIENCE_S)
        super().note(completions)

    def reported(self, within_s: float) -> bool:
        """Whether anything is reported in so many seconds; for what must not be."""
        self._reached.clear()
        return self._reached.wait(within_s)

    @contextmanager
    def writer_held_up(self, author: Author) -> Iterator[None]:
        """Keep the writer busy reporting a record of `author` for the length of the block, so that writes gather.

        `calls` and `completions` then hold only what came of the block.
        """
        self._gate.clear()
        self._reached.clear()
        self.submit(author.append())
        assert self._reached.wait(PATIENCE_S)
        self.calls.clear()
        try:
            yield
        finally:
            self._gate.set()
            self.settle()
        del self.calls[0]
        del self.completions[: -sum(self.calls)]
        self._submitted = len(self.completions)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self.raw() as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield
            until = time.monotonic() + PATIENCE_S
            while self.journal.health().late is None:
                assert time.monotonic() < until, "the journal does not say that it waits"
            connection.execute("ROLLBACK")

    def change_record(self, game: GameId, seq: int, commands: str) -> None:
        with self.raw() as connection:
            connection.execute("UPDATE commands SET commands = ? WHERE game = ? AND seq = ?", (commands, game, seq))

    def lose_record(self, game: GameId, seq: int) -> None:
        with self.raw() as connection:
            connection.execute("DELETE FROM commands WHERE game = ? AND seq = ?", (game, seq))

    def flip_snapshot_bit(self, game: GameId, seq: int) -> None:
        with self.raw() as connection:
            where = "WHERE game = ? AND seq = ?"
            (stored,) = connection.execute(f"SELECT data FROM snapshots {where}", (game, seq)).fetchone()
            connection.execute(f"UPDATE snapshots SET data = ? {where}", (flipped(stored), game, seq))

    @contextmanager
    def raw(self) -> Iterator[sqlite3.Connection]:
        """A connection of somebody who does not care about the rules."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            yield connection


def flipped(stored: bytes) -> bytes:
    """The bytes with one bit in the middle flipped."""
    middle = len(stored) // 2
    return stored[:middle] + bytes([stored[middle] ^ 1]) + stored[middle + 1 :]
