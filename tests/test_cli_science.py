"""`gamekit fork`, `diff`, `sweep` and `compare`, as a script uses them: real files and a real server."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

import gamekit
from gamekit.capsule import read_capsule
from gamekit.cli import main
from gamekit.lab import begin, replay
from tests.live import LiveServer


def run(*arguments: object, cwd: Path | None = None) -> tuple[int, str]:
    """The command line, in this process; its exit status, and everything that it said."""
    with contextlib.chdir(cwd or Path.cwd()):
        done = CliRunner().invoke(main, [str(one) for one in arguments])
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def capsule(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recorded game of half an hour with an order in it."""
    game = begin("duel", seed=3, name="Recorded")
    ada = game.join("Ada")
    game.advance(600)
    ship = next(key for key, one in game.state.ships.items() if one.owner == ada)
    game.command(ada, {"type": "auto_trade", "ship": ship, "on": True})
    game.advance(hours=0.5)
    return game.save(tmp_path_factory.mktemp("recorded") / "one.capsule")


def test_a_fork_is_the_same_past_up_to_its_tick(capsule: Path, tmp_path: Path) -> None:
    status, said = run("fork", capsule, tmp_path / "fork.capsule", "--tick", 1_000, "--name", "What if")
    assert (status, "to tick 1000, 2 records" in said) == (0, True), said
    past = read_capsule(tmp_path / "fork.capsule")
    assert (past.tick, past.row.name) == (1_000, "What if")
    assert replay(past).digest == replay(capsule, 1_000).digest
    status, said = run("fork", past.row.id, "--db", capsule, cwd=tmp_path)
    assert (status, (tmp_path / f"{past.row.id}-fork.capsule").exists()) == (0, True), said
    status, said = run("fork", "nothing.capsule", cwd=tmp_path)
    assert (status, "There is no nothing.capsule" in said) == (1, True)


def test_a_fork_goes_into_a_running_server_as_a_game_that_can_be_played(capsule: Path, tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server, gamekit.Client(server.url, token=server.admin_token) as client:
        reach = ("--url", server.url, "--token", server.admin_token)
        status, said = run("fork", capsule, "--tick", 1_000, *reach)
        assert status == 0, said
        link, verdict = said.splitlines()
        game, told = verdict.split(": ")
        assert told.startswith("forked at tick 1")
        player = client.play(link.split()[-1])
        assert player.name == "Ada"
        first = client.game(game)
        first.pause()
        status, said = run("fork", game, *reach, "--name", "Second")
        assert status == 0, said
        assert sorted(one["name"] for one in client.games()) == ["Recorded", "Second"]
        status, said = run("fork", game, tmp_path / "live.capsule", "--tick", 900, *reach)
        assert (status, read_capsule(tmp_path / "live.capsule").tick) == (0, 900), said


def test_diff_tells_equal_from_different_by_its_status(capsule: Path, tmp_path: Path) -> None:
    run("fork", capsule, tmp_path / "fork.capsule", "--tick", 1_000)
    assert run("diff", capsule, tmp_path / "fork.capsule") == (0, "equal: the same to tick 1000\n")
    other = gamekit.lab.fork(tmp_path / "fork.capsule")
    other.command("p1", {"type": "rename_ship", "ship": "ship-1", "name": "Hermes"})
    other.advance(500)
    other.save(tmp_path / "other.capsule")
    status, said = run("diff", capsule, tmp_path / "other.capsule")
    assert status == 1
    assert 'ships["ship-1"].name' in said
    assert said.splitlines()[-1].startswith("different: the histories part at tick 1000 of 1500")
    status, said = run("diff", capsule, tmp_path / "other.capsule", "--json")
    told = json.loads(said)
    assert (status, told["equal"], told["tick"], told["to"]) == (1, False, 1_000, 1_500)
    assert ['ships["ship-1"].name', "Hermes"] in [[one["path"], one["b"]] for one in told["fields"]]
    status, said = run("diff", capsule, tmp_path / "missing.capsule")
    assert (status, "There is no" in said) == (2, True)


def test_diff_compares_two_rules_on_the_same_commands(capsule: Path) -> None:
    assert run("diff", capsule, "--rule", "ships_limit=7")[0] == 0
    status, said = run("diff", capsule, "--rule", "dock_ticks=12", "--json")
    told = json.loads(said)
    assert status == 1
    assert told["tick"] > 0
    assert all(not one["path"].startswith("rules.") for one in told["fields"])
    assert any(one["path"].endswith(".due") and one["b"] == one["a"] + 2 for one in told["fields"])


def test_sweep_by_a_plan_and_options_is_kept_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(
        'scenario = "procedural:3"\nhours = 0.2\nseeds = 2\nmetrics = ["units_made"]\ndatabase = "sweep.db"\n'
        "[grid]\ncycle_percent = [50, 100]\n"
    )
    arguments = ("sweep", "plan.toml", "--vary", "trade_fee_permille=0,5", "--workers", 1)
    status, said = run(*arguments, cwd=tmp_path)
    assert status == 0, said
    assert said.splitlines()[-1].startswith("ok: 8 runs, 0 failed")
    assert said.splitlines()[0].split() == ["cycle_percent", "trade_fee_permille", "units_made"]
    with closing(sqlite3.connect(tmp_path / "sweep.db")) as plain:
        before = plain.execute("SELECT key, cpu_s FROM runs ORDER BY key").fetchall()
    status, said = run(*arguments, "--json", cwd=tmp_path)
    rows = [json.loads(line) for line in said.splitlines()]
    assert [(row["cycle_percent"], row["trade_fee_permille"]) for row in rows[::2]] == [
        (50, 0), (50, 5), (100, 0), (100, 5)
    ]  # fmt: skip
    with closing(sqlite3.connect(tmp_path / "sweep.db")) as plain:
        assert plain.execute("SELECT key, cpu_s FROM runs ORDER BY key").fetchall() == before, "nothing was run again"
    status, said = run("sweep", "--vary", "jump_ticks=-1", "--seeds", 1, "--workers", 1, "--hours", 0)
    assert (status, "rules.jump_ticks: expected" in said) == (1, True), "told before the first run"
    (tmp_path / "plan.toml").write_text("gird = 1\n")
    status, said = run("sweep", "plan.toml", cwd=tmp_path)
    assert (status, "there is no 'gird'" in said) == (1, True)
    assert "There is no metric 'nothing'" in run("sweep", "--metric", "nothing")[1]


def test_compare_prints_verdicts_and_writes_its_page(capsule: Path, tmp_path: Path) -> None:
    small = ("--scenario", "procedural:3", "--seeds", 2, "--hours", 0.2, "--workers", 1)
    status, said = run("compare", "--b", "cycle_percent=50", *small, "--report", tmp_path / "page.html")
    assert status == 0, said
    assert "b is higher" in said
    assert said.splitlines()[-1].startswith("ok: 2 pairs, ")
    page = (tmp_path / "page.html").read_text()
    assert "Units made, by ware" in page
    assert "Credits of each company" in page
    again = ("--recorded", capsule, "--workers", 1, "--metric", "units_made", "--json")
    status, said = run("compare", "--a", "dock_ticks=10", "--b", "dock_ticks=600", *again)
    rows = {row["metric"]: row for row in json.loads(said)["metrics"]}
    assert (status, rows["units_made"]["pairs"], set(rows)) == (0, 1, {"units_made", "commands_refused"})
