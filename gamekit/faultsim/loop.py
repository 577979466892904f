"""An asyncio event loop in virtual time: what one host's process has for a loop.

It does as much of `asyncio.AbstractEventLoop` as the production host uses, over the world's heap (and does not inherit
from it, for it is none in full). Work given to an
executor is done in one piece, a moment later, while the loop goes on; so does a host's thread. A loop can stand still
for a while (everything due comes late, in order) and can die (nothing ever happens in it again).
"""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable
from typing import Any, cast

from gamekit.errors import GamekitError
from gamekit.faultsim.world import World


class Died(BaseException):
    """The process died in the middle of a blocking call; nothing of it goes on."""


class HostLoop:
    """One process's loop.

    Args:
        world: where time comes from.
        chance: how long an executor takes.
        failed: told of exceptions that nobody handled.
    """

    def __init__(self, world: World, chance: random.Random, failed: Callable[[str], None]) -> None:
        self.world = world
        self.dead = False
        self._loop = cast(asyncio.AbstractEventLoop, self)
        self._chance = chance
        self._failed = failed
        self._stalled_until_us = 0
        self._tasks: list[asyncio.Task[Any]] = []

    def stall(self, duration_us: int) -> None:
        """Nothing happens in this loop for so long."""
        self._stalled_until_us = max(self._stalled_until_us, self.world.now_us + duration_us)

    def die(self) -> None:
        """Nothing happens in this loop any more; its tasks end where they stand."""
        self.dead = True
        for task in self._tasks:
            if not task.done():
                # Else asyncio complains about tasks that were never finished; here that is the point.
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                task.get_coro().close()
        self._tasks.clear()

    # --- what asyncio and the host call -----------------------------------------------------------------------

    def time(self) -> float:
        """Seconds of virtual time."""
        return self.world.now_us / 1e6

    def get_debug(self) -> bool:
        """Never."""
        return False

    def is_running(self) -> bool:
        """Always, until it dies."""
        return not self.dead

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Call after what is due already."""
        handle = asyncio.Handle(callback, args, self._loop, context)
        self.world.at(self.world.now_us, lambda: self._run(handle))
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """The same; there are no threads here."""
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Call in `delay` seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Call at a time of this loop."""
        handle = asyncio.TimerHandle(when, callback, args, self._loop, context)
        self.world.at(round(when * 1e6), lambda: self._run(handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Asyncio tells of cancelled timers; they are skipped when they come up."""

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""
        return asyncio.Future(loop=self._loop)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None, **kwargs: Any) -> Any:
        """A task in this loop."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self._loop, name=name, context=context, **kwargs)
        self._tasks = [*(one for one in self._tasks if not one.done()), task]
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        """A task that fails with anything but an error of gamekit's own has found a fault, whoever awaits it."""
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, GamekitError):
            self._failed(f"a task failed: {error!r}")

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Do it a moment later, in one piece; its result comes into the loop after that."""
        future: asyncio.Future[Any] = self.create_future()

        def done(value: Any, error: Exception | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(value)

        def work() -> None:
            if self.dead:
                return
            try:
                value = func(*args)
            except Died:
                return
            except Exception as error:
                self.call_soon(done, None, error)
            else:
                self.call_soon(done, value, None)

        self.world.after(self._chance.randrange(100, 20_000), work)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An exception that nobody handled is a fault of the host's code."""
        text = str(context.get("message"))
        # When an unread exception is noticed depends on the garbage collector; it is reported where it is raised.
        if not self.dead and "never retrieved" not in text:
            self._failed(f"{text}: {context.get('exception')!r}")

    def _run(self, handle: asyncio.Handle) -> None:
        if self.dead or handle.cancelled():
            return
        if self.world.now_us < self._stalled_until_us:
            self.world.at(self._stalled_until_us, lambda: self._run(handle))
            return
        asyncio._set_running_loop(self._loop)
        try:
            handle._run()
        finally:
            asyncio._set_running_loop(None)
