"""The one thread that writes the database, and the one connection that writes and checkpoints it.

Takes everything that is waiting, of all games, into one transaction, waits for its fsync, and reports all of it in one
call. While one commit waits for the disk the next batch gathers by itself: the busier the server, the larger the
batches and the fewer fsyncs a command. As long as commits have more than one submission to share them, they begin at
most a hundred times a second. No fsync is skipped, and nothing is reported before its own.

Exactly one connection writes and checkpoints because SQLite from 3.7.0 to 3.51.2 (but for 3.44.6 and 3.50.7) has the
WAL-reset bug, by which two connections that write or checkpoint at the same moment may lose a commit. Every other
connection is opened read-only (see `reader`), and closing one of those checkpoints nothing.

Invariants:

- The writes of one submission are in one transaction; completions are reported in the order of submission.
- A submission that is refused, or whose values SQLite refuses, fails alone; the rest of its batch is committed. When
  the commit itself fails, all of the batch fails.
- The thread outlives every error; it ends in `close` only, after everything accepted was written or failed.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from gamekit.errors import JournalError
from gamekit.journal.admission import Admission
from gamekit.journal.contract import Completion, PutLatency, Write
from gamekit.journal.health import Health
from gamekit.journal.statements import RETENTION, statements_for
from gamekit.journal.storage import LATE_S, PATIENCE_S, Storage
from gamekit.journal.thinning import Retention
from gamekit.journal.trouble import concerns_one_row, journal_error

#: A batch takes no further submission once it holds this many writes.
MAX_BATCH_WRITES = 5_000
#: How long measured tick times may wait for other writes to share a commit with.
LATENCY_DELAY_S = 0.5
#: The shortest time from the beginning of a commit that several submissions shared to the beginning of the next: under
#: load, what comes within it shares one fsync and one switch of threads. What comes alone is written at once.
COMMIT_PACE_S = 0.01

log = logging.getLogger("gamekit.journal")
T = TypeVar("T")


@dataclass(slots=True)
class Submission:
    """The writes of one `submit`; `error` is set when they were refused or failed."""

    writes: tuple[Write, ...]
    error: JournalError | None = None

    @property
    def urgent(self) -> bool:
        """False when somebody is waiting for none of the writes."""
        return not all(isinstance(write, PutLatency) for write in self.writes)


@dataclass(slots=True, frozen=True)
class Task:
    """Work with the connection that has a transaction of its own, and whose caller waits for the result."""

    op: str
    work: Callable[[sqlite3.Connection], Any]
    then: Callable[[Any], None]
    result: Future[Any]


@dataclass(slots=True)
class WriterStats:
    """What the writer has done since it started; read by metrics, benchmarks and tests.

    Attributes:
        commits: transactions that are durable.
        writes: writes that are durable.
        failed_commits: transactions that failed.
        busy_s: seconds spent on batches, the wait for the disk included.
    """

    commits: int = 0
    writes: int = 0
    failed_commits: int = 0
    busy_s: float = 0.0


Job: TypeAlias = Submission | Task | None
OnCommit: TypeAlias = Callable[[Sequence[Completion]], None]


class Writer:
    """Owns the storage from construction to `close`."""

    def __init__(
        self,
        storage: Storage,
        path: Path,
        on_commit: OnCommit,
        wall: Callable[[], float],
        *,
        latency_delay_s: float = LATENCY_DELAY_S,
        pace_s: float = COMMIT_PACE_S,
        keep: Retention = RETENTION,
    ) -> None:
        """Take the connection over and start the thread.

        Args:
            storage: the writing connection and its files.
            path: the database, for messages.
            on_commit: told of finished writes, on the writer's thread.
            wall: returns Unix time in seconds.
            latency_delay_s: how long measured tick times may wait for company, in seconds.
            pace_s: the shortest time between the beginnings of two commits under load, in seconds.
            keep: how many snapshots stay.
        """
        #: Belongs to the writer's thread, as does `stats`; other threads may look at the latter.
        self.admission = Admission()
        self.stats = WriterStats()
        self._storage = storage
        self._connection = storage.connection
        self._path = path
        self._on_commit = on_commit
        self._wall = wall
        self._latency_delay_s = latency_delay_s
        self._keep = keep
        self._pace_s = pace_s
        #: When the last batch was begun, on the monotonic clock.
        self._began_s = float("-inf")
        #: True when the last batch had more than one submission.
        self._shared = False
        #: Set while somebody waits for the thread itself: nothing is paced then.
        self._hurry = threading.Event()
        self._queue: SimpleQueue[Job] = SimpleQueue()
        #: The job that did not fit the batch before it; one at most.
        self._held_back: list[Job] = []
        self._entrance = threading.Lock()
        self._closed = False
        # A daemon, so that a program that forgets `close` can end; what was reported is on disk anyway.
        self._thread = threading.Thread(target=self._run, name="gamekit-journal", daemon=True)
        self._thread.start()

    def submit(self, writes: Sequence[Write]) -> None:
        """Queue writes that become durable together. Thread-safe; takes a few microseconds."""
        if writes:
            self._put("submit", Submission(tuple(writes)))

    def call(self, op: str, work: Callable[[sqlite3.Connection], T], then: Callable[[T], None] = lambda _: None) -> T:
        """Run `work` in a transaction of its own, after all that was submitted before, and wait until it is durable.

        Args:
            op: what is being done, for messages.
            work: gets the connection; if it raises, the transaction is rolled back and the error is raised here.
            then: told of the result on the writer's thread, once it is durable and before any later write.

        Raises:
            JournalError: the journal is closed or the write failed.
        """
        if threading.current_thread() is self._thread:
            raise JournalError(op, "called from on_commit, which it would wait for", hint="call it from another thread")
        result: Future[T] = Future()
        self._put(op, Task(op, work, then, result))
        while True:
            try:
                return result.result(PATIENCE_S)
            except TimeoutError:
                if result.done():
                    raise
                # Behind another program's lock it may wait for ever; a disk that is slow is another matter.
                if self.health.late is not None and result.cancel():
                    raise JournalError(
                        op, self.health.late, hint="end that program, then try again", recoverable=True
                    ) from None

    @property
    def health(self) -> Health:
        """How the storage does; from any thread."""
        return self._storage.health

    def close(self) -> None:
        """Write what is queued, report it, checkpoint, and end the thread. Idempotent."""
        if threading.current_thread() is self._thread:
            raise JournalError("close", "called from on_commit, which it would wait for", hint="close elsewhere")
        with self._entrance:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
                self._hurry.set()
                self._storage.ending()
        self._thread.join()

    def _put(self, op: str, job: Job) -> None:
        # The lock makes sure that nothing enters the queue behind the mark that ends it.
        with self._entrance:
            if self._closed:
                raise JournalError(op, "the journal is closed", hint="open the journal again")
            self._queue.put(job)
            if isinstance(job, Task):
                self._hurry.set()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            if isinstance(job, Task):
                self._hurry.clear()
                self._perform(job)
            else:
                self._pace()
                batch = self._gather(job)
                self._shared = len(batch) > 1
                self._write(batch)
        self._storage.close()

    def _next(self) -> Job:
        """The next job; a look at the files in every second, whether there is one or not."""
        while True:
            if self._storage.due():
                self._storage.look()
            if self._held_back:
                return self._held_back.pop()
            with contextlib.suppress(Empty):
                return self._queue.get(timeout=LATE_S)

    def _pace(self) -> None:
        """Wait until the next commit may begin, unless somebody waits for what comes behind it."""
        wait_s = self._began_s + self._pace_s - time.monotonic()
        if self._shared and wait_s > 0:
            self._hurry.wait(wait_s)
        self._began_s = time.monotonic()

    def _gather(self, first: Submission) -> list[Submission]:
        """All that is waiting, up to the next task or the size of a batch.

        A batch of measured tick times alone waits a moment for other writes, so that they cost no fsync of their own.
        """
        batch, size, urgent = [first], len(first.writes), first.urgent
        deadline = time.monotonic() + self._latency_delay_s
        while True:
            try:
                if urgent:
                    job = self._queue.get_nowait()
                else:
                    job = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                return batch
            if not isinstance(job, Submission) or size + len(job.writes) > MAX_BATCH_WRITES:
                self._held_back.append(job)
                return batch
            batch.append(job)
            size += len(job.writes)
            urgent = urgent or job.urgent

    def _write(self, batch: list[Submission]) -> None:
        """Check a batch, store it, report it. Never raises."""
        began = time.perf_counter()
        try:
            admitted = []
            for submission in batch:
                submission.error = self.admission.admit(submission.writes)
                if submission.error is None:
                    admitted.append(submission)
            if admitted:
                self._store(admitted)
        except Exception as error:  # A fault of this code, or writes of impossible types: fail them, and go on.
            log.exception("a batch of %d submissions could not be handled", len(batch))
            self._fail(batch, error)
        self.stats.busy_s += time.perf_counter() - began
        completions = [Completion(write, submission.error) for submission in batch for write in submission.writes]
        try:
            self._on_commit(completions)
        except Exception:
            log.exception("on_commit raised; %d completions may be lost on their way", len(completions))

    def _store(self, batch: list[Submission]) -> None:
        """Make admitted submissions durable; note the errors of those that could not be."""
        try:
            try:
                writes = [write for item in batch for write in item.writes]
                self._storage.commit(statements_for(writes, self._wall(), self._keep))
            except Exception as error:
                if not concerns_one_row(error):
                    raise
                self._commit_apart(batch)
        except Exception as error:
            self.stats.failed_commits += 1
            self._fail(batch, error)
        else:
            self._storage.succeeded()
            self.stats.commits += 1
            self.stats.writes += sum(len(item.writes) for item in batch if item.error is None)

    def _fail(self, batch: list[Submission], error: Exception) -> None:
        """Fail what has not failed yet, with one error for all."""
        failure = journal_error("commit", error, self._path)
        if isinstance(error, sqlite3.Error):
            self._storage.failed(failure)
        for submission in batch:
            if submission.error is None:
                submission.error = failure
                with contextlib.suppress(Exception):
                    self.admission.fail(submission.writes, failure)

    def _commit_apart(self, batch: list[Submission]) -> None:
        """Store a batch that holds values SQLite refuses: one by one, leaving those out, still in one transaction."""
        with self._storage.transaction():
            for submission in batch:
                submission.error = self.admission.failed(submission.writes)
                if submission.error is not None:
                    continue
                self._connection.execute("SAVEPOINT submission")
                try:
                    for statement in statements_for(submission.writes, self._wall(), self._keep):
                        self._connection.execute(*statement)
                except Exception as error:
                    if not concerns_one_row(error):
                        raise
                    self._connection.execute("ROLLBACK TO submission")
                    submission.error = journal_error("write", error, self._path)
                    self.admission.fail(submission.writes, submission.error)
                self._connection.execute("RELEASE submission")

    def _perform(self, task: Task) -> None:
        if not task.result.set_running_or_notify_cancel():
            return
        try:
            with self._storage.transaction(PATIENCE_S):
                value = task.work(self._connection)
            task.then(value)
        except (JournalError, KeyError) as error:
            task.result.set_exception(error)
        except Exception as error:
            task.result.set_exception(journal_error(task.op, error, self._path))
        else:
            task.result.set_result(value)
