"""gamekit: a live, durable and scientific toolkit for multiplayer games.

`launch` starts a private server and returns a client of it; `Client` and `connect` are clients of a server that runs;
`Bot` is the base of players in Python, `SmallGame` of small games of one's own; `lab` holds the designers' tools and
`errors` all errors. Everything is imported when it is first used, so that the server and the rules never pay for what a
notebook needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gamekit import errors, lab
    from gamekit.bots import Bot
    from gamekit.client.aio import connect
    from gamekit.lab.handles import Client
    from gamekit.lab.launch import launch
    from gamekit.smallgame import SmallGame, SmallState

    __version__: str

__all__ = ["Bot", "Client", "SmallGame", "SmallState", "__version__", "connect", "errors", "lab", "launch"]

#: {name: (module that has it, name there or None for the module itself)}
_LAZY = {
    "Bot": ("gamekit.bots", "Bot"),
    "Client": ("gamekit.lab.handles", "Client"),
    "connect": ("gamekit.client.aio", "connect"),
    "SmallGame": ("gamekit.smallgame", "SmallGame"),
    "SmallState": ("gamekit.smallgame", "SmallState"),
    "errors": ("gamekit.errors", None),
    "lab": ("gamekit.lab", None),
    "launch": ("gamekit.lab.launch", "launch"),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("gamekit")
    if name not in _LAZY:
        raise AttributeError(f"module 'gamekit' has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LAZY[name]
    loaded = import_module(module)
    value = loaded if attribute is None else getattr(loaded, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
