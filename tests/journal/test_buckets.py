"""Tick times in buckets: small, exact to add up, and close to what was measured."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gamekit.game import GameId
from gamekit.journal import PutLatency, SqliteJournal, SqliteReader
from gamekit.journal.buckets import ERROR, UNKNOWN, counted, merged, percentile, top_of
from gamekit.server.measure import TickTimes

from .stage import game_row, latency_row, snapshot

#: From nothing to an hour, in microseconds; as many small ones as large ones.
TIMES = st.integers(0, 31).flatmap(lambda bits: st.integers(0, 2**bits))


@given(TIMES)
def test_a_bucket_says_at_most_a_thirty_second_more_than_was_measured(us: int) -> None:
    top = top_of(us)
    assert us <= top <= us * (1 + ERROR)
    assert top_of(top) == top
    assert top_of(top + 1) > top


@given(st.lists(st.lists(TIMES, min_size=1, max_size=30), min_size=1, max_size=20), st.floats(0.001, 100))
def test_percentiles_of_merged_seconds_are_those_of_their_single_ticks(
    seconds: list[list[int]], percent: float
) -> None:
    percent = round(percent, 3)
    counts = merged(counted(sorted(second)) for second in seconds)
    ticks = sorted(us for second in seconds for us in second)
    assert sum(counts.values()) == len(ticks)
    assert list(counts) == sorted(counts)
    rank = -(-len(ticks) * round(percent * 1000) // 100_000)
    exact = ticks[rank - 1]
    assert exact <= percentile(counts, percent) <= exact * (1 + ERROR)


def test_a_clock_that_went_back_counts_as_on_time() -> None:
    assert merged([counted([-5, 0, 3])]) == {0: 2, 3: 1}


def test_a_second_of_ticks_is_kept_with_each_of_them() -> None:
    times = TickTimes()
    for late_us, work_us in [(70, 900), (12, 200), (71, 40_000), (5_000, 201)]:
        times.add(late_us, work_us)
    row = times.row("g", 1.0)
    assert row is not None
    assert row.late_buckets == '{"12":1,"71":2,"5119":1}'
    assert row.work_buckets == '{"203":2,"911":1,"40959":1}'
    times.add(1, 1)
    after = times.row("g", 2.0)
    assert after is not None
    assert merged([after.late_buckets]) == {1: 1}


def test_sql_alone_adds_them_up(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    journal.start(lambda _: None)
    journal.create(game_row("g"), snapshot("g"))
    times = TickTimes()
    for at_s in range(3):
        times.add(70 + at_s, 900)
        row = times.row("g", float(at_s))
        assert row is not None
        journal.submit([PutLatency((row,))])
    journal.submit([PutLatency((latency_row("g", 9.0),))])
    journal.close()
    asked = (
        "SELECT cast(key AS integer), sum(value) FROM latency, json_each(late_buckets) "
        "WHERE game = 'g' GROUP BY key ORDER BY 1"
    )
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(asked).fetchall() == [(71, 2), (73, 1)]
    with SqliteReader(path) as reader:
        assert [row.late_buckets for row in reader.latency("g")][-1] == UNKNOWN
        assert reader.games()[0].id == GameId("g")
