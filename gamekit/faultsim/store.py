"""A journal over the simulated disk: the contract of `gamekit.journal`, with the production's admission checks.

`Store` is what the writer's thread and SQLite are in a real server: it takes all that waits into one commit, writes,
fsyncs, reports; between any two of those steps the process may die. `SimJournal` is how one host sees it.

A commit that failed is rolled back: the next one is written over it. Until then its bytes are there, and a process
that is killed in between may find them when it comes back, as with SQLite's log.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec
from msgspec.structs import replace

from gamekit.errors import JournalError, JournalFull
from gamekit.faultsim.disk import Disk, frame
from gamekit.faultsim.loop import Died
from gamekit.faultsim.ratios import Ratios
from gamekit.faultsim.world import Timer, World
from gamekit.game import GameId
from gamekit.journal import Completion, GameRow, Health, PutLatency, StoredSnapshot, Write
from gamekit.journal.admission import Admission, check_first
from gamekit.journal.memory import Book, MemoryJournal, Storage


class Created(msgspec.Struct, frozen=True):
    """A new game, as it is written."""

    row: GameRow
    first: StoredSnapshot


class Opened(msgspec.Struct, frozen=True):
    """A game that was taken over under a new epoch, as it is written."""

    game: GameId
    epoch: int


#: What one commit holds.
Entry: TypeAlias = Write | Created | Opened


class Watch(Protocol):
    """Who is told what the disk holds."""

    def durable(self, entries: Sequence[Entry]) -> None:
        """These entries are on the platter, and stay there."""
        ...

    def submitted(self, writes: Sequence[Write]) -> None:
        """A host hands these over."""
        ...


class Store:
    """The disk, the file on it, and the writer.

    Args:
        world: time.
        ratios: of faults.
        watch: told what is durable.
        die: called when the process dies in the middle of a commit, with the step that it was at.
    """

    def __init__(self, world: World, ratios: Ratios, watch: Watch, die: Callable[[str], None]) -> None:
        self.world = world
        self.ratios = ratios
        self.disk = Disk(world.chance("disk"))
        self.storage = Storage()
        self.full_until_us = 0
        self.slow_until_us = 0
        #: Until when another program holds the lock: no commit begins.
        self.locked_until_us = 0
        self.commits = 0
        self._chance = world.chance("store")
        self._watch = watch
        self._die = die
        self._shelf = MemoryJournal(storage=self.storage, wall=self.wall_s)
        self._wall_offset_s = 0
        #: {checksum: what the frame holds}; the same as decoding it.
        self._contents: dict[bytes, tuple[Entry, ...]] = {}
        self._restart()

    def _restart(self) -> None:
        self.admission = Admission()
        self._end, self._check = 0, b""
        self._queue: list[tuple[SimJournal, tuple[Write, ...]]] = []
        self._batch: list[tuple[SimJournal, tuple[Write, ...], JournalError | None]] = []
        self._next: tuple[Timer, Callable[[], None]] | None = None
        #: Why the latest commit failed, where the cause passes.
        self._failing: str | None = None

    def wall_s(self) -> float:
        """The wall clock, Unix time in seconds."""
        return 1_700_000_000.0 + self._wall_offset_s + self.world.now_us / 1e6

    def move_wall(self, by_s: int) -> None:
        """Set the wall clock forward or back."""
        self._wall_offset_s += by_s

    # --- a process begins and ends ----------------------------------------------------------------------------

    def boot(self) -> None:
        """Read the file as a new process does, and bring all of it safely to the disk before anything is built on it.

        Raises:
            JournalError: that failed; try again.
        """
        self._restart()
        self.disk.rewrite()
        try:
            self._fsync()
        except OSError as error:
            raise _journal_error(error) from None
        self.storage.books.clear()
        for end, check in self.disk.frames():
            self._end, self._check = end, check
            self._apply(self._contents[check])
        self._tell_durable()

    def crash(self, *, power: bool) -> None:
        """The process is gone, with all that it had not written; at a power loss also what was not synced."""
        if self._next is not None:
            self._next[0].cancel()
        self._restart()
        if power:
            self.disk.lose_power()

    def _tell_durable(self) -> None:
        for check in self.disk.newly_safe(self._end):
            self._watch.durable(self._contents[check])

    # --- what hosts ask ---------------------------------------------------------------------------------------

    def submit(self, journal: SimJournal, writes: tuple[Write, ...]) -> None:
        """Queue writes; a commit takes them when the one under way is done."""
        self._watch.submitted(writes)
        self._queue.append((journal, writes))
        if self._next is None:
            self._later(self._begin)

    def finish(self) -> None:
        """Do at once all that waits, as somebody who blocks would see it; a lock is gone by then."""
        self.locked_until_us = 0
        while self._next is not None:
            self._next[0].cancel()
            self._next[1]()

    def commit_now(self, journal: SimJournal, entry: Created | Opened) -> None:
        """One entry in a commit of its own, after all that waits, durable on return.

        Raises:
            JournalError: it failed.
            Died: the process died on the way.
        """
        self.finish()
        if not journal.alive:
            raise Died
        try:
            self._write((entry,))
            self._step("after a write")
            self._fsync()
        except OSError as error:
            raise _journal_error(error) from None
        self._step("after an fsync")
        self._committed((entry,))

    # --- the writer -------------------------------------------------------------------------------------------

    def health(self) -> Health:
        """How the disk does; once there is room, what failed for lack of it is over."""
        now_us = self.world.now_us
        late = "another program holds the simulated lock" if now_us < self.locked_until_us else None
        return Health(self._failing if now_us < self.full_until_us else None, late=late)

    def _later(self, what: Callable[[], None], delay_us: int | None = None) -> None:
        slow = 50 if self.world.now_us < self.slow_until_us else 1
        if delay_us is None:
            delay_us = self._chance.randrange(50, 20_000) * slow

        def go() -> None:
            self._next = None
            with contextlib.suppress(Died):
                what()

        self._next = (self.world.after(delay_us, go), go)

    def _step(self, where: str) -> None:
        """The process may die here."""
        if self._chance.random() < self.ratios.crash:
            self._die(where)
            raise Died

    def _begin(self) -> None:
        if (locked_us := self.locked_until_us - self.world.now_us) > 0:
            # What gathers meanwhile goes with it.
            self._later(self._begin, locked_us)
            return
        queue, self._queue = self._queue, []
        self._batch = [(journal, writes, self.admission.admit(writes)) for journal, writes in queue]
        entries = tuple(write for _, writes, error in self._batch if error is None for write in writes)
        if not entries:
            self._later(self._report)
            return
        self._step("before a write")
        try:
            self._write(entries)
        except OSError as error:
            self._fail(error)
            return
        self._step("after a write, before its fsync")
        self._later(lambda: self._sync(entries))

    def _sync(self, entries: tuple[Entry, ...]) -> None:
        try:
            self._fsync()
        except OSError as error:
            self._fail(error)
            return
        self._committed(entries)
        self._step("after an fsync, before its report")
        self._later(self._report)

    def _report(self) -> None:
        batch, self._batch = self._batch, []
        if self._queue:
            self._later(self._begin)
        for journal in dict.fromkeys(one[0] for one in batch):
            mine = [(writes, error) for owner, writes, error in batch if owner is journal]
            journal.report([Completion(write, error) for writes, error in mine for write in writes])

    def _fail(self, cause: OSError) -> None:
        error = _journal_error(cause)
        self._failing = str(error) if error.recoverable else None
        for index, (journal, writes, refused) in enumerate(self._batch):
            if refused is None:
                self.admission.fail(writes, error)
                self._batch[index] = (journal, writes, error)
        self._later(self._report)

    def _write(self, entries: tuple[Entry, ...]) -> None:
        # What was measured differs from machine to machine; everything else is decided by the seed.
        lasting = tuple(entry for entry in entries if not isinstance(entry, PutLatency))
        payload = msgspec.msgpack.encode((len(self._contents), lasting))
        data, check = frame(self._check, payload)
        self._contents[check] = lasting
        if self._chance.random() < self.ratios.crash:
            try:
                self.disk.write(self._end, data, errno.EIO)
            except OSError:
                self._die("in the middle of a write")
                raise Died from None
        fails_with = errno.ENOSPC if self.world.now_us < self.full_until_us else None
        if self._chance.random() < self.ratios.write_failed:
            fails_with = errno.EIO
            self.world.fault("write_failed", f"{len(data)} bytes")
        self.disk.write(self._end, data, fails_with)
        self._written = (self._end + len(data), check)

    def _fsync(self) -> None:
        fails = self._chance.random() < self.ratios.fsync_failed
        lies = self._chance.random() < self.ratios.lying_fsync
        if fails:
            self.world.fault("fsync_failed", "EIO")
        self.disk.fsync(fails=fails, lies=lies)

    def _committed(self, entries: tuple[Entry, ...]) -> None:
        self.commits += 1
        self._end, self._check = self._written
        self._apply(entries)
        self._tell_durable()

    def _apply(self, entries: Sequence[Entry]) -> None:
        books = self.storage.books
        for entry in entries:
            if isinstance(entry, Created):
                books[entry.row.id] = Book(entry.row, snapshots=[entry.first])
            elif isinstance(entry, Opened):
                books[entry.game].row = replace(books[entry.game].row, epoch=entry.epoch)
            else:
                self._shelf._store(entry)


class SimJournal(MemoryJournal):
    """The store as one host sees it; reads see only what is durable.

    Args:
        store: what it writes to and reads from.
        alive: False once its process is dead or its host was told that it is not the owner any more.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(auto=False, wall=store.wall_s, storage=store.storage)
        self.store = store
        self.alive = True

    def health(self) -> Health:
        """How the store does."""
        return self.store.health()

    def submit(self, writes: Sequence[Write]) -> None:
        """Hand over writes that become durable together."""
        self._check_started("submit")
        if writes and self.alive:
            self.store.submit(self, tuple(writes))

    def report(self, done: Sequence[Completion]) -> None:
        """Tell the host."""
        if self.alive and self._on_commit is not None:
            self._on_commit(done)

    def create(self, row: GameRow, first: StoredSnapshot) -> None:
        """Enter a new game with its first snapshot, durable on return."""
        check_first(row, first)
        self._check_started("create")
        if row.id in self.storage.books:
            raise JournalError("create", f"there is a game {row.id} already", hint="choose another id")
        self.store.commit_now(self, Created(row, first))

    def open(self, game: GameId) -> GameRow:
        """Take the game over for writing, after all that was submitted before."""
        self._check_started("open")
        book = self.storage.books[game]
        self.store.commit_now(self, Opened(game, book.row.epoch + 1))
        self.store.admission.opened(book.row, book.records[-1] if book.records else None)
        return book.row

    def close(self) -> None:
        """Finish what waits, and take no more."""
        if not self._closed:
            self.store.finish()
            if not self.alive:
                raise Died
            self._closed = True


def _journal_error(cause: OSError) -> JournalError:
    said: dict[str, Any] = {"hint": "mend the disk, then start the server again"}
    if cause.errno == errno.ENOSPC:
        return JournalFull("commit", "no space left on the simulated disk", recoverable=True, **said)
    return JournalError("commit", "the simulated disk has an input/output error", **said)
