"""What every backend must do: the invariants of `gamekit.journal.contract`, one test each.

A backend joins by a `Stage` of its own and a parameter of the `stage` fixture.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gamekit.capsule import past_of, renamed
from gamekit.errors import JournalCorrupt, JournalError, JournalFenced, JournalGap
from gamekit.game import GameId
from gamekit.journal import Append, Clock, PutLatency, Reserve, SaveSnapshot, chain_of
from gamekit.journal.thinning import KEEP_EVERY_TICKS, KEEP_LATEST

from .stage import WALL_S, Author, Stage, game_row, latency_row, snapshot

A, B = GameId("game-a"), GameId("game-b")


class CatalogueContract:
    """Games are created, listed and taken over."""

    def test_created_game_is_listed_with_all_its_fields(self, stage: Stage) -> None:
        row = game_row(A, seed=2**64 - 1)
        stage.journal.create(row, snapshot(A))
        assert stage.journal.games() == [row]
        assert stage.journal.game(A) == row
        assert stage.journal.game(B) is None

    def test_games_are_listed_oldest_first(self, stage: Stage) -> None:
        stage.journal.create(game_row(B, created_s=WALL_S + 1), snapshot(B))
        stage.journal.create(game_row(A, created_s=WALL_S), snapshot(A))
        assert [row.id for row in stage.journal.games()] == [A, B]

    def test_the_catalogue_is_read_page_by_page_with_where_each_game_stands(self, stage: Stage) -> None:
        stage.journal.create(game_row(B, created_s=WALL_S + 1), snapshot(B))
        author = stage.begin(A)
        stage.write(author.append(), author.append(), author.reserve(40))
        first, second = stage.journal.catalogue()
        assert (first.row.id, first.tick, first.seq) == (A, 40, 2)
        assert (second.row.id, second.tick, second.seq) == (B, 0, 0)
        assert stage.journal.catalogue(limit=1) == [first]
        assert stage.journal.catalogue(after=A, limit=1) == [second]
        assert stage.journal.catalogue(after=B) == []
        assert stage.journal.catalogue(after=GameId("nobody")) == []

    def test_a_reservation_says_when_its_tick_is(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.write(replace(author.reserve(100), at_s=WALL_S + 7.25))
        assert stage.journal.clock(A) == Clock(100, WALL_S + 7.25)
        stage.write(replace(author.reserve(60), at_s=WALL_S + 99), replace(author.reserve(160), at_s=WALL_S + 8))
        assert stage.journal.clock(A) == Clock(160, WALL_S + 8)

    def test_first_snapshot_can_be_read_back(self, stage: Stage) -> None:
        first = snapshot(A, data=bytes(range(256)) * 300)
        stage.journal.create(game_row(A), first)
        assert stage.journal.snapshot(A) == first

    def test_taken_id_is_refused_and_the_game_that_has_it_stays(self, stage: Stage) -> None:
        stage.journal.create(game_row(A), snapshot(A))
        with pytest.raises(JournalError, match="there is a game game-a already"):
            stage.journal.create(game_row(A, seed=99), snapshot(A))
        assert stage.journal.games() == [game_row(A)]

    def test_first_snapshot_that_does_not_belong_is_refused(self, stage: Stage) -> None:
        with pytest.raises(JournalError, match="game-b"):
            stage.journal.create(game_row(A), snapshot(B))
        with pytest.raises(JournalGap):
            stage.journal.create(game_row(A), snapshot(A, seq=3))
        with pytest.raises(JournalCorrupt):
            stage.journal.create(game_row(A), replace(snapshot(A), digest="0" * 32))
        assert stage.journal.games() == []

    def test_adopted_past_is_read_back_whole_and_goes_on_under_the_next_epoch(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.write(*(author.append() for _ in range(5)), author.save(), author.put_player("p1", "Ada"))
        stage.write(author.reserve(9))
        past = past_of(stage.journal, A)
        assert (past.last_seq, past.tick, past.players) == (5, 9, {"p1": "Ada"})
        fork = renamed(past, B, name="Fork", created_s=WALL_S + 1)
        stage.journal.adopt(fork)
        stage.restart()
        assert past_of(stage.journal, B) == fork
        assert past_of(stage.journal, A) == past
        last = list(stage.journal.records(B))[-1]
        heir = Author(stage.journal.open(B), last)
        assert heir.epoch == author.epoch + 1
        assert [done.error for done in stage.write(heir.append())] == [None]
        assert len(list(stage.journal.records(A))) == 5

    def test_adopting_what_is_there_or_not_whole_changes_nothing(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.write(*(author.append() for _ in range(3)))
        past = past_of(stage.journal, A)
        with pytest.raises(JournalError, match="there is a game game-a already"):
            stage.journal.adopt(past)
        fork = renamed(past, B)
        with pytest.raises(JournalGap):
            stage.journal.adopt(replace(fork, records=fork.records[1:]))
        assert [row.id for row in stage.journal.games()] == [A]
        assert past_of(stage.journal, A) == past

    def test_every_open_raises_the_epoch_by_one_and_for_ever(self, stage: Stage) -> None:
        stage.journal.create(game_row(A), snapshot(A))
        assert [stage.journal.open(A).epoch for _ in range(3)] == [1, 2, 3]
        stage.restart()
        assert stage.journal.game(A) == replace(game_row(A), epoch=3)
        assert stage.journal.open(A).epoch == 4

    def test_opening_an_unknown_game_is_a_key_error(self, stage: Stage) -> None:
        with pytest.raises(KeyError):
            stage.journal.open(A)

    def test_many_games_are_opened_in_one_go_and_those_that_there_are_not_are_left_out(self, stage: Stage) -> None:
        author = stage.begin(A)
        last = author.append()
        stage.write(last, author.append())
        for number in range(300):
            stage.journal.create(game_row(f"more-{number}"), snapshot(f"more-{number}"))
        games = [A, GameId("nobody"), *(GameId(f"more-{number}") for number in range(300)), A]
        rows = stage.journal.open_all(games)
        assert set(rows) == set(games) - {"nobody"}
        assert {row.epoch for id, row in rows.items() if id != A} == {1}
        assert rows[A] == stage.journal.game(A)
        assert rows[A].epoch == 2
        assert [type(done.error) for done in stage.write(author.append())] == [JournalFenced], "the run before"
        heir = Author(rows[A], list(stage.journal.records(A))[-1])
        assert [done.error for done in stage.write(heir.append())] == [None]
        assert stage.journal.open_all([]) == {}

    def test_games_that_were_in_use_are_told_from_those_that_ended_in_order(self, stage: Stage) -> None:
        made = {name: stage.begin(name) for name in ("new", "reserved", "commanded", "settled", "old")}
        for name in ("reserved", "commanded", "settled", "old"):
            author = made[name]
            stage.write(author.append(), author.reserve(50))
        # One stands still at the tick of its snapshot, with a record after it.
        author = made["commanded"]
        stage.write(author.save(tick=50), author.reserve(50, final=True), author.append(ticks=49))
        author = made["settled"]
        stage.write(author.save(tick=40), author.reserve(40, final=True))
        stage.write(Reserve(made["old"].game, made["old"].epoch, 60, at_s=WALL_S - 1000))
        stage.write(Reserve(made["reserved"].game, made["reserved"].epoch, 60, at_s=WALL_S + 9))
        stage.restart()
        assert stage.journal.unsettled(WALL_S - 1, 10) == ["reserved", "commanded"]
        assert stage.journal.unsettled(WALL_S - 1, 1) == ["reserved"]
        assert stage.journal.unsettled(0.0, 10) == ["reserved", "commanded", "old"]

    def test_game_that_is_not_there_reads_as_empty(self, stage: Stage) -> None:
        assert list(stage.journal.records(A)) == []
        assert stage.journal.chain(A, 0) == ""
        assert stage.journal.snapshots(A) == []
        assert stage.journal.snapshot(A) is None
        assert stage.journal.clock(A) is None
        assert stage.journal.latency(A) == []


class HistoryContract:
    """Records and their chain."""

    def test_reported_records_are_read_back_in_order_and_after_a_restart(self, stage: Stage) -> None:
        author = stage.begin(A)
        writes = [author.append() for _ in range(5)]
        for write in writes:
            assert [done.error for done in stage.write(write)] == [None]
        records = [write.record for write in writes]
        assert list(stage.journal.records(A)) == records
        stage.restart()
        assert list(stage.journal.records(A)) == records
        assert list(stage.journal.records(A, after_seq=3)) == records[3:]
        assert list(stage.journal.records(A, after_seq=5)) == []
        assert stage.journal.chain(A, 4) == records[3].chain

    def test_text_of_any_language_survives(self, stage: Stage) -> None:
        author = stage.begin(A)
        write = author.append('[{"name":"Zoë 星 🚀 \\u0000 \'; DROP TABLE games;--"}]')
        stage.write(write)
        assert list(stage.journal.records(A)) == [write.record]

    def test_next_run_continues_the_chain_of_the_last(self, stage: Stage) -> None:
        first = stage.begin(A).append()
        stage.write(first)
        stage.restart()
        second = Author(stage.journal.open(A), first.record).append()
        assert [done.error for done in stage.write(second)] == [None]
        assert list(stage.journal.records(A)) == [first.record, second.record]

    def test_completions_come_in_the_order_of_submission(self, stage: Stage) -> None:
        authors = [stage.begin(f"game-{number}") for number in range(4)]
        writes = [author.append() for _ in range(25) for author in authors]
        for write in writes:
            stage.submit(write)
        stage.settle()
        assert [done.write for done in stage.completions] == writes
        assert all(done.error is None for done in stage.completions)

    def test_writes_that_a_lock_keeps_waiting_become_durable_late_in_order_and_once(self, stage: Stage) -> None:
        author, other = stage.begin(A), stage.begin(B)
        with stage.locked():
            writes = [one.append() for _ in range(5) for one in (author, other)]
            for write in writes:
                stage.submit(write)
            assert stage.completions == []
            assert list(stage.journal.records(A)) == []
        stage.settle()
        assert [done.write for done in stage.completions] == writes
        assert all(done.error is None for done in stage.completions)
        assert [record.seq for record in stage.journal.records(A)] == [1, 2, 3, 4, 5]
        assert stage.journal.health() == type(stage.journal.health())(log_bytes=stage.journal.health().log_bytes)

    def test_empty_submission_is_nothing(self, stage: Stage) -> None:
        stage.submit()
        stage.write(stage.begin(A).append())
        assert len(stage.completions) == 1

    def test_chain_of_a_record_that_is_not_there_is_a_gap(self, stage: Stage) -> None:
        stage.write(stage.begin(A).append())
        with pytest.raises(JournalGap):
            stage.journal.chain(A, 2)

    def test_lost_record_is_noticed(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.write(*[author.append() for _ in range(5)])
        stage.lose_record(A, 3)
        reading = stage.journal.records(A)
        assert [next(reading).seq, next(reading).seq] == [1, 2]
        with pytest.raises(JournalGap, match="record 4 of game game-a follows record 2"):
            next(reading)
        with pytest.raises(JournalGap):
            list(stage.journal.records(A, after_seq=3))

    def test_changed_record_is_noticed(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.write(author.append(), author.append('[{"cid":2}]'), author.append())
        stage.change_record(A, 2, '[{"cid":3}]')
        reading = stage.journal.records(A)
        assert next(reading).seq == 1
        with pytest.raises(JournalCorrupt, match="record 2"):
            next(reading)
        assert [record.seq for record in stage.journal.records(A, after_seq=2)] == [3]


class RefusalContract:
    """Writes that would spoil a history are refused, and only those."""

    @pytest.mark.parametrize(
        ("change", "error"),
        [
            ({"seq": 3}, JournalGap),
            ({"seq": 1}, JournalGap),
            ({"tick": 0}, JournalGap),
            ({"chain": "0" * 32}, JournalCorrupt),
            ({"commands": "[1]"}, JournalCorrupt),
            ({"commands": '["\ud800"]'}, JournalError),
        ],
    )
    def test_record_that_does_not_fit_is_refused(
        self, stage: Stage, change: dict[str, object], error: type[JournalError]
    ) -> None:
        author = stage.begin(A)
        first, second = author.append(), author.append()
        stage.write(first)
        (done,) = stage.write(Append(replace(second.record, **change)))
        assert type(done.error) is error
        assert list(stage.journal.records(A)) == [first.record]

    def test_after_a_refusal_the_run_writes_nothing_more_until_it_is_opened_again(self, stage: Stage) -> None:
        author = stage.begin(A)
        first, second = author.append(), author.append()
        stage.write(first)
        stage.write(Append(replace(second.record, seq=9)))
        for write in (second, author.reserve(50), author.save(), author.put_player("p1", "Ada")):
            (done,) = stage.write(write)
            assert type(done.error) is JournalGap
            assert "takes no writes since one failed" in str(done.error)
        assert list(stage.journal.records(A)) == [first.record]
        assert stage.journal.clock(A) is None
        again = Author(stage.journal.open(A), first.record).append()
        assert [done.error for done in stage.write(again)] == [None]
        assert list(stage.journal.records(A)) == [first.record, again.record]

    def test_writes_of_one_submission_are_stored_together_or_not_at_all(self, stage: Stage) -> None:
        author = stage.begin(A)
        good, bad = author.append(), replace(author.append().record, seq=7)
        done = stage.write(good, author.reserve(40), Append(bad), author.put_player("p1", "Ada"))
        assert [type(one.error) for one in done] == [JournalGap] * 4
        assert list(stage.journal.records(A)) == []
        assert stage.journal.clock(A) is None

    def test_refusal_does_not_touch_another_game(self, stage: Stage) -> None:
        author, other = stage.begin(A), stage.begin(B)
        stage.submit(other.append())
        stage.submit(Append(replace(author.append().record, seq=9)))
        stage.submit(other.append())
        stage.settle()
        assert [done.error is None for done in stage.completions] == [True, False, True]
        assert [record.seq for record in stage.journal.records(B)] == [1, 2]

    def test_old_run_is_fenced_and_does_not_disturb_the_new_one(self, stage: Stage) -> None:
        old = stage.begin(A)
        first = old.append()
        stage.write(first)
        new = Author(stage.journal.open(A), first.record)
        for write in (old.append(), old.reserve(99), old.save(), old.put_player("p1", "Ada")):
            (done,) = stage.write(write)
            assert type(done.error) is JournalFenced
        second = new.append()
        assert [done.error for done in stage.write(second)] == [None]
        assert list(stage.journal.records(A)) == [first.record, second.record]
        assert stage.journal.clock(A) is None

    def test_game_that_was_not_opened_takes_no_writes(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.restart()
        (done,) = stage.write(author.append())
        assert type(done.error) is JournalFenced
        assert "open the game" in str(done.error)
        (done,) = stage.write(Author(game_row(B)).append())
        assert type(done.error) is JournalFenced

    def test_snapshot_of_a_record_not_written_or_with_a_wrong_digest_is_refused(self, stage: Stage) -> None:
        author = stage.begin(A)
        (done,) = stage.write(SaveSnapshot(snapshot(A, seq=1, tick=5), author.epoch))
        assert type(done.error) is JournalGap
        author = Author(stage.journal.open(A))
        (done,) = stage.write(SaveSnapshot(replace(snapshot(A, tick=5), digest="0" * 32), author.epoch))
        assert type(done.error) is JournalCorrupt
        assert len(stage.journal.snapshots(A)) == 1


class StateContract:
    """Snapshots, clocks and measured times."""

    def test_latest_snapshot_within_limits_is_found(self, stage: Stage) -> None:
        author = stage.begin(A)
        for _ in range(3):
            stage.write(author.append(ticks=10), author.save())
        stage.write(author.save(tick=35))
        assert [(tick, seq) for tick, seq, _ in stage.journal.snapshots(A)] == [
            (0, 0),
            (10, 1),
            (20, 2),
            (30, 3),
            (35, 3),
        ]

        def found(seq: int | None, tick: int | None) -> tuple[int, int]:
            kept = stage.journal.snapshot(A, seq, tick)
            assert kept is not None
            assert kept == snapshot(A, seq=kept.seq, tick=kept.tick)
            return kept.tick, kept.seq

        assert found(None, None) == (35, 3)
        assert found(3, None) == (35, 3)
        assert found(2, None) == (20, 2)
        assert found(None, 34) == (30, 3)
        assert found(2, 15) == (10, 1)
        assert found(0, 0) == (0, 0)

    def test_snapshot_of_the_same_place_replaces_the_one_before(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.write(author.append(), author.save(b"one"))
        stage.write(author.save(b"two"))
        assert len(stage.journal.snapshots(A)) == 2
        kept = stage.journal.snapshot(A)
        assert kept is not None
        assert kept.data == b"two"

    def test_snapshot_with_a_flipped_bit_is_noticed_and_an_older_one_still_read(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.write(author.append(), author.save(b"a state that was good once" * 50))
        stage.flip_snapshot_bit(A, 1)
        with pytest.raises(JournalCorrupt, match="the snapshot before it"):
            stage.journal.snapshot(A)
        assert stage.journal.snapshot(A, seq=0) == snapshot(A)

    def test_snapshots_are_thinned_to_the_first_the_latest_and_one_an_hour(self, stage: Stage) -> None:
        author = stage.begin(A)
        step = KEEP_EVERY_TICKS // 4
        for number in range(1, 41):
            stage.submit(author.save(tick=number * step))
        stage.settle()
        kept = [tick for tick, _, _ in stage.journal.snapshots(A)]
        latest = [number * step for number in range(41 - KEEP_LATEST, 41)]
        hourly = list(range(0, latest[0], KEEP_EVERY_TICKS))
        assert kept == hourly + latest

    def test_first_snapshot_of_each_version_of_the_rules_stays(self, stage: Stage) -> None:
        author = stage.begin(A)
        for number in range(1, 41):
            save = author.save(tick=number)
            stage.submit(replace(save, snapshot=replace(save.snapshot, version=1 if number < 20 else 2)))
        stage.settle()
        kept = [tick for tick, _, _ in stage.journal.snapshots(A)]
        assert kept == [0, 20, *range(41 - KEEP_LATEST, 41)]
        assert stage.journal.version(A) == 2
        assert stage.journal.version(B) is None

    def test_clock_moves_forward_only_but_for_the_last_act_of_a_run(self, stage: Stage) -> None:
        author = stage.begin(A)
        assert stage.journal.clock(A) is None
        stage.write(author.reserve(100))
        assert [done.error for done in stage.write(author.reserve(60))] == [None]
        assert stage.journal.clock(A) == Clock(100, WALL_S)
        stage.write(author.reserve(200), author.reserve(150))
        assert stage.journal.clock(A) == Clock(200, WALL_S)
        stage.write(author.reserve(260), author.reserve(170, final=True))
        assert stage.journal.clock(A) == Clock(170, WALL_S)
        stage.write(author.reserve(150, final=True), author.reserve(140))
        assert stage.journal.clock(A) == Clock(150, WALL_S)
        stage.restart()
        assert stage.journal.clock(A) == Clock(150, WALL_S)

    def test_players_may_be_noted_again(self, stage: Stage) -> None:
        author = stage.begin(A)
        done = stage.write(
            author.put_player("p1", "Ada"), author.put_player("p2", "Ben"), author.put_player("p1", "Eve")
        )
        assert [one.error for one in done] == [None] * 3

    def test_a_sign_of_life_is_kept_and_until_there_is_one_the_latest_clock_stands_for_it(self, stage: Stage) -> None:
        assert stage.journal.last_alive() is None
        author = stage.begin(A)
        stage.write(replace(author.reserve(100), at_s=WALL_S + 7.5))
        assert stage.journal.last_alive() == WALL_S + 7.5
        stage.journal.note_alive(WALL_S + 3.25)
        assert stage.journal.last_alive() == WALL_S + 3.25
        stage.restart()
        assert stage.journal.last_alive() == WALL_S + 3.25

    def test_all_clocks_can_be_moved_by_a_time_that_never_passed(self, stage: Stage) -> None:
        for game, at_s in ((A, WALL_S), (B, WALL_S + 5)):
            stage.write(replace(stage.begin(game).reserve(100), at_s=at_s))
        stage.journal.move_clocks(86_400.0)
        stage.restart()
        assert stage.journal.clock(A) == Clock(100, WALL_S + 86_400)
        assert stage.journal.clock(B) == Clock(100, WALL_S + 86_405)

    def test_latency_is_kept_for_games_and_for_the_server(self, stage: Stage) -> None:
        rows = [latency_row(game, WALL_S + second) for second in range(3) for game in (A, "")]
        assert [done.error for done in stage.write(PutLatency(tuple(rows)))] == [None]
        assert stage.journal.latency(A) == rows[0::2]
        assert stage.journal.latency("", since_s=WALL_S + 1) == rows[3::2]
        stage.restart()
        assert stage.journal.latency(A) == rows[0::2]

    def test_latency_is_not_stopped_by_the_failure_of_a_game(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.write(Append(replace(author.append().record, seq=5)))
        (done,) = stage.write(PutLatency((latency_row(A, WALL_S),)))
        assert done.error is None


class LifeContract:
    """Starting and closing."""

    def test_nothing_is_written_before_start(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.journal.close()
        journal = stage.make()
        with pytest.raises(JournalError, match="start"):
            journal.submit([author.append()])
        with pytest.raises(JournalError, match="start"):
            journal.open(A)
        with pytest.raises(JournalError, match="start"):
            journal.create(game_row(B), snapshot(B))
        assert [row.id for row in journal.games()] == [A]
        journal.close()

    def test_journal_is_started_once(self, stage: Stage) -> None:
        with pytest.raises(JournalError):
            stage.journal.start(stage.note)

    def test_close_reports_what_was_under_way_and_may_be_called_again(self, stage: Stage) -> None:
        author = stage.begin(A)
        writes = [author.append() for _ in range(50)]
        for write in writes:
            stage.submit(write)
        stage.journal.close()
        assert [done.write for done in stage.completions] == writes
        assert all(done.error is None for done in stage.completions)
        stage.journal.close()

    def test_closed_journal_refuses_everything(self, stage: Stage) -> None:
        author = stage.begin(A)
        stage.journal.close()
        with pytest.raises(JournalError, match="closed"):
            stage.journal.submit([author.append()])
        with pytest.raises(JournalError, match="closed"):
            stage.journal.open(A)
        with pytest.raises(JournalError, match="closed"):
            stage.journal.games()
        with pytest.raises(JournalError):
            stage.journal.start(stage.note)

    def test_chain_covers_every_field(self, stage: Stage) -> None:
        plain: dict[str, Any] = {"previous": "", "game": A, "epoch": 1, "seq": 1, "tick": 1, "commands": "[]"}
        other: dict[str, Any] = {"previous": "x", "game": B, "epoch": 2, "seq": 2, "tick": 2, "commands": "[ ]"}
        chains = {chain_of(**plain)} | {chain_of(**plain | {name: other[name]}) for name in plain}
        assert len(chains) == 7


class JournalContract(CatalogueContract, HistoryContract, RefusalContract, StateContract, LifeContract):
    """All of it."""
