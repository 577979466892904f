"""Files as editors save them: marks, encodings, line ends, damage; and each value's line."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from gamekit.errors import ConfigError
from gamekit.lab import simulate
from gamekit.rulebook import from_toml
from gamekit.scenario_file import MOST_BYTES, plain_scenario, read_definition
from gamekit.toml_lines import lines_of

TEXT = """name = "f"
title = "F\u00f6rde"
sectors = [{ id = "one", name = "One", x = 0, y = 0 }]
stations = [{ sector = "one", recipe = "hub", x = 0, y = 0 }]
"""


@pytest.mark.parametrize(
    "held",
    [
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
    ],
    ids=["mark", "CR LF", "mark and CR LF", "CR"],
)
def test_what_editors_put_around_a_text_means_nothing(tmp_path: Path, held: bytes) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(held)
    assert read_definition(path) == tomllib.loads(TEXT)
    assert simulate(path, hours=0).digest == simulate(tomllib.loads(TEXT), hours=0).digest


@pytest.mark.parametrize(
    ("held", "complaint"),
    [
        (TEXT.encode("latin-1"), "line 2: the byte 0xf6 is no UTF-8 (as Latin-1 it is '\u00f6'); save it as UTF-8"),
        (TEXT.replace("\n", "\r").encode("latin-1"), "line 2: the byte 0xf6 is no UTF-8"),
        (
            TEXT.replace("\u00f6", "o").replace("One", "\u201cOne\u201d").encode("cp1252"),
            "line 3: the byte 0x93 is no UTF-8 (as Windows-1252 it is '\u201c')",
        ),
        (TEXT.encode("utf-16"), "this is UTF-16 (or 32); save it as UTF-8"),
        (TEXT.encode("utf-16-le"), "this is UTF-16 (or 32); save it as UTF-8"),
        (TEXT.encode("utf-16-be"), "this is UTF-16 (or 32); save it as UTF-8"),
        (TEXT.encode("utf-32"), "this is UTF-16 (or 32); save it as UTF-8"),
        (TEXT.encode() + b"\x00", "line 5: the control character U+0000 cannot stand in a text file"),
        (TEXT.replace("One", "O\u0007").encode(), "line 3: the control character U+0007"),
        (b"deep = " + b"[" * 100_000, "lie in each other too deep"),
        (b"number = " + b"9" * 5_000, "this is no TOML: "),
        (b"name = ", "this is no TOML: Invalid value (at end of document"),
        (b'name = "a"\nname = "b"\n', "this is no TOML: Cannot overwrite a value"),
        (b"", "or a definition with a list of 'sectors'"),
        (b"#" * (MOST_BYTES + 1), "larger than 16,000,000 bytes"),
    ],
)
def test_what_cannot_be_read_is_told_with_line_and_remedy(tmp_path: Path, held: bytes, complaint: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(held)
    with pytest.raises(ConfigError) as caught:
        simulate(path, hours=0)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_directory_or_nothing_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.toml"):
        with pytest.raises(ConfigError, match="cannot be read"):
            read_definition(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_definition("a\0b.toml")


def test_rules_files_are_read_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(b"\xef\xbb\xbfjump_ticks = 7\r\n")
    assert from_toml(path) == {"jump_ticks": 7}
    path.write_bytes(b"# F\xf6rde\njump_ticks = 7\n")
    with pytest.raises(ConfigError, match="line 1: the byte 0xf6"):
        from_toml(path)


def test_json_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps(tomllib.loads(TEXT)))
    assert simulate(str(path), hours=0).digest == simulate(tomllib.loads(TEXT), hours=0).digest
    for held, complaint in (("[" * 100_000, "too deep"), ("[1]", "expected an object"), ("{", "this is no JSON: ")):
        path.write_text(held)
        with pytest.raises(ConfigError, match=complaint):
            read_definition(path)


def scalars(values: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    """Every value that is neither a table nor a list, with its path."""
    if isinstance(values, dict):
        return [found for key, one in values.items() for found in scalars(one, (*path, key))]
    if isinstance(values, list):
        return [found for index, one in enumerate(values) for found in scalars(one, (*path, index))]
    return [(path, values)]


SHIPPED = [one for one in (files("gamekit.space") / "scenarios").iterdir() if one.name.endswith(".toml")]


@pytest.mark.parametrize("shipped", SHIPPED, ids=lambda one: one.name)
def test_every_value_of_the_shipped_files_has_the_line_on_which_it_stands(shipped: Any) -> None:
    text = shipped.read_text(encoding="utf-8")
    rows, lines = text.split("\n"), lines_of(text)
    for path, value in scalars(tomllib.loads(text)):
        row = rows[lines[path] - 1].replace("_", "")
        assert str(value).replace("_", "").lower() in row.lower(), path


def test_lines_are_found_in_every_form_of_toml() -> None:
    text = '''# a comment with = and [brackets]
title = """several
lines ] } with ""quotes"" """
"quoted key" = 'a # b'
a.b.c = 1
when = 2020-01-01T10:00:00

[table]
x = [
  1, # one
  [2,
   3],
]
[[rows]]
id = "first"
inner = { deep = { x = 1 }, list = ["a", "]"] }

[[rows]]
id = "second"
[rows.sub]
y = -1.5e3
'''
    lines = lines_of(text)
    values = tomllib.loads(text)
    expected = {
        ("title",): 2,
        ("quoted key",): 4,
        ("a", "b", "c"): 5,
        ("when",): 6,
        ("table", "x", 0): 10,
        ("table", "x", 1, 0): 11,
        ("table", "x", 1, 1): 12,
        ("rows", 0, "id"): 15,
        ("rows", 0, "inner", "deep", "x"): 16,
        ("rows", 0, "inner", "list", 1): 16,
        ("rows", 1, "id"): 19,
        ("rows", 1, "sub", "y"): 21,
    }
    assert {path: lines[path] for path in expected} == expected
    assert not {path for path, _ in scalars(values)} - lines.keys()


def test_what_a_server_would_not_read_to_its_end_is_not_sent(tmp_path: Path) -> None:
    large = {"sectors": [{"id": f"s{at}", "name": "x" * 60, "x": at, "y": 0} for at in range(70_000)]}
    with pytest.raises(ConfigError, match="bytes as JSON; a definition has 2,000,000 at most"):
        plain_scenario(large)
    path = tmp_path / "large.json"
    path.write_text(json.dumps(large))
    with pytest.raises(ConfigError, match=r"large.json: it has .* bytes as JSON"):
        plain_scenario(path)
    assert plain_scenario({"sectors": ({"id": "one"},)}) == {"sectors": [{"id": "one"}]}
