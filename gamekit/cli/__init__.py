"""The command line: one group, one module per kind of work, each loaded when one of its commands is asked for.

A server that starts must not pay for what a designer's commands need: half of a server's start would be theirs.
"""

from __future__ import annotations

from importlib import import_module

import click

from gamekit.errors import GamekitError

__all__ = ["main"]

#: {command: (its module here, its name there)}, in the order in which `gamekit --help` lists them.
_COMMANDS = {
    "serve": ("serve", "serve"),
    "token": ("token", "token"),
    "new": ("games", "new"),
    "why": ("games", "why"),
    "ls": ("games", "ls"),
    "show": ("games", "show"),
    "scenarios": ("scenarios", "list_scenarios"),
    "rules": ("rules", "rules"),
    "simulate": ("science", "simulate"),
    "verify": ("science", "verify"),
    "replay": ("pasts", "replay"),
    "export": ("pasts", "export"),
    "import": ("pasts", "import_"),
    "backup": ("pasts", "backup"),
    "upgrade": ("upgrade", "upgrade"),
    "fork": ("forks", "fork"),
    "diff": ("forks", "diff"),
    "sweep": ("sweeps", "sweep"),
    "compare": ("sweeps", "compare"),
    "gate": ("gate", "gate"),
    "open": ("open", "open_"),
    "bench": ("bench", "bench"),
    "faultsim": ("faultsim", "faultsim"),
}


class _Group(click.Group):
    """Loads commands by name; turns gamekit's own errors into one clear line and exit status 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"gamekit.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except GamekitError as error:
            raise click.ClickException(str(error)) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gamekit")
def main() -> None:
    """A simulation and ops toolkit for multiplayer games: live, durable and scientific at once."""
