"""The command line: one group, one module per kind of work."""

from __future__ import annotations

import click

from gamekit.cli.bench import bench
from gamekit.cli.faultsim import faultsim
from gamekit.cli.forks import diff, fork
from gamekit.cli.games import ls, new, show, why
from gamekit.cli.gate import gate
from gamekit.cli.open import open_
from gamekit.cli.pasts import backup, export, import_, replay
from gamekit.cli.rules import rules
from gamekit.cli.scenarios import list_scenarios
from gamekit.cli.science import simulate, verify
from gamekit.cli.serve import serve
from gamekit.cli.sweeps import compare, sweep
from gamekit.cli.upgrade import upgrade
from gamekit.errors import GamekitError

__all__ = ["main", "serve"]


class _Group(click.Group):
    """Turns gamekit's own errors into one clear line and exit status 1."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except GamekitError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gamekit")
def main() -> None:
    """A simulation and ops toolkit for multiplayer games: live, durable and scientific at once."""


for command in (
    serve,
    new,
    why,
    ls,
    show,
    list_scenarios,
    rules,
    simulate,
    verify,
    replay,
    export,
    import_,
    backup,
    fork,
    diff,
    sweep,
    compare,
    gate,
    open_,
    upgrade,
    faultsim,
    bench,
):
    main.add_command(command)
