"""`gamekit upgrade`: bring a database to this gamekit and its rules, or rehearse that on a copy."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gamekit.cli.games import DEFAULT_DATABASE
from gamekit.errors import GamekitError, JournalError
from gamekit.files import replacing
from gamekit.game import Game
from gamekit.games import hosted
from gamekit.history import Finding
from gamekit.journal import SqliteJournal, back_up
from gamekit.journal.lock import ProcessLock
from gamekit.lab.rehearsal import Outlook, outlook
from gamekit.upgrade import bring


@click.command()
@click.argument("database", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_DATABASE)
@click.option(
    "--rehearse", is_flag=True, help="Upgrade a copy, replay every game, report; the original is not touched."
)
@click.option("--game", "paths", multiple=True, metavar="MODULE:CLASS", help="Rules of your own; may be repeated.")
@click.option(
    "--replay-rest",
    is_flag=True,
    help="Also take games on that did not end in order: the time since their latest snapshot is lived again.",
)
def upgrade(database: Path, rehearse: bool, paths: tuple[str, ...], replay_rest: bool) -> None:
    """Bring DATABASE (or a capsule) to this gamekit: its tables, and every game to the version of its rules.

    A copy is made beside it first. Refuses while a server uses the database; a rehearsal does not. The last line says
    how it went; exit status 0 only when every game is, or would be, as it was.
    """
    if not database.exists():
        raise click.ClickException(f"There is no {database}; give the path of a database or capsule.")
    games = hosted(paths)
    if rehearse:
        _rehearse(database, games, replay_rest)
    else:
        _upgrade(database, games, replay_rest)


def _rehearse(database: Path, games: dict[str, Game[Any]], replay_rest: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="gamekit-rehearsal-") as place:
        copy = Path(place) / database.name
        _copied(database, copy)
        outlooks: list[Outlook] = []
        with _journal(copy) as journal:
            for row, say in _bar(journal):
                game = games.get(row.game)
                seen = outlook(journal, row, game, say, replay_rest=replay_rest)
                if game is not None and seen.status != "refused":
                    try:
                        bring(journal, row, game, replay_rest=replay_rest)
                    except GamekitError as error:
                        seen = Outlook(row.id, seen.version, "refused", seen.records, why=str(error))
                outlooks.append(seen)
                _say(str(seen))
    counts = {status: sum(one.status == status for one in outlooks) for status in ("equal", "differs", "refused")}
    told = f"{len(outlooks)} games: {counts['equal']} equal, {counts['differs']} would differ in their past"
    if counts["equal"] == len(outlooks):
        click.echo(f"ok: {told}; {database} is as it was")
        return
    click.echo(f"NOT EQUAL: {told}, {counts['refused']} cannot be upgraded; {database} is as it was")
    sys.exit(1)


def _upgrade(database: Path, games: dict[str, Game[Any]], replay_rest: bool) -> None:
    # Held through both: nobody may write between the copy, which is of the tables as they were, and the upgrade.
    lock = ProcessLock.of(database)
    saved = database.with_name(f"{database.name}.before-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
    try:
        if saved.exists():
            raise click.ClickException(f"{saved} is there already; wait a second.")
        _copied(database, saved)
    except BaseException:
        lock.release()
        raise
    brought, refused = 0, []
    with _journal(database, lock) as journal:
        for row, _ in _bar(journal):
            game = games.get(row.game)
            try:
                if game is None:
                    raise JournalError(
                        "upgrade", f"its rules {row.game!r} are not known here", hint="name them: --game"
                    )
                brought += bring(journal, row, game, replay_rest=replay_rest)
            except GamekitError as error:
                refused.append(row.id)
                _say(f"{row.id}  left as it was: {error}")
    told = f"{brought} games were brought to the version of their rules"
    if refused:
        click.echo(f"NOT ALL: {told}, {len(refused)} were left as they were; the database before is {saved}")
        sys.exit(1)
    click.echo(f"ok: {told}; the database before is {saved}")


def _copied(source: Path, target: Path) -> None:
    """Copy a database; what stands under the target's name is whole, however this ends."""
    try:
        with replacing(target) as aside:
            back_up(source, aside)
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"{target} could not be written: {error}. Nothing was changed.") from None


@contextlib.contextmanager
def _journal(path: Path, lock: ProcessLock | None = None) -> Iterator[SqliteJournal]:
    """The journal for writing; what could not be written raises at the end."""
    errors: list[JournalError] = []
    journal = SqliteJournal(path, lock=lock)
    try:
        journal.start(lambda done: errors.extend(one.error for one in done if one.error is not None))
        yield journal
    finally:
        journal.close()
    if errors:
        raise errors[0]


def _bar(journal: SqliteJournal) -> Iterator[tuple[Any, Any]]:
    """Every game's row, and what to tell of its replay; a bar on a terminal."""
    from tqdm import tqdm

    rows = journal.games()
    with tqdm(rows, unit="game", disable=not sys.stderr.isatty(), leave=False) as bar:
        for row in bar:

            def say(finding: Finding, game: str = row.id) -> None:
                bar.set_postfix_str(f"{game} record {finding.records}", refresh=False)

            yield row, say


def _say(line: str) -> None:
    from tqdm import tqdm

    tqdm.write(line, file=sys.stdout)
