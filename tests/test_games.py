"""Games by import path: found, or refused with a message that says what is wrong."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamekit.errors import ConfigError
from gamekit.games import hosted, loaded
from gamekit.rulebook import as_toml, described, from_toml
from gamekit.space import SpaceGame
from gamekit.space.rules import load
from tests.counter_game import CounterGame
from tests.designer_game import FoodFirst
from tests.test_cli import gamekit

MODULE = """
from gamekit.space import SpaceGame

class Mine(SpaceGame):
    name = "mine"

class Other(SpaceGame):
    name = "mine"

class Picky(SpaceGame):
    name = "picky"

    def __init__(self):
        raise RuntimeError("no luck")

number = 7
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory with modules in it."""
    (tmp_path / "my_rules.py").write_text(MODULE)
    (tmp_path / "my_fault.py").write_text("import no_such_module_at_all\n")
    (tmp_path / "my_slip.py").write_text("x = 1 / 0\n")
    (tmp_path / "my_nameless.py").write_text(
        "from gamekit.space import SpaceGame\nclass Nameless(SpaceGame):\n    pass\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("my_")]:
        del sys.modules[name]


def test_a_game_is_found_in_the_current_directory(here: Path) -> None:
    game = loaded("my_rules:Mine")
    assert game.name == "mine"
    assert game.new({"scenario": "procedural:2"}, 1)
    assert list(hosted(["my_rules:Mine", "tests.designer_game:FoodFirst"])) == ["space", "mine", "food-first"]
    assert list(hosted(["my_rules:Mine", "my_rules:Mine"])) == ["space", "mine"]
    assert list(hosted()) == ["space"]


def test_any_game_that_fulfils_the_contract_will_do() -> None:
    assert list(hosted(["tests.counter_game:CounterGame"])) == ["space", "counter"]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("my_rules", "expected MODULE:CLASS"),
        ("my rules:Mine", "expected MODULE:CLASS"),
        ("my_rules:", "expected MODULE:CLASS"),
        ("my_rulez:Mine", "there is no module 'my_rulez' in "),
        ("my_rules:Mein", "has no 'Mein'"),
        ("my_rules:number", "is not a game: it has no name, version"),
        ("my_rules:Picky", "Picky() failed: RuntimeError: no luck"),
        ("my_fault:Any", "No module named 'no_such_module_at_all'"),
        ("my_slip:Any", "importing my_slip failed: ZeroDivisionError"),
        ("my_nameless:Nameless", "give it a `name` of its own"),
    ],
)
def test_what_is_no_game_is_refused_with_the_reason(here: Path, path: str, why: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(why)):
        loaded(path)


def test_two_games_of_one_name_are_refused(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"game my_rules:Other: its name 'mine' is that of my_rules:Mine as well"):
        hosted(["my_rules:Mine", "my_rules:Other"])
    with pytest.raises(ConfigError, match="is that of the bundled game as well"):
        hosted(["gamekit.space:SpaceGame"])


def test_a_game_describes_its_rules_commands_and_metrics() -> None:
    told = described(FoodFirst())
    assert [row["name"] for row in told["rules"]] == [row.name for row in SpaceGame().rule_table()]
    assert told["commands"][-1]["type"] == "donate"
    assert described(CounterGame())["commands"][0] == {
        "type": "add",
        "fields": ["n"],
        "text": "Move the counter by `n` (1 to `max_add`).",
    }


def test_the_rules_file_to_fill_in_holds_every_default_and_can_be_read_back(tmp_path: Path) -> None:
    text = as_toml("space", SpaceGame().rule_table())
    assert tomllib.loads(text) == {}
    file = tmp_path / "rules.toml"
    file.write_text(re.sub(r"^#(\w+ = )", r"\1", text, flags=re.MULTILINE))
    assert from_toml(file) == {row.name: row.default for row in SpaceGame().rule_table()}
    assert load(from_toml(file)) == load({})
    file.write_text("jump_ticks = \n")
    with pytest.raises(ConfigError, match="this is no TOML"):
        from_toml(file)
    with pytest.raises(ConfigError, match="gamekit rules --toml"):
        from_toml(tmp_path / "missing.toml")


# --- on the command line --------------------------------------------------------------------------------------------


def test_rules_are_printed_as_a_table_as_json_and_as_toml() -> None:
    table = gamekit("rules").stdout
    for row in SpaceGame().rule_table():
        [line] = [line for line in table.splitlines() if line.startswith(row.name + " ")]
        assert row.sentence in line
        assert row.unit in line
        assert ("at the start" if row.at_start else "live") in line
    told = json.loads(gamekit("rules", "--json", "--game", "tests.designer_game:FoodFirst").stdout)
    assert (told["game"], told["metrics"]) == ("food-first", ["food_in_store", "trading_share"])
    assert tomllib.loads(gamekit("rules", "--toml").stdout) == {}


def test_simulate_takes_rules_from_a_file_and_a_game_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("company_percent = 100\njump_ticks = 7\n")
    arguments = ("simulate", "--scenario", "procedural:4", "--hours", 0.2, "--json")
    by_file = json.loads(gamekit(*arguments, "--rules", file, "--rule", "jump_ticks=9").stdout)
    by_flags = json.loads(gamekit(*arguments, "--rule", "company_percent=100", "--rule", "jump_ticks=9").stdout)
    assert by_file["digest"] == by_flags["digest"]
    own = json.loads(gamekit(*arguments, "--rules", file, "--game", "tests.designer_game:FoodFirst").stdout)
    assert own["game"] == "food-first"
    assert own["digest"] != by_file["digest"]
    assert set(own["metrics"]) == {"food_in_store", "trading_share"}
    refused = gamekit(*arguments, "--game", "tests.counter_game:CounterGame")
    assert refused.returncode == 1
    assert "subclasses of gamekit.space.SpaceGame" in refused.stderr
    file.write_text("jump_ticks = 'fast'\n")
    refused = gamekit(*arguments, "--rules", file)
    assert refused.returncode == 1
    assert "rules.jump_ticks: expected a whole number" in refused.stderr
