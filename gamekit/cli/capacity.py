"""`gamekit bench --capacity`: how many sessions a server holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from gamekit.bench import capacity
from gamekit.bench.machine import now
from gamekit.bench.workloads import line, write


def measure(
    servers: tuple[str, ...],
    seed: int,
    *,
    most: int | None,
    seconds: float | None,
    windows: int | None,
    limit_ms: float,
    full: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Find the capacity of each server, and show the steps as they come.

    Args:
        servers: keys of `processes.SERVERS`.
        seed: of the galaxies and of what players do.
        most, seconds, windows: instead of the plan's own; None leaves it.
        limit_ms: what the 99th percentile of tick lateness must stay under.
        full: at full size.
        output: append the lines to this file.
        as_json: one line a server instead of a table.
    """
    from tqdm import tqdm  # Here, because every other command starts faster without it.

    plan, workload = capacity.FULL if full else capacity.SMALL
    if most is not None:
        plan = msgspec.structs.replace(plan, most=most, first=min(plan.first, most))
    chosen = {"window_s": seconds, "windows": windows}
    workload = msgspec.structs.replace(workload, **{key: value for key, value in chosen.items() if value})
    sitting = now()
    for number, server in enumerate(servers):
        with tqdm(unit="step", disable=as_json or not sys.stderr.isatty(), leave=False) as bar:

            def stepped(_: int | None, bar: Any = bar) -> None:
                bar.update()

            row = {"at": sitting} | capacity.run(
                server,
                seed,
                plan=plan,
                workload=workload,
                limit_ms=limit_ms,
                progress=bar.set_description_str,
                found=stepped,
            )
        if output is not None:
            write(row, output)
        click.echo(line(row) if as_json else "\n".join([*([""] if number else []), *table(row)]))


def table(row: dict[str, Any]) -> list[str]:
    """A line a step, and what they come to in words."""
    form = "{:<11} {:>8} {:<5} {:>8} {:>8} {:>8} {:>9} {:>9} {:>8} {:>8} {:>9} {:>8} {:>8}"
    names = ("server", "sessions", "holds", "CPU s/s", "load", "others", "late p50", "late p99", "ack p50", "ack p99")
    lines = [form.format(*names, "frames/s", "kB/s", "kB each")]
    steps = [(step, "yes" if step["held"] else "no") for step in row["steps"]]
    steps += [(row["half"], "half")] if row["half"] else []
    for step, verdict in steps:
        times = [step[key] for key in ("late_ms_p50", "late_ms_p99", "ack_ms_p50", "ack_ms_p99")]
        shown = ["-" if value is None else f"{value:.1f}" for value in times]
        cpu = [step[key] for key in ("server_cpu_per_s", "generator_cpu_per_s", "others_cpu_per_s")]
        taken = ["-" if value is None else f"{value:.3f}" for value in cpu]
        rates = [
            step["frames_per_s"],
            step["bytes_per_s"] and step["bytes_per_s"] / 1000,
            step["resident_kb_per_session"],
        ]
        counted = ["-" if value is None else f"{value:.0f}" for value in rates]
        lines.append(form.format(row["server"], step["sessions"], verdict, *taken, *shown, *counted))
    return [*lines, *_words(row)]


def _words(row: dict[str, Any]) -> list[str]:
    at_least = "at least " if row["failed"] is None else ""
    upper = "nothing failed" if row["failed"] is None else f"{row['failed']} failed twice"
    said = [f"{row['server']} holds {at_least}{row['capacity']} sessions under {row['limit_ms']:g} ms (p99); {upper}."]
    if row["load_was_busy"]:
        said.append("The load took most of a core when it failed: the server might hold more.")
    said += [f"At {step['sessions']}: {step['error']}" for step in row["steps"] if "error" in step]
    if row["half"] and row["half"]["late_ms_p99"] is not None:
        half = row["half"]
        said.append(f"At half of that, {half['sessions']} sessions, lateness p99 is {half['late_ms_p99']:.1f} ms.")
    if row["exponent"] is not None:
        interval = f"{row['exponent_low']:.2f} to {row['exponent_high']:.2f}"
        said.append(f"CPU grows as sessions to the power of {row['exponent']:.2f} ({interval}, 95 percent).")
    return [*said, "Times in milliseconds; CPU of the server, the load and everything else in seconds a second."]
