"""The page's modules under Node: their unit tests, their types, and agreement with Python where both do the same."""

from __future__ import annotations

import json
import random
import re
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from gamekit.game import merge
from gamekit.space.economy import price, trade_total
from tests.nodejs import missing, node

ROOT = Path(__file__).parents[2]
TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))
TSC = ROOT / "node_modules" / "typescript" / "bin" / "tsc"


def run(*command: str, stdin: str = "") -> str:
    """A command's output; the test fails with it when the command fails."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    if done.returncode:
        pytest.fail(f"{' '.join(command[:3])} ... failed\n{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


def test_unit_tests_of_the_modules_pass() -> None:
    assert TESTS
    run(node(), "--test", *map(str, TESTS))


def test_the_game_fetches_all_of_its_modules_at_once() -> None:
    directory = ROOT / "gamekit" / "web" / "js"
    imported = {"play.js"}
    unread = ["play.js"]
    while unread:
        text = (directory / unread.pop()).read_text()
        found = set(re.findall(r'^import[^;]*?from "\./([^"]+)"', text, re.MULTILINE)) - imported
        imported |= found
        unread.extend(found)
    entry = (directory / "app.js").read_text()
    listed = re.search(r"const MODULES =\s*([^;]*);", entry)
    assert listed
    names = "".join(re.findall(r'"([^"]*)"', listed[1])).split()
    assert names == sorted(name.removesuffix(".js") for name in imported - {"store.js"}), (
        "the entry has store.js itself"
    )


def test_types_of_the_modules_are_sound() -> None:
    found = node()
    if not TSC.exists():
        missing(
            "NOT TESTED: the types of the page's JavaScript; typescript is missing. Run `make test`, which brings it."
        )
    run(found, str(TSC), "--project", str(ROOT / "tsconfig.json"))


def test_merge_in_the_browser_is_merge_in_python() -> None:
    chance = random.Random(20)
    cases = [(view(chance), [patch(chance) for _ in range(5)]) for _ in range(300)]
    merged = json.loads(run(node(), "tests/web/js/merge_cases.mjs", stdin=json.dumps(cases)))
    for (before, patches), after in zip(cases, merged, strict=True):
        expected = deepcopy(before)
        for one in patches:
            merge(expected, one)
        assert after == expected


def test_prices_in_the_browser_are_those_of_the_rules() -> None:
    chance = random.Random(21)
    cases = []
    for _ in range(500):
        capacity = chance.randint(1, 1_000_000)
        stock = chance.randint(0, capacity)
        cases.append(
            (chance.randint(1, 5_000_000), chance.randint(0, 90), stock, chance.randint(1, capacity), capacity)
        )
    worked = json.loads(run(node(), "tests/web/js/trade_cases.mjs", stdin=json.dumps(cases)))
    for (base, spread, stock, units, capacity), (one, buying, selling) in zip(cases, worked, strict=True):
        assert one == price(base, spread, stock, capacity)
        assert buying == -trade_total(-base, spread, 2 * stock - units, units, capacity)
        assert selling == trade_total(base, spread, 2 * stock + units, units, capacity)


def fields(chance: random.Random) -> dict[str, Any]:
    """Fields of one entity: plain, lists, and tables within."""
    values = [1, "text", None, True, [], [1, 2], {}, {"ore": 3}]
    return {key: chance.choice(values) for key in chance.sample("abcd", chance.randint(0, 3))}


def view(chance: random.Random) -> dict[str, Any]:
    """A small view."""
    tables = chance.sample(["ships", "stations", "gates"], chance.randint(0, 3))
    return {table: {key: fields(chance) for key in chance.sample("xyz", chance.randint(0, 3))} for table in tables}


def patch(chance: random.Random) -> dict[str, Any]:
    """A patch with removals, and now and then a table that is no table."""
    made: dict[str, Any] = {}
    for table in chance.sample(["ships", "stations", "gates"], chance.randint(0, 3)):
        made[table] = {key: chance.choice([fields(chance), None, 7]) for key in chance.sample("xyz", 2)}
    if chance.random() < 0.2:
        made["season"] = chance.choice(["storms", 3, None, ["a"]])
    return made
