"""Work of which only the latest request matters: a slider is dragged over a hundred values, three are worked out."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

from gamekit.client.iothread import check_may_wait
from gamekit.errors import SessionError

_NONE: Any = object()


class Latest:
    """Does `work` with the latest value that was asked for, on a thread that lives only while there is something to do.

    Args:
        work: called with one value at a time, never twice at once; what it raises goes to
            `threading.excepthook`, and the next request is served all the same.
        name: the thread's name.
    """

    def __init__(self, work: Callable[[Any], object], name: str) -> None:
        self._work = work
        self._name = name
        self._lock = threading.Lock()
        self._wanted: Any = _NONE
        self._thread: threading.Thread | None = None

    def ask(self, value: Any) -> None:
        """Have the work done with this value soon, in place of any value that waits. From any thread."""
        with self._lock:
            self._wanted = value
            if self._thread is None:
                self._thread = threading.Thread(target=self._main, name=self._name, daemon=True)
                self._thread.start()

    def join(self) -> None:
        """Wait until nothing is left to do.

        Raises:
            SessionError: called by the work itself, or in a client's callback: they would wait for themselves.
        """
        check_may_wait()
        while (thread := self._thread) is not None:
            if thread is threading.current_thread():
                raise SessionError("This is called by the work that it would wait for; start a thread for it.")
            thread.join()

    def _main(self) -> None:
        while True:
            with self._lock:
                value, self._wanted = self._wanted, _NONE
                if value is _NONE:
                    self._thread = None
                    return
            try:
                self._work(value)
            except Exception:
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
