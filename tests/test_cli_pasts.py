"""`gamekit export`, `import`, `replay` and `backup` on real files, beside a real server."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import gamekit
from gamekit.capsule import read_capsule
from tests.live import LiveServer


def run(*arguments: object) -> tuple[int, str]:
    """The command line; its exit status, and everything that it said."""
    command = [sys.executable, "-m", "gamekit", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, str]]:
    """A server that runs, and the id of a paused game on it that has some history."""
    directory = tmp_path_factory.mktemp("pasts") / "data"
    with LiveServer(directory) as server, gamekit.Client(server.url, token=server.admin_token) as client:
        game = client.new_game(seed=3)
        red = game.join("Red")
        game.speed = 100
        red.ship.go("Luhman 16").result()
        red.ship.wait(60)
        game.pause()
        yield server, game.id


def test_export_replay_and_import_carry_a_game_from_one_database_to_another(
    played: tuple[LiveServer, str], tmp_path: Path
) -> None:
    server, game = played
    database, capsule = server.directory / "gamekit.db", tmp_path / "one.capsule"
    status, said = run("export", game, capsule, "--db", database)
    assert status == 0, said
    past = read_capsule(capsule)
    status, said = run("replay", capsule, "--json")
    assert status == 0, said
    whole = json.loads(said)
    assert (whole["records"], whole["game"]) == (past.last_seq, game)
    # The game is paused: more ticks were reserved than it has come to.
    assert whole["tick"] == server.state(game)["tick"] <= past.tick
    assert whole["digests"] == len(past.snapshots)
    assert run("replay", database, "--game", game, "--json")[0] == 0
    status, said = run("verify", capsule)
    assert (status, said.splitlines()[-1].startswith("ok:")) == (0, True)

    status, said = run("import", capsule, "--db", tmp_path / "other" / "gamekit.db")
    assert status == 0, said
    status, said = run("replay", tmp_path / "other" / "gamekit.db", "--json")
    assert json.loads(said)["digest"] == whole["digest"]


def test_a_game_can_be_cut_and_restored_at_any_tick(played: tuple[LiveServer, str], tmp_path: Path) -> None:
    server, game = played
    database = server.directory / "gamekit.db"
    status, said = run("replay", database, "--game", game, "--tick", 77, "--json")
    then = json.loads(said)
    assert (status, then["tick"]) == (0, 77)
    assert run("export", game, tmp_path / "cut.capsule", "--db", database, "--tick", 77)[0] == 0
    assert run("export", game, tmp_path / "whole.capsule", "--db", database)[0] == 0
    assert json.loads(run("replay", tmp_path / "cut.capsule", "--json")[1])["digest"] == then["digest"]
    restored = tmp_path / "restored.db"
    assert run("import", tmp_path / "whole.capsule", "--db", restored, "--tick", 77)[0] == 0
    assert json.loads(run("replay", restored, "--json")[1])["digest"] == then["digest"]
    status, said = run("import", tmp_path / "whole.capsule", "--db", restored)
    assert status == 1
    assert "already" in said
    assert run("import", tmp_path / "whole.capsule", "--db", restored, "--new-id")[0] == 0
    status, said = run("replay", restored)
    assert status == 1
    assert "holds 2 games" in said


def test_a_database_in_use_is_not_imported_into(played: tuple[LiveServer, str], tmp_path: Path) -> None:
    server, game = played
    database = server.directory / "gamekit.db"
    assert run("export", game, tmp_path / "one.capsule", "--db", database)[0] == 0
    status, said = run("import", tmp_path / "one.capsule", "--db", database, "--new-id")
    assert status == 1
    assert "has this journal open" in said


def test_a_changed_history_does_not_pass_for_a_replay(played: tuple[LiveServer, str], tmp_path: Path) -> None:
    server, game = played
    capsule = tmp_path / "one.capsule"
    run("export", game, capsule, "--db", server.directory / "gamekit.db")
    with closing(sqlite3.connect(capsule, isolation_level=None)) as plain:
        plain.execute("UPDATE snapshots SET digest = ? WHERE seq = 0", ("0" * 32,))
    status, said = run("replay", capsule)
    assert status == 1
    assert "digest" in said
    assert run("verify", capsule)[0] == 1


def test_backup_of_a_running_server_can_be_served_and_has_its_tokens(
    played: tuple[LiveServer, str], tmp_path: Path
) -> None:
    server, game = played
    target = tmp_path / "backups" / "monday"
    status, said = run("backup", target, "--data", server.directory)
    assert (status, said.splitlines()[-1].startswith("ok:")) == (0, True), said
    assert sorted(one.name for one in target.iterdir()) == ["gamekit.db", "secret.key"]
    assert run("verify", target / "gamekit.db")[0] == 0
    with LiveServer(target) as restored:
        assert restored.admin_token == server.admin_token
        assert restored.state(game)["view"] == server.state(game)["view"]
    status, said = run("backup", target, "--data", server.directory)
    assert status == 1
    assert "is there already" in said
    assert run("backup", tmp_path / "x", "--data", tmp_path)[0] == 1
    assert not (tmp_path / "x").exists()
    assert [one.name for one in (tmp_path / "backups").iterdir() if one.is_dir()] == ["monday"]


def test_a_damaged_database_makes_no_backup(played: tuple[LiveServer, str], tmp_path: Path) -> None:
    server, _ = played
    copy = tmp_path / "data"
    assert run("backup", copy, "--data", server.directory)[0] == 0
    with closing(sqlite3.connect(copy / "gamekit.db", isolation_level=None)) as plain:
        plain.execute("UPDATE commands SET commands = '[]' WHERE seq = 2")
    status, said = run("backup", tmp_path / "second", "--data", copy)
    assert status == 1
    assert "does not match its chain" in said
    assert not (tmp_path / "second").exists()
