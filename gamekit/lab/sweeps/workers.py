"""Worker processes of a study: started without running the caller's script again, and gone when the caller is.

Python's pools import the caller's main module in each worker. A script without `if __name__ == "__main__":` would so
begin its study again in every worker, and a script from standard input could not be imported at all. Studies need none
of it, because functions of the main module travel by value (`gamekit.lab.cells`); so workers do not import it.

A worker watches its parent by the pipe that Python keeps between them, and ends itself when the parent is gone, however
that ended. (Fork server and resource tracker end by themselves once no worker is left.)
"""

from __future__ import annotations

import ctypes
import multiprocessing
import multiprocessing.spawn
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from multiprocessing.connection import wait
from typing import Any

#: How often a worker looks whether it has another parent, where the pipe cannot tell; in seconds.
_LOOK_S = 1.0
_PR_SET_PDEATHSIG = 1
_alone = threading.Lock()


def context() -> Any:
    """How worker processes are made: without threads, sockets or locks of this process."""
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")


@contextmanager
def without_main() -> Iterator[None]:
    """Processes that this thread starts inside do not import the main module."""
    # There is no setting for it. Other threads' processes are prepared as ever.
    usual, here = multiprocessing.spawn.get_preparation_data, threading.get_ident()

    def prepared(name: str) -> dict[str, Any]:
        data: dict[str, Any] = usual(name)
        if threading.get_ident() == here:
            for key in ("init_main_from_name", "init_main_from_path", "main_path"):
                data.pop(key, None)
        return data

    with _alone:
        multiprocessing.spawn.get_preparation_data = prepared
        try:
            yield
        finally:
            multiprocessing.spawn.get_preparation_data = usual


def begin() -> None:
    """What a worker of a pool of gamekit's own does first."""
    # An interrupt of a terminal or a kernel goes to all its processes; the parent decides what becomes of a worker.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        # Also while code written in C does not let the watch below run. The fork server ends with the parent.
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    end_with_parent()


@cache
def end_with_parent() -> None:
    """End this process as soon as its parent is gone; does nothing where there is no parent to watch. Idempotent."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    threading.Thread(target=_watch, args=(parent.sentinel, os.getppid()), name="gamekit-parent", daemon=True).start()


def _watch(sentinel: int, parent: int) -> None:
    while not wait([sentinel], _LOOK_S) and os.getppid() == parent:
        pass
    os._exit(1)
