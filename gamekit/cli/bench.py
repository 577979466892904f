"""`gamekit bench`: measure this machine, gamekit beside servers and beside a library that play the same model."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from gamekit.bench import headless
from gamekit.bench.machine import now
from gamekit.bench.processes import SERVERS
from gamekit.bench.workloads import WORKLOADS, Workload, line, run, write
from gamekit.cli import capacity as capacities
from gamekit.cli.numbers import Number

#: What is made of a workload without `--full`: so many sessions at most, and so many players of one.
_SMALL_SESSIONS, _SMALL_PLAYERS = 20, 200
#: And so many ticks of the one without a server: a minute of game time.
_SMALL_TICKS = 600
#: The workload without a server.
_HEADLESS = "headless"


@click.command()
@click.option(
    "--workload",
    "names",
    multiple=True,
    type=click.Choice([*WORKLOADS, _HEADLESS]),
    help="What to measure; may be repeated; players and broadcast by default.",
)
@click.option(
    "--server",
    "servers",
    multiple=True,
    type=click.Choice([*SERVERS, *(engine for engine in headless.ENGINES if engine not in SERVERS)]),
    help="What to measure it on, in turn; may be repeated; all that can play it by default.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the galaxies and of what players do.")
@click.option("--sessions", type=click.IntRange(min=1), help="How many sessions, instead of the workload's own number.")
@click.option("--seconds", type=Number(min=0.2), help="Length of a window, instead of the workload's own.")
@click.option("--windows", type=click.IntRange(min=1), help="Windows a run, instead of the workload's own number.")
@click.option("--rounds", type=click.IntRange(min=1), default=1, show_default=True, help="How often to go through it.")
@click.option("--capacity", is_flag=True, help="Find out how many sessions each server holds, instead of a workload.")
@click.option(
    "--limit-ms",
    type=Number(min=0, min_open=True),
    default=50.0,
    show_default=True,
    help="With --capacity: what the 99th percentile of tick lateness must stay under, in milliseconds.",
)
@click.option("--full", is_flag=True, help="At full size, instead of a few sessions and spectators.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Append the lines to this file.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a run, instead of a table.")
def bench(
    names: tuple[str, ...],
    servers: tuple[str, ...],
    seed: int,
    sessions: int | None,
    seconds: float | None,
    windows: int | None,
    rounds: int,
    capacity: bool,
    limit_ms: float,
    full: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Measure what players cost: gamekit, and servers that one would write first, in the same minutes.

    CPU is in seconds a second, of the server alone; the load runs in a process of its own. The workload `headless` has
    no server: it plays the same model as fast as it goes, beside Mesa. docs/performance.md says what each figure means.

    With --capacity sessions are added until ticks come late (--sessions: no more than so many).
    """
    if capacity:
        if names or rounds > 1:
            raise click.UsageError("--capacity plays a workload of its own, once; leave out --workload and --rounds.")
        if not set(servers) <= set(SERVERS):
            raise click.UsageError(f"--capacity is that of a server: {', '.join(SERVERS)}.")
        capacities.measure(
            servers or ("gamekit",),
            seed,
            most=sessions,
            seconds=seconds,
            windows=windows,
            limit_ms=limit_ms,
            full=full,
            output=output,
            as_json=as_json,
        )
        return
    from tqdm import tqdm  # Here, because every other command starts faster without it.

    rows = []
    once = _plan(names, servers)
    plan = [(number, *one) for number in range(rounds) for one in once]
    sitting = now()
    with tqdm(plan, unit="run", disable=as_json or not sys.stderr.isatty(), leave=False) as bar:
        for number, name, server in bar:
            if name == _HEADLESS:
                row = _headless(server, seed, sessions, full, bar.set_description_str)
            else:
                chosen = {"sessions": sessions, "window_s": seconds, "windows": windows}
                workload = _sized(WORKLOADS[name], full, chosen)
                row = run(workload, server, seed, progress=bar.set_description_str)
            rows.append({"at": sitting, "round": number} | row)
            _tell(rows[-1], output, as_json)
    alone = [row for row in rows if row["benchmark"] == "headless"]
    if alone:
        headless.agreed(alone)
    if not as_json:
        click.echo("\n\n".join(_tables(rows)))


def _plan(names: tuple[str, ...], servers: tuple[str, ...]) -> list[tuple[str, str]]:
    """Which workload runs on what, in this order."""
    plan = []
    for name in names or ("players", "broadcast"):
        able = tuple(headless.ENGINES if name == _HEADLESS else SERVERS)
        chosen = servers or able
        if name == _HEADLESS and not servers and not headless.installed("mesa"):
            chosen = tuple(engine for engine in able if headless.installed(engine))
            click.echo(f"{headless.NO_MESA} Measuring gamekit alone.", err=True)
        for server in chosen:
            if server not in able:
                raise click.UsageError(f"{name} runs on {', '.join(able)}; {server} cannot play it.")
            plan.append((name, server))
    return plan


def _sized(workload: Workload, full: bool, chosen: dict[str, Any]) -> Workload:
    """A workload at full size or small, but for what was chosen."""
    small = {
        "sessions": min(workload.sessions, _SMALL_SESSIONS),
        "players": min(workload.players, _SMALL_PLAYERS),
        "warm_s": min(workload.warm_s, 2.0),
    }
    sizes = ({} if full else small) | {key: value for key, value in chosen.items() if value}
    return msgspec.structs.replace(workload, **sizes)


def _headless(
    engine: str, seed: int, sessions: int | None, full: bool, progress: Callable[[str], None]
) -> dict[str, Any]:
    whole = headless.Crowd(seed=seed)
    crowd = msgspec.structs.replace(
        whole,
        sessions=sessions or (whole.sessions if full else _SMALL_SESSIONS),
        ticks=whole.ticks if full else _SMALL_TICKS,
    )
    progress(f"{_HEADLESS} on {engine}: {crowd.sessions} sessions, {crowd.ticks} ticks")
    return headless.run(engine, crowd)


def _tell(row: dict[str, Any], output: Path | None, as_json: bool) -> None:
    if output is not None:
        write(row, output)
    if as_json:
        click.echo(line(row))


def _tables(rows: list[dict[str, Any]]) -> list[str]:
    alone = [row for row in rows if row["benchmark"] == "headless"]
    served = [row for row in rows if row["benchmark"] != "headless"]
    tables = [_table(served)] if served else []
    tables += [_headless_table(alone)] if alone else []
    return ["\n".join(table) for table in tables]


def _table(rows: list[dict[str, Any]]) -> list[str]:
    form = "{:<10} {:<11} {:>8} {:>8} {:>9} {:>9} {:>8} {:>8} {:>9}"
    lines = [form.format("workload", "server", "CPU s/s", "load", "late p50", "late p99", "ack p50", "ack p99", "kB/s")]
    for row in rows:
        times = [row[key] for key in ("late_ms_p50", "late_ms_p99", "ack_ms_p50", "ack_ms_p99")]
        shown = ["-" if value is None else f"{value:.1f}" for value in times]
        cpu = (f"{row['server_cpu_per_s']:.3f}", f"{row['generator_cpu_per_s']:.3f}")
        lines.append(form.format(row["workload"], row["server"], *cpu, *shown, f"{row['bytes_per_s'] / 1000:.0f}"))
    return [*lines, "Times in milliseconds; CPU of the server and of the load in seconds a second."]


def _headless_table(rows: list[dict[str, Any]]) -> list[str]:
    form = "{:<10} {:<13} {:>8} {:>12} {:>14} {:>12} {:>8}  {:<16}"
    lines = [
        form.format("workload", "engine", "CPU s", "ticks/CPU s", "x real time", "bytes/ship", "peak MB", "digest")
    ]
    for row in rows:
        figures = (f"{row['cpu_s']:.2f}", f"{row['ticks_per_cpu_s']:,}", f"{row['times_real_time']:,.0f}")
        memory = (f"{row['bytes_per_ship']:,}", f"{row['peak_mb']:.0f}")
        lines.append(form.format(_HEADLESS, row["engine"], *figures, *memory, row["digest"]))
    one = rows[0]
    crowd = f"{one['sessions']} sessions x {one['players']} players x {one['ships']} ships, {one['ticks']:,} ticks"
    return [*lines, f"{crowd}; ticks of each session, real time of all sessions together on one core."]
