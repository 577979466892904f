"""`gamekit gate`: recorded games must do what they did."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gamekit.cli.rules import read_rules, rules_options


@click.command()
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--game", "path", metavar="MODULE:CLASS", help="Play by rules of your own instead of the bundled ones.")
@rules_options
@click.option("--accept", is_flag=True, help="Record what the games do now as what is expected of them.")
def gate(corpus: Path, path: str | None, rules_file: Path | None, rules: tuple[str, ...], accept: bool) -> None:
    """Play the recorded games of CORPUS, a directory with capsules, again, and compare what they do with what they did.

    Where behaviour changed, it tells the first tick at which it did, the fields and events that differ, and what it
    came to in the end. Exit status 0 only when every game does what is expected; the last line is the verdict.
    """
    from gamekit.lab.gates import gate as run_gate

    found = run_gate(
        corpus,
        read_rules(rules_file, rules),
        game=path,
        accept=accept,
        progress=sys.stderr.isatty(),
    )
    click.echo(str(found))
    if not found.ok:
        sys.exit(1)
