"""Reading a scenario of one's own from a TOML file, where the person is: in the command line or in a notebook.

What is sent to a server is the definition itself. A server never reads a path that a request names.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gamekit.errors import ConfigError


def names_a_file(scenario: object) -> bool:
    """Whether a scenario setting means a file: a path, or text that ends in `.toml`."""
    return isinstance(scenario, os.PathLike) or (isinstance(scenario, str) and scenario.endswith(".toml"))


def read_definition(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A scenario file as plain values, not checked any further.

    Raises:
        ConfigError: the file cannot be read, or it is no TOML; names the file and, for the latter, line and column.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"cannot be read: {error.strerror}. Give the path of a TOML file."
        raise ConfigError(f"{os.fspath(path)}: {reason}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{os.fspath(path)}: this is no TOML: {error}. See docs/game.md for an example.") from None


def plain_scenario(scenario: Any) -> str | Mapping[str, Any] | None:
    """A scenario setting as it is sent: a name or a definition, a file's content in the place of its path."""
    if names_a_file(scenario):
        return read_definition(scenario)
    named: str | Mapping[str, Any] | None = scenario
    return named
