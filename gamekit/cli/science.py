"""`gamekit simulate` and `verify`: the same rules without a server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gamekit.capsule import SUFFIX, read_capsule
from gamekit.cli.games import DEFAULT_DATABASE
from gamekit.cli.numbers import Number
from gamekit.cli.rules import read_rules, rules_options
from gamekit.cli.scenarios import SCENARIO_HELP, read_scenario
from gamekit.games import hosted
from gamekit.history import Finding
from gamekit.history import verify as verify_game
from gamekit.journal import SqliteReader
from gamekit.lab.simulate import simulate as run_simulation


@click.command()
@click.option("--scenario", default="nearest-stars", show_default=True, help=SCENARIO_HELP)
@click.option("--seed", type=int, default=1, show_default=True, help="Seed.")
@click.option("--hours", type=Number(min=0), default=1.0, show_default=True, help="Game time to simulate.")
@click.option("--game", "path", metavar="MODULE:CLASS", help="Rules of your own, e.g. my_rules:MyGame.")
@rules_options
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def simulate(
    scenario: str,
    seed: int,
    hours: float,
    path: str | None,
    rules_file: Path | None,
    rules: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a scenario headless, as fast as it goes, and print what came out."""
    from tqdm import tqdm  # Here, because every other command starts faster without it.

    with tqdm(unit="tick", disable=as_json or not sys.stderr.isatty(), leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        given = read_rules(rules_file, rules)
        done = run_simulation(read_scenario(scenario), given, seed, hours, game=path, progress=progress)
    result = {
        "scenario": done.scenario,
        "seed": done.seed,
        "ticks": done.ticks,
        "events": done.events,
        "digest": done.digest,
        "cpu_s": done.cpu_s,
        "times_real_time": done.times_real_time,
    }
    if path is not None:
        result |= {"game": done.game.name, "metrics": done.metrics}
    if as_json:
        click.echo(json.dumps(result))
        return
    for key, value in result.items():
        click.echo(f"{key:<16}{value}")


@click.command()
@click.argument("database", type=click.Path(dir_okay=False, path_type=Path), default=DEFAULT_DATABASE)
@click.option(
    "--game",
    "named",
    multiple=True,
    metavar="ID|MODULE:CLASS",
    help="Verify only the game of this id; or know these rules as well. May be repeated.",
)
def verify(database: Path, named: tuple[str, ...]) -> None:
    """Replay every game of DATABASE (or of a capsule) from its beginning and compare all digests on the way.

    Exit status 0 only when all is well; the last line is the verdict.
    """
    from tqdm import tqdm

    games = hosted(name for name in named if ":" in name)
    only = [name for name in named if ":" not in name]
    if database.suffix == SUFFIX:
        # It may come from anybody.
        read_capsule(database)
    with SqliteReader(database) as reader:
        rows = [row for row in reader.games() if not only or row.id in only]
        for missing in sorted(set(only) - {row.id for row in rows}):
            raise click.ClickException(f"There is no game {missing!r} in {database}; `gamekit ls` lists them.")
        verdicts: list[Finding] = []
        with tqdm(rows, unit="game", disable=not sys.stderr.isatty(), leave=False) as bar:
            for row in bar:
                unknown = f"its game {row.game!r} is not known here; name it with --game MODULE:CLASS"
                verdict = Finding(row.id, 0, 0, 0, problem=unknown)
                for verdict in verify_game(reader, row, games[row.game]) if row.game in games else ():
                    bar.set_postfix_str(f"{row.id} record {verdict.records}", refresh=False)
                verdicts.append(verdict)
                lived = f"ok, but {verdict.older} records were played by older rules, which these do not reproduce"
                state = verdict.problem or (lived if verdict.older else "ok")
                line = f"{row.id}  {verdict.records} records, {verdict.snapshots} digests, tick {verdict.tick}: {state}"
                tqdm.write(line, file=sys.stdout)
    bad = [verdict for verdict in verdicts if verdict.problem]
    checked = f"{len(verdicts)} games, {sum(v.records for v in verdicts)} records"
    digests = sum(v.snapshots for v in verdicts)
    if bad:
        click.echo(f"FAILED: {len(bad)} of {checked} do not reproduce; first: {bad[0].game}: {bad[0].problem}")
        sys.exit(1)
    older = sum(v.older for v in verdicts)
    note = f"; {older} records were played by older rules, which these do not reproduce" if older else ""
    click.echo(f"ok: {checked}, {digests} digests agree{note}")
