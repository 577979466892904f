"""Servers under test as processes: started on a free port of 127.0.0.1, accounted for, ended by their id."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from gamekit.errors import GamekitError

#: How long a server may take to start, and to end, in seconds.
START_S = END_S = 60
#: Sessions that are being made at the same time, so that they share commits.
_MAKERS = 16

#: {server: how it is started}; gamekit plays the same model as the naive ones.
SERVERS = {
    "gamekit": ("-m", "gamekit", "serve", "--port", "0", "--exit-with-parent", "--game", "gamekit.bench.swarm:Swarm"),
    "naive": ("-m", "gamekit.bench.naive"),
    "naive-legs": ("-m", "gamekit.bench.naive", "--legs"),
}


def cpu_s(pid: int) -> float:
    """User and system seconds of a process so far, its threads included; NaN where the system does not tell.

    The clock counts nanoseconds, where /proc counts hundredths of a second. Source: clock_getcpuclockid(3) of Linux,
    which Python does not have: the id is `~pid << 3`, and 2 for what the scheduler counted.
    """
    if sys.platform != "linux":
        return float("nan")
    return time.clock_gettime(~pid << 3 | 2)


def machine_cpu_s() -> float:
    """Busy seconds of all cores since the system began; NaN where it does not tell. Source: /proc/stat, proc(5)."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return float("nan")
    fields = stat.read_text().partition("\n")[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, *rest = map(int, fields)
    steal = rest[0] if rest else 0
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def resident_kb(pid: int) -> int:
    """Resident memory of a process in kB; 0 where the system does not tell. Source: /proc/PID/status, proc(5)."""
    status = Path(f"/proc/{pid}/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def peak_kb() -> int:
    """The most resident memory that this program had so far, in kB.

    On Linux from /proc/self/status: what getrusage tells begins with what the process was forked from.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most


def many_files() -> None:
    """Let this process, and those that it starts, open as many sockets as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class BenchServer:
    """One server for the length of a block.

    Args:
        kind: a key of `SERVERS`.
        directory: where it may keep its files.
        options: further ones of its command line.
        program: what Python is to run, where it is not the kind's own.
    """

    def __init__(
        self, kind: str, directory: Path, options: tuple[str, ...] = (), program: tuple[str, ...] | None = None
    ) -> None:
        self.kind = kind
        self._log = directory / f"{kind}.log"
        self._command = [sys.executable, *(program or SERVERS[kind]), "--data", str(directory / kind), *options]
        self._process: subprocess.Popen[bytes] | None = None
        #: A kept HTTP connection for each thread, and all of them.
        self._http = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self.port = 0
        self.admin_token = ""

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> BenchServer:
        many_files()
        self._log.parent.mkdir(parents=True, exist_ok=True)
        read, write = os.pipe()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, "--ready-fd", str(write)],
                pass_fds=[write],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        os.close(write)
        with os.fdopen(read) as pipe:
            answered, _, _ = select.select([pipe], [], [], START_S)
            line = pipe.readline() if answered else ""
        if not line:
            self.__exit__(None, None, None)
            raise GamekitError(f"The {self.kind} server did not start; it said:\n{self._log.read_text()[-2000:]}")
        ready = json.loads(line)
        self.port, self.admin_token = ready["port"], ready["admin_token"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections:
            connection.close()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(END_S)

    def call(self, method: str, path: str, body: Any = None) -> bytes:
        """One HTTP request over a kept connection; the body of the answer.

        Raises:
            GamekitError: the answer is an error.
        """
        connection: http.client.HTTPConnection | None = getattr(self._http, "connection", None)
        if connection is None:
            connection = self._http.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            self._connections.append(connection)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.admin_token}"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise GamekitError(f"{method} {path}: {answer.status} {content[:300].decode(errors='replace')}")
        return content

    def seats(self, sessions: int, players: int, ships: int, seed: int) -> list[dict[str, Any]]:
        """Make sessions with players; what each of them needs to connect."""

        def session(number: int) -> list[dict[str, Any]]:
            asked = {"game": "swarm", "seed": seed + number, "rules": {"ships": ships}}
            made = json.loads(self.call("POST", "/api/game/new", asked))
            join = f"/api/game/{made['id']}/join"
            more = [self.call("POST", join, {"name": f"Player {player}"}) for player in range(2, players + 1)]
            return [made, *map(json.loads, more)]

        with ThreadPoolExecutor(_MAKERS) as makers:
            return [seat for seats in makers.map(session, range(sessions)) for seat in seats]
