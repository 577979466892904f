"""Which games there are: the bundled one, and designers' own by import path, `module:Class`.

Importing somebody's module runs it, so only who starts a server or a command names modules; nothing that comes over
the wire or out of a database does.
"""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from collections.abc import Iterable
from typing import Any

from gamekit.errors import ConfigError, GamekitError
from gamekit.firstuse import look_at
from gamekit.game import Game
from gamekit.space import SpaceGame

#: How a path begins that leads to a file with a game in it, as `gamekit.lab.cells` writes them for a launched server.
PICKLED = "pickle:"
#: What every game has; see `gamekit.game.Game`.
_CONTRACT = (
    *("name", "version", "command_type", "new", "tick", "advance", "apply", "next_due", "view", "changes", "audience"),
    *("secretive", "rules", "rule_table", "set_rules", "encode", "decode"),
)


def bundled() -> Game[Any]:
    """The space economy."""
    return SpaceGame()


def hosted(paths: Iterable[str] = ()) -> dict[str, Game[Any]]:
    """The games of a server or a command by name: the bundled one first, which is the default, then those named.

    Args:
        paths: import paths, `module:Class`; a module is found in the current directory as well.

    Raises:
        ConfigError: a path leads to no game, or two games have the same name.
    """
    games: dict[str, Game[Any]] = {}
    came_from: dict[str, str] = {}
    for game, path in [(bundled(), "the bundled game"), *((loaded(path), path) for path in paths)]:
        if came_from.get(game.name, path) != path:
            raise ConfigError(
                f"game {path}: its name {game.name!r} is that of {came_from[game.name]} as well; "
                "give one of them another `name`."
            )
        games[game.name], came_from[game.name] = game, path
    return games


def loaded(path: str) -> Game[Any]:
    """The game at an import path.

    Args:
        path: `module:Class`, e.g. "my_rules:MyGame"; the class is called without arguments. Or `pickle:FILE`.

    Raises:
        ConfigError: there is no such module or class, it cannot be imported or made, or it is no game.
    """
    if path.startswith(PICKLED):
        return made(path, *_unpickled(path))
    module_name, colon, attribute = path.partition(":")
    if not colon or not attribute.isidentifier() or not all(part.isidentifier() for part in module_name.split(".")):
        raise ConfigError(f"game {path!r}: expected MODULE:CLASS, e.g. my_rules:MyGame.")
    found = getattr(_module(path, module_name), attribute, None)
    if found is None:
        raise ConfigError(f"game {path}: the module {module_name} has no {attribute!r}; check the name.")
    return made(path, found, attribute)


def made(path: str, found: Any, attribute: str) -> Game[Any]:
    """The game itself from what was found: a class is called, anything else is taken as it is.

    Args:
        path: where it was found, for the messages.
        found: a class or an instance.
        attribute: its name, for the messages.

    Raises:
        ConfigError: it cannot be made, or is no game.
    """
    try:
        game = found() if isinstance(found, type) else found
    except Exception as error:
        raise ConfigError(f"game {path}: {attribute}() failed: {type(error).__name__}: {error}.") from error
    missing = [name for name in _CONTRACT if not hasattr(game, name)]
    if missing:
        raise ConfigError(
            f"game {path}: {attribute} is not a game: it has no {', '.join(missing)}; subclass gamekit.space.SpaceGame "
            "or gamekit.SmallGame, or see gamekit/game.py for the contract."
        )
    fulfils: Game[Any] = game
    look_at(getattr(game, "command_type", None), getattr(game, "state_type", None))
    return fulfils


def _unpickled(path: str) -> tuple[Any, str]:
    """What a file holds, and its name."""
    file = path.removeprefix(PICKLED)
    try:
        with open(file, "rb") as opened:
            found = pickle.load(opened)
    except Exception as error:
        # Whatever a class does while it is made; it is told like any other trouble with a game.
        raise ConfigError(f"game {path}: it cannot be read: {type(error).__name__}: {error}.") from error
    return found, getattr(found, "__name__", type(found).__name__)


def _module(path: str, name: str) -> Any:
    here = os.getcwd()
    if here not in sys.path:
        # It stays there: the module may import others beside it later on.
        sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise ConfigError(
                f"game {path}: there is no module {error.name!r} in {here} or among the installed ones."
            ) from None
        raise ConfigError(f"game {path}: importing {name} failed: {error}; install what it needs.") from error
    except GamekitError as error:
        raise ConfigError(f"game {path}: {error}") from error
    except Exception as error:
        raise ConfigError(f"game {path}: importing {name} failed: {type(error).__name__}: {error}.") from error
