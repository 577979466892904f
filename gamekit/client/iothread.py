"""One thread with one event loop, shared by all blocking clients of the process.

The blocking face of the client runs everything here, so it needs nothing of the caller's loop: it works in scripts, in
threads and in a notebook's cells. The thread starts with the first client and ends with the last one.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from gamekit.errors import SessionError

T = TypeVar("T")
P = ParamSpec("P")


#: `io` is True on the threads that run a client's loop.
_here = threading.local()


def check_may_wait() -> None:
    """The one door before every blocking wait: what is waited for comes on the I/O thread, so it must not wait itself.

    Raises:
        SessionError: called on a client's I/O thread, which would wait for itself for ever and stop every client.
    """
    if getattr(_here, "io", False):
        raise SessionError(
            "A blocking call in a callback would wait for itself; start a thread for it, e.g. "
            "threading.Thread(target=...).start(), or let the callback only note what happened."
        )


class IoThread:
    """An event loop on its own daemon thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._main, name="gamekit-io", daemon=True)
        self._thread.start()

    def _main(self) -> None:
        _here.io = True
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._stop.wait())

    @property
    def alive(self) -> bool:
        """False once the loop has ended, and in a child that was forked from its process."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """End the loop and wait for the thread, unless called on it."""
        self._loop.call_soon_threadsafe(self._stop.set)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a plain function on the loop and wait for what it returns."""

        async def call() -> T:
            return function(*args, **kwargs)

        return self.run(call())

    def post(self, function: Callable[..., object], *args: object) -> None:
        """Have a plain function called on the loop soon, in order, without waiting; never, if the loop has ended."""
        if self.alive:
            self._loop.call_soon_threadsafe(function, *args)

    def later(self, delay_s: float, function: Callable[[], object]) -> None:
        """Have a plain function called on the loop after a while, unless the loop ends before. On the loop only."""
        self._loop.call_later(delay_s, function)

    def spawn(self, coroutine: Coroutine[Any, Any, object], after: Callable[[], None]) -> None:
        """Run a coroutine on the loop without waiting for it, then call `after`. Safe in a finalizer."""
        if self.alive:
            asyncio.run_coroutine_threadsafe(coroutine, self._loop).add_done_callback(lambda _: after())
        else:
            # The loop has ended already, and with it everything that the coroutine would end.
            coroutine.close()
            after()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for its result; an interrupt cancels it.

        Raises:
            SessionError: called on the loop's own thread, which would wait for itself for ever; or the loop has ended.
        """
        if not self.alive:
            coroutine.close()
            raise SessionError("This client's thread has ended, or is another process's; make a new client.")
        try:
            check_may_wait()
        except SessionError:
            coroutine.close()
            raise
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise


def _end() -> None:
    """The interpreter exits with clients open: end the loop while it still can be ended in order."""
    if _shared is not None:
        _shared.stop()


# Reentrant: a finalizer that releases may run in the middle of anything, this module included.
_lock = threading.RLock()
_users = 0
_shared: IoThread | None = None


def acquire() -> IoThread:
    """The process's I/O thread, started if need be; give it back with `release`."""
    global _users, _shared  # noqa: PLW0603
    with _lock:
        if _shared is None:
            _shared = IoThread()
        _users += 1
        return _shared


def release() -> None:
    """Give the I/O thread back; the last one ends it."""
    global _users, _shared  # noqa: PLW0603
    with _lock:
        _users = max(_users - 1, 0)
        if _users or _shared is None:
            return
        ending, _shared = _shared, None
    ending.stop()


def _forget() -> None:
    """A forked child has no threads but its own: it begins without one, and its parent's clients are not usable."""
    global _lock, _users, _shared
    _lock, _users, _shared = threading.RLock(), 0, None


atexit.register(_end)
os.register_at_fork(after_in_child=_forget)
