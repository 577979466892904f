"""Fsync, counted where it counts: in the system calls of a real process that writes a real file.

Needs `strace` (a package of every Linux distribution; `.ci/run` installs it). With it fsync can also be made to fail.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journal.test_crash import APPENDER, check_reported, take

STRACE = shutil.which("strace")
if STRACE is None and os.environ.get("CI") and sys.platform == "linux":
    pytest.fail("strace is missing; `apt install strace`", pytrace=False)
pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")

#: `1234 fdatasync(5</tmp/journal.db-wal>) = 0`, also with an error; and the two halves of a call cut by another thread.
CALL = re.compile(r"^(\d+) +(\w+)\((\d+)<([^>]*)>(.*?)(?:\) += (-?\d+).*|<unfinished \.\.\.>)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>.*\) += (-?\d+)")
SYNCS = {"fsync", "fdatasync"}
#: The file grows to this size, in bytes; then the appender ends by itself.
LIMIT = 800_000


def traced(tmp_path: Path, command: list[str], *more: str) -> tuple[str, list[tuple[str, str, str, int]]]:
    """Run a command under strace.

    Returns:
        What it printed, and its writes and syncs in the order in which they ended: (call, file's name, rest, result).
    """
    out = tmp_path / "trace"
    watched = "trace=pwrite64,write,fsync,fdatasync,ftruncate"
    done = subprocess.run(
        [str(STRACE), "-f", "-y", "-e", watched, *more, "-o", str(out), sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("this machine does not let anybody trace a process")
    assert done.returncode == 0, done.stderr
    calls: list[tuple[str, str, str, int]] = []
    open_calls: dict[str, tuple[str, str, str]] = {}
    for line in out.read_text(errors="replace").splitlines():
        if found := CALL.match(line):
            thread, call, _, path, rest, result = found.groups()
            if result is None:
                open_calls[thread] = (call, Path(path).name, rest)
            else:
                calls.append((call, Path(path).name, rest, int(result)))
        elif (found := RESUMED.match(line)) and found[1] in open_calls:
            calls.append((*open_calls.pop(found[1]), int(found[3])))
    return done.stdout, calls


def test_nothing_is_reported_while_the_log_holds_anything_that_is_not_synced(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    _, calls = traced(tmp_path, [str(APPENDER), str(path), str(LIMIT)])
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


def test_an_fsync_that_fails_ends_all_reports_and_the_log_is_written_anew_at_the_next_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    fails = "inject=fsync,fdatasync:error=EIO:when=40+"
    printed, calls = traced(tmp_path, [str(APPENDER), str(path), str(10 * LIMIT)], "-e", fails)
    *lines, last = printed.splitlines()
    assert last == "failed JournalError"
    reported: dict[str, int] = {}
    for line in lines:
        take(line, reported)
    failed = next(index for index, (call, _, _, result) in enumerate(calls) if call in SYNCS and result == -1)
    assert not any('"game-' in rest for call, _, rest, _ in calls[failed:] if call == "write")

    # Whatever the log holds now is in clean pages; only written anew does it reach the disk for certain.
    opener = f"from pathlib import Path; from gamekit.journal import SqliteJournal; SqliteJournal(Path({str(path)!r}))"
    _, calls = traced(tmp_path, ["-c", opener + "; import os; os._exit(0)"])
    written = [index for index, (call, name, _, _) in enumerate(calls) if call == "pwrite64" and name == "journal.db"]
    assert written, "nothing was written anew"
    assert any(call in SYNCS and name == "journal.db" and not result for call, name, _, result in calls[written[-1] :])
    check_reported(path, reported)
