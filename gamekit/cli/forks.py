"""`gamekit fork` and `diff`: another game with the same past, and where two pasts part."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click
import msgspec

from gamekit.capsule import SUFFIX, renamed, write_capsule
from gamekit.cli.games import database_option
from gamekit.cli.rules import read_rules, rules_options
from gamekit.errors import GamekitError
from gamekit.game import Game, GameId
from gamekit.games import hosted
from gamekit.journal import Past

#: Differences that are shown at most without --json.
SHOWN = 20

url_options = (
    click.option("--url", help="A running server; SOURCE may then be the id of a game of it."),
    click.option("--token", envvar="GAMEKIT_TOKEN", help="The server's admin token; or set GAMEKIT_TOKEN."),
)


@click.command()
@click.argument("source")
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--tick", type=click.IntRange(min=0), help="Where the past ends; by default all there is.")
@click.option("--name", help="Name of the fork.")
@database_option
@url_options[0]
@url_options[1]
def fork(
    source: str,
    target: Path | None,
    tick: int | None,
    name: str | None,
    database: Path,
    url: str | None,
    token: str | None,
) -> None:
    """Make another game with the past of SOURCE, a capsule or the id of a game; SOURCE does not notice.

    The fork goes into the capsule TARGET, or with --url into a running server as a new session that players can join.
    """
    if url is None:
        past = _past(source, database, tick)
        path = target or Path(f"{past.row.id}-fork{SUFFIX}")
        write_capsule(_named(past, name), path)
        click.echo(f"{path}: game {past.row.id} to tick {past.tick}, {past.last_seq} records")
        return
    from gamekit.client.blocking import Client

    with Client(url, token=token) as client:
        if target is not None:
            client.game(source).export(target, tick=tick)
            click.echo(f"{target}: game {source} of {url}")
            return
        if Path(source).exists():
            aside = Path(source).with_name(f".{Path(source).name}.{os.getpid()}")
            try:
                write_capsule(_named(_past(source, database, tick), name), aside)
                made = client.import_capsule(aside, new_id=True)
            finally:
                aside.unlink(missing_ok=True)
        else:
            made = client.game(source).fork(tick, name=name)
        for player, seat in made.seats.items():
            click.echo(f"{player}  {url.rstrip('/')}/play/{made.id}#token={seat}")
        click.echo(f"{made.id}: forked at tick {made.tick}, {len(made.seats)} players")


def _named(past: Past, name: str | None) -> Past:
    return past if name is None else renamed(past, past.row.id, name=name)


def _past(source: str, database: Path, tick: int | None = None) -> Past:
    """The past of a capsule, or of a game in the database by its id."""
    from gamekit.lab.sources import read_past

    if Path(source).exists():
        return read_past(Path(source), tick=tick)
    if not database.exists():
        raise click.ClickException(f"There is no {source}; give a capsule, or a game's id and its database with --db.")
    return read_past(database, game=GameId(source), tick=tick)


class _NotComparable(click.ClickException):
    exit_code = 2


class _Diff(click.Command):
    """Exit status 2 for what could not be compared, because 1 means that the histories differ."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GamekitError as error:
            raise _NotComparable(str(error)) from None
        except click.ClickException as error:
            raise _NotComparable(error.format_message()) from None


@click.command(cls=_Diff)
@click.argument("a")
@click.argument("b", required=False)
@database_option
@rules_options
@click.option("--game", "path", metavar="MODULE:CLASS", help="The rules' code to play B by; see gamekit serve --game.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def diff(
    a: str,
    b: str | None,
    database: Path,
    rules_file: Path | None,
    rules: tuple[str, ...],
    path: str | None,
    as_json: bool,
) -> None:
    """Find where the histories of A and B part: capsules, or ids of games in the database.

    With rules, B (or A again, without B) is played anew under them, so that two rules are compared on the same
    commands. Exit status 0 when the histories agree up to the end of the shorter one, 1 when they part, 2 when they
    cannot be compared.
    """
    from gamekit.lab.diff import diff as find

    changed = read_rules(rules_file, rules) or None
    past_a, past_b = _past(a, database), _past(b or a, database)
    found = find(past_a, past_b, rules_a=_rules_of(past_a, None), rules_b=_rules_of(past_b, path), changed=changed)
    end = min(past_a.tick, past_b.tick)
    if as_json:
        fields = [msgspec.to_builtins(one) for one in found.fields] if found else []
        click.echo(
            json.dumps({"equal": found is None, "tick": found.tick if found else None, "to": end, "fields": fields})
        )
    elif found is None:
        click.echo(f"equal: the same to tick {end}")
    else:
        width = max(len(one.path) for one in found.fields[:SHOWN])
        click.echo(f"{'path':<{width}}  a -> b")
        for one in found.fields[:SHOWN]:
            click.echo(f"{one.path:<{width}}  {one.a!r} -> {one.b!r}")
        if len(found.fields) > SHOWN:
            click.echo(f"and {len(found.fields) - SHOWN} more; --json prints them")
        click.echo(f"different: the histories part at tick {found.tick} of {end}, in {len(found.fields)} fields")
    click.get_current_context().exit(0 if found is None else 1)


def _rules_of(past: Past, path: str | None) -> Game[Any]:
    games = hosted([path] if path else [])
    rules = list(games.values())[-1] if path else games.get(past.row.game)
    if rules is None:
        raise click.ClickException(
            f"Game {past.row.id} is a {past.row.game!r}; name its rules with --game MODULE:CLASS."
        )
    return rules
