"""Decides which writes may be written at all: the rules of the contract that need no storage.

Owns, per game that was opened, what the next record must look like and whether the run has failed. Every backend asks
it before it writes, so all of them refuse the same things for the same reasons. It does no I/O and has no lock: it
belongs to whichever thread commits.

Invariants:

- What `admit` lets through continues the record let through before it, so a batch may be checked as a whole first.
- Once `fail` was told of a write, its run admits nothing more; a write of another run is no concern of this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from gamekit.errors import JournalCorrupt, JournalError, JournalFenced, JournalGap
from gamekit.game import GameId, Tick
from gamekit.journal.contract import (
    Append,
    GameRow,
    Past,
    PutLatency,
    PutPlayer,
    Record,
    Reserve,
    SaveSnapshot,
    StoredSnapshot,
    Write,
    chain_of,
    check_link,
    digest_of,
)

#: What each kind of write is called in errors.
OPERATIONS: dict[type[Write], str] = {
    Append: "append",
    Reserve: "reserve",
    SaveSnapshot: "save snapshot",
    PutPlayer: "put player",
    PutLatency: "put latency",
}

RunWrite: TypeAlias = Append | Reserve | SaveSnapshot | PutPlayer


@dataclass(slots=True)
class Run:
    """One game under one epoch: the last record admitted, and the error that ended the run, if one did."""

    epoch: int
    seq: int
    chain: str
    tick: Tick
    failed: JournalError | None = None


class Admission:
    """The runs that may write, and the checks that each of their writes must pass."""

    def __init__(self) -> None:
        self._runs: dict[GameId, Run] = {}

    def opened(self, row: GameRow, last: Record | None) -> None:
        """Begin the run of `row.epoch` after the game's last durable record."""
        if last is None:
            self._runs[row.id] = Run(row.epoch, seq=0, chain="", tick=0)
        else:
            self._runs[row.id] = Run(row.epoch, last.seq, last.chain, last.tick)

    def admit(self, writes: Iterable[Write]) -> JournalError | None:
        """Check the writes of one `submit`; the error that refuses all of them, or None.

        A refusal fails the runs that the writes belong to.
        """
        writes = tuple(writes)
        try:
            for write in writes:
                if not isinstance(write, PutLatency):
                    self._check(write)
        except JournalError as error:
            self.fail(writes, error)
            return error
        return None

    def fail(self, writes: Iterable[Write], error: JournalError) -> None:
        """Note that these writes were not stored: their runs admit nothing more."""
        for write in writes:
            if isinstance(write, PutLatency):
                continue
            game, epoch = run_of(write)
            run = self._runs.get(game)
            if run is not None and run.epoch == epoch and run.failed is None:
                run.failed = error

    def failed(self, writes: Iterable[Write]) -> JournalError | None:
        """The error to report for writes of which one belongs to a run that has failed; None when there is none."""
        for write in writes:
            if isinstance(write, PutLatency):
                continue
            game, epoch = run_of(write)
            run = self._runs.get(game)
            if run is not None and run.epoch == epoch and run.failed is not None:
                return _after_failure(OPERATIONS[type(write)], game, run.failed)
        return None

    def _check(self, write: RunWrite) -> None:
        """Raise if the write may not follow what was admitted before it; else take note of it."""
        op = OPERATIONS[type(write)]
        game, epoch = run_of(write)
        run = self._runs.get(game)
        if run is None:
            raise JournalFenced(op, f"game {game} is not open in this journal", hint="open the game, then write")
        if run.epoch != epoch:
            raise JournalFenced(
                op,
                f"game {game} is owned by epoch {run.epoch}, and this write is of epoch {epoch}",
                hint="stop this run of the session; the newer one goes on",
            )
        if run.failed is not None:
            raise _after_failure(op, game, run.failed)
        if isinstance(write, Append):
            _check_record(write.record, run)
            run.seq, run.chain, run.tick = write.record.seq, write.record.chain, write.record.tick
        elif isinstance(write, SaveSnapshot):
            check_snapshot(write.snapshot, run.seq)


def run_of(write: RunWrite) -> tuple[GameId, int]:
    """The game and the epoch that a write belongs to."""
    if isinstance(write, Append):
        return write.record.game, write.record.epoch
    if isinstance(write, SaveSnapshot):
        return write.snapshot.game, write.epoch
    return write.game, write.epoch


def check_first(row: GameRow, first: StoredSnapshot) -> None:
    """Make sure that a new game's first snapshot is of that game and lies before its first record.

    Raises:
        JournalError: it does not belong to the row.
        JournalGap: its seq is not 0.
        JournalCorrupt: its digest is not that of its bytes.
    """
    if first.game != row.id:
        raise JournalError(
            "create",
            f"the first snapshot is of game {first.game}, the row of game {row.id}",
            hint="give both the same id",
        )
    check_snapshot(first, last_seq=0)


def check_past(past: Past) -> None:
    """Make sure that a past is whole and of one game.

    Raises:
        JournalError: a part of it is of another game, or its time ends before its last record.
        JournalGap: the records have a gap or go back in time, or a snapshot lies outside them.
        JournalCorrupt: a record does not match its chain, or a snapshot its digest.
    """
    game = past.row.id
    ids = {record.game for record in past.records} | {snapshot.game for snapshot in past.snapshots}
    if ids - {game}:
        raise JournalError("adopt", f"a part of the past of {game} is of another game", hint="give all of it one id")
    seq, chain, tick = 0, "", 0
    for record in past.records:
        check_link(record, seq, chain)
        if record.tick < tick:
            raise JournalGap("adopt", f"record {record.seq} goes back to tick {record.tick}", hint="export it again")
        seq, chain, tick = record.seq, record.chain, record.tick
    if past.tick < tick:
        raise JournalError("adopt", f"time ends at tick {past.tick}, before record {seq}", hint="export it again")
    if not past.snapshots or past.snapshots[0].seq != 0:
        raise JournalGap("adopt", f"game {game} has no first snapshot", hint="export it again")
    for snapshot in past.snapshots:
        check_snapshot(snapshot, last_seq=seq)


def check_snapshot(snapshot: StoredSnapshot, last_seq: int) -> None:
    """Make sure that a snapshot is whole and lies within a history that ends at record `last_seq`.

    Raises:
        JournalGap: it is of a record that has not been written.
        JournalCorrupt: its digest is not that of its bytes.
    """
    if not 0 <= snapshot.seq <= last_seq:
        raise JournalGap(
            "save snapshot",
            f"a snapshot of game {snapshot.game} after record {snapshot.seq}, but the last record is {last_seq}",
            hint="append the record first",
        )
    if digest_of(snapshot.data) != snapshot.digest:
        raise JournalCorrupt(
            "save snapshot",
            f"the snapshot of game {snapshot.game} after record {snapshot.seq} does not match its own digest",
            hint="make the digest with gamekit.journal.digest_of over the same bytes",
        )


def _check_record(record: Record, run: Run) -> None:
    if record.seq != run.seq + 1:
        raise JournalGap(
            "append",
            f"game {record.game} expects record {run.seq + 1}, not {record.seq}",
            hint="open the game again and continue from its last record",
        )
    if record.tick < run.tick:
        raise JournalGap(
            "append",
            f"record {record.seq} of game {record.game} is of tick {record.tick}, before tick {run.tick}",
            hint="records must not go back in time",
        )
    try:
        chain = chain_of(run.chain, record.game, record.epoch, record.seq, record.tick, record.commands)
    except UnicodeEncodeError as error:
        raise JournalError(
            "append",
            f"the commands of record {record.seq} of game {record.game} are not Unicode text: {error.reason}",
            hint="refuse lone surrogates when commands are decoded",
        ) from None
    if chain != record.chain:
        raise JournalCorrupt(
            "append",
            f"record {record.seq} of game {record.game} does not continue the chain",
            hint="open the game again and continue from its last record",
        )


def _after_failure(op: str, game: GameId, first: JournalError) -> JournalError:
    """The error of a write that comes after the one that failed: of the same class, so that it is handled alike."""
    return type(first)(
        op,
        f"game {game} takes no writes since one failed: {first.message}",
        hint="put the cause right, then open the game again",
    )
