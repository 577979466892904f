"""What goes wrong by itself, second by second, and the operator who notices.

Faults of single messages, writes and commits are drawn where they happen (`network`, `store`); those of the machine as
a whole are drawn here.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from gamekit.faultsim.machine import SECOND_US, Machine
from gamekit.game import GameId
from gamekit.journal.memory import Book

#: The wall clock jumps forward by less than so many seconds.
MOST_FORWARD_S = 60
DAY_S = 86_400


class Mishaps:
    """The faults of one machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._chance = machine.world.chance("mishaps")
        self._locks = machine.world.chance("locks")
        #: By how much the wall clock is wrong beyond all other faults, in seconds.
        self._wrong_s = 0
        machine.on_boot = self._rot
        machine.world.after(SECOND_US, self._every_second)

    def _every_second(self) -> None:
        self._machine.world.after(SECOND_US, self._every_second)
        chance, ratios = self._chance, self._machine.ratios
        faults: list[tuple[str, float, Callable[[], str]]] = [
            ("disk_full", ratios.disk_full, self._fill),
            ("disk_slow", ratios.disk_slow, self._slow),
            ("clock_forward", ratios.clock_forward, lambda: self._jump(chance.randrange(60 * SECOND_US))),
            ("clock_back", ratios.clock_back, lambda: self._jump(-chance.randrange(10 * SECOND_US))),
            ("wall_moved", ratios.wall_moved, self._move_wall),
            ("wall_wrong", ratios.wall_wrong, self._mislead_wall),
            ("stalled", ratios.stalled, self._stall),
            ("drained", ratios.drained, self._machine.drain),
            ("zombie", ratios.zombie, self._machine.hand_over),
        ]
        for name, ratio, happen in faults:
            if self._machine.hosts and chance.random() < ratio:
                self._machine.world.fault(name, happen())
        if self._machine.hosts and self._locks.random() < ratios.locked:
            self._machine.world.fault("locked", self._lock())
        if self._machine.hosts and chance.random() < ratios.crash:
            self._machine.world.fault("crash", "between two events")
            self._machine.crash()
        self._look_after()

    def _fill(self) -> str:
        self._machine.store.full_until_us = self._machine.world.now_us + self._chance.randrange(10 * SECOND_US)
        return f"until {self._machine.store.full_until_us / 1e6:.1f} s"

    def _slow(self) -> str:
        self._machine.store.slow_until_us = self._machine.world.now_us + self._chance.randrange(20 * SECOND_US)
        return f"until {self._machine.store.slow_until_us / 1e6:.1f} s"

    def _lock(self) -> str:
        self._machine.store.locked_until_us = self._machine.world.now_us + self._locks.randrange(20 * SECOND_US)
        return f"until {self._machine.store.locked_until_us / 1e6:.1f} s"

    def _jump(self, by_us: int) -> str:
        for host in self._machine.hosts:
            host.offset_us += by_us
        return f"by {by_us / 1e6:.1f} s"

    def _move_wall(self) -> str:
        # What it goes forward is lived through by the games that run; a day of a fast one would take too long here.
        by_s = self._chance.choice((self._chance.randrange(-86_400, 0), self._chance.randrange(MOST_FORWARD_S)))
        self._machine.store.move_wall(by_s)
        return f"by {by_s} s"

    def _mislead_wall(self) -> str:
        by_s = 0 if self._wrong_s else self._chance.choice((-1, 1)) * self._chance.randrange(4 * DAY_S, 3_650 * DAY_S)
        self._machine.store.move_wall(by_s - self._wrong_s)
        self._wrong_s = by_s
        return f"by {by_s / DAY_S:.1f} days" if by_s else "no more"

    def _stall(self) -> str:
        duration_us = self._chance.randrange(10 * SECOND_US)
        self._chance.choice(self._machine.hosts).loop.stall(duration_us)
        return f"for {duration_us / 1e6:.1f} s"

    def _rot(self) -> None:
        """A byte of a record that recovery will read is not what was written."""
        for chronicle in self._machine.auditor.chronicles.values():
            chronicle.damaged = False
        if self._chance.random() >= self._machine.ratios.rotten:
            return
        books = self._machine.store.storage.books
        for game, book in books.items():
            kept = max((one.seq for one in book.snapshots), default=0)
            if later := [index for index, record in enumerate(book.records) if record.seq > kept]:
                self._damage(game, book, self._chance.choice(later))
                return

    def _damage(self, game: GameId, book: Book, index: int) -> None:
        """Change a byte of a record, until somebody restores it from a copy."""
        whole, chronicle = book.records[index], self._machine.auditor.chronicles[game]
        at = self._chance.randrange(len(whole.commands))
        other = "7" if whole.commands[at] != "7" else "3"
        book.records[index] = replace(whole, commands=f"{whole.commands[:at]}{other}{whole.commands[at + 1 :]}")
        chronicle.damaged = True
        self._machine.world.fault("rotten", f"record {whole.seq} of game {game}, byte {at}")

        def mend() -> None:
            if self._machine.store.storage.books.get(game) is book:
                chronicle.damaged = False
                book.records[index] = whole

        self._machine.world.after(self._chance.randrange(5 * SECOND_US, 20 * SECOND_US), mend)

    # --- the operator -----------------------------------------------------------------------------------------

    def _look_after(self) -> None:
        """Restart a host whose sessions were stopped by a fault."""
        host = self._machine.host
        if host is None or host.draining:
            return
        stopped = [one for one in host.runners.values() if one.ended or one.session.readonly]
        if stopped and self._chance.random() < 0.3:
            self._machine.world.tell(f"the operator restarts the host: {len(stopped)} games take nothing more")
            if self._chance.random() < 0.5:
                self._machine.drain()
            else:
                self._machine.crash()
