"""Fsync, counted where it counts: in the system calls of a real process that writes a real file.

Twice: in the kernel's calls, with `strace` (a package of every Linux distribution; `.ci/run` installs it), and at
SQLite's own door (`watched`), which needs no tracer and no privilege. A machine that lets nobody trace a process has
the second only. With both fsync can also be made to fail.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journal.test_crash import APPENDER, check_reported, take

WATCHED = Path(__file__).with_name("watched.py")
STRACE = shutil.which("strace")
if STRACE is None and os.environ.get("CI") and sys.platform == "linux":
    pytest.fail("strace is missing; `apt install strace`", pytrace=False)
MAY_TRACE = STRACE is not None and not subprocess.run([STRACE, "true"], capture_output=True, check=False).returncode
DOORS = ["kernel", "sqlite"] if MAY_TRACE else ["sqlite"]

#: `1234 fdatasync(5</tmp/journal.db-wal>) = 0`, also with an error; and the two halves of a call cut by another thread.
CALL = re.compile(r"^(\d+) +(\w+)\((\d+)<([^>]*)>(.*?)(?:\) += (-?\d+).*|<unfinished \.\.\.>)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>.*\) += (-?\d+)")
SYNCS = {"fsync", "fdatasync"}
#: The file grows to this size, in bytes; then the appender ends by itself.
LIMIT = 800_000


Call = tuple[str, str, str, int]


def traced(door: str, tmp_path: Path, script: Path, *arguments: str, fail_from: int = 0) -> tuple[str, list[Call]]:
    """Run a script and watch a door.

    Args:
        door: whose calls are noted: the kernel's, or SQLite's.
        tmp_path: where the trace goes.
        script, arguments: what to run.
        fail_from: the sync from which on each fails; none by default.

    Returns:
        What it printed, and its writes and syncs in the order in which they ended: (call, file's name, rest, result).
    """
    out = tmp_path / f"trace-{len(list(tmp_path.glob('trace-*')))}"
    if door == "kernel":
        inject = ["-e", f"inject=fsync,fdatasync:error=EIO:when={fail_from}+"] if fail_from else []
        watched = "trace=pwrite64,write,fsync,fdatasync,ftruncate"
        command = [str(STRACE), "-f", "-y", "-e", watched, *inject, "-o", str(out), sys.executable, str(script)]
    else:
        command = [sys.executable, str(WATCHED), str(out), str(fail_from), str(script)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    text = out.read_text(errors="replace")
    return done.stdout, kernel_calls(text) if door == "kernel" else [tuple(json.loads(x)) for x in text.splitlines()]


def kernel_calls(text: str) -> list[Call]:
    """The calls in a trace of strace's."""
    calls: list[Call] = []
    open_calls: dict[str, tuple[str, str, str]] = {}
    for line in text.splitlines():
        if found := CALL.match(line):
            thread, call, _, path, rest, result = found.groups()
            if result is None:
                open_calls[thread] = (call, Path(path).name, rest)
            else:
                calls.append((call, Path(path).name, rest, int(result)))
        elif (found := RESUMED.match(line)) and found[1] in open_calls:
            calls.append((*open_calls.pop(found[1]), int(found[3])))
    return calls


@pytest.mark.parametrize("door", DOORS)
def test_nothing_is_reported_while_the_log_holds_anything_that_is_not_synced(tmp_path: Path, door: str) -> None:
    path = tmp_path / "journal.db"
    _, calls = traced(door, tmp_path, APPENDER, str(path), str(LIMIT))
    dirty = False
    reports = syncs = shared = 0
    since_sync = 0
    for call, name, rest, result in calls:
        if name == "journal.db-wal" and call == "pwrite64" and result > 0:
            dirty = True
        elif name == "journal.db-wal" and call in SYNCS:
            assert result == 0
            dirty, since_sync = False, 0
            syncs += 1
        elif call == "write" and '"game-' in rest:
            assert not dirty, f"{rest} was reported before its fsync"
            reports += 1
            since_sync += 1
            shared += since_sync == 2
    assert reports > 100
    assert syncs > 10
    assert shared > 5, "commits are not shared among games"
    assert syncs < reports


@pytest.mark.parametrize("door", DOORS)
def test_an_fsync_that_fails_ends_all_reports_and_the_log_is_written_anew_at_the_next_start(
    tmp_path: Path, door: str
) -> None:
    path = tmp_path / "journal.db"
    printed, calls = traced(door, tmp_path, APPENDER, str(path), str(10 * LIMIT), fail_from=40)
    *lines, last = printed.splitlines()
    assert last == "failed JournalError"
    reported: dict[str, int] = {}
    for line in lines:
        take(line, reported)
    failed = next(index for index, (call, _, _, result) in enumerate(calls) if call in SYNCS and result == -1)
    assert not any('"game-' in rest for call, _, rest, _ in calls[failed:] if call == "write")

    # Whatever the log holds now is in clean pages; only written anew does it reach the disk for certain.
    opener = tmp_path / "opener.py"
    opener.write_text(
        "import os, sys\nfrom pathlib import Path\nfrom gamekit.journal import SqliteJournal\n"
        "SqliteJournal(Path(sys.argv[1]))\nos._exit(0)\n"
    )
    _, calls = traced(door, tmp_path, opener, str(path))
    written = [index for index, (call, name, _, _) in enumerate(calls) if call == "pwrite64" and name == "journal.db"]
    assert written, "nothing was written anew"
    assert any(call in SYNCS and name == "journal.db" and not result for call, name, _, result in calls[written[-1] :])
    check_reported(path, reported)
