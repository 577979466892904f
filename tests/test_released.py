"""A database of every released version is opened, verified and played on with by this one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gamekit.cli import main
from gamekit.history import verify
from gamekit.journal import SqliteReader
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


@pytest.mark.parametrize("released", RELEASES, ids=lambda one: one.name)
def test_a_released_database_is_verified_upgraded_and_played_on_with(released: Path, tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    database = shutil.copy(released / "gamekit.db", directory / "gamekit.db")
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
