"""What one message needs does not count against a client, whatever its size; what comes beside it does."""

from __future__ import annotations

from gamekit.server.backlog import Backlog

LARGE, SMALL = 5_400_000, 1_000


def test_a_message_of_any_size_does_not_count_against_who_was_sent_it() -> None:
    backlog = Backlog()
    assert backlog.counted(LARGE, 0) == 0
    assert backlog.counted(LARGE, LARGE - 100_000) == 0


def test_what_came_after_it_counts_also_while_it_is_read() -> None:
    backlog = Backlog()
    backlog.counted(LARGE, LARGE)
    assert backlog.counted(SMALL, LARGE + SMALL) == SMALL
    assert [backlog.counted(SMALL, LARGE + number * SMALL) for number in range(2, 5)] == [2_000, 3_000, 4_000]
    # The half of it is read.
    assert backlog.counted(SMALL, LARGE // 2) == 0


def test_a_second_large_message_counts_in_full() -> None:
    backlog = Backlog()
    backlog.counted(LARGE, LARGE)
    assert backlog.counted(LARGE, 2 * LARGE) == LARGE


def test_a_large_message_behind_small_ones_does_not_count_either() -> None:
    backlog = Backlog()
    for number in range(1, 4):
        assert backlog.counted(SMALL, number * SMALL) == (number - 1) * SMALL
    assert backlog.counted(LARGE, LARGE + 3 * SMALL) == 3 * SMALL


def test_once_all_is_read_the_next_stands_alone() -> None:
    backlog = Backlog()
    backlog.counted(LARGE, LARGE)
    backlog.counted(SMALL, 0)
    backlog.counted(SMALL, SMALL)
    assert backlog.counted(SMALL, 2 * SMALL) == SMALL
