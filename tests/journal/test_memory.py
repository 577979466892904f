"""What is special to the memory backend: commits by hand, failures on demand, crashes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gamekit.errors import JournalError, JournalFenced, JournalFull
from gamekit.game import GameId
from gamekit.journal import Completion, Journal, MemoryJournal

from .stage import Author, game_row, snapshot

A, B = GameId("game-a"), GameId("game-b")


class ByHand:
    """A journal that commits when it is told."""

    def __init__(self) -> None:
        self.completions: list[Completion] = []
        self.take(MemoryJournal(auto=False))

    def take(self, journal: MemoryJournal) -> None:
        """Start a journal and collect its completions."""
        self.journal = journal
        as_contract: Journal = journal
        as_contract.start(self.note)

    def note(self, completions: Sequence[Completion]) -> None:
        """The journal's `on_commit`."""
        self.completions.extend(completions)

    def begin(self, game: GameId) -> Author:
        """Create and open a game."""
        self.journal.create(game_row(game), snapshot(game))
        return Author(self.journal.open(game))


@pytest.fixture
def by_hand() -> ByHand:
    """A started journal that commits when it is told."""
    return ByHand()


def test_nothing_is_durable_before_the_commit(by_hand: ByHand) -> None:
    author = by_hand.begin(A)
    by_hand.journal.submit([author.append()])
    by_hand.journal.submit([author.append(), author.reserve(10)])
    assert by_hand.journal.waiting == 2
    assert by_hand.completions == []
    assert list(by_hand.journal.records(A)) == []
    assert by_hand.journal.commit() == 2
    assert len(by_hand.completions) == 3
    assert len(list(by_hand.journal.records(A))) == 2
    assert by_hand.journal.commit() == 0


def test_commit_may_take_a_part_of_what_waits(by_hand: ByHand) -> None:
    author = by_hand.begin(A)
    for _ in range(3):
        by_hand.journal.submit([author.append()])
    assert by_hand.journal.commit(2) == 2
    assert [record.seq for record in by_hand.journal.records(A)] == [1, 2]
    assert by_hand.journal.waiting == 1
    assert by_hand.journal.commits == 1


def test_failed_commit_stores_nothing_and_closes_its_runs(by_hand: ByHand) -> None:
    author, other = by_hand.begin(A), by_hand.begin(B)
    by_hand.journal.submit([author.append()])
    by_hand.journal.fail_next_commit(JournalFull("commit", "no room", hint="make some"))
    by_hand.journal.commit()
    by_hand.journal.submit([author.append()])
    by_hand.journal.submit([other.append()])
    by_hand.journal.commit()
    assert [type(done.error) for done in by_hand.completions] == [JournalFull, JournalFull, type(None)]
    assert list(by_hand.journal.records(A)) == []
    assert by_hand.journal.commits == 1


def test_create_and_open_can_be_made_to_fail(by_hand: ByHand) -> None:
    by_hand.journal.fail_next_commit()
    with pytest.raises(JournalError, match="made to fail"):
        by_hand.journal.create(game_row(A), snapshot(A))
    author = by_hand.begin(A)
    by_hand.journal.fail_next_commit()
    with pytest.raises(JournalError, match="made to fail"):
        by_hand.journal.open(A)
    by_hand.journal.submit([author.append()])
    by_hand.journal.commit()
    assert by_hand.completions[-1].error is None


def test_run_that_is_taken_over_loses_what_was_waiting(by_hand: ByHand) -> None:
    author = by_hand.begin(A)
    by_hand.journal.submit([author.append()])
    by_hand.journal.open(A)
    by_hand.journal.commit()
    assert [type(done.error) for done in by_hand.completions] == [JournalFenced]


def test_crash_forgets_what_was_waiting_and_keeps_what_was_durable(by_hand: ByHand) -> None:
    author = by_hand.begin(A)
    first = author.append()
    by_hand.journal.submit([first])
    by_hand.journal.commit()
    by_hand.journal.submit([author.append()])
    dead = by_hand.journal
    by_hand.take(dead.crash())
    with pytest.raises(JournalError):
        dead.submit([author.append()])
    assert list(by_hand.journal.records(A)) == [first.record]
    assert by_hand.journal.open(A).epoch == 2


def test_context_manager_closes() -> None:
    with MemoryJournal() as journal:
        pass
    with pytest.raises(JournalError, match="closed"):
        journal.games()
