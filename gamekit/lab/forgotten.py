"""Servers of a notebook that nothing leads to any more: the cell that launched them was run again.

A variable that is bound anew does not end what it held, for two reasons: handles refer to each other, so that only the
garbage collector finds them, some time; and a notebook keeps what it has shown (`Out`, `_`, every widget), for good. So
after each cell, while several launched servers run, those are ended that cannot be reached from the notebook's
variables. What was shown does not count, a widget neither; the newest server stays in any case. Two servers in two
variables, a list of servers, an object or a running thread that holds one: all stay.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import sys
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: Names under which IPython keeps what was typed and shown.
_HISTORY = re.compile(r"In|Out|_+|_(i|ii|iii|ih|oh|dh|exit_code)|_i?[0-9]+")
#: Things that are looked at at most; beyond that, servers count as held.
MOST = 500_000
_OWN_MODULES = frozenset({"__main__", "__mp_main__"})


def watch(end: Callable[[Mapping[str, Any]], None]) -> None:
    """Have a function called with the notebook's variables after each cell; does nothing outside of IPython."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        return

    def after_cell(*_: object) -> None:
        with contextlib.suppress(Exception):
            end(shell.user_ns)

    if not getattr(shell, "_gamekit_watched", False):
        shell._gamekit_watched = True
        shell.events.register("post_run_cell", after_cell)


def reached(wanted: Iterable[Any], namespace: Mapping[str, Any]) -> set[int]:
    """Which of these objects the variables of a notebook lead to.

    Args:
        wanted: the objects.
        namespace: the variables.

    Returns:
        The ids of those that were found; of all, when there is too much to look at.
    """
    looked_for = {id(one) for one in wanted}
    found: set[int] = set()
    seen = {id(namespace), *(id(value) for name, value in namespace.items() if _HISTORY.fullmatch(name))}
    waiting = [value for name, value in namespace.items() if not _HISTORY.fullmatch(name)]
    waiting += [*_threads_locals(), *_tasks(namespace)]
    while waiting and found != looked_for:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if len(seen) > MOST:
            return looked_for
        if id(thing) in looked_for:
            found.add(id(thing))
        elif not _leads_nowhere(thing):
            # What the collector does not follow holds nothing that it follows.
            waiting += [one for one in gc.get_referents(thing) if gc.is_tracked(one)]
    return found


def _leads_nowhere(thing: Any) -> bool:
    """Whether something is part of a library, or a widget: what they know is no use that somebody makes of it."""
    if isinstance(thing, types.ModuleType):
        return not _own(thing.__name__)
    if isinstance(thing, type | types.FunctionType):
        return not _own(getattr(thing, "__module__", None))
    module = type(thing).__module__
    if module.startswith(("IPython.", "ipykernel.", "asyncio.", "gamekit.client.iothread", "gamekit.widgets.")):
        return True
    widget = getattr(sys.modules.get("ipywidgets"), "Widget", None)
    return widget is not None and isinstance(thing, widget)


def _own(module: str | None) -> bool:
    if module is None or module in _OWN_MODULES:
        return True
    from gamekit.lab.sweeps.origins import is_own

    return is_own(module)


def _threads_locals() -> list[Any]:
    """What functions that run in other threads have at hand."""
    found: list[Any] = []
    main, names = threading.main_thread().ident, {one.ident: one.name for one in threading.enumerate()}
    for ident, top in sys._current_frames().items():
        frame: types.FrameType | None = top if ident not in (main, threading.get_ident()) else None
        while frame is not None and not str(names.get(ident, "")).startswith("gamekit-"):
            if _own(frame.f_globals.get("__name__")):
                found += frame.f_locals.values()
            frame = frame.f_back
    return found


def _tasks(namespace: Mapping[str, Any]) -> list[Any]:
    """The coroutines of a notebook's cells that run beside them."""
    try:
        running = asyncio.all_tasks()
    except RuntimeError:
        return []
    coroutines = [task.get_coro() for task in running]
    frames = [getattr(one, "cr_frame", None) for one in coroutines]
    return [value for one in frames if one and one.f_globals is namespace for value in one.f_locals.values()]
