"""The command line, as a person or a script uses it: real processes, real files."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from gamekit.cli import main
from gamekit.session.core import SNAPSHOT_PACE, SNAPSHOT_TICKS
from tests.live import LiveServer
from tests.rawclient import RawSocket


def gamekit(*arguments: object, seed: str = "random") -> subprocess.CompletedProcess[str]:
    """Run `gamekit ...` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gamekit", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two games: one was played at speed, killed and played again; one is new."""
    directory: Path = tmp_path_factory.mktemp("played") / "data"
    server = LiveServer(directory).start()
    made = server.new_game(seed=5, name="Played")
    server.new_game(scenario="procedural:6", seed=9, name="Fresh")
    server.admin(made["id"], "speed", speed=1000)
    asyncio.run(_play(server, made, first_cid=1))
    server.kill()
    server.start()
    asyncio.run(_play(server, made, first_cid=100))
    assert server.stop() == 0
    return directory / "gamekit.db"


async def _play(server: LiveServer, made: dict[str, Any], first_cid: int) -> None:
    socket = await RawSocket.open(made["ws_url"], token=made["token"], client="c")
    snapshot = await socket.of("snapshot")
    ship = "ship-1"
    sectors = list(snapshot["view"]["sectors"])
    for cid in range(first_cid, first_cid + 20):
        to = {"sector": sectors[cid % len(sectors)], "x": cid, "y": -cid}
        await socket.send(type="command", cid=cid, body={"type": "move", "ship": ship, "to": to, "append": True})
        await socket.of("ack", cid=cid)
    # Long enough for a snapshot to be kept by the way.
    until = snapshot["tick"] + 2 * SNAPSHOT_TICKS * SNAPSHOT_PACE
    await socket.until(lambda message: message.get("tick", 0) > until)
    await socket.close()


def test_verify_agrees_in_other_processes_and_under_other_hash_seeds(played: Path) -> None:
    verdicts = [gamekit("verify", played, seed=seed) for seed in ("0", "1", "4711")]
    for verdict in verdicts:
        assert verdict.returncode == 0, verdict.stdout + verdict.stderr
        assert verdict.stdout.splitlines()[-1].startswith("ok: 2 games"), verdict.stdout
    assert len({verdict.stdout for verdict in verdicts}) == 1
    digests = int(verdicts[0].stdout.splitlines()[-1].split(", ")[-1].split()[0])
    assert digests >= 5


def damaged(played: Path, tmp_path: Path, statement: str) -> Path:
    copy = tmp_path / "copy.db"
    with sqlite3.connect(played) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        assert target.execute(statement).rowcount == 1
    source.close()
    target.close()
    return copy


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        ("update commands set commands = replace(commands, 'sector', 'sektor') where seq = 5", "chain"),
        ("update commands set tick = tick + 1 where seq = 7", "chain"),
        ("delete from commands where seq = 9", "9"),
        ("update games set seed = '10' where name = 'Fresh'", "seed"),
        ("update snapshots set digest = replace(digest, substr(digest, 1, 1), 'x') where rowid = 3", "digest"),
    ],
)
def test_verify_finds_damage_and_fails(played: Path, tmp_path: Path, statement: str, word: str) -> None:
    verdict = gamekit("verify", damaged(played, tmp_path, statement))
    assert verdict.returncode == 1, verdict.stdout
    last = verdict.stdout.splitlines()[-1]
    assert last.startswith("FAILED: 1 of 2 games")
    assert word in last
    assert "Traceback" not in verdict.stderr


def test_ls_and_show_tell_what_is_there(played: Path) -> None:
    listed = gamekit("ls", "--db", played)
    assert listed.returncode == 0, listed.stderr
    assert "Played" in listed.stdout
    assert "procedural:6" in listed.stdout
    assert listed.stdout.splitlines()[-1].startswith("2 games")
    rows = [json.loads(line) for line in gamekit("ls", "--db", played, "--json").stdout.splitlines()]
    [game] = [row for row in rows if row["name"] == "Played"]
    assert game["epoch"] == 2
    # Its join, its speed, and its forty orders, some of which shared a record.
    assert game["seq"] > 10
    shown = gamekit("show", game["id"], "--db", played)
    assert shown.returncode == 0
    assert '"type":"move"' in shown.stdout
    missing = gamekit("show", "nosuch", "--db", played)
    assert missing.returncode == 1
    assert "gamekit ls" in missing.stderr


def test_what_a_terminal_obeys_is_shown_as_what_it_is(played: Path, tmp_path: Path) -> None:
    obeyed = "\\u001b]0;owned\\u0007\\u009b2J"
    for config in (f'{{"scenario": "{obeyed}"}}', f'{{"scenario": {{"name": "{obeyed}"}}}}'):
        copy = damaged(played, tmp_path, f"update games set config = '{config}' where name = 'Fresh'")
        for arguments in (["ls", "--db", copy], ["ls", "--db", copy, "--json"]):
            listed = gamekit(*arguments)
            assert listed.returncode == 0, listed.stderr
            assert "owned" in listed.stdout
            assert not {"\x1b", "\x07", "\x9b"} & set(listed.stdout)
        copy.unlink()


def test_a_missing_database_is_told_plainly(tmp_path: Path) -> None:
    for arguments in (["ls", "--db", tmp_path / "no.db"], ["verify", tmp_path / "no.db"]):
        result = gamekit(*arguments)
        assert result.returncode == 1
        assert "no.db" in result.stderr
        assert "Traceback" not in result.stderr


def test_simulate_prints_one_line_that_is_the_same_everywhere() -> None:
    lines = []
    for seed in ("0", "99"):
        result = gamekit("simulate", "--scenario", "procedural:8", "--seed", 3, "--hours", 2, "--json", seed=seed)
        assert result.returncode == 0, result.stderr
        [line] = result.stdout.splitlines()
        lines.append(json.loads(line))
    assert set(lines[0]) == {"scenario", "seed", "ticks", "events", "digest", "cpu_s", "times_real_time"}
    assert lines[0]["ticks"] == 72_000
    assert [line["digest"] for line in lines] == [lines[0]["digest"]] * 2
    assert [line["events"] for line in lines] == [lines[0]["events"]] * 2


def test_simulate_refuses_what_is_wrong_with_what_is_allowed() -> None:
    for arguments in (["--scenario", "nowhere"], ["--rule", "jump_ticks=fast"], ["--rule", "no_such_rule=1"]):
        result = gamekit("simulate", *arguments)
        assert result.returncode == 1
        assert "Traceback" not in result.stderr
    result = gamekit("simulate", "--rule", "jump_ticks")
    assert result.returncode == 2
    assert "FIELD=VALUE" in result.stderr


def test_new_makes_a_game_on_a_running_server(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        made = gamekit("new", "--url", server.url, "--seed", 4, "--rule", "jump_ticks=20", "--json")
        assert made.returncode == 0, made.stderr
        answer = json.loads(made.stdout)
        assert server.state(answer["id"], answer["token"])["view"]
        plain = gamekit("new", "--url", server.url)
        assert plain.stdout.startswith(f"{server.url}play/")
        wrong = gamekit("new", "--url", server.url, "--scenario", "nowhere")
        assert wrong.returncode == 1
        assert "nearest-stars" in wrong.stderr
    gone = gamekit("new", "--url", server.url)
    assert gone.returncode == 1
    assert "gamekit serve" in gone.stderr


OWN = """
name = "own"
sectors = [{ id = "here", name = "Here", x = 0, y = 0 }]
stations = [{ sector = "here", recipe = "smelter", x = 0, y = 0 }]
"""


def test_scenarios_lists_what_there_is() -> None:
    plain = gamekit("scenarios")
    assert plain.returncode == 0, plain.stderr
    assert "Nearest Stars: Sixteen" in plain.stdout
    rows = [json.loads(line) for line in gamekit("scenarios", "--json").stdout.splitlines()]
    assert [row["name"] for row in rows][:2] == ["nearest-stars", "procedural"]
    assert {"title", "sentence", "sectors", "stations", "companies"} <= set(rows[0])


def test_scenario_file_is_checked_simulated_and_played(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    checked = gamekit("scenarios", path)
    assert checked.returncode == 0, checked.stderr
    assert "warning: wares.ore: stations use it and no station makes it" in checked.stdout
    assert checked.stdout.splitlines()[-1] == f"ok: {path} is a scenario, with 3 warnings"
    assert len(json.loads(gamekit("scenarios", path, "--json").stdout)["warnings"]) == 3
    run = gamekit("simulate", "--scenario", path, "--hours", 0.1, "--json")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["scenario"] == "own"
    assert f"warning: {path}: wares.ore" in run.stderr
    with LiveServer(tmp_path / "data") as server:
        made = gamekit("new", "--url", server.url, "--scenario", path, "--json")
        assert made.returncode == 0, made.stderr
        answer = json.loads(made.stdout)
        assert list(server.state(answer["id"], answer["token"])["view"]["sectors"]) == ["here"]
    assert "own" in gamekit("ls", "--db", tmp_path / "data" / "gamekit.db").stdout


@pytest.mark.parametrize("arguments", [["scenarios"], ["simulate", "--scenario"], ["new", "--scenario"]])
def test_wrong_scenario_file_is_told_with_its_name(tmp_path: Path, arguments: list[str]) -> None:
    path = tmp_path / "own.toml"
    for text, complaint in (
        (OWN.replace("smelter", "palace"), "line 4: stations[0].recipe: unknown recipe 'palace'; allowed are ore-mine"),
        ("sectors = [", "this is no TOML"),
        ("sectors = 5", "scenario: {'sectors': 5} is unknown; allowed are 'nearest-stars'"),
        ("", "scenario: {} is unknown"),
        (None, "cannot be read"),
    ):
        path.unlink(missing_ok=True)
        if text is not None:
            path.write_text(text)
        result = gamekit(*arguments, path)
        assert result.returncode == 1
        assert f"{path}: {complaint}" in result.stderr
        assert "Traceback" not in result.stderr


def test_no_option_takes_nan_or_inf_for_a_number() -> None:
    asked = []
    for name in main.list_commands(click.Context(main)):
        command = main.get_command(click.Context(main), name)
        assert command is not None
        for option in command.params:
            if isinstance(option.type, click.FloatRange | click.types.FloatParamType):
                asked.append((name, option.name))
                for text in ("nan", "inf", "-inf", "NaN"):
                    with pytest.raises(click.BadParameter):
                        option.type.convert(text, option, None)
    assert len(asked) >= 8, asked
