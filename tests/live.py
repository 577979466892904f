"""A real server in its own process, for tests: started, killed, started again on the same data."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

#: How long a server may take to accept connections, and to be gone after a SIGKILL, in seconds.
START_S = 60


def until(wanted: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


class LiveServer:
    """`python -m gamekit serve` on a free port of 127.0.0.1.

    Args:
        directory: the data directory.
        port: 0 for any free one; after the first start the same port is kept.
        options: further ones of `gamekit serve`; they may be changed before another start.
    """

    def __init__(self, directory: Path, port: int = 0, options: tuple[str, ...] = ()) -> None:
        self.directory = directory
        self.options = options
        self.port = port
        self.admin_token = ""
        self.log = directory.with_suffix(".log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's root, with a slash at the end."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """The process that serves now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> LiveServer:
        """Start and wait until connections are accepted."""
        read, write = os.pipe()
        command = [sys.executable, "-m", "gamekit", "serve", "--port", str(self.port), "--data", str(self.directory)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self.options, "--ready-fd", str(write)], pass_fds=[write], stdout=log, stderr=log
            )
        os.close(write)
        with os.fdopen(read) as pipe:
            # The line is written in one piece, so once there is anything it is all there.
            answered, _, _ = select.select([pipe], [], [], START_S)
            line = pipe.readline() if answered else ""
        assert line, f"the server did not start within {START_S} s:\n{self.log.read_text()}"
        ready = json.loads(line)
        self.port, self.admin_token = ready["port"], ready["admin_token"]
        return self

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(START_S)

    def stop(self, timeout_s: float = 30) -> int:
        """SIGTERM, and wait for the drain; the exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout_s)

    def __enter__(self) -> LiveServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- HTTP -------------------------------------------------------------------------------------------------

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        """One request; the status and the JSON answer."""
        sent = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path.lstrip("/"), sent, headers or {}, method=method)
        request.add_header("Content-Type", "application/json")
        if token is not None:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def new_game(self, **body: Any) -> dict[str, Any]:
        """A new game and its first player."""
        status, made = self.call("POST", "/api/game/new", body)
        assert status == 201, made
        result: dict[str, Any] = made
        return result

    def state(self, game: str, token: str | None = None) -> dict[str, Any]:
        """The state as the token's owner sees it."""
        status, state = self.call("GET", f"/api/game/{game}/state", token=token)
        assert status == 200, state
        result: dict[str, Any] = state
        return result

    def admin(self, game: str, verb: str, **body: Any) -> dict[str, Any]:
        """An admin verb: pause, resume, speed, step."""
        status, answer = self.call("POST", f"/api/game/{game}/{verb}", body, token=self.admin_token)
        assert status == 200, answer
        result: dict[str, Any] = answer
        return result
