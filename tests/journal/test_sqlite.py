"""What is special to the SQLite backend: shared commits, failures, the lock, and what its file looks like."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sqlite_utils

from gamekit.errors import JournalCorrupt, JournalError, JournalFull
from gamekit.game import GameId
from gamekit.journal import (
    Append,
    Completion,
    PutLatency,
    Retention,
    SqliteJournal,
    SqliteReader,
    Write,
    migrations,
    schema,
)
from gamekit.journal.lock import ProcessLock
from gamekit.journal.statements import LATENCY_KEPT_S
from gamekit.journal.writer import MAX_BATCH_WRITES

from .stage import PATIENCE_S, WALL_S, Author, SqliteStage, game_row, latency_row, snapshot

A, B = GameId("game-a"), GameId("game-b")


def transactions_in_log(path: Path) -> int:
    """How many commits the write-ahead log holds, counted in its frames (sqlite.org/fileformat2.html#walformat)."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    page_bytes, salts = struct.unpack(">8xI4x8s", log[:24])
    count = 0
    for offset in range(32, len(log), 24 + page_bytes):
        _, pages_after_commit, frame_salts = struct.unpack(">II8s", log[offset : offset + 16])
        count += frame_salts == salts and pages_after_commit > 0
    return count


def connection_of(stage: SqliteStage) -> sqlite3.Connection:
    """The writing connection, to provoke what a disk does; only while nothing is being written."""
    assert isinstance(stage.journal, SqliteJournal)
    return stage.journal._write_connection


class TestGroupCommit:
    def test_records_of_all_games_share_one_fsync(self, database: SqliteStage) -> None:
        authors = [database.begin(f"game-{number}") for number in range(100)]
        with database.writer_held_up(authors[0]):
            before = transactions_in_log(database.path)
            for author in authors:
                database.submit(author.append(), author.reserve(50))
        assert database.calls == [200]
        assert transactions_in_log(database.path) == before + 1
        assert all(done.error is None for done in database.completions)

    def test_batch_that_needs_one_statement_only_is_one_transaction_too(self, database: SqliteStage) -> None:
        authors = [database.begin(f"game-{number}") for number in range(100)]
        with database.writer_held_up(authors[0]):
            before = transactions_in_log(database.path)
            for author in authors:
                database.submit(author.append())
        assert database.calls == [100]
        assert transactions_in_log(database.path) == before + 1
        assert all(done.error is None for done in database.completions)

    def test_batch_is_bounded_and_a_submission_never_split(self, database: SqliteStage) -> None:
        author = database.begin(A)
        third = MAX_BATCH_WRITES * 2 // 5
        with database.writer_held_up(author):
            before = transactions_in_log(database.path)
            for _ in range(3):
                database.submit(*[author.append() for _ in range(third)])
            database.submit(*[author.append() for _ in range(MAX_BATCH_WRITES + 1)])
        assert database.calls == [2 * third, third, MAX_BATCH_WRITES + 1]
        assert transactions_in_log(database.path) == before + 3
        assert sum(1 for _ in database.journal.records(A)) == 3 * third + MAX_BATCH_WRITES + 2

    def test_measured_times_wait_for_company(self, tmp_path: Path) -> None:
        stage = SqliteStage(tmp_path / "journal.db", latency_delay_s=3600.0)
        stage.start()
        author = stage.begin(A)
        before = transactions_in_log(stage.path)
        for second in range(10):
            stage.submit(PutLatency((latency_row(A, WALL_S + second),)))
        stage.submit(author.append())
        stage.settle()
        assert stage.calls == [11]
        assert transactions_in_log(stage.path) == before + 1
        # Nor do they hold up the end.
        stage.submit(PutLatency((latency_row(A, WALL_S + 10),)))
        stage.journal.close()
        assert stage.completions[-1].error is None

    def test_commits_keep_their_distance_but_nobody_who_waits_is_kept_waiting(self, tmp_path: Path) -> None:
        stage = SqliteStage(tmp_path / "journal.db", commit_pace_s=3600.0)
        stage.start()
        author = stage.begin(A)
        # What comes alone is written at once.
        for _ in range(2):
            stage.write(author.append())
        with stage.writer_held_up(author):
            for _ in range(2):
                stage.submit(author.append())
        assert stage.calls == [2]
        stage.submit(author.append())
        assert not stage.reported(within_s=0.2)
        for _ in range(9):
            stage.submit(author.append())
        # Making a game is waited for, and with it comes what was before it.
        stage.begin(B)
        assert stage.calls == [2, 10]
        # Nor is the end held up.
        stage.submit(author.append())
        stage.journal.close()
        assert stage.calls == [2, 10, 1]
        assert all(done.error is None for done in stage.completions)

    def test_counters_tell_commits_and_writes(self, database: SqliteStage) -> None:
        assert isinstance(database.journal, SqliteJournal)
        authors = [database.begin(f"game-{number}") for number in range(3)]
        with database.writer_held_up(authors[0]):
            for author in authors:
                database.submit(author.append())
        stats = database.journal.stats
        assert (stats.commits, stats.writes, stats.failed_commits) == (2, 4, 0)
        assert stats.busy_s > 0


class TestFailure:
    @pytest.mark.parametrize("spoil", ["name", "tick"])
    def test_value_that_sqlite_refuses_fails_its_game_alone(self, database: SqliteStage, spoil: str) -> None:
        author, other = database.begin(A), database.begin(B)
        bad = author.put_player("p1", "\ud800") if spoil == "name" else author.reserve(2**63)
        writes: list[Write] = [other.append(), author.append(), bad, author.append(), other.append()]
        with database.writer_held_up(database.begin("game-c")):
            before = transactions_in_log(database.path)
            for write in writes:
                database.submit(write)
        assert database.calls == [5]
        assert [done.error is None for done in database.completions] == [True, True, False, False, True]
        assert transactions_in_log(database.path) == before + 1
        assert len(list(database.journal.records(A))) == 1
        assert len(list(database.journal.records(B))) == 2
        last = next(database.journal.records(A))
        assert [done.error for done in database.write(Author(database.journal.open(A), last).append())] == [None]

    def test_failed_commit_fails_all_of_it_and_the_writer_goes_on(self, database: SqliteStage) -> None:
        author, other = database.begin(A), database.begin(B)
        database.write(other.append())
        connection = connection_of(database)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with database.writer_held_up(other):
            before = transactions_in_log(database.path)
            database.submit(author.append("x" * 100_000))
            database.submit(other.append())
        assert [type(done.error) for done in database.completions] == [JournalFull, JournalFull]
        assert "free some room" in str(database.completions[0].error)
        assert transactions_in_log(database.path) == before
        assert list(database.journal.records(A)) == []
        connection.execute("PRAGMA max_page_count = 1000000")
        # There is room again, but what failed left a hole: the runs stay closed until they are opened anew.
        assert [type(done.error) for done in database.write(other.append())] == [JournalFull]
        records = list(database.journal.records(B))
        assert len(records) == 2
        again = Author(database.journal.open(B), records[-1])
        assert [done.error for done in database.write(again.append())] == [None]
        stats = database.journal.stats  # type: ignore[attr-defined]
        assert stats.failed_commits == 1

    def test_create_and_open_that_fail_change_nothing(self, database: SqliteStage) -> None:
        author = database.begin(A)
        connection = connection_of(database)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(JournalFull):
            database.journal.create(game_row(B), snapshot(B, data=os.urandom(100_000)))
        connection.execute("PRAGMA query_only = ON")
        with pytest.raises(JournalError):
            database.journal.open(A)
        connection.execute("PRAGMA query_only = OFF")
        connection.execute("PRAGMA max_page_count = 1000000")
        assert database.journal.game(B) is None
        assert [done.error for done in database.write(author.append())] == [None]
        database.journal.create(game_row(B), snapshot(B))

    def test_writes_of_impossible_types_do_not_end_the_writer(
        self, database: SqliteStage, caplog: pytest.LogCaptureFixture
    ) -> None:
        author = database.begin(A)
        (done,) = database.write(Append(None))  # type: ignore[arg-type]
        assert done.error is not None
        assert "could not be handled" in caplog.text
        assert [done.error for done in database.write(author.append())] == [None]

    def test_on_commit_that_raises_does_not_end_the_writer(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        calls = [threading.Event(), threading.Event()]
        coming = iter(calls)

        def fragile(_: Sequence[Completion]) -> None:
            next(coming).set()
            raise ValueError("no")

        with SqliteJournal(tmp_path / "journal.db") as journal:
            journal.start(fragile)
            journal.create(game_row(A), snapshot(A))
            author = Author(journal.open(A))
            for call in calls:
                journal.submit([author.append()])
                assert call.wait(PATIENCE_S)
        assert caplog.text.count("on_commit raised") == 2

    def test_blocking_calls_from_on_commit_are_refused_instead_of_hanging(self, tmp_path: Path) -> None:
        journal = SqliteJournal(tmp_path / "journal.db")
        refusals: list[str] = []
        asked = threading.Event()

        def ask(_: Sequence[Completion]) -> None:
            for call in (lambda: journal.open(A), journal.close):
                with pytest.raises(JournalError) as refusal:
                    call()
                refusals.append(str(refusal.value))
            asked.set()

        journal.start(ask)
        journal.create(game_row(A), snapshot(A))
        journal.submit([Author(journal.open(A)).append()])
        assert asked.wait(PATIENCE_S)
        assert all("called from on_commit" in refusal for refusal in refusals)
        journal.close()


class TestOneProcess:
    def test_second_opener_is_refused_and_told_by_whom(self, database: SqliteStage) -> None:
        with pytest.raises(JournalError, match=f"process {os.getpid()} has this journal open") as refusal:
            SqliteJournal(database.path)
        assert refusal.value.recoverable
        assert "SqliteReader" in refusal.value.hint

    def test_second_process_is_refused(self, database: SqliteStage) -> None:
        script = "import sys, pathlib, gamekit.journal as j; j.SqliteJournal(pathlib.Path(sys.argv[1]))"
        second = subprocess.run(
            [sys.executable, "-c", script, database.path], capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 1
        assert f"process {os.getpid()} has this journal open" in second.stderr

    def test_lock_dies_with_its_holder_even_if_a_forked_child_lives_on(self, tmp_path: Path) -> None:
        script = """
import os, pathlib, sys
from gamekit.journal.lock import ProcessLock
lock = ProcessLock(pathlib.Path(sys.argv[1]))
if os.fork() == 0:
    os.write(1, b"child\\n")
os.read(0, 1)
"""
        path = tmp_path / "lock"
        with subprocess.Popen(
            [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"child\n"
            with pytest.raises(JournalError, match=f"process {holder.pid} has"):
                ProcessLock(path)
            holder.kill()
            holder.wait()
            ProcessLock(path).release()

    def test_lock_is_free_after_release_even_if_a_child_still_has_the_descriptor(self, tmp_path: Path) -> None:
        lock = ProcessLock(tmp_path / "lock")
        inherited = os.dup(lock._descriptor or -1)
        lock.release()
        lock.release()
        ProcessLock(tmp_path / "lock").release()
        os.close(inherited)

    def test_journal_that_could_not_be_opened_leaves_no_lock_behind(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        path.write_bytes(b"this is not a database, but some text that is long enough" * 20)
        with pytest.raises(JournalCorrupt):
            SqliteJournal(path)
        path.unlink()
        SqliteJournal(path).close()

    def test_directory_that_cannot_be_made_is_a_clear_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(JournalError, match="cannot be made"):
            SqliteJournal(tmp_path / "file" / "journal.db")


class TestFile:
    def test_commits_are_synced_and_the_log_is_checkpointed_rarely(self, database: SqliteStage) -> None:
        connection = connection_of(database)
        settings = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in SETTINGS}
        assert settings == SETTINGS

    def test_closed_journal_is_a_single_file_and_its_lock(self, database: SqliteStage) -> None:
        database.write(database.begin(A).append())
        database.journal.close()
        assert sorted(entry.name for entry in database.path.parent.iterdir()) == ["journal.db", "journal.db.lock"]

    def test_history_is_readable_without_gamekit(self, database: SqliteStage) -> None:
        author = database.begin(A)
        append = author.append()
        database.write(append, author.put_player("p1", "Ada"), author.reserve(40), author.save(b"x" * 1000))
        db = sqlite_utils.Database(database.path)
        (row,) = db.table("commands").rows
        assert {**row, "commands": json.loads(row["commands"])[0]["player"]} == {
            "game": A,
            "seq": 1,
            "epoch": 1,
            "tick": 1,
            "commands": "p1",
            "chain": append.record.chain,
        }
        assert list(db.table("players").rows) == [{"game": A, "player": "p1", "name": "Ada", "noted_s": WALL_S}]
        assert list(db.table("clock").rows) == [{"game": A, "tick": 40, "wall_s": WALL_S}]
        sizes = [(row["plain_bytes"], len(row["data"])) for row in db.table("snapshots").rows_where("seq = 1")]
        assert sizes[0][0] == 1000 > sizes[0][1]
        about = {row["key"]: row["value"] for row in db.table("meta").rows}
        assert set(about) == {"created_s", "created_with", "opened_s", "opened_with", "sqlite", "in_use"}
        db.close()

    def test_measured_times_older_than_a_week_are_dropped_bit_by_bit(self, database: SqliteStage) -> None:
        old = [latency_row(A, WALL_S + second) for second in range(10)]
        database.write(PutLatency(tuple(old)))
        now = WALL_S + LATENCY_KEPT_S + 3600
        left = []
        for second in range(6):
            database.write(PutLatency((latency_row(A, now + second),)))
            left.append(len(database.journal.latency(A)) - second - 1)
        assert left == [8, 6, 4, 2, 0, 0]

    @pytest.mark.parametrize("open_it", [SqliteJournal, SqliteJournal.reader])
    def test_other_databases_are_left_alone(self, tmp_path: Path, open_it: Callable[[Path], object]) -> None:
        path = tmp_path / "other.db"
        db = sqlite_utils.Database(path)
        db.table("birds").insert({"name": "wren"})
        db.close()
        content = path.read_bytes()
        with pytest.raises(JournalError, match="is not a gamekit journal"):
            open_it(path)
        assert path.read_bytes() == content

    @pytest.mark.parametrize("open_it", [SqliteJournal, SqliteJournal.reader])
    def test_journal_of_a_newer_gamekit_is_left_alone(
        self, database: SqliteStage, open_it: Callable[[Path], object]
    ) -> None:
        database.journal.close()
        with database.raw() as connection:
            connection.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('gamekit', ?, '')",
                ("from_tomorrow",),
            )
        with pytest.raises(JournalError, match=r"newer gamekit \(from_tomorrow\)"):
            open_it(database.path)

    def test_every_table_and_column_is_documented(self, database: SqliteStage) -> None:
        page = (Path(__file__).parents[2] / "docs" / "database.md").read_text()
        sections = {part.split("`", 1)[0]: part for part in page.split("\n## `")[1:]}
        with database.raw() as connection:
            tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            assert sorted(sections) == sorted(tables)
            for table in tables:
                columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                missing = [column for column in columns if f"\n| `{column}` |" not in sections[table]]
                assert missing == [], f"docs/database.md says nothing of {missing} in {table}"


SETTINGS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "fullfsync": 1,
    "checkpoint_fullfsync": 1,
    "wal_autocheckpoint": 4000,
    "foreign_keys": 0,
}


def test_how_many_snapshots_stay_is_a_setting(tmp_path: Path) -> None:
    done: list[Completion] = []
    journal = SqliteJournal(tmp_path / "journal.db", keep=Retention(latest=2, every_ticks=10))
    journal.start(done.extend)
    journal.create(game_row("game-a"), snapshot("game-a"))
    author = Author(journal.open(GameId("game-a")))
    for tick in range(1, 26):
        journal.submit([author.save(tick=tick)])
    journal.close()
    assert [one.error for one in done] == [None] * 25
    with SqliteReader(tmp_path / "journal.db") as reader:
        assert [tick for tick, _, _ in reader.snapshots(GameId("game-a"))] == [0, 10, 20, 24, 25]


def test_the_schema_knows_every_migration_step_by_name(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    with sqlite3.connect(path) as connection:
        applied = connection.execute(f"SELECT name FROM {schema.MIGRATIONS_TABLE} ORDER BY id").fetchall()
    connection.close()
    assert tuple(name for (name,) in applied) == schema.STEPS
    assert [step.name for step in migrations.migrations.pending(sqlite_utils.Database(memory=True))] == list(
        schema.STEPS
    )


def test_opening_a_journal_that_is_up_to_date_loads_neither_sqlite_utils_nor_pandas(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    code = (
        "import sys, pathlib, gamekit.journal as j; j.SqliteJournal(pathlib.Path(sys.argv[1])).close(); "
        "print(sorted({'pandas', 'sqlite_utils'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
