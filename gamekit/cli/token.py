"""`gamekit token`: the admin token of a data directory, for its owner."""

from __future__ import annotations

from pathlib import Path

import click

from gamekit.server.auth import SECRET_FILE, load_tokens


@click.command()
@click.option(
    "--data",
    "directory",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="The server's data directory.",
)
@click.option("--url", help="Print the admin page's link at this server instead, e.g. http://127.0.0.1:8642.")
def token(directory: Path, url: str | None) -> None:
    """Print the admin token of the server that keeps its games in DIR; it proves the server's owner."""
    if not (directory / SECRET_FILE).exists():
        raise click.ClickException(f"{directory} holds no {SECRET_FILE}: start a server on it once, or name another.")
    admin = load_tokens(directory).admin
    click.echo(admin if url is None else f"{url.rstrip('/')}/admin#token={admin}")
