"""Pasts and capsules: cut at any tick, under another id, written, read back, and replayed to the very same states."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gamekit.capsule import past_of, read_capsule, reader_of, renamed, write_capsule
from gamekit.errors import JournalCorrupt, JournalError, JournalGap
from gamekit.game import GameId
from gamekit.history import rebuild, verify
from gamekit.inspection import MAX_AHEAD, MAX_OWN_AHEAD, check_past
from gamekit.journal import JournalReader, MemoryJournal, Past, SqliteReader, chain_of, digest_of
from tests.counter_game import CounterGame
from tests.pasts import past_of_world, played

GAME = CounterGame()


@pytest.fixture(scope="module")
def past() -> Past:
    """A past of some length."""
    return past_of_world(played())


def holding(past: Past) -> MemoryJournal:
    """A journal that has adopted a past."""
    journal = MemoryJournal()
    journal.start(lambda _: None)
    journal.adopt(past)
    return journal


def digest_at(reader: JournalReader, past: Past, tick: int) -> str:
    """The digest of the session's state at a tick, replayed from the first snapshot."""
    session: Any = rebuild(reader, past.row, GAME, tick=tick, from_start=True)
    return digest_of(session.snapshot())


def test_capsule_holds_all_of_a_past_in_one_file(past: Past, tmp_path: Path) -> None:
    path = tmp_path / "one.capsule"
    write_capsule(past, path)
    assert read_capsule(path) == past
    assert [one.name for one in tmp_path.iterdir()] == ["one.capsule"]
    with SqliteReader(path) as reader:
        *_, verdict = verify(reader, past.row, GAME)
        assert verdict.problem is None
        assert (verdict.records, verdict.tick) == (len(past.records), past.tick)
        assert len(past.records) > 50
        assert len(past.snapshots) > 5
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("SELECT count(*) FROM commands").fetchone() == (len(past.records),)


def test_past_cut_at_any_tick_replays_to_the_state_that_the_game_had_then(past: Past, tmp_path: Path) -> None:
    whole = holding(past)
    chance = random.Random(5)
    ticks = [0, past.tick, *(one.tick for one in past.records[::9]), *(chance.randint(1, past.tick) for _ in range(12))]
    for tick in ticks:
        cut = past_of(whole, past.row.id, tick)
        assert cut.tick == tick
        assert all(one.tick <= tick for one in (*cut.records, *cut.snapshots))
        write_capsule(cut, tmp_path / "cut.capsule")
        with SqliteReader(tmp_path / "cut.capsule") as reader:
            assert digest_at(reader, past, tick) == digest_at(whole, past, tick)
            session: Any = rebuild(reader, past.row, GAME)
            assert session.tick == tick
            assert digest_of(session.snapshot()) == digest_at(whole, past, tick)


def test_past_under_another_id_is_another_games_and_the_same_history(past: Past) -> None:
    fork = renamed(past, GameId("fork"), name="What if", created_s=2e9)
    journal = holding(fork)
    assert (fork.row.name, fork.row.created_s, fork.last_seq) == ("What if", 2e9, past.last_seq)
    assert digest_at(journal, fork, past.tick) == digest_at(holding(past), past, past.tick)
    assert {one.chain for one in fork.records}.isdisjoint(one.chain for one in past.records)
    *_, verdict = verify(journal, fork.row, GAME)
    assert verdict.problem is None


def test_ticks_that_a_game_has_not_come_to_are_refused(past: Past) -> None:
    journal = holding(past)
    with pytest.raises(JournalError, match=f"has come to tick {past.tick}"):
        past_of(journal, past.row.id, past.tick + 1)
    with pytest.raises(JournalError, match="begins at tick 0"):
        past_of(journal, past.row.id, -1)
    with pytest.raises(JournalError, match="no game 'other'"):
        past_of(journal, GameId("other"))


def test_what_is_not_whole_is_neither_written_nor_adopted(past: Past, tmp_path: Path) -> None:
    gap = replace(past, records=past.records[:3] + past.records[4:])
    changed = replace(past, records=[replace(past.records[0], commands="[]"), *past.records[1:]])
    headless = replace(past, snapshots=past.snapshots[1:])
    early = replace(past, tick=past.records[-1].tick - 1)
    mixed = replace(past, row=replace(past.row, id=GameId("x")))
    for broken, error in (
        (gap, JournalGap),
        (changed, JournalCorrupt),
        (headless, JournalGap),
        (early, JournalError),
        (mixed, JournalError),
    ):
        with pytest.raises(error):
            write_capsule(broken, tmp_path / "broken.capsule")
        with pytest.raises(error):
            holding(broken)
    assert list(tmp_path.iterdir()) == []


class GoneOn(Exception):
    """A replay has begun to live through time."""


def test_record_to_which_nothing_leads_is_refused_before_the_time_up_to_it_is_lived_through(past: Past) -> None:
    *before, last = past.records
    chain = chain_of(before[-1].chain, last.game, last.epoch, last.seq, 10**12, last.commands)
    far = replace(past, records=[*before, replace(last, tick=10**12, chain=chain)], tick=10**12)
    at = before[-1].tick
    reader = reader_of(replace(far, snapshots=[one for one in past.snapshots if one.tick <= at]))

    asked = 0

    def pause() -> bool:
        nonlocal asked
        asked += 1
        if asked > 1_000:
            raise GoneOn
        return False

    with pytest.raises(JournalCorrupt, match="comes to tick 1000000000000"):
        rebuild(reader, past.row, GAME, pause=pause)
    problems = [one.problem for one in verify(reader, past.row, GAME)]
    assert "comes to tick 1000000000000" in (problems[-1] or "")
    with pytest.raises(JournalCorrupt, match="comes to tick 1000000000000"):
        check_past(far)


def test_a_game_of_which_few_snapshots_were_kept_may_have_come_far_between_them(past: Past) -> None:
    *before, last = past.snapshots
    on = MAX_OWN_AHEAD + last.tick
    moved = replace(past, snapshots=[*before, replace(last, seq=past.last_seq, tick=on)], tick=on)
    check_past(moved)
    with pytest.raises(JournalCorrupt, match="open it once where it was"):
        check_past(replace(moved, tick=on + MAX_AHEAD + 1))
    check_past(replace(moved, tick=on + MAX_AHEAD + 1), cut=True)


def test_damaged_capsule_is_told_and_not_half_read(past: Past, tmp_path: Path) -> None:
    path = tmp_path / "one.capsule"
    write_capsule(past, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as plain:
        plain.execute("UPDATE commands SET tick = tick + 1 WHERE seq = 7")
    with pytest.raises(JournalCorrupt, match="record 7"):
        read_capsule(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(JournalError):
        read_capsule(path)
    (tmp_path / "text").write_text("not a capsule, only words " * 200)
    with pytest.raises(JournalError):
        read_capsule(tmp_path / "text")
    with pytest.raises(JournalError, match="does not exist"):
        read_capsule(tmp_path / "missing")


def test_capsule_is_replaced_as_a_whole_or_not_at_all(past: Past, tmp_path: Path) -> None:
    path = tmp_path / "one.capsule"
    write_capsule(past, path)
    with pytest.raises(JournalGap):
        write_capsule(replace(past, records=past.records[1:]), path)
    assert read_capsule(path) == past
    with pytest.raises(JournalError, match="choose a directory"):
        write_capsule(past, tmp_path / "nowhere" / "one.capsule")
