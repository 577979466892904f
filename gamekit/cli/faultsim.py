"""`gamekit faultsim`: run seeds of the simulated world and tell the story of the first broken promise."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator

import click
import msgspec

from gamekit.cli.numbers import Number
from gamekit.faultsim import Ratios, Verdict, parse_ratios, simulate_faults


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="The first seed.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="How many seeds to run.")
@click.option("--steps", type=click.IntRange(min=1), default=20_000, show_default=True, help="Events of each world.")
@click.option("--minutes", type=Number(min=0), help="Go on with further seeds for so long.")
@click.option("--ratio", "ratios", multiple=True, metavar="NAME=VALUE", help="A fault's ratio; may be repeated.")
@click.option("--unmixed", is_flag=True, help="Take the ratios as they are, instead of letting each seed mix them.")
@click.option("--play", type=click.Choice(["tally", "space"]), help="The game; by default the seed decides.")
@click.option("--json", "as_json", is_flag=True, help="One line of JSON per seed.")
def faultsim(
    seed: int,
    seeds: int,
    steps: int,
    minutes: float | None,
    ratios: tuple[str, ...],
    unmixed: bool,
    play: str | None,
    as_json: bool,
) -> None:
    """Run hosts, clients, network and disk in a simulated world with faults, and check every promise at every step.

    Exit status 0 only when all is well; the last line is the verdict. What a seed does is decided by the seed, the
    options and the commit; docs/durability.md lists the ratios.
    """
    from tqdm import tqdm  # Here, because every other command starts faster without it.

    chosen = parse_ratios(ratios, Ratios())
    faults: Counter[str] = Counter()
    checks: Counter[str] = Counter()
    virtual_s, done = 0.0, 0
    numbers = _numbers(seed, seeds, minutes)
    total = None if minutes is not None else seeds
    with tqdm(numbers, total=total, unit="seed", disable=as_json or not sys.stderr.isatty(), leave=False) as bar:
        for number in bar:
            verdict = simulate_faults(number, steps, chosen, play, mixed=not unmixed)
            if as_json:
                click.echo(json.dumps({"ok": verdict.ok, **msgspec.to_builtins(verdict)}))
            if not verdict.ok:
                bar.close()
                if not as_json:
                    _tell(verdict, _again(number, steps, ratios, play, unmixed=unmixed))
                sys.exit(1)
            faults.update(verdict.faults)
            checks.update(verdict.checks)
            virtual_s += verdict.virtual_s
            done += 1
    if as_json:
        return
    for title, counts in (("faults", faults), ("checks", checks)):
        click.echo(f"{title}: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))
    if done == 1:
        click.echo(f"trace digest {verdict.digest}")
    click.echo(
        f"ok: every promise kept in {done} seeds from {seed}, {steps} steps each, {virtual_s:.0f} virtual seconds"
    )


def _numbers(seed: int, seeds: int, minutes: float | None) -> Iterator[int]:
    until_s = None if minutes is None else time.monotonic() + 60 * minutes
    number = seed
    while time.monotonic() < until_s if until_s is not None else number < seed + seeds:
        yield number
        number += 1


def _again(seed: int, steps: int, ratios: tuple[str, ...], play: str | None, *, unmixed: bool) -> str:
    parts = [f"gamekit faultsim --seed {seed} --steps {steps}"]
    parts += [f"--ratio {pair}" for pair in ratios]
    parts += ["--unmixed"] if unmixed else []
    parts += [f"--play {play}"] if play else []
    return " ".join(parts)


def _tell(verdict: Verdict, again: str) -> None:
    """The story of a failure: what led to it, what was expected, what was seen, how to see it again."""
    click.echo(f"seed {verdict.seed}, {verdict.play}, the last lines of its story:")
    for line in verdict.story:
        click.echo(f"  {line}")
    click.echo(f"expected: {verdict.expected}")
    click.echo(f"seen:     {verdict.seen}")
    click.echo(f"again:    {again}")
    click.echo(f"FAILED: seed {verdict.seed} broke promise {verdict.promise}; trace digest {verdict.digest}")
