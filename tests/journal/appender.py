"""A process that appends to a journal as fast as it can and says what was reported durable, until it is killed.

Usage: appender.py DATABASE [FILE_SIZE_LIMIT_BYTES]

Prints one line "GAME SEQ" for each record as its completion arrives, and "failed CLASS" when one fails, which ends it.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from gamekit.game import GameId
from gamekit.journal import Append, Completion, GameRow, Record, SqliteJournal, StoredSnapshot, chain_of, digest_of

GAMES = 8
COMMANDS = '[{"player":"p1","client":"c1","cid":1,"body":{"type":"stop","ship":"ship-1"}}]'


class Appender:
    """Keeps one record of every game under way."""

    def __init__(self, path: Path) -> None:
        self.journal = SqliteJournal(path)
        self.failed = threading.Event()
        self.last: dict[GameId, Record] = {}

    def run(self) -> None:
        """Append until a write fails."""
        self.journal.start(self.note)
        games = [GameId(f"game-{number}") for number in range(GAMES)]
        for game in games:  # all of them before the first record: each is a sync, and tests count on what follows
            if self.journal.game(game) is None:
                first = StoredSnapshot(game, 0, 0, digest_of(b""), b"", 1)
                self.journal.create(GameRow(game, "space", 1, game, "{}", 1, 0.0), first)
        for game, epoch in [(game, self.journal.open(game).epoch) for game in games]:
            records = list(self.journal.records(game))
            seq, chain = (records[-1].seq, records[-1].chain) if records else (0, "")
            self.append(game, epoch, seq + 1, chain)
        self.failed.wait()
        self.journal.close()

    def append(self, game: GameId, epoch: int, seq: int, previous: str) -> None:
        """Submit one record."""
        chain = chain_of(previous, game, epoch, seq, seq, COMMANDS)
        self.journal.submit([Append(Record(game, epoch, seq, seq, COMMANDS, chain))])

    def note(self, completions: Sequence[Completion]) -> None:
        """Say what is durable, then submit the record after each."""
        for done in completions:
            assert isinstance(done.write, Append)
            record = done.write.record
            if done.error is not None:
                os.write(1, f"failed {type(done.error).__name__}\n".encode())
                self.failed.set()
                return
            os.write(1, f"{record.game} {record.seq}\n".encode())
            self.append(record.game, record.epoch, record.seq + 1, record.chain)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        limit = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    Appender(Path(sys.argv[1])).run()
