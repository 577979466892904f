"""`gamekit faultsim`: the verdict on the last line, the story before it, and the command that shows it again."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from gamekit.cli import main
from gamekit.faultsim.disk import Disk


def run(*arguments: str) -> tuple[int, list[str]]:
    """The exit status and the lines of a run."""
    done = CliRunner().invoke(main, ["faultsim", *arguments])
    return done.exit_code, done.output.splitlines()


def test_kept_promises_end_with_ok_and_status_0() -> None:
    status, lines = run("--seed", "1", "--seeds", "3", "--steps", "800")
    assert status == 0
    assert lines[-1].startswith("ok: every promise kept in 3 seeds from 1, 800 steps each")
    assert any(line.startswith("checks: ") and "recoveries" in line for line in lines)


def test_a_broken_promise_tells_its_story_and_how_to_see_it_again() -> None:
    wanted = ("--seed", "2", "--steps", "2000", "--ratio", "lying_fsync=0.03", "--unmixed", "--play", "tally")
    status, lines = run(*wanted)
    assert status == 1
    assert lines[-1].startswith("FAILED: seed 2 broke promise ")
    told = {line.split(":")[0]: line.split(":", 1)[1].strip() for line in lines if ":" in line}
    assert told["expected"]
    assert told["seen"]
    assert sum("->" in line or "FAULT" in line for line in lines) > 3, "no story"
    # The printed command gives the same again, trace digest included.
    again = told["again"].removeprefix("gamekit faultsim ").split()
    assert run(*again) == (status, lines)


def test_json_is_one_line_a_seed() -> None:
    status, lines = run("--seeds", "2", "--steps", "500", "--json")
    assert status == 0
    verdicts = [json.loads(line) for line in lines]
    assert [one["seed"] for one in verdicts] == [1, 2]
    assert all(one["ok"] and one["promise"] == 0 and len(one["digest"]) == 32 for one in verdicts)


def test_a_failure_as_json_carries_its_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "fsync", lambda disk, **_: None)
    status, [line] = run("--steps", "500", "--json")
    verdict = json.loads(line)
    assert status == 1
    assert not verdict["ok"]
    assert verdict["promise"] in {1, 2}
    assert verdict["story"]


@pytest.mark.parametrize("pair", ["crash", "crash=2", "crash=often", "no_such_fault=0.1"])
def test_a_wrong_ratio_is_refused_with_what_is_allowed(pair: str) -> None:
    status, lines = run("--ratio", pair)
    assert status == 1
    assert "crash" in lines[-1] or "disk_full" in lines[-1]
