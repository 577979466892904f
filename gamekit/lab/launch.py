"""A private server for a notebook or script: `client = gamekit.launch()`.

The server is its own process, because a busy kernel must not stall the game. It ends with whoever launched it, however
that ends: it holds one end of a pipe whose other end dies with this process, and drains when it does. It has its own
session (in the sense of the operating system), so that interrupting a cell does not interrupt the game.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import IO, Any

from gamekit.client.iothread import check_may_wait
from gamekit.errors import ServerError
from gamekit.lab import forgotten, hub
from gamekit.lab.cells import paths_of
from gamekit.lab.handles import Client

#: After this long without being ready, a note says that it is still being waited for; in seconds.
PATIENCE_S = 3.0
#: How long a server that was asked to stop may take to make everything durable, in seconds.
DRAIN_S = 15.0
LOG_LINES_SHOWN = 20


class ServerProcess:
    """A server in its own process, from start to end.

    Args:
        directory: the data directory; None for one of its own that goes with it.
        port: 0 for any free one.
        timeout_s: how long the start may take.
        games: import paths of games that it may host beside the bundled one.
        base_url: path below which it answers too, for a proxy.

    Raises:
        ServerError: the server did not start; the message shows the end of its log.
    """

    def __init__(
        self, directory: Path | None, port: int, timeout_s: float, games: Sequence[str] = (), base_url: str = ""
    ) -> None:
        self._owner = os.getpid()
        self._own_directory = directory is None
        self.directory = Path(tempfile.mkdtemp(prefix="gamekit-")) if directory is None else directory
        self._log: IO[bytes] = tempfile.TemporaryFile(prefix="gamekit-log-")  # noqa: SIM115 - closed in _tidy
        read, write = os.pipe()
        command = [sys.executable, "-m", "gamekit", "serve", "--port", str(port), "--data", str(self.directory)]
        command += [f"--game={path}" for path in games] + ([f"--base-url={base_url}"] if base_url else [])
        # A server of a temporary directory removes it itself, also when this process was killed and cannot.
        options = ["--exit-with-parent", *(["--remove-data"] if self._own_directory else [])]
        try:
            self._process = subprocess.Popen(
                [*command, "--ready-fd", str(write), *options],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[write],
                start_new_session=True,
            )
        except BaseException:
            os.close(read)
            self._tidy()
            raise
        finally:
            os.close(write)
        try:
            with os.fdopen(read, "rb") as pipe:
                self.ready = self._await_ready(pipe, timeout_s)
        except BaseException:
            self.close()
            raise

    def _await_ready(self, pipe: IO[bytes], timeout_s: float) -> dict[str, Any]:
        """The line that the server writes once it accepts connections."""
        started_s = time.monotonic()
        noted = False
        while not select.select([pipe], [], [], PATIENCE_S)[0]:
            if time.monotonic() - started_s >= timeout_s:
                raise ServerError(f"The server was not ready within {timeout_s:g} s.\n{self.log(LOG_LINES_SHOWN)}")
            if not noted:
                print("Starting a gamekit server ...", file=sys.stderr, flush=True)
                noted = True
        line = pipe.readline()
        if not line:
            status = self._process.wait()
            raise ServerError(f"The server ended at once with status {status}:\n{self.log(LOG_LINES_SHOWN)}")
        ready: dict[str, Any] = json.loads(line)
        return ready

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    def log(self, lines: int | None = None) -> str:
        """What the server has written, or its last `lines` lines."""
        if self._log.closed:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        written = os.pread(self._log.fileno(), size, 0).decode(errors="replace").splitlines()
        return "\n".join(written if lines is None else written[-lines:])

    def let_go(self) -> None:
        """Have the server drain and end by itself, without waiting for it."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def close(self) -> None:
        """Have the server drain, wait for its end, and remove what was its own. Idempotent."""
        self.let_go()
        if os.getpid() != self._owner:
            # A forked child has copies of the handles, but the server is its parent's.
            return
        for insist in (None, signal.SIGTERM, signal.SIGKILL):
            if insist is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, insist)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(DRAIN_S)
                break
        self._tidy()

    def _tidy(self) -> None:
        self._log.close()
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)


class Launched(Client):
    """A client of its own private server, which ends with it."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        try:
            url, prefix = server.ready["url"].rstrip("/"), server.ready["prefix"]
            # From here the server is reached at its root; a browser may have to come through a proxy.
            super().__init__(url.removesuffix(prefix), token=server.ready["admin_token"])
            self.inner.page_root = hub.page_root(prefix, self.url)
        except BaseException:
            server.close()
            raise
        # Forgotten, say because its cell was run again, the server ends as well.
        self._forgotten = weakref.finalize(self, _close_aside, server)
        self._forgotten.atexit = False
        self.number = next(_numbers)
        _open.add(self)

    @property
    def admin_token(self) -> str:
        """What proves the owner of the server."""
        return self.token

    @property
    def page_url(self) -> str:
        """Where a browser finds the server: behind JupyterHub not where this kernel does."""
        return f"{self.inner.page_root}/"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self.server.pid

    @property
    def data(self) -> Path:
        """The data directory, with the games' database."""
        return self.server.directory

    def log(self, lines: int | None = None) -> str:
        """What the server has written, or its last `lines` lines."""
        return self.server.log(lines)

    def close(self) -> None:
        """End all connections, then the server; a temporary data directory is removed. Idempotent.

        Raises:
            SessionError: called in a callback, which would wait for itself; nothing was closed.
        """
        check_may_wait()
        try:
            super().close()
        finally:
            self.server.close()
            _open.discard(self)
            self._forgotten.detach()


def launch(
    *,
    data: str | os.PathLike[str] | None = None,
    port: int = 0,
    timeout_s: float = 60.0,
    games: Sequence[Any] = (),
    base_url: str | None = None,
) -> Launched:
    """Start a private server and return a client of it.

    Use it as `with gamekit.launch() as client: ...`, or keep it and call `close()`; it ends with the kernel or
    interpreter in any case, even with one that is killed. In a notebook it ends as well when its cell is run again, and
    no variable leads to it any more; what was shown of it does not hold it.

    Args:
        data: directory where games are kept; by default a temporary one that is removed in the end.
        port: port of 127.0.0.1 to listen on; 0 for any free one.
        timeout_s: how long the start may take, in seconds.
        games: rules of your own for `new_game(game=name)`: classes, also such as are defined in a cell (`[MyGame]`),
            or import paths (`["my_rules:MyGame"]`); modules are found in the current directory as well.
        base_url: path below which the server answers too, for a proxy; `{port}` in it is the port. By default the
            one that jupyter-server-proxy has behind JupyterHub, and none elsewhere.

    Raises:
        ConfigError: one of the games is none, or cannot be sent to the server.
        ServerError: the server did not start; the message shows the end of its log.
    """
    check_may_wait()
    directory = None if data is None else Path(data).expanduser().absolute()
    if isinstance(games, str) or not isinstance(games, Sequence):
        games = [games]
    prefix = hub.base_url() if base_url is None else base_url
    with paths_of(games) as paths:
        launched = Launched(ServerProcess(directory, port, timeout_s, paths, prefix))
    forgotten.watch(_end_forgotten)
    return launched


def _end_forgotten(variables: Mapping[str, Any]) -> None:
    """After a notebook's cell: end the servers that its variables do not lead to any more, but for the newest."""
    running = sorted(_open, key=lambda one: one.number)
    if len(running) < 2:
        return
    *older, _ = running
    held = forgotten.reached(older, variables)
    for one in older:
        if id(one) not in held:
            _open.discard(one)
            threading.Thread(target=one.close, name="gamekit-close").start()


_numbers = count()
_open: weakref.WeakSet[Launched] = weakref.WeakSet()


def _close_aside(server: ServerProcess) -> None:
    """Close on a thread of its own: a finalizer runs anywhere and must not wait."""
    threading.Thread(target=server.close, name="gamekit-close").start()


def _close_all() -> None:
    for launched in list(_open):
        launched.close()


def _disown() -> None:
    """A forked child lets go of its copy of the pipe; else the server would outlive its owner with the child."""
    for launched in list(_open):
        launched.server.let_go()
    _open.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_disown)
