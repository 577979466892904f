"""`gamekit open`: a game's past in a notebook, at the tick before it broke."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from gamekit.capsule import SUFFIX, write_capsule
from gamekit.cli.games import database_option
from gamekit.games import hosted
from gamekit.journal import Past


@click.command("open")
@click.argument("source")
@database_option
@click.option("--rules-of", metavar="MODULE:CLASS", help="Rules of your own to play it by; see gamekit serve --game.")
@click.option("--tick", type=click.IntRange(min=0), help="Look at this tick; by default at the one before it breaks.")
@click.option(
    "--notebook",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The notebook to write; by default beside the capsule, with its name.",
)
@click.option("--write-only", is_flag=True, help="Write the notebook and stop.")
@click.option("--no-browser", is_flag=True, help="Start JupyterLab without a browser.")
def open_(
    source: str,
    database: Path,
    rules_of: str | None,
    tick: int | None,
    notebook: Path | None,
    write_only: bool,
    no_browser: bool,
) -> None:
    """Open SOURCE, a capsule or the id of a game in the database, in a notebook at the tick before it broke.

    The game is played again with a look at its laws after every step, and the notebook says what was found. When
    nothing breaks it opens at the end. A game of the database is first written into a capsule in this directory.
    """
    from gamekit.lab.bugs import bug_notebook

    path, past = _found(source, database)
    rules = hosted([rules_of] if rules_of else []).get(past.row.game)
    if rules is None:
        raise click.ClickException(f"Its rules are {past.row.game!r}, not known here; name them with --rules-of.")
    target = notebook or path.with_suffix(".ipynb")
    said = bug_notebook(path, past, rules, target, tick=tick, rules_of=rules_of)
    click.echo(f"{target}: {said}")
    if write_only:
        return
    if find_spec("jupyterlab") is None:
        raise click.ClickException("JupyterLab is not installed: pip install 'gamekit[lab]', or use --write-only.")
    options = ["--no-browser"] if no_browser else []
    sys.exit(subprocess.call([sys.executable, "-m", "jupyterlab", str(target), *options]))


def _found(source: str, database: Path) -> tuple[Path, Past]:
    """The capsule that a source means, and the past in it."""
    from gamekit.lab.sources import read_past

    path = Path(source)
    if path.exists():
        return path, read_past(path)
    if path.suffix == SUFFIX or path.parent != Path() or not database.exists():
        raise click.ClickException(f"There is no {source}; give a capsule, or a game's id and its database with --db.")
    past = read_past(database, game=source)
    path = Path(f"{source}{SUFFIX}")
    write_capsule(past, path)
    return path, past
