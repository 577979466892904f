"""`gamekit sweep` and `compare`: many runs measured, and two sets of rules told apart."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from gamekit.cli.numbers import Number
from gamekit.cli.rules import read_rules, rules_options
from gamekit.cli.scenarios import SCENARIO_HELP, read_scenario
from gamekit.errors import ConfigError

#: What a plan's file may say.
PLAN_KEYS = ("grid", "seeds", "base_seed", "scenario", "rules", "hours", "metrics", "game", "workers", "database")

game_option = click.option("--game", "path", metavar="MODULE:CLASS", help="Rules of your own, e.g. my_rules:MyGame.")
workers_option = click.option("--workers", type=click.IntRange(min=1), help="Processes; one for each processor.")


@click.command()
@click.argument("plan", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option("--vary", "varied", multiple=True, metavar="FIELD=V1,V2", help="A rule and its values; may be repeated.")
@click.option("--seeds", type=click.IntRange(min=1), help="Seeds for every point.  [default: 10]")
@click.option("--scenario", help=f"{SCENARIO_HELP}  [default: nearest-stars]")
@click.option("--hours", type=Number(min=0), help="Game time of each run.  [default: 1]")
@click.option("--metric", "metrics", multiple=True, help="A metric of gamekit.lab.metrics; may be repeated.")
@game_option
@rules_options
@workers_option
@click.option("--out", "database", type=click.Path(dir_okay=False, path_type=Path), help="SQLite file for the results.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each run.")
def sweep(
    plan: Path | None,
    varied: tuple[str, ...],
    seeds: int | None,
    scenario: str | None,
    hours: float | None,
    metrics: tuple[str, ...],
    path: str | None,
    rules_file: Path | None,
    rules: tuple[str, ...],
    workers: int | None,
    database: Path | None,
    as_json: bool,
) -> None:
    """Run every combination of rules with every seed, and measure each run.

    What is asked for stands in the TOML file PLAN, in the options, or in both; options go before the file. With --out,
    results are kept as they come, and the same command goes on where it was stopped. Exit status 0 only when no run
    failed.
    """
    from gamekit.lab.sweeps import sweep as run_sweep

    told = _plan(plan) if plan is not None else {}
    grid: dict[str, list[Any]] = dict(told.get("grid", {}))
    for pair in varied:
        field, separator, text = pair.partition("=")
        if not separator or not text:
            raise click.BadParameter(f"{pair!r} is not FIELD=V1,V2, e.g. storm_rate=0,500", param_hint="--vary")
        grid[field] = [_value(one) for one in text.split(",")]
    file = database or (Path(told["database"]) if "database" in told else None)
    done = run_sweep(
        grid,
        seeds or told.get("seeds", 10),
        _metrics(metrics or told.get("metrics", ())),
        scenario=read_scenario(scenario or told.get("scenario", "nearest-stars")),
        rules={**told.get("rules", {}), **read_rules(rules_file, rules)},
        hours=told.get("hours", 1.0) if hours is None else hours,
        game=path or told.get("game"),
        workers=workers or told.get("workers"),
        database=file,
        base_seed=told.get("base_seed", 1),
        progress=sys.stderr.isatty(),
    )
    failed = len(done.failures)
    if as_json:
        click.echo(done.frame.to_json(orient="records", lines=True), nl=False)
    else:
        frame = done.frame
        if grid:
            frame = frame.groupby(list(grid), sort=False)[done.columns].mean().reset_index()
        else:
            frame = frame[done.columns].mean().to_frame("mean").T
        click.echo(frame.to_string(index=False, float_format=lambda one: f"{one:,.4g}"))
        for _, row in done.failures.head(3).iterrows():
            click.echo(f"seed {row['seed']}: {row['error']}")
    if not as_json:
        where = f", in {file}" if file is not None else ""
        told_runs = f"{len(done)} runs, {failed} failed, {done.cpu_s:.1f} CPU seconds{where}"
        click.echo(f"{'FAILED' if failed else 'ok'}: {told_runs}")
    sys.exit(1 if failed else 0)


@click.command()
@click.option("--a", "a", multiple=True, metavar="FIELD=VALUE", help="A rule of side A; may be repeated.")
@click.option("--b", "b", multiple=True, metavar="FIELD=VALUE", help="A rule of side B; may be repeated.")
@click.option(
    "--recorded", multiple=True, type=click.Path(dir_okay=False, path_type=Path), help="A capsule to play again."
)
@click.option("--seeds", type=click.IntRange(min=1), default=20, show_default=True, help="Pairs of runs.")
@click.option("--scenario", default="nearest-stars", show_default=True, help=SCENARIO_HELP)
@click.option("--hours", type=Number(min=0), default=1.0, show_default=True, help="Game time of each run.")
@click.option("--metric", "metrics", multiple=True, help="A metric of gamekit.lab.metrics; may be repeated.")
@click.option("--confidence", type=Number(0.5, 0.999), default=0.95, show_default=True, help="Of the intervals.")
@game_option
@workers_option
@click.option("--out", "database", type=click.Path(dir_okay=False, path_type=Path), help="SQLite file for the runs.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write one page of HTML with charts.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON.")
def compare(
    a: tuple[str, ...],
    b: tuple[str, ...],
    recorded: tuple[Path, ...],
    seeds: int,
    scenario: str,
    hours: float,
    metrics: tuple[str, ...],
    confidence: float,
    path: str | None,
    workers: int | None,
    database: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Tell two sets of rules apart, on the same seeds or on the commands of recorded games.

    Exit status 0 only when no run failed; a difference is no failure.
    """
    from gamekit.lab.compare import METRICS
    from gamekit.lab.compare import compare as run_compare

    done = run_compare(
        read_rules(None, a),
        read_rules(None, b),
        seeds,
        _metrics(metrics) if metrics else METRICS,
        games=list(recorded) or None,
        scenario=read_scenario(scenario),
        hours=hours,
        game=path,
        workers=workers,
        database=database,
        confidence=confidence,
        progress=sys.stderr.isatty(),
    )
    failed, frame = len(done.runs.failures), done.frame
    if as_json:
        click.echo(
            json.dumps({"failed": failed, "note": done.note, "metrics": json.loads(frame.to_json(orient="records"))})
        )
    else:
        click.echo(frame.to_string(index=False, float_format=lambda one: f"{one:,.4g}"))
        for _, row in done.runs.failures.head(3).iterrows():
            click.echo(f"side {row['side']}: {row['error']}")
        if done.note:
            click.echo(done.note)
    if report is not None:
        done.report(report)
    if not as_json:
        told = frame["verdict"].str.startswith(("b is higher", "b is lower")).sum()
        where = f", report in {report}" if report is not None else ""
        pairs = f"{len(done.runs) // 2} pairs, {told} of {len(frame)} metrics differ"
        click.echo(f"{'FAILED: ' + str(failed) + ' runs; ' if failed else 'ok: '}{pairs}{where}")
    sys.exit(1 if failed else 0)


def _plan(path: Path) -> dict[str, Any]:
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}; it should hold {', '.join(PLAN_KEYS)} as TOML.") from None
    for key in told:
        if key not in PLAN_KEYS:
            raise ConfigError(f"{path}: there is no {key!r} in a plan; it may hold {', '.join(PLAN_KEYS)}.")
    return told


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _metrics(names: tuple[str, ...] | list[str]) -> Any:
    from gamekit.lab import metrics

    known = {name: one for name, one in vars(metrics).items() if callable(one) and hasattr(one, "unit")}
    for name in names:
        if name not in known:
            raise ConfigError(f"There is no metric {name!r}; there are {', '.join(sorted(known))}.")
    return [known[name] for name in names] or metrics.DEFAULT
