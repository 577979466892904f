"""Reading what a person wrote in a file, TOML or JSON, where the person is: in the command line or in a notebook.

What is sent to a server is the definition itself. A server never reads a path that a request names. What cannot be read
is told with the line and what to do; editors on Windows save marks, UTF-16 and Latin-1, and CR LF.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gamekit import toml_lines
from gamekit.errors import ConfigError
from gamekit.plain import plain_or_refused

#: Largest file that is read, in bytes; a definition has at most 2,000,000 as JSON, and may have many comments.
MOST_BYTES = 16_000_000
#: More than that is not sent: a server would not read it to its end.
_MOST_SENT_BYTES = 6_500_000
#: What names a file where a scenario is asked for.
SUFFIXES = (".toml", ".json")


class Written(dict[str, Any]):
    """Plain values from a file that know their lines.

    Attributes:
        lines: `{path: line}`, the path as keys and indexes; empty where the file's format has none.
    """

    lines: Mapping[tuple[str | int, ...], int] = {}


def names_a_file(scenario: object) -> bool:
    """Whether a scenario setting means a file: a path, or text that ends in `.toml` or `.json`."""
    return isinstance(scenario, os.PathLike) or (isinstance(scenario, str) and scenario.endswith(SUFFIXES))


def read_definition(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A scenario file as plain values with their lines, not checked any further.

    Raises:
        ConfigError: the file cannot be read, or it is no TOML (or JSON); names the file and, for the latter, the line.
    """
    return read_values(path, "Give the path of a TOML or JSON file; docs/game.md has an example.")


def read_values(path: str | os.PathLike[str], hint: str) -> Written:
    """A TOML or JSON file as plain values with their lines.

    Args:
        path: the file; what ends in `.json` is JSON.
        hint: a sentence that says what to do where it cannot be read or is neither.

    Raises:
        ConfigError: it cannot be read, or is no TOML (or JSON).
    """
    name = os.fspath(path)
    text = _text(name, hint)
    kind = "JSON" if name.endswith(".json") else "TOML"
    try:
        values = json.loads(text) if kind == "JSON" else tomllib.loads(text)
    except RecursionError:
        raise ConfigError(f"{name}: its values lie in each other too deep; a scenario needs four steps.") from None
    except ValueError as error:
        raise ConfigError(f"{name}: this is no {kind}: {error}. {hint}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{name}: expected an object with keys, got a {type(values).__name__}. {hint}")
    written = Written(values)
    if kind == "TOML":
        try:
            written.lines = toml_lines.lines_of(text)
        except (ValueError, IndexError, RecursionError):
            # Complaints then go without lines, which is better than none.
            written.lines = {}
    return written


def _text(name: str, hint: str) -> str:
    """A file's text, whatever mark it begins with."""
    try:
        with Path(name).open("rb") as file:
            held = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}. {hint}") from None
    except ValueError as error:
        raise ConfigError(f"{name!r}: cannot be read: {error}. {hint}") from None
    if len(held) > MOST_BYTES:
        raise ConfigError(f"{name}: it is larger than {MOST_BYTES:,} bytes; a scenario is at most 2,000,000.")
    if held.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(held) > 1 and 0 in held[:2]):
        raise ConfigError(f"{name}: this is UTF-16 (or 32); save it as UTF-8.")
    # Lines may end as on any system, old ones too.
    held = held.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    try:
        text = held.decode("utf-8")
    except UnicodeDecodeError as error:
        line = held.count(b"\n", 0, error.start) + 1
        byte = held[error.start : error.start + 1]
        # From 0x80 to 0x9f Latin-1 has nothing to be seen; editors on Windows have quotation marks and the like there.
        coding, windows = ("Windows-1252", "cp1252") if 0x80 <= byte[0] <= 0x9F else ("Latin-1", "latin-1")
        what = f"the byte 0x{byte.hex()} is no UTF-8 (as {coding} it is {byte.decode(windows, 'replace')!r})"
        raise ConfigError(f"{name}: line {line}: {what}; save it as UTF-8.") from None
    if control := re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        line = text.count("\n", 0, control.start()) + 1
        what = f"the control character U+{ord(control[0]):04X} cannot stand in a text file"
        raise ConfigError(f"{name}: line {line}: {what}; take it away, or write it as \\u{ord(control[0]):04X}.")
    return text


def plain_scenario(scenario: Any) -> str | Mapping[str, Any] | None:
    """A scenario setting as it is sent: a name or a definition, a file's content in the place of its path.

    Raises:
        ConfigError: the file cannot be read, or what is given has no plain form or is more than any server reads.
    """
    source = os.fspath(scenario) if names_a_file(scenario) else "scenario"
    named: str | Mapping[str, Any] | None
    named = read_definition(scenario) if names_a_file(scenario) else plain_or_refused(source, scenario)
    if isinstance(named, Mapping) and (size := len(json.dumps(named, default=str))) > _MOST_SENT_BYTES:
        raise ConfigError(f"{source}: it has {size:,} bytes as JSON; a definition has 2,000,000 at most.")
    return named
