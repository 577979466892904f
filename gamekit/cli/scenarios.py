"""`gamekit scenarios`: what there is to play, and whether a scenario file of one's own is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from gamekit.lab.simulate import definition_of
from gamekit.scenario_file import names_a_file
from gamekit.space import review, scenarios
from gamekit.space import scenario as space_scenario
from gamekit.space.worldgen import is_definition

#: What `--scenario` says of itself everywhere.
SCENARIO_HELP = "Scenario, e.g. procedural:40, or the path of a TOML or JSON file."


@click.command("scenarios")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One line of JSON per scenario.")
def list_scenarios(file: Path | None, as_json: bool) -> None:
    """List the shipped scenarios, or check a scenario FILE and tell what is wrong or odd in it."""
    if file is not None:
        _check(file, as_json)
        return
    rows = scenarios()
    if as_json:
        for row in rows:
            click.echo(json.dumps(msgspec.to_builtins(row)))
        return
    click.echo(f"{'name':<16}{'sectors':>8}{'stations':>9}{'companies':>10}{'ships':>7}  what it is like")
    for row in rows:
        name = f"{row.name}[:N]" if row.most_sectors else row.name
        click.echo(
            f"{name:<16}{row.sectors:>8}{row.stations:>9}{row.companies:>10}{row.ships:>7}  {row.title}: {row.sentence}"
        )


def read_scenario(scenario: str) -> str | Mapping[str, Any]:
    """What `--scenario` means: a name, or a file's content, of which everything odd is told on standard error.

    Raises:
        ConfigError: the file cannot be read, or what it says is wrong.
    """
    plain = definition_of(scenario)
    if names_a_file(scenario):
        for warning in _warnings(scenario, plain):
            click.echo(f"warning: {scenario}: {warning}", err=True)
    return plain


def _check(file: Path, as_json: bool) -> None:
    plain = definition_of(file)
    found = _warnings(str(file), plain)
    if as_json:
        click.echo(json.dumps({"file": str(file), "warnings": list(found)}))
        return
    for warning in found:
        click.echo(f"warning: {warning}")
    click.echo(f"ok: {file} is a scenario" + (f", with {len(found)} warning{'s'[: len(found) - 1]}" if found else ""))


def _warnings(source: str, plain: str | Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(plain, str) or not is_definition(plain):
        return ()
    return review.warnings(space_scenario.definition(source, plain))
