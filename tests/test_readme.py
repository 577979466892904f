"""The examples of the README and of the game's page run as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_the_example_runs_and_its_ship_arrives(tmp_path: Path) -> None:
    [example] = re.findall(r"<!-- readme example -->\n```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in example.splitlines() if line.strip()]) <= 15
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert re.match(r"sirius at tick \d+", done.stdout, re.IGNORECASE), done.stdout
    assert "price_credits" in done.stdout


def test_the_designers_example_runs_on_a_live_game(tmp_path: Path) -> None:
    [example] = re.findall(r"<!-- designer example -->\n```python\n(.*?)```", README, re.DOTALL)
    live = "import gamekit\nclient = gamekit.launch()\ngame = client.new_game(seed=7)\n"
    script = f"{live}{example}\nassert branch.tick >= 360_000 > game.tick\nclient.close()\n"
    shutil.copytree(ROOT / "tests" / "corpus", tmp_path / "corpus")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "trade_range_jumps to" in done.stdout
    assert "<svg" in (tmp_path / "storms.html").read_text()
    assert (tmp_path / "sweep.db").stat().st_size > 0


def test_the_example_of_own_rules_runs_headless_and_as_a_module(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "game.md").read_text()
    [example] = re.findall(r"<!-- example: own rules -->\n```python\n(.*?)```", page, re.DOTALL)
    (tmp_path / "my_rules.py").write_text(example)

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    printed = run("my_rules.py")
    assert re.match(r"\d+ events, \d+ units of food, [0-9a-f]{32}\n", printed), printed
    own = ["--game", "my_rules:FoodFirst", "--hours", "0.5", "--rule", "company_percent=100", "--json"]
    assert json.loads(run("-m", "gamekit", "simulate", *own))["digest"] == printed.split()[-1]
