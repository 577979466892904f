"""`gamekit serve`: run a server in the foreground until it is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import click

from gamekit.cli.numbers import Number, Seconds
from gamekit.cli.rules import read_rules, rules_options
from gamekit.cli.surroundings import StandardInput, check_ready_fd
from gamekit.errors import GamekitError, ServerError
from gamekit.game import TICK_HZ
from gamekit.journal import Retention
from gamekit.server.app import Server
from gamekit.server.logs import log_to
from gamekit.server.settings import Settings
from gamekit.server.wall import MAX_CATCH_UP_S


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8642,
    show_default=True,
    help="Port to listen on; 0 takes any free one.",
)
@click.option("--address", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--data",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Directory of the database and the secret; made when missing.",
)
@click.option("--allow-origin", multiple=True, help="Origin whose pages may connect too, e.g. https://lab.example.")
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="Host name that the server is asked by; then no other is taken."
)
@click.option(
    "--trusted-proxy",
    multiple=True,
    metavar="ADDRESS",
    help="Proxy, or network of proxies, whose X-Forwarded- headers are believed, e.g. 127.0.0.1.",
)
@click.option(
    "--max-connections",
    type=click.IntRange(1, 1_000_000),
    help="Connections held at once.  [default: what the limit of open files leaves, at most 20000]",
)
@click.option(
    "--max-per-address",
    type=click.IntRange(1, 1_000_000),
    help="Connections held at once of one address.  [default: 256, and any number from this machine]",
)
@click.option(
    "--idle-timeout",
    "idle_timeout_s",
    type=Seconds(1),
    default=75.0,
    show_default=True,
    help="Seconds that a connection may wait for its next request.",
)
@click.option(
    "--game",
    "games",
    multiple=True,
    metavar="MODULE:CLASS",
    help="Rules that games may be made with here beside the bundled ones, e.g. my_rules:MyGame; may be repeated.",
)
@rules_options
@click.option(
    "--sleep-after",
    "sleep_after_s",
    type=Seconds(),
    default=60.0,
    show_default=True,
    help="Seconds without use after which a game leaves memory.",
)
@click.option(
    "--base-url",
    default="",
    metavar="PATH",
    help="Answer below this path too, for a proxy, e.g. /games; {port} in it is the port.",
)
@click.option(
    "--keep-latest",
    type=click.IntRange(1, 1_000_000),
    default=10,
    show_default=True,
    help="The latest snapshots of each game that stay.",
)
@click.option(
    "--keep-every",
    "keep_every_minutes",
    type=click.IntRange(1, 1_000_000),
    default=60,
    show_default=True,
    help="Minutes of game time for which one older snapshot stays.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=VALUE",
    help="What may be made without the admin token, e.g. ships=20000, or games=none; may be repeated.",
)
@click.option(
    "--max-catch-up",
    "max_catch_up_days",
    type=Number(min=0),
    default=MAX_CATCH_UP_S / 86_400,
    show_default=True,
    metavar="DAYS",
    help="Where the clock says that no server ran for longer, it is taken for wrong, and games go on where they were.",
)
@click.option("--trust-clock", is_flag=True, help="The clock is right: games live through the time that it says.")
@click.option(
    "--skip-missing-time",
    is_flag=True,
    help="The clock is right, but a time without a server of more than --max-catch-up never passed for any game.",
)
@click.option("--ready-fd", type=click.IntRange(min=0), help="Write one JSON line to this file descriptor when ready.")
@click.option("--exit-with-parent", is_flag=True, help="Stop when standard input, a pipe, ends.")
@click.option("--remove-data", is_flag=True, help="Remove DIR when done: for servers that live as long as a notebook.")
@click.option("--verbose", is_flag=True, help="Log every HTTP request.")
def serve(
    port: int,
    address: str,
    directory: Path,
    allow_origin: tuple[str, ...],
    allow_host: tuple[str, ...],
    trusted_proxy: tuple[str, ...],
    max_connections: int | None,
    max_per_address: int | None,
    idle_timeout_s: float,
    games: tuple[str, ...],
    rules_file: Path | None,
    rules: tuple[str, ...],
    sleep_after_s: float,
    base_url: str,
    keep_latest: int,
    keep_every_minutes: int,
    limits: tuple[str, ...],
    max_catch_up_days: float,
    trust_clock: bool,
    skip_missing_time: bool,
    ready_fd: int | None,
    exit_with_parent: bool,
    remove_data: bool,
    verbose: bool,
) -> None:
    """Run a server: games live in DIR/gamekit.db, players connect with a browser or a notebook.

    Rules given here are those of new games where their makers do not say otherwise. Stop it with Ctrl-C: it finishes
    what is under way and keeps a snapshot of every game.
    """
    log_to(sys.stderr, verbose=verbose)
    # Databases and capsules hold what was commanded, and the log who asked: nothing of it is for others.
    os.umask(0o077)
    if ready_fd is not None:
        check_ready_fd(ready_fd)
    parent = StandardInput() if exit_with_parent else None
    settings = Settings(
        address=address,
        port=port,
        directory=directory,
        allowed_origins=allow_origin,
        allowed_hosts=allow_host,
        trusted_proxies=trusted_proxy,
        max_connections=max_connections,
        max_per_address=max_per_address,
        idle_timeout_s=idle_timeout_s,
        games=games,
        rules=read_rules(rules_file, rules),
        sleep_after_s=sleep_after_s,
        base_url=base_url,
        keep=Retention(keep_latest, keep_every_minutes * 60 * TICK_HZ),
        limits=limits,
        max_catch_up_days=max_catch_up_days,
        trust_clock=trust_clock,
        skip_missing_time=skip_missing_time,
    )
    try:
        asyncio.run(_run(settings, ready_fd, parent, remove_data))
    except GamekitError as error:
        # The directory stays, also with --remove-data: another server may be the one that uses it.
        raise click.ClickException(str(error)) from None
    if remove_data:
        shutil.rmtree(directory, ignore_errors=True)


#: How long the loop may keep Python's interpreter lock from the journal's thread. The default of 5 ms is what a commit
#: would wait for it, several times, while the loop is busy.
SWITCH_INTERVAL_S = 0.0005
#: When garbage is looked for: among the youngest objects after so many new ones, which is soon done; among those that
#: outlived that hardly ever. What a tick replaces is young, so with many games late looks take long (with 20,000 in the
#: place of 1,000 a tenth of a second for 1,900 games), and Python's own looks among the older (700, 10, 10) cost a
#: seventh of bringing games back.
GC_THRESHOLDS = (1_000, 5_000, 20)
#: How long threads may hold up the end once every game is safe, in seconds. One may be at work for long yet, e.g. on a
#: game that was being brought back; all that it does is lost anyway, and nothing else is.
END_S = 0.5


def _end_in_time(remove: Path | None) -> None:
    """Let the process end soon, though Python would wait for its threads."""

    def end() -> None:
        if remove is not None:
            shutil.rmtree(remove, ignore_errors=True)
        _say()
        os._exit(0)

    timer = threading.Timer(END_S, end)
    timer.daemon = True
    timer.start()


def _say(line: str | None = None) -> None:
    """Write a line to standard output now; one that is closed, or that nothing reads any more, does no harm."""
    with contextlib.suppress(OSError, ValueError):
        if sys.stdout is not None:
            sys.stdout.write("" if line is None else f"{line}\n")
            sys.stdout.flush()


def _admin_line(server: Server) -> str:
    """The admin page's link where a person reads it; where a file or a journal does, how to get it."""
    if sys.stdout is not None and sys.stdout.isatty():
        return server.admin_url
    data = server.settings.directory
    return f"its link holds a token; `gamekit token --data {data} --url {server.url}` prints it"


async def _run(settings: Settings, ready_fd: int | None, parent: StandardInput | None, remove_data: bool) -> None:
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    server = Server(settings)
    await server.start()
    # What is there now stays; and games are large trees without cycles, in which there is little to collect.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Not by the loop's own means: taking its handlers away leaves the default for a moment, which is death.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if parent is not None:
        parent.watch(loop, stop.set)
    _say(f"gamekit server at {server.url} (games are kept in {settings.database})")
    _say(f"  play:  {server.url}")
    _say(f"  admin: {_admin_line(server)}")
    if ready_fd is not None:
        ready = {
            "url": server.url,
            "port": server.port,
            "prefix": server.prefix,
            "admin_token": server.tokens.admin,
            "pid": os.getpid(),
        }
        # A launcher that has gone meanwhile does not read it, and is noticed by --exit-with-parent.
        with contextlib.suppress(BrokenPipeError), os.fdopen(ready_fd, "w") as pipe:
            pipe.write(json.dumps(ready) + "\n")
    await stop.wait()
    if parent is not None:
        parent.leave(loop)
    await server.drain()
    for number in (signal.SIGINT, signal.SIGTERM):
        # A second signal while Python ends must not make an orderly stop look like a death.
        signal.signal(number, signal.SIG_IGN)
    if (trouble := server.host.journal.health()).displaced:
        raise ServerError(f"The server has stopped, but not everything is on disk: {trouble.failing}.")
    for one in server.host.unclosed:
        _say(f"not closed in order, and recovered from its history at the next start: {one}")
    _say("drained: every game is safe on disk")
    _end_in_time(settings.directory if remove_data else None)
