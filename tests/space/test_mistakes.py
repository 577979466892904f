"""All mistakes of a definition are told at once, with key, value and remedy; what a notebook holds is understood."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import random
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gamekit.errors import ConfigError
from gamekit.lab import simulate
from gamekit.scenario_file import read_definition
from gamekit.space import SpaceGame, mistakes, review, scenario
from gamekit.space.rules import load as load_rules
from tests.space.galaxies import LINE

SIX = """name = "mistakes"
sectors = [
    { id = "one", name = "One", x = 0, y = 0 },
    { id = "Ka'ch'chrai", name = "Ka'ch'chrai", x = 300, y = 0 },
    { id = "three", name = "Th\\u0007ree", x = 300.5, y = 300 },
]
gates = [["one", "three"],
    ["three", "one"],
    ["one", "one"],
    ["one", "nowhere"]]
stations = [{ sector = "one", recipe = "oremine", x = 0, y = 0 }]
[rules]
jump_ticks = 0
jumpticks = 3
"""


def complaints(plain: Any, source: str = "own") -> list[str]:
    """What is told of a definition, line by line."""
    with pytest.raises(ConfigError) as caught:
        scenario.definition(source, plain)
    return str(caught.value).split("\n")


def changed(**changes: Any) -> dict[str, Any]:
    """The line galaxy, altered."""
    return copy.deepcopy(LINE) | changes


def test_every_mistake_is_told_with_its_line_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "six.toml"
    path.write_text(SIX)
    told = [one.removeprefix(f"{path}: ") for one in complaints(read_definition(path), str(path))]
    assert told[0] == (
        "line 4: sectors[1].id: \"Ka'ch'chrai\" is no id (small letters a to z, digits and -, up to 60); 'ka-ch-chrai' "
        "would do."
    )
    assert told[1].startswith(
        "line 5: sectors[2].name: Choose a name of 1 to 60 printable characters; U+0007 at place 3"
    )
    assert told[2] == "line 5: sectors[2].x: expected a whole number from -1000000 to 1000000, got 300.5; 300 would do."
    assert told[3].startswith(
        "line 8: gates[1]: ['three', 'one'] joins the same two as gates[0], in the other direction"
    )
    assert told[4].startswith("line 9: gates[2]: ['one', 'one'] joins a sector to itself")
    assert told[5] == "line 10: gates[3]: unknown sector 'nowhere'; allowed are one, Ka'ch'chrai, three."
    assert told[6].startswith(
        "line 11: stations[0].recipe: unknown recipe 'oremine'; did you mean 'ore-mine'? allowed are"
    )
    assert told[7].startswith("line 13: rules.jump_ticks: expected a whole number of ticks from 1 to 36000, got 0")
    assert told[8].startswith("line 14: rules: unknown key 'jumpticks'; did you mean 'jump_ticks'?")
    assert told[9:] == ["9 mistakes."]


def test_the_same_is_told_of_what_comes_as_json() -> None:
    plain = tomllib.loads(SIX)
    assert complaints(json.loads(json.dumps(plain))) == complaints(plain)
    with pytest.raises(ConfigError) as caught:
        SpaceGame().new({"scenario": plain}, 1)
    assert str(caught.value).count("\n") == 9


def test_a_sentence_may_go_over_several_lines() -> None:
    assert scenario.definition("own", changed(sentence="Ore in the west,\n  a town in the east.\n")).sentence == (
        "Ore in the west, a town in the east."
    )
    [told] = complaints(changed(sentence="a\u0007b"))
    assert told.startswith("own: sentence: Choose text of 0 to 300 printable characters; U+0007 at place 2")


def test_doubled_connections_are_told_together() -> None:
    both = changed(gates=[["west", "mid"], ["mid", "east"], ["mid", "west"], ["east", "mid"], ["west", "mid"]])
    assert complaints(both) == [
        "own: gates[2] and gates[3] name connections a second time, in the other direction (first: gates[0], "
        "gates[1]); keep one of each.",
        "own: gates[4]: ['west', 'mid'] joins the same two as gates[0]; keep one of them.",
        "own: 2 mistakes.",
    ]


def test_an_offered_id_is_valid_and_free() -> None:
    names = ["Ka'ch'chrai", "ka ch chrai", "\u0130zmir", "\u6771\u4eac", "", "-", "x" * 90, "one\n", "one"]
    rows = [
        {"id": name, "name": "N", "x": 300 * index, "y": 0} for index, name in enumerate([*names, "ka-ch-chrai", "one"])
    ]
    told = complaints({"sectors": rows})
    offered = [one.rpartition("'")[0].rpartition("'")[2] for one in told if " would do" in one or " is free" in one]
    assert len(offered) == len(names), told
    assert len({*offered, "ka-ch-chrai", "one"}) == len(names) + 2
    renamed = [row | {"id": one} for row, one in zip(rows, offered, strict=False)]
    scenario.definition("mended", {"sectors": renamed})


def test_what_is_wrong_in_one_place_hides_nothing_in_another() -> None:
    told = complaints(
        changed(
            units_percent="many",
            companies=[{"name": "\u2800", "ships": 1.5, "credits": 10**16}],
            ship_classes=[{"id": "dart", "name": "Dart", "speed_percent": 0, "capacity_percent": 100, "price": 1}],
            colour="red",
        )
    )
    keys = [one.removeprefix("own: ").partition(":")[0] for one in told]
    assert keys == [
        "unknown key 'colour'; allowed are sectors, gates, stations, title, name, sentence, players, rules, "
        "units_percent, wares, recipes, companies, ship_classes.",
        "companies[0].credits",
        "companies[0].name",
        "companies[0].ships",
        "ship_classes",
        "ship_classes[0].speed_percent",
        "units_percent",
        "7 mistakes.",
    ]


@pytest.mark.parametrize("sectors", ["one", 5, 1.5, True, None])
def test_sectors_that_are_no_list_hide_nothing_either(sectors: object) -> None:
    with pytest.raises(ConfigError) as caught:
        SpaceGame().new({"scenario": changed(sectors=sectors, units_percent="many", rules=[1])}, 1)
    for key in ("sectors", "units_percent", "rules"):
        assert f"scenario.{key}: expected" in str(caught.value) or f"scenario: {key}: expected" in str(caught.value)


def test_a_thousand_mistakes_end_in_a_number() -> None:
    rows = [{"sector": "nowhere", "recipe": "store", "x": 0, "y": 0}] * 1_000
    told = complaints(changed(stations=rows))
    assert told[-2:] == ["own: and 700 more mistakes; mend these first.", "own: 1000 mistakes."]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: {"x": float("nan")}, "sectors[0].x: expected a whole number from -1000000 to 1000000, got nan."),
        (lambda: {"x": float("inf")}, "got inf."),
        (lambda: {"x": np.float64("nan")}, "got nan."),
        (lambda: {"x": pd.NA}, "got <NA>."),
        (lambda: {"x": pd.NaT}, "got NaT."),
        (lambda: {"x": pd.Timestamp("2020-01-01")}, "got Timestamp("),
        (lambda: {"x": None}, "got None."),
        (lambda: {"x": True}, "got True."),
        (lambda: {"x": np.bool_(True)}, "got True."),
        (lambda: {"x": "7"}, "got '7'."),
        (lambda: {"x": 7.5}, "got 7.5; 8 would do."),
        (lambda: {"x": np.float32(7.5)}, "got 7.5; 8 would do."),
        (lambda: {"x": 10**30}, "got 1000000000000000000000000000000."),
        (lambda: {"name": 7}, "sectors[0].name: expected text in quotation marks, got 7."),
        (lambda: {"id": b"one"}, "sectors[0].id: expected text in quotation marks, got b'one'."),
    ],
)
def test_what_is_no_whole_number_is_told_with_its_value(make: Callable[[], dict[str, Any]], told: str) -> None:
    row = {"id": "west", "name": "West", "x": -300, "y": 0} | make()
    assert any(told in one for one in complaints(changed(sectors=[row, *LINE["sectors"][1:]])))


@pytest.mark.parametrize("number", [np.int64, np.int32, np.uint8, np.float64, np.float32, float, np.array], ids=str)
def test_whole_numbers_of_numpy_and_pandas_are_understood(number: Callable[[int], Any]) -> None:
    rows = [row | {"x": number(abs(row["x"]) % 251), "y": number(at)} for at, row in enumerate(LINE["sectors"])]
    plain = [row | {"x": abs(row["x"]) % 251, "y": at} for at, row in enumerate(LINE["sectors"])]
    rules = {"jump_ticks": np.int64(7)}
    run = simulate(changed(sectors=rows), rules, np.uint64(1), hours=np.float64(0.1))
    assert run.digest == simulate(changed(sectors=plain), {"jump_ticks": 7}, hours=0.1).digest


def test_frames_and_arrays_are_understood_or_refused_with_what_to_give() -> None:
    frame = pd.DataFrame(LINE["sectors"])
    expected = simulate(LINE, hours=0).digest
    assert simulate(changed(sectors=frame.to_dict("records")), hours=0).digest == expected
    assert simulate(changed(sectors=tuple(LINE["sectors"])), hours=0).digest == expected
    assert simulate(changed(gates=np.array(LINE["gates"])), hours=0).digest == expected
    assert simulate(changed(gates=dict.fromkeys(map(tuple, LINE["gates"])).keys()), hours=0).digest == expected
    for gates, told in (
        (frame, "give `frame.values.tolist()`"),
        ([frame.iloc[0]], "gates[0]: expected a table or a list, got a row or column of pandas; give `row.to_dict()`"),
        ((one for one in LINE["gates"]), "which can be read once only; give list(...)"),
        ("west", "expected a list, got 'west'"),
        ({("west", "mid"), 3}, "cannot be sorted; give a list"),
    ):
        with pytest.raises(ConfigError) as caught:
            simulate(changed(gates=gates), hours=0)
        assert told in str(caught.value)
    with pytest.raises(ConfigError, match=r"sectors: .*give `frame.to_dict\('records'\)`"):
        simulate(changed(sectors=frame), hours=0)
    with pytest.raises(ConfigError, match="expected a whole number of ticks"):
        simulate(LINE, {"jump_ticks": pd.NA}, hours=0)


def test_a_set_of_connections_gives_the_same_galaxy_in_every_process() -> None:
    text = (
        "from gamekit.lab import simulate\n"
        "from tests.space.galaxies import RING\n"
        "pairs = {frozenset(pair) for pair in RING['gates']}\n"
        "recipes = [row | {'trades': set(row.get('trades', ()))} for row in RING['recipes']]\n"
        "named = {'gates': pairs, 'recipes': recipes}\n"
        "print(simulate(RING | named, {'storm_rate': 2000, 'fog': 1}, hours=0.5).digest)\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", text], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(digests) == 1


def test_values_that_lie_too_deep_are_refused() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    for plain in (changed(gates=deep), changed(rules={"jump_ticks": deep}), {"sectors": deep}):
        assert any("more than 12 deep" in one for one in complaints(plain))


def test_a_definition_that_no_server_would_take_is_refused_by_the_check() -> None:
    count = 11_000
    stations = [
        {"sector": "west", "recipe": "store", "x": 0, "y": 0, "name": f"{'long ' * 9}{at}"} for at in range(count)
    ]
    scenario.definition("own", changed(stations=stations[: count // 2]))
    [told] = complaints(changed(stations=(stations * 2)[:20_000]))
    assert "bytes as JSON; allowed are 2,000,000" in told


#: What may stand where something else belongs.
JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    10**30,
    1.5,
    float("nan"),
    "",
    "x",
    "a\x00b",
    [],
    {},
    [[]],
    {"a": 1},
    b"x",
    (1,),
    {1},
]


def places(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path in plain values."""
    inner = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [path, *(found for key, one in inner for found in places(one, (*path, key)))]


def test_whatever_stands_where_something_else_belongs_is_told_and_nothing_breaks() -> None:
    chance = random.Random(5)
    freighter = {"id": "freighter", "name": "F", "speed_percent": 1, "capacity_percent": 1, "price": 1}
    company = {"name": "C", "ships": 1, "credits": 5}
    whole = changed(rules={"jump_ticks": 5}, companies=[company], ship_classes=[freighter])
    paths = [path for path in places(whole) if path]
    taken = 0
    for _ in range(1_500):
        plain = copy.deepcopy(whole)
        for path in chance.sample(paths, chance.choice([1, 1, 2, 5])):
            inner: Any = plain
            with contextlib.suppress(KeyError, IndexError, TypeError):
                for step in path[:-1]:
                    inner = inner[step]
                if chance.random() < 0.2:
                    del inner[path[-1]]
                else:
                    inner[path[-1]] = chance.choice(JUNK)
        with contextlib.suppress(ConfigError):
            review.warnings(scenario.definition("own", plain))
            SpaceGame().new({"scenario": plain}, 1)
            taken += 1
    assert 0 < taken < 1_000


def test_wares_without_recipes_and_doubled_trades_are_told() -> None:
    assert complaints(changed(recipes=[]))[0].startswith("own: wares: wares of your own need recipes of your own")
    recipes = [row | {"trades": ["ore", "ore"]} if "trades" in row else row for row in LINE["recipes"]]
    assert complaints(changed(recipes=recipes)) == ["own: recipes.store.trades: ore named twice; once is enough."]


def test_what_is_told_can_be_seen_whatever_the_keys_hold() -> None:
    recipes = [{"id": "a\n\u202eb", "name": "A", "kind": "mine", "outputs": {"o\x1b[2J": 0}}]
    for line in complaints(changed(recipes=recipes, **{"rules": {"x\x07": 1}, "k\ud800": 1})):
        assert line.isprintable()
        line.encode()


@pytest.mark.parametrize(
    "config",
    [
        {"gates": [[f"s{number}", f"q{number}"] for number in range(3_000)]},
        {"stations": [{"sector": "s" * 30_000, "recipe": f"hu{number}", "x": 0, "y": 0} for number in range(30)]},
        {"rules": {f"key{number}": 1 for number in range(20_000)}},
        {f"key{number}": 1 for number in range(20_000)},
        {"s" * 100_000: 1},
    ],
    ids=["ends", "long names", "rules", "keys", "a long key"],
)
def test_thousands_of_mistakes_are_compared_with_few_names_and_told_in_few_words(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    compare = mistakes.get_close_matches

    def counted(word: str, names: list[str], *arguments: Any) -> list[str]:
        compared.append(sum(len(word) * len(name) for name in names))
        return compare(word, names, *arguments)

    monkeypatch.setattr(mistakes, "get_close_matches", counted)
    sectors = [{"id": f"s{number}", "name": f"s{number}", "x": number, "y": 0} for number in range(1_000)]
    plain = {"name": "many", "sectors": sectors, "gates": [], "stations": [], **config}
    for made in (lambda: SpaceGame().new({"scenario": plain}, 1), lambda: load_rules(plain.get("rules", {"no": 1}))):
        with pytest.raises(ConfigError) as told:
            made()
        assert len(str(told.value)) < 100_000
    # Characters against characters: one of thousands of mistakes takes a fraction of a second.
    assert sum(compared) < 2_000_000
