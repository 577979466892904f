"""`gamekit rules`: what may be set; and the options with which other commands set it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gamekit.games import bundled, loaded
from gamekit.rulebook import as_text, as_toml, described, from_toml

F = TypeVar("F", bound=Callable[..., Any])


def rules_options(command: F) -> F:
    """The options `--rules` and `--rule`, as the arguments `rules_file` and `rules`; for `read_rules`."""
    one = click.option("--rule", "rules", multiple=True, metavar="FIELD=VALUE", help="A rule to set; may be repeated.")
    file = click.option(
        "--rules",
        "rules_file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE.toml",
        help="Rules to set, as in the file that `gamekit rules --toml` prints; --rule goes before them.",
    )
    return file(one(command))


def read_rules(file: Path | None, pairs: tuple[str, ...]) -> dict[str, Any]:
    """The rules of a file, and `("jump_ticks=20",)` over them; values are JSON where they can be, else text.

    A file that is not there and reads like `jump_ticks=20` is taken for a rule.

    Raises:
        ConfigError: the file cannot be read.
    """
    if file is not None and "=" in file.name and not file.exists():
        # One letter too many: what was meant is a rule, not a file.
        file, pairs = None, (str(file), *pairs)
    rules = from_toml(file) if file is not None else {}
    for pair in pairs:
        field, separator, text = pair.partition("=")
        if not separator:
            raise click.BadParameter(f"{pair!r} is not FIELD=VALUE, e.g. jump_ticks=20")
        try:
            rules[field] = json.loads(text)
        except ValueError:
            rules[field] = text
    return rules


@click.command()
@click.option("--game", "path", metavar="MODULE:CLASS", help="Of a game of your own, e.g. my_rules:MyGame.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON; with the game's commands and metrics.")
@click.option("--toml", "toml", is_flag=True, help="A commented file to fill in, for --rules of other commands.")
def rules(path: str | None, as_json: bool, toml: bool) -> None:
    """Print every rule with default, range, unit, whether it may be changed during a game, and its meaning."""
    game = loaded(path) if path is not None else bundled()
    if as_json:
        click.echo(json.dumps(described(game)))
    elif toml:
        click.echo(as_toml(game.name, game.rule_table()), nl=False)
    else:
        click.echo(as_text(game.rule_table()))
