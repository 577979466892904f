"""`gamekit new`, `why`, `ls`, `show`: games of a running server, or of a database file."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import click

from gamekit.capsule import SUFFIX
from gamekit.cli.rules import read_rules, rules_options
from gamekit.cli.scenarios import SCENARIO_HELP, read_scenario
from gamekit.errors import GamekitError, ServerError
from gamekit.game import GameId
from gamekit.inspection import check_config_size, check_row
from gamekit.journal import GameRow, JournalReader, SqliteReader

DEFAULT_URL = "http://127.0.0.1:8642/"
DEFAULT_DATABASE = Path("data/gamekit.db")

database_option = click.option(
    "--db",
    "database",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DEFAULT_DATABASE,
    show_default=True,
    help="The database file; it may be in use by a server.",
)


@click.command()
@click.option("--url", default=DEFAULT_URL, show_default=True, help="The server.")
@click.option("--scenario", default="nearest-stars", show_default=True, help=SCENARIO_HELP)
@click.option("--seed", type=int, help="Seed; random when left out.")
@click.option("--name", default="New game", show_default=True, help="Name of the game.")
@click.option("--player", default="Player 1", show_default=True, help="Name of its first player.")
@click.option("--game", help="Name of the game, of those that the server hosts; its first one when left out.")
@rules_options
@click.option("--when-empty", type=click.Choice(["run", "pause"]), help="What time does while nobody is there.")
@click.option("--overload", type=click.Choice(["catch-up", "dilate"]), help="What time does when ticks come late.")
@click.option("--json", "as_json", is_flag=True, help="Print the server's whole answer as one line of JSON.")
def new(
    url: str,
    scenario: str,
    seed: int | None,
    name: str,
    player: str,
    game: str | None,
    rules_file: Path | None,
    rules: tuple[str, ...],
    when_empty: str | None,
    overload: str | None,
    as_json: bool,
) -> None:
    """Make a game on a running server and print the address at which to play it."""
    given = read_rules(rules_file, rules)
    body: dict[str, Any] = {"scenario": read_scenario(scenario), "name": name, "player_name": player, "rules": given}
    if game is not None:
        body["game"] = game
    if seed is not None:
        body["seed"] = seed
    body |= {key: chosen for key, chosen in (("when_empty", when_empty), ("overload", overload)) if chosen}
    made = _ask(url.rstrip("/") + "/api/game/new", body)
    click.echo(json.dumps(made) if as_json else made["play_url"])


@click.command()
@click.argument("game")
@click.option("--url", default=DEFAULT_URL, show_default=True, help="The server.")
def why(game: str, url: str) -> None:
    """Say what keeps a game in a running server's memory; asking does not wake it."""
    about = _ask(f"{url.rstrip('/')}/api/game/{game}")
    click.echo(f"{about['id']} is {about['state']} at tick {about['tick']}.")
    for reason in about["why_awake"]:
        click.echo(f"  {reason}")
    if about.get("missing"):
        click.echo(f"  {about['missing']['message']}")
    if about.get("waking"):
        click.echo(f"  {about['waking']['message']}")
    if about["state"] == "awake" and not about["why_awake"]:
        click.echo("  Nothing keeps it; it falls asleep in a moment.")


@click.command()
@database_option
@click.option("--json", "as_json", is_flag=True, help="One line of JSON per game.")
def ls(database: Path, as_json: bool) -> None:
    """List the games of a database."""
    with SqliteReader(database) as reader:
        rows = [_summary_or_damage(reader, row) for row in reader.games()]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    click.echo(f"{'id':<12}{'tick':>10}{'records':>9}{'epoch':>7}  {'made':<18}{'scenario':<22}name")
    for row in rows:
        if row["damaged"]:
            click.echo(f"{row['id']:<12}damaged: {row['damaged']}")
            continue
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(row["created_s"]))
        scenario = str(row["scenario"])[:20]
        click.echo(
            f"{row['id']:<12}{row['tick']:>10}{row['seq']:>9}{row['epoch']:>7}  {made:<18}{scenario:<22}{row['name']}"
        )
    click.echo(f"{len(rows)} game{'' if len(rows) == 1 else 's'} in {database}")


@click.command()
@click.argument("game")
@database_option
def show(game: str, database: Path) -> None:
    """Show one game of a database: its configuration, clock, snapshots and latest commands."""
    with SqliteReader(database) as reader:
        row = reader.game(GameId(game))
        if row is None:
            raise click.ClickException(f"There is no game {game!r} in {database}; `gamekit ls` lists them.")
        for key, value in summary(reader, row).items():
            click.echo(f"{key:<12}{value}")
        click.echo("snapshots")
        for tick, seq, digest in reader.snapshots(row.id):
            click.echo(f"  tick {tick:>9}  record {seq:>7}  {_shown(digest)}")
        click.echo("latest commands")
        for record in list(reader.records(row.id))[-10:]:
            click.echo(f"  tick {record.tick:>9}  record {record.seq:>7}  {_shown(record.commands)}")


def _summary_or_damage(reader: SqliteReader, row: GameRow) -> dict[str, Any]:
    """One game of a database; where it cannot be read, why, so that the others are listed."""
    try:
        if reader.path.suffix == SUFFIX:
            check_config_size(row)
        return summary(reader, row)
    except GamekitError as error:
        return {"id": _shown(row.id), "name": _shown(row.name), "game": _shown(row.game), "damaged": _shown(str(error))}


def _shown(text: str) -> str:
    """A text as a terminal may have it: what it would obey is shown as what it is."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)


def summary(reader: JournalReader, row: GameRow) -> dict[str, Any]:
    """One game of a database, as a flat mapping.

    Raises:
        JournalError: it is damaged.
    """
    check_row(row)
    config: dict[str, Any] = json.loads(row.config)
    scenario = config.get("scenario", "nearest-stars")
    clock = reader.clock(row.id)
    kept = reader.snapshots(row.id)
    last = max((seq for _, seq, _ in kept), default=0)
    for record in reader.records(row.id, after_seq=last):
        last = record.seq
    return {
        "id": row.id,
        # Names come from anybody.
        "name": _shown(row.name),
        "game": _shown(row.game),
        "scenario": _shown(str(scenario.get("name", "custom") if isinstance(scenario, dict) else scenario)),
        "seed": row.seed,
        "created_s": row.created_s,
        "epoch": row.epoch,
        "tick": clock.tick if clock else 0,
        "seq": last,
        "damaged": None,
    }


def _ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    sent = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, sent, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            made: dict[str, Any] = json.load(answer)
            return made
    except urllib.error.HTTPError as error:
        try:
            detail = json.load(error)["detail"]
        except (ValueError, KeyError):
            detail = str(error)
        raise ServerError(str(detail)) from None
    except OSError as error:
        raise ServerError(f"No server answers at {url}: {error}. Start one with `gamekit serve`.") from None
