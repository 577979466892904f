"""What may be set and asked for in a game, for people and programs: tables, TOML files, descriptions.

Read from the game's contract alone, so it holds for any game and cannot drift.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any, get_args

import msgspec

from gamekit.game import Game, RuleField
from gamekit.scenario_file import read_values


def described(game: Game[Any]) -> dict[str, Any]:
    """A game's name, rules and commands as plain values.

    Returns:
        `{game, rules: [{name, default, low, high, unit, sentence, at_start}], commands: [{type, fields, text}],
        metrics: [names]}`; of the fields of a command those that may be left out end in "?".
    """
    kinds = get_args(game.command_type) or (game.command_type,)
    return {
        "game": game.name,
        "rules": [msgspec.structs.asdict(row) for row in game.rule_table()],
        "commands": [
            {
                "type": str(kind.__struct_config__.tag),
                "fields": [
                    field.encode_name + ("" if field.required else "?") for field in msgspec.structs.fields(kind)
                ],
                "text": " ".join((kind.__doc__ or "").split()),
            }
            for kind in kinds
        ],
        "metrics": list(getattr(game, "metrics", {})),
    }


def as_text(rows: Iterable[RuleField]) -> str:
    """The table of rules for a terminal."""
    lines = [f"{'field':<24}{'default':>12}  {'range':<32}{'unit':<26}{'counts':<14}meaning"]
    for row in rows:
        counts = "at the start" if row.at_start else "live"
        lines.append(
            f"{row.name:<24}{row.default:>12,}  {f'{row.low:,} to {row.high:,}':<32}{row.unit:<26}{counts:<14}"
            f"{row.sentence}"
        )
    return "\n".join(lines)


def as_toml(game: str, rows: Iterable[RuleField]) -> str:
    """A rules file to fill in: every rule with its default, behind a comment sign."""
    lines = [
        f"# Rules of the game {game!r}, for `gamekit serve`, `new` and `simulate --rules FILE`.",
        "# Take the # away from what shall differ from the default that stands there.",
    ]
    for row in rows:
        counts = " Counts only when a game is made." if row.at_start else ""
        about = f"{row.sentence} In {row.unit}, from {row.low:_} to {row.high:_}.{counts}"
        lines += ["", *textwrap.wrap(about, 110, initial_indent="# ", subsequent_indent="# ")]
        lines.append(f"#{row.name} = {row.default}")
    return "\n".join(lines) + "\n"


def from_toml(path: Path) -> dict[str, Any]:
    """The rules in a file, `field = value` line by line; the game judges them.

    Raises:
        ConfigError: the file cannot be read or is no TOML.
    """
    return dict(read_values(path, "`gamekit rules --toml` prints a file to fill in."))
