"""What options of `gamekit serve` need of the process around them, checked before the server starts."""

from __future__ import annotations

import asyncio
import fcntl
import os
import selectors
from collections.abc import Callable

import click

_STDIN = 0
_CHUNK_BYTES = 65536


class StandardInput:
    """Standard input as a sign of life of whoever started this process (`--exit-with-parent`).

    A pipe ends when the last process that could write to it is gone, however it ended. What is written to it is read
    and means nothing.

    Raises:
        ClickException: it is closed, or a file or device that never ends so.
    """

    def __init__(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(_STDIN, selectors.EVENT_READ)
        except (OSError, ValueError):
            raise click.ClickException(
                "--exit-with-parent watches standard input, which here is closed, a file or /dev/null and tells "
                "nothing of the parent. Give it a pipe that the parent holds open, or leave the option out."
            ) from None

    def watch(self, loop: asyncio.AbstractEventLoop, ended: Callable[[], object]) -> None:
        """Call `ended` once standard input has ended."""

        def readable() -> None:
            try:
                more = os.read(_STDIN, _CHUNK_BYTES)
            except BlockingIOError:
                return
            except OSError:
                more = b""
            if not more:
                self.leave(loop)
                ended()

        loop.add_reader(_STDIN, readable)

    def leave(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch it no longer. Idempotent."""
        loop.remove_reader(_STDIN)


def check_ready_fd(descriptor: int) -> None:
    """Make sure that `--ready-fd` names a descriptor that can be written to.

    Raises:
        ClickException: it does not.
    """
    try:
        mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    except (OSError, OverflowError):
        mode = os.O_RDONLY
    if mode == os.O_RDONLY:
        raise click.ClickException(
            f"--ready-fd {descriptor} is no descriptor that can be written to: hand one over when this process is "
            "started, e.g. `gamekit serve --ready-fd 3 3>ready.json`, or leave the option out."
        )
