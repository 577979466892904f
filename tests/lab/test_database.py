"""Frames of games in a database, of replays, branches and simulations; and as files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlite_utils

import gamekit
from gamekit import lab
from gamekit.errors import ConfigError, JournalError, UnknownName
from gamekit.lab.frames import COLUMNS, MEANINGS
from tests.bots import Hauler
from tests.small_game import Nuggets


def types(frame: pd.DataFrame) -> dict[str, str]:
    return {column: str(dtype) for column, dtype in frame.dtypes.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with two games in it, one of which was played for a while; the server is gone."""
    directory = tmp_path_factory.mktemp("database")
    with gamekit.launch(data=directory, games=[Nuggets]) as client:
        game = client.new_game(seed=7, name="Friday")
        client.new_game(game="nuggets", name="Digging").join("Bob")
        game.speed = 200
        with game.bots(Hauler("Ada")) as crew:
            ada = crew.players["Ada"]
            assert any(event["type"] == "WareSold" for event in ada.events(timeout_s=60))
            game.pause()
            # A row of latency is written once a second.
            while game.frame.latency.empty:
                game.step(1)
    return directory


def test_finished_game_has_the_frames_of_a_live_one(data: Path) -> None:
    friday = lab.open(data / "gamekit.db").games["friday"]
    frames = friday.frame
    assert set(dir(frames)) == set(COLUMNS)
    for kind, columns in COLUMNS.items():
        frame = getattr(frames, kind)
        assert types(frame) == columns, kind
        assert len(frame) > 0, kind
    assert set(frames.trades["side"]) == {"buy", "sell"}
    assert (frames.trades["player"] == "p2").any()
    assert frames.trades["tick"].max() <= friday.replay().tick
    assert frames.commands["type"].tolist()[:3] == ["join", "set_speed", "join"]
    assert (frames.latency["ticks"] > 0).all()
    sums = frames.ledger.groupby("asset")["balance"].sum().round(2)
    assert (sums == 0).all()


def test_replay_branch_and_simulation_have_the_same_columns(data: Path) -> None:
    friday = lab.open(data / "gamekit.db").games["Friday"]
    middle = friday.replay().end_tick // 2
    branch = friday.fork()
    branch.advance(ticks=100)
    run = lab.simulate(hours=0.05, record_minutes=1)
    replayed = friday.replay(middle)
    for frames in (replayed.frame, branch.frame, run.frame):
        assert {kind: types(getattr(frames, kind)) for kind in dir(frames)} == COLUMNS
    assert replayed.frame.events["tick"].max() <= middle < branch.frame.events["tick"].max()


def test_designers_game_is_read_with_its_rules_and_its_commands_without(data: Path) -> None:
    plain = lab.open(data / "gamekit.db").games["Digging"]
    assert plain.frame.commands["type"].tolist() == ["join", "join"]
    with pytest.raises(ConfigError, match="rules"):
        plain.frame.events  # noqa: B018 - reading is the test
    known = lab.open(data / "gamekit.db", rules=[Nuggets]).games["Digging"]
    branch = known.fork()
    branch.advance(ticks=20)
    assert set(branch.frame.events["type"]) >= {"PlayerJoined", "Grown"}


def test_database_lists_completes_and_says_what_is_wrong(data: Path, tmp_path: Path) -> None:
    database = lab.open(data / "gamekit.db")
    assert [database.games[key].name for key in database.games] == ["Friday", "Digging"]
    assert {"Friday", "Digging"} <= set(database.games._ipython_key_completions_())
    assert "Friday" in database._repr_html_()
    with pytest.raises(UnknownName, match="Did you mean Friday"):
        database.games["Firday"]
    with pytest.raises(ConfigError, match=r"2 games; choose one with .games\[name\]: Friday, Digging"):
        database.game  # noqa: B018 - reading is the test
    with pytest.raises(JournalError, match="does not exist"):
        lab.open(tmp_path / "none.db")
    with pytest.raises(JournalError, match=r"is a directory.*name the file in it"):
        lab.open(tmp_path)
    capsule = lab.begin(seed=7).save(tmp_path / "one.capsule")
    assert lab.open(capsule).game.frame.commands.empty


def test_frames_are_written_and_read_again(data: Path, tmp_path: Path) -> None:
    frames = lab.open(data / "gamekit.db").games["Friday"].frame
    frames.export(tmp_path / "p")
    frames.export(tmp_path / "c", format="csv", kinds=["trades", "events"])
    for kind in COLUMNS:
        back, frame = pd.read_parquet(tmp_path / "p" / f"{kind}.parquet"), getattr(frames, kind)
        objects = [name for name, dtype in COLUMNS[kind].items() if dtype == "object"]
        assert (len(back), list(back.columns)) == (len(frame), list(frame.columns)), kind
        plain = frame.drop(columns=objects)
        pd.testing.assert_frame_equal(back.drop(columns=objects).astype(plain.dtypes), plain)
    body = json.loads(pd.read_parquet(tmp_path / "p" / "commands.parquet")["body"].iloc[0])
    assert body["type"] == "join"
    trades = pd.read_csv(tmp_path / "c" / "trades.csv")
    assert (trades["time"] * 10 == trades["tick"]).all()
    about = json.loads((tmp_path / "c" / "columns.json").read_text())
    assert about["trades"]["fee_credits"] == {"type": "float64", "meaning": MEANINGS["trades"]["fee_credits"]}
    with pytest.raises(ConfigError, match="choose one of parquet, csv, sqlite"):
        frames.export(tmp_path, format="xlsx")
    with pytest.raises(ConfigError, match="no frame 'planets'"):
        frames.export(tmp_path, kinds=["planets"])


def test_sqlite_utils_opens_the_journal_and_the_exported_frames(data: Path, tmp_path: Path) -> None:
    journal = sqlite_utils.Database(data / "gamekit.db")
    assert [row["name"] for row in journal["games"].rows] == ["Friday", "Digging"]
    [friday] = journal.query("select id from games where name = 'Friday'")
    frames = lab.open(data / "gamekit.db").games["Friday"].frame
    asked = """select value ->> '$.body.type' as type from commands, json_each(commands.commands)
               where game = ? order by seq"""
    assert [row["type"] for row in journal.query(asked, [friday["id"]])] == frames.commands["type"].tolist()
    frames.export(tmp_path, format="sqlite")
    made: Any = sqlite_utils.Database(tmp_path / "frames.db")
    assert set(made.table_names()) == set(COLUMNS)
    sold = frames.trades.query("side == 'sell'")["total_credits"].sum()
    [found] = made.query("select sum(total_credits) as sold from trades where side = 'sell'")
    assert found["sold"] == pytest.approx(sold)
    [moved] = made.query("select count(*) as n from commands where body ->> 'type' = 'move'")
    assert moved["n"] == (frames.commands["type"] == "move").sum() > 0
    journal.close()
    made.close()


def test_the_benchmark_of_long_frames_runs_and_makes_all_rows() -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "frames.py"
    done = subprocess.run([sys.executable, script, "--rows", "3000"], capture_output=True, text=True, check=True)
    [line] = map(json.loads, done.stdout.splitlines())
    assert {line[f"{kind}_rows"] for kind in ("trades", "events", "ledger", "commands", "latency", "parquet")} == {3000}
