"""A database of every released version is opened, verified and played on with by this one."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from gamekit import lab
from gamekit.cli import main
from gamekit.history import verify
from gamekit.journal import SqliteReader
from gamekit.lab import tick_percentiles
from gamekit.lab.frames import COLUMNS
from gamekit.space import SpaceGame
from tests.fixtures.databases.make import HERE, versions
from tests.live import LiveServer

RELEASES = sorted(one.parent for one in HERE.glob("*/versions.json"))


def known(directory: Path) -> dict[str, Any]:
    """What a stored database is of."""
    found: dict[str, Any] = json.loads((directory / "versions.json").read_text())
    return found


def check_all(database: Path) -> int:
    """Verify every game; how many records there were."""
    records = 0
    with SqliteReader(database) as reader:
        for row in reader.games():
            [*_, verdict] = verify(reader, row, SpaceGame())
            assert verdict.problem is None, verdict
            records += verdict.records
    return records


def test_there_is_a_stored_database_of_this_version() -> None:
    assert RELEASES
    newest = max((known(one) for one in RELEASES), key=lambda one: (one["space"], one["saved_format"], one["tables"]))
    newest.pop("release")
    now = versions()
    now.pop("release")
    assert newest == now, (
        "The state, the snapshots' format or the tables have a new version: write the step that brings older ones up "
        "(SpaceGame.decode, read_saved, journal/migrations.py), and at the release "
        "run python -m tests.fixtures.databases.make."
    )


def as_if_just_stored(database: Path) -> None:
    """Let no time have passed since: a game that goes on would live through all of it, months at 200 times its pace."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE clock SET wall_s = ?", (time.time(),))


def measure(database: Path, game: str) -> None:
    """A second of ticks as the oldest version kept it, of which every later one must know the columns."""
    names = "game, at_s, ticks, late_p50_us, late_p99_us, late_max_us, work_p50_us, work_p99_us, work_max_us"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            f"INSERT INTO latency ({names}, commands_us, rules_us, journal_us, fanout_us) "
            "VALUES (?, 1000.5, 10, 100, 900, 1000, 200, 1800, 2000, 10, 20, 30, 40)",
            (game,),
        )


def test_tick_times_from_before_single_ticks_were_kept_are_read_as_they_are_and_upgraded(tmp_path: Path) -> None:
    database = shutil.copy(HERE / "0.1.0" / "gamekit.db", tmp_path / "gamekit.db")
    with SqliteReader(database) as reader:
        game = str(reader.games()[0].id)
    measure(database, game)
    before = lab.open(database).games[game].frame.latency
    assert CliRunner().invoke(main, ["upgrade", str(database)]).exit_code == 0
    measure(database, game)
    after = lab.open(database).games[game].frame.latency
    assert [len(before), len(after)] == [1, 2]
    for frame in (before, after):
        assert frame.dtypes.astype(str).to_dict() == COLUMNS["latency"]
        assert set(frame["late_p99_ms"]) == {0.9}
        assert frame[["late_buckets", "work_buckets"]].isna().all(axis=None)


def test_single_ticks_of_a_stored_database_are_read(tmp_path: Path) -> None:
    stored = lab.open(shutil.copy(HERE / "0.1.0-single-ticks" / "gamekit.db", tmp_path))
    frames = [game.frame.latency for game in stored.games.values()]
    [row] = tick_percentiles(pd.concat(frames), (50, 100)).to_dict("records")
    assert row["ticks"] >= 20
    assert 0 <= row["late_p50_ms"] <= row["late_p100_ms"]
    assert row["late_p100_ms"] >= max(frame["late_max_ms"].max() for frame in frames if len(frame))


@pytest.mark.parametrize("released", RELEASES, ids=lambda one: one.name)
def test_a_released_database_is_verified_upgraded_and_played_on_with(released: Path, tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    database = shutil.copy(released / "gamekit.db", directory / "gamekit.db")
    as_if_just_stored(database)
    rehearsed = CliRunner().invoke(main, ["upgrade", "--rehearse", str(database)])
    assert rehearsed.exit_code == 0, rehearsed.output
    upgraded = CliRunner().invoke(main, ["upgrade", str(database)])
    assert upgraded.exit_code == 0, upgraded.output
    before = check_all(database)
    assert before > 15
    with LiveServer(directory) as server:
        games = server.call("GET", "/api/games", token=server.admin_token)[1]["games"]
        assert len(games) == 2
        ids = [game["id"] for game in games]
        capsule = (released / "duel.capsule").read_bytes()
        status, taken = server.call("POST", "/api/games/import?new_id=1", capsule, token=server.admin_token)
        assert status == 201, taken
        for game in [*ids, taken["id"]]:
            server.admin(game, "speed", speed=10)
            tick = server.state(game)["tick"]
            server.admin(game, "pause")
            server.admin(game, "step", ticks=50)
            assert server.state(game)["tick"] >= tick
    assert check_all(database) >= before + 9
    imported = CliRunner().invoke(main, ["import", str(released / "duel.capsule"), "--db", str(tmp_path / "other.db")])
    assert imported.exit_code == 0, imported.output
    check_all(tmp_path / "other.db")
