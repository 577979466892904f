"""Classes from a notebook's cells, sent to another process: to a launched server, or to the workers of a sweep.

A class in a cell is in no module that another process could import, so it travels by value, with cloudpickle. That
makes an empty class first and fills it afterwards, which two kinds of class do not bear: a msgspec struct is what its
fields were when it was made, and a game must say its name at once. Both are made whole here.

Reading such bytes runs code, so nobody but who starts a server names a file of them, and it is gone once the server is
ready. They are not read where they were written: that would fill the very same class again, with copies of its parts.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import pickle
import tempfile
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import cloudpickle
import msgspec
from msgspec import NODEFAULT

from gamekit.errors import ConfigError
from gamekit.games import PICKLED, made
from gamekit.space.designed import Designed

#: The settings of a struct that `__struct_config__` tells of and that its class takes.
_SETTINGS = (
    *("frozen", "eq", "order", "array_like", "gc", "repr_omit_defaults", "omit_defaults", "forbid_unknown_fields"),
    *("weakref", "dict", "cache_hash", "tag", "tag_field"),
)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle, but for structs and games."""

    def reducer_override(self, obj: Any) -> Any:
        usual = super().reducer_override(obj)
        if not isinstance(obj, type) or usual is NotImplemented:
            return usual
        if issubclass(obj, msgspec.Struct):
            return (_struct, _parts_of(obj), (None, _added(obj)), None, None, _fill)
        if issubclass(obj, Designed) and isinstance(usual, tuple) and len(usual) == 6:
            make, (kind, name, bases, namespace, *rest), *others = usual
            return (make, (kind, name, bases, {**namespace, "name": obj.name}, *rest), *others)
        return usual


def by_value(what: Any, name: str) -> bytes:
    """Anything, with whatever it needs of a notebook's cells, for `pickle.loads` in another process.

    Args:
        what: a function, a class, an instance, or a structure of them.
        name: what it is, for the message.

    Raises:
        ConfigError: it holds what cannot be sent, e.g. an open file or a client.
    """
    written = io.BytesIO()
    try:
        _Pickler(written).dump(what)
    except (TypeError, ValueError, AttributeError, RecursionError, NameError, pickle.PicklingError) as error:
        raise ConfigError(
            f"{name} cannot be sent to another process: {error}. Classes, functions and plain values of a notebook "
            "may be used, but nothing that lives (clients, files); or put it into a module."
        ) from error
    return written.getvalue()


def pickled(game: Any) -> bytes:
    """A game's class or instance, for `gamekit.games.loaded` in another process.

    Raises:
        ConfigError: it holds what cannot be sent, e.g. an open file or a client.
    """
    return by_value(game, f"games: {getattr(game, '__name__', type(game).__name__)}")


@contextlib.contextmanager
def paths_of(games: Sequence[Any]) -> Iterator[list[str]]:
    """What a server is told of its games: import paths as they are, and a file for every other, which goes in the end.

    Raises:
        ConfigError: one is no game or cannot be sent.
    """
    with contextlib.ExitStack() as stack:
        paths = []
        for game in games:
            if isinstance(game, str):
                paths.append(game)
                continue
            name = getattr(game, "__name__", type(game).__name__)
            # What the server would complain of is complained of here, before it starts. (Not by reading the file: in
            # this process that would fill the very same class again, with copies of what it uses.)
            made("of this notebook", game, name)
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gamekit-game-")))
            path = directory / f"{name}.pickle"
            path.write_bytes(pickled(game))
            paths.append(f"{PICKLED}{path}")
        yield paths


def _parts_of(kind: type[msgspec.Struct]) -> tuple[Any, ...]:
    """What a struct is made from: name, bases, annotations, defaults, names on the wire, settings."""
    try:
        hints = get_type_hints(kind, include_extras=True)
    except NameError as error:
        raise NameError(f"a field of {kind.__name__} has a type that is not defined: {error}") from None
    own = {name: hints[name] for name in inspect.get_annotations(kind)}
    # Defaults belong to the last fields; where none is, a marker that cannot be sent stands.
    required = len(kind.__struct_fields__) - len(kind.__struct_defaults__)
    given = dict(zip(kind.__struct_fields__[required:], kind.__struct_defaults__, strict=True))
    plain, factories = {}, {}
    for name in own:
        default = given.get(name, NODEFAULT)
        if hasattr(default, "factory"):
            factories[name] = default.factory
        elif default is not NODEFAULT:
            plain[name] = default
        elif name not in kind.__struct_fields__ and name in kind.__dict__:
            plain[name] = kind.__dict__[name]  # a ClassVar
    settings = {name: getattr(kind.__struct_config__, name) for name in _SETTINGS}
    settings["kw_only"] = any(name in kind.__struct_fields__ and name not in kind.__match_args__ for name in own)
    wire = dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    settings["rename"] = {name: said for name, said in wire.items() if name != said} or None
    about = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind), kind.__name__, kind.__bases__, about, own, plain, factories, settings


def _struct(
    meta: Any,
    name: str,
    bases: tuple[type, ...],
    about: dict[str, Any],
    own: dict[str, Any],
    plain: dict[str, Any],
    factories: dict[str, Any],
    settings: dict[str, Any],
) -> Any:
    made = {key: msgspec.field(default_factory=factory) for key, factory in factories.items()}
    return meta(name, bases, {**about, "__annotations__": own, **plain, **made}, **settings)


def _added(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """A struct's methods and the like: what can be set once it is made."""
    kinds = (types.FunctionType, classmethod, staticmethod, property)
    return {name: value for name, value in kind.__dict__.items() if isinstance(value, kinds)}


def _fill(kind: type, state: tuple[None, dict[str, Any]]) -> None:
    for name, value in state[1].items():
        setattr(kind, name, value)
