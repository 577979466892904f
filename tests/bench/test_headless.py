"""Headless runs: gamekit and Mesa play the same model, and what is told of it is true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gamekit.bench import headless
from gamekit.bench.headless import ENGINES, Crowd, agreed, made, run
from gamekit.cli import main
from gamekit.errors import ConfigError, GamekitError


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """`{engine: its line}` of a tiny run on every engine, as the command line writes them."""
    out: Path = tmp_path_factory.mktemp("headless") / "lines.jsonl"
    asked = ["bench", "--workload", "headless", "--sessions", "2", "--seed", "5", "--json", "--output", str(out)]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    assert out.read_text().splitlines() == result.stdout.splitlines()
    return {row["engine"]: row for row in map(json.loads, result.stdout.splitlines())}


def test_every_engine_ends_with_the_same_legs(rows: dict[str, dict[str, Any]]) -> None:
    assert set(rows) == set(ENGINES)
    assert {(row["digest"], row["legs"]) for row in rows.values()} == {("56bac8a697419c72", 963)}


def test_a_line_says_what_was_played_on_what_and_what_it_took(rows: dict[str, dict[str, Any]]) -> None:
    for row in rows.values():
        assert (row["sessions"], row["players"], row["ships"], row["ticks"], row["seed"]) == (2, 2, 50, 600, 5)
        assert row["ticks_per_cpu_s"] == pytest.approx(2 * 600 / row["cpu_s"], rel=0.05)
        assert row["times_real_time"] == pytest.approx(60 / row["cpu_s"], rel=0.05)
        assert row["mesa"].startswith("3.")
        assert row["cores"] > 0
        assert row["peak_mb"] > 5
        assert row["cpu"]
        assert row["python"]
    # Mesa's libraries alone are larger than the whole of a process that plays without them.
    assert rows["mesa"]["peak_mb"] > 2 * rows["gamekit"]["peak_mb"]


def test_engines_that_do_not_end_alike_are_no_comparison(rows: dict[str, dict[str, Any]]) -> None:
    assert agreed(list(rows.values())) == rows["mesa"]["digest"]
    with pytest.raises(GamekitError, match=r"did not end alike.*gamekit 56bac8a697419c72, mesa 0{16}"):
        agreed([rows["gamekit"], rows["mesa"] | {"digest": "0" * 16}])


def test_a_session_goes_on_to_the_very_last_tick_however_it_is_cut() -> None:
    ends = {}
    for engine in ENGINES:
        for ticks in (1, 599, 601):
            [play] = made(engine, Crowd(1, 1, 5, ticks, 3))
            ends.setdefault(ticks, []).append(play())
    for played in ends.values():
        assert all(one == played[0] for one in played)
        assert all(depart <= ticks < arrive for ticks in ends for one in ends[ticks] for *_, depart, arrive in one.legs)


def test_without_mesa_gamekit_is_measured_alone_and_it_is_said_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(headless, "find_spec", lambda _: None)
    result = CliRunner().invoke(main, ["bench", "--workload", "headless", "--sessions", "1"])
    assert result.exit_code == 0, result.output
    assert "pip install 'gamekit[bench]'" in result.stderr
    assert [line.split()[1] for line in result.stdout.splitlines()[1:-1]] == ["gamekit", "gamekit-ticks"]
    asked = CliRunner().invoke(main, ["bench", "--workload", "headless", "--server", "mesa"])
    assert asked.exit_code != 0
    assert "pip install 'gamekit[bench]'" in asked.stderr


@pytest.mark.parametrize(("workload", "server"), [("headless", "naive"), ("players", "mesa")])
def test_what_cannot_play_a_workload_is_refused_before_anything_runs(workload: str, server: str) -> None:
    asked = ["bench", "--workload", "headless", "--workload", workload, "--server", server, "--sessions", "1"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 2
    assert f"{server} cannot play it" in result.stderr


def test_an_engine_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match="there is no 'netlogo'; there are gamekit, gamekit-ticks, mesa"):
        run("netlogo", Crowd(1))
