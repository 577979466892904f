"""`gamekit simulate` and `verify`: the same rules without a server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from gamekit.cli.games import DEFAULT_DATABASE, parse_rules
from gamekit.cli.scenarios import SCENARIO_HELP, read_scenario
from gamekit.game import Game
from gamekit.history import Finding
from gamekit.history import verify as verify_game
from gamekit.journal import SqliteReader
from gamekit.lab.simulate import simulate as run_simulation
from gamekit.space import SpaceGame

#: The rules that databases may name.
GAMES: dict[str, Game[Any]] = {"space": SpaceGame()}


@click.command()
@click.option("--scenario", default="nearest-stars", show_default=True, help=SCENARIO_HELP)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed.")
@click.option("--hours", type=click.FloatRange(min=0), default=1.0, show_default=True, help="Game time to simulate.")
@click.option("--rule", "rules", multiple=True, metavar="FIELD=VALUE", help="A rule to set; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def simulate(scenario: str, seed: int, hours: float, rules: tuple[str, ...], as_json: bool) -> None:
    """Run a scenario headless, as fast as it goes, and print what came out."""
    from tqdm import tqdm  # Here, because every other command starts faster without it.

    with tqdm(unit="tick", disable=as_json or not sys.stderr.isatty(), leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        done = run_simulation(read_scenario(scenario), parse_rules(rules), seed, hours, progress=progress)
    result = {
        "scenario": done.scenario,
        "seed": done.seed,
        "ticks": done.ticks,
        "events": done.events,
        "digest": done.digest,
        "cpu_s": done.cpu_s,
        "times_real_time": done.times_real_time,
    }
    if as_json:
        click.echo(json.dumps(result))
        return
    for key, value in result.items():
        click.echo(f"{key:<16}{value}")


@click.command()
@click.argument("database", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_DATABASE)
@click.option("--game", "only", help="Verify this game only.")
def verify(database: Path, only: str | None) -> None:
    """Replay every game of DATABASE from its beginning and compare all digests on the way.

    Exit status 0 only when all is well; the last line is the verdict.
    """
    from tqdm import tqdm

    with SqliteReader(database) as reader:
        rows = [row for row in reader.games() if only in (None, row.id)]
        if only and not rows:
            raise click.ClickException(f"There is no game {only!r} in {database}; `gamekit ls` lists them.")
        verdicts: list[Finding] = []
        with tqdm(rows, unit="game", disable=not sys.stderr.isatty(), leave=False) as bar:
            for row in bar:
                verdict = Finding(row.id, 0, 0, 0, problem=f"its game {row.game!r} is not known here")
                for verdict in verify_game(reader, row, GAMES[row.game]) if row.game in GAMES else ():
                    bar.set_postfix_str(f"{row.id} record {verdict.records}", refresh=False)
                verdicts.append(verdict)
                state = verdict.problem or "ok"
                line = f"{row.id}  {verdict.records} records, {verdict.snapshots} digests, tick {verdict.tick}: {state}"
                tqdm.write(line, file=sys.stdout)
    bad = [verdict for verdict in verdicts if verdict.problem]
    checked = f"{len(verdicts)} games, {sum(v.records for v in verdicts)} records"
    digests = sum(v.snapshots for v in verdicts)
    if bad:
        click.echo(f"FAILED: {len(bad)} of {checked} do not reproduce; first: {bad[0].game}: {bad[0].problem}")
        sys.exit(1)
    click.echo(f"ok: {checked}, {digests} digests agree")
