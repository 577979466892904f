"""`gamekit export`, `import`, `backup` and `replay`: games as files, whole databases as copies, the past run again."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sqlite3
import sys
import time
from pathlib import Path

import click

from gamekit.capsule import SUFFIX, only_game, past_of, read_capsule, read_game, reader_of, renamed, write_capsule
from gamekit.cli.games import DEFAULT_DATABASE, database_option
from gamekit.files import private_directory, private_file, sync
from gamekit.game import GameId
from gamekit.games import hosted
from gamekit.history import Finding, verify
from gamekit.journal import GameRow, SqliteJournal, SqliteReader, back_up
from gamekit.upgrade import brought


@click.command("export")
@click.argument("game")
@click.argument("capsule", type=click.Path(dir_okay=False, path_type=Path), required=False)
@database_option
@click.option("--tick", type=click.IntRange(min=0), help="Cut the history after this tick; by default it is whole.")
def export(game: str, capsule: Path | None, database: Path, tick: int | None) -> None:
    """Write GAME with its whole history into the file CAPSULE (GAME.capsule by default).

    The database may be in use by a server. The capsule is a SQLite file with one game in it.
    """
    path = capsule or Path(f"{game}{SUFFIX}")
    with SqliteReader(database) as reader:
        past = past_of(reader, GameId(game), tick)
    write_capsule(past, path)
    click.echo(f"{path}: game {game} to tick {past.tick}, {past.last_seq} records, {len(past.snapshots)} snapshots")


@click.command("import")
@click.argument("capsule", type=click.Path(dir_okay=False, path_type=Path))
@database_option
@click.option("--tick", type=click.IntRange(min=0), help="Restore the game as it was at this tick.")
@click.option("--new-id", is_flag=True, help="Give it an id of its own, beside a game with the same one.")
@click.option("--rules-of", "paths", multiple=True, metavar="MODULE:CLASS", help="Rules of your own that it may have.")
def import_(capsule: Path, database: Path, tick: int | None, new_id: bool, paths: tuple[str, ...]) -> None:
    """Take the game in CAPSULE into a database that no server is using; make the database if there is none.

    A running server takes capsules by `POST /api/games/import`.
    """
    past = read_capsule(capsule, tick)
    if new_id:
        past = renamed(past, GameId(secrets.token_hex(5)), created_s=time.time())
    rules = hosted(paths).get(past.row.game)
    if rules is not None:
        past = brought(past, rules)
    journal = SqliteJournal(database)
    try:
        journal.start(lambda _: None)
        journal.adopt(past)
    finally:
        journal.close()
    click.echo(f"{database}: game {past.row.id} to tick {past.tick}, {past.last_seq} records")


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--data",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="The data directory of the server, which may be running.",
)
def backup(target: Path, directory: Path) -> None:
    """Copy a data directory, as it stands at one moment, into the new directory TARGET; also while a server runs.

    The copy is read back before it counts: exit status 0 only when every game in it is whole. A server started on
    TARGET goes on from there, with the same tokens.
    """
    from tqdm import tqdm

    source = directory / DEFAULT_DATABASE.name
    if target.exists():
        raise click.ClickException(f"{target} is there already; give a path that is not.")
    if not source.exists():
        raise click.ClickException(f"There is no {source}; give the server's data directory with --data.")
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        private_directory(aside)
        with tqdm(unit="page", disable=not sys.stderr.isatty(), leave=False) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            private_file(aside / source.name)
            back_up(source, aside / source.name, progress)
        games = _read_back(aside / source.name)
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(directory / "secret.key", aside / "secret.key")
            sync(aside / "secret.key")
        sync(aside)
        os.rename(aside, target)
        sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"{target} could not be written: {error}. Nothing was kept of it.") from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    click.echo(f"ok: {target} holds {games} games, every record and snapshot read back")


def _read_back(database: Path) -> int:
    """Read everything in a copy; how many games there are.

    Raises:
        JournalError: something in it is not whole.
    """
    with SqliteReader(database) as reader:
        rows = reader.games()
        for row in rows:
            past_of(reader, row.id)
    return len(rows)


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_DATABASE)
@click.option("--game", "only", help="Which game, when PATH holds several.")
@click.option("--rules-of", metavar="MODULE:CLASS", help="Rules of your own to replay by; see gamekit serve --game.")
@click.option("--tick", type=click.IntRange(min=0), help="Stop at this tick; by default at the end of the history.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def replay(path: Path, only: str | None, rules_of: str | None, tick: int | None, as_json: bool) -> None:
    """Run the history of one game in a database or capsule again, from its beginning, and print what came of it.

    Exit status 0 only when every stored digest on the way agrees.
    """
    from tqdm import tqdm

    with SqliteReader(path) as reader:
        chosen = _chosen(reader, path, only).id
    past = read_game(path, chosen, tick)
    games = hosted([rules_of] if rules_of else [])
    rules = games.get(past.row.game)
    if rules is None:
        known = ", ".join(games)
        raise click.ClickException(
            f"Game {past.row.id} is a {past.row.game!r}; known here are {known}. Name its rules with --rules-of."
        )
    started = time.process_time()
    verdict = Finding(past.row.id, 0, 0, 0)
    with tqdm(total=past.tick, unit="tick", disable=as_json or not sys.stderr.isatty(), leave=False) as bar:
        for verdict in verify(reader_of(past), past.row, rules):
            bar.update(verdict.tick - bar.n)
    result = {
        "game": verdict.game,
        "tick": verdict.tick,
        "records": verdict.records,
        "digests": verdict.snapshots,
        "digest": verdict.digest,
        "cpu_s": round(time.process_time() - started, 3),
    }
    if as_json:
        click.echo(json.dumps(result))
    else:
        for key, value in result.items():
            click.echo(f"{key:<12}{'none' if value is None else value}")
    if verdict.problem:
        raise click.ClickException(verdict.problem)
    if not as_json:
        click.echo(f"ok: {verdict.records} records replayed, {verdict.snapshots} digests agree")


def _chosen(reader: SqliteReader, path: Path, only: str | None) -> GameRow:
    if only is None:
        return only_game(reader, path)
    row = reader.game(GameId(only))
    if row is None:
        raise click.ClickException(f"There is no game {only!r} in {path}; `gamekit ls --db {path}` lists them.")
    return row
