"""What a run's key is made of: a digest of everything that a function, a class or an object can be decided by.

A result that is taken from a database must be the one that a new run would give. So a function counts by its bytecode
and constants, its defaults, what it closes over, its attributes, and every global that its code names, and so on from
there; a module of the user's own by its file as well. A class counts by all it holds and by its bases, an object by its
class and what it would be pickled as. Packages count by name and version, gamekit by the code that decides a run.

Names, files and line numbers do not count: a notebook's cell that is run again gives the same digest. What has no
content that could be compared (an open file, a lock, a connection) raises `Unkeyable`, and so does code that finds a
name only when it runs (`globals()`, `eval`), or reads a file or the environment. Clocks and chance cannot be known.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import copyreg
import enum
import functools
import hashlib
import importlib
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from gamekit.errors import ConfigError
from gamekit.lab.sweeps.origins import found_at, is_own, package_of, text_of
from gamekit.lab.sweeps.reads import Names

#: What a class holds that says nothing of what it does.
_BOOKKEEPING = frozenset(
    {
        *(
            "__dict__",
            "__weakref__",
            "__module__",
            "__qualname__",
            "__firstlineno__",
            "__static_attributes__",
        ),
        *(
            "__annotate__",
            "__annotate_func__",
            "__annotations_cache__",
            "_abc_impl",
            "__abstractmethods__",
            "__slotnames__",
        ),
    }
)
#: Builtins that find what they give by a name that the code need not hold.
_DYNAMIC = frozenset({"globals", "locals", "eval", "exec", "__import__"})
#: Functions of libraries that do, by the module they are taken of.
_FINDING = {"importlib": {"import_module", "reload"}, "sys": {"modules", "_getframe"}, "runpy": {"run_path"}}
#: What reads what lies outside of Python, by the names of functions and attributes.
_OUTSIDE = frozenset(
    {
        *("open", "read_text", "read_bytes", "environ", "getenv", "urlopen", "loadtxt", "genfromtxt", "fromfile"),
        *("read_csv", "read_json", "read_parquet", "read_excel", "read_sql", "read_pickle", "read_feather"),
    }
)
_MEMORY = re.compile(r" at 0x[0-9a-fA-F]+")
_PLAIN = (type(None), type(Ellipsis), type(NotImplemented), bool, int, float, complex, str, bytes)
_DESCRIPTORS = (
    *(types.MemberDescriptorType, types.GetSetDescriptorType, types.WrapperDescriptorType),
    *(types.MethodDescriptorType, types.ClassMethodDescriptorType, types.MethodWrapperType),
)


class Unkeyable(ConfigError):
    """Something has no content that could be compared."""


def digest_of_things(*things: Any) -> str:
    """A digest of all that decides what these do.

    Raises:
        Unkeyable: something has no content that could be compared; the message says where it is.
    """
    walk = _Walk()
    try:
        return walk.of(things).hex()
    except RecursionError:
        raise Unkeyable(f"{walk.where}: it is nested too deeply.") from None


class _Walk:
    """One pass over everything that can be reached."""

    def __init__(self) -> None:
        #: {id: (thing, digest)}; things are held, so that no id is used twice.
        self._done: dict[int, tuple[Any, bytes]] = {}
        self._under_way: dict[int, int] = {}
        self._path: list[str] = []

    @property
    def where(self) -> str:
        """The way to what is looked at."""
        return ", ".join(one for one in self._path if one)

    def of(self, thing: Any, label: str = "") -> bytes:
        """The digest of one thing."""
        if type(thing) in _PLAIN:
            return _hashed(type(thing).__name__, repr(thing))
        key = id(thing)
        if key in self._done:
            return self._done[key][1]
        if key in self._under_way:
            return _hashed("again", len(self._under_way) - self._under_way[key])
        self._under_way[key] = len(self._under_way)
        self._path.append(label)
        try:
            found = _hashed(*self._parts(thing))
        finally:
            # The path stays where it broke, for the message; nothing is looked at after that.
            del self._under_way[key]
        self._path.pop()
        self._done[key] = (thing, found)
        return found

    def _parts(self, thing: Any) -> Iterator[Any]:
        yield type(thing).__name__
        match thing:
            case types.ModuleType():
                yield from self._module(thing)
            case types.FunctionType():
                yield from self._function(thing)
            case types.CodeType():
                yield from self._code(thing)
            case types.MethodType():
                yield self.of(thing.__func__)
                yield self.of(thing.__self__, f"the object of {thing.__name__}")
            case types.BuiltinFunctionType():
                yield thing.__qualname__
                owner = thing.__self__
                yield package_of(thing.__module__) if owner is None else self.of(owner)
            case functools.partial():
                yield from map(self.of, (thing.func, thing.args, thing.keywords))
            case staticmethod() | classmethod():
                yield self.of(thing.__func__)
            case functools.cached_property():
                # Before Python 3.12 it holds a lock.
                yield self.of(thing.func)
            case property():
                yield from map(self.of, (thing.fget, thing.fset, thing.fdel))
            case list() | tuple() if type(thing) in (list, tuple):
                yield from map(self.of, thing)
            case dict() | types.MappingProxyType() if type(thing) in (dict, types.MappingProxyType):
                for name, value in thing.items():
                    yield self.of(name)
                    yield self.of(value, name if isinstance(name, str) else "")
            case set() | frozenset():
                yield self.of(type(thing))
                yield from sorted(map(self.of, thing))
                yield self.of(getattr(thing, "__dict__", None))
            case types.CellType():
                with contextlib.suppress(ValueError):  # empty
                    yield self.of(thing.cell_contents)
            case types.GenericAlias() | types.UnionType():
                yield from map(self.of, (typing.get_origin(thing), typing.get_args(thing)))
            case type():
                yield from self._class(thing)
            case enum.Enum():
                yield from (thing.name, self.of(type(thing)))
            case _:
                yield from self._object(thing)

    def _module(self, module: types.ModuleType) -> Iterator[Any]:
        name = module.__name__
        yield name
        if not is_own(name):
            yield package_of(name)
            return
        yield text_of(module)
        for one, value in sorted(vars(module).items()):
            if not one.startswith("__"):
                yield one
                yield self.of(value, f"{name}.{one}")

    def _function(self, function: types.FunctionType) -> Iterator[Any]:
        name, own = function.__module__ or "", is_own(function.__module__ or "")
        if not own and found_at(name, function.__qualname__) is function:
            yield from (function.__qualname__, package_of(name))
            return
        yield function.__name__
        if "registry" in vars(function) and "_clear_cache" in vars(function):
            # Of `functools.singledispatch`, whose cache says nothing of what it does.
            yield self.of(dict(vars(function)["registry"]), f"what {function.__name__} is registered for")
            return
        yield self.of(function.__code__)
        yield self.of(function.__defaults__, f"a default of {function.__name__}")
        yield self.of(function.__kwdefaults__, f"a default of {function.__name__}")
        attributes = {one: value for one, value in vars(function).items() if one != "__wrapped__"}
        yield self.of(attributes, f"an attribute of {function.__name__}")
        annotations = inspect.get_annotations(function)
        yield sorted((one, value if isinstance(value, str) else _named(value)) for one, value in annotations.items())
        read = Names(function.__code__)
        if own:
            _refuse_dynamic(function, read)
        for one, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            yield self._read(one, cell, f"{one}, which {function.__name__} closes over", read)
        if not own:
            yield package_of(name)
            return
        for one in sorted(read.names):
            if one in function.__globals__:
                yield one
                label = f"{one}, which {function.__name__} reads"
                yield from self._global(one, function.__globals__[one], label, read)
            elif not hasattr(builtins, one):
                yield f"{one} is not there"
        for one, taken in sorted(read.imported.items()):
            yield from self._imported(one, taken, function.__globals__.get("__package__") or "")

    def _read(self, name: str, thing: Any, label: str, read: Names) -> bytes:
        """What a function reads under a name; of what it only adds to the content does not count."""
        inner = thing
        if isinstance(thing, types.CellType):
            try:
                inner = thing.cell_contents
            except ValueError:
                return _hashed("empty")
        if type(inner) in (list, set, collections.deque) and read.only_added_to(name):
            return _hashed("added to", type(inner).__name__)
        return self.of(inner, label)

    def _global(self, name: str, thing: Any, label: str, read: Names) -> Iterator[Any]:
        attributes = read.attributes.get(name, set())
        if isinstance(thing, types.ModuleType) and is_own(thing.__name__) and "" not in attributes:
            # Of a module of one's own what is named counts, and its text.
            yield text_of(thing)
            for one in sorted(attributes):
                yield one
                if hasattr(thing, one):
                    yield self.of(getattr(thing, one), f"{name}.{one}")
        else:
            yield self._read(name, thing, label, read)
            if isinstance(thing, types.ModuleType):
                # What the user has put into somebody else's module.
                for one in sorted(attributes):
                    value = getattr(thing, one, None)
                    if is_own(getattr(value, "__module__", None) or "builtins"):
                        yield self.of(value, f"{name}.{one}")

    def _imported(self, name: str, taken: set[str], package: str) -> Iterator[Any]:
        """A module that a function imports when it is called."""
        yield name
        try:
            module = importlib.import_module(name, package or None)
        except Exception as error:
            yield f"{type(error).__name__}"
            return
        if not taken or not is_own(module.__name__):
            yield self.of(module, name)
            return
        yield text_of(module)
        for one in sorted(taken):
            yield one
            yield self.of(getattr(module, one, None), f"{name}.{one}")

    def _code(self, code: types.CodeType) -> Iterator[Any]:
        yield from (code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        yield from (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        yield getattr(code, "co_exceptiontable", b"")
        for constant in code.co_consts:
            yield self.of(constant)

    def _class(self, kind: type) -> Iterator[Any]:
        yield kind.__qualname__
        if is_own(kind.__module__):
            yield kind.__name__
        if not is_own(kind.__module__):
            yield package_of(kind.__module__)
            return
        yield from map(self.of, kind.__bases__)
        yield self.of(type(kind))
        for name in ("__struct_fields__", "__struct_defaults__"):
            if hasattr(kind, name):
                yield self.of(getattr(kind, name))
        if config := getattr(kind, "__struct_config__", None):
            yield [(one, str(getattr(config, one))) for one in dir(config) if not one.startswith("_")]
        for name, value in sorted(vars(kind).items()):
            if name == "__annotations__":
                yield sorted((one, value if isinstance(value, str) else _named(value)) for one, value in value.items())
            elif name not in _BOOKKEEPING and not isinstance(value, _DESCRIPTORS):
                yield name
                yield self.of(value, f"{kind.__qualname__}.{name}")

    def _object(self, thing: Any) -> Iterator[Any]:
        kind = type(thing)
        if isinstance(thing, _DESCRIPTORS):
            yield getattr(thing, "__qualname__", thing.__name__)
            return
        name, qualname = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
        if isinstance(name, str) and not is_own(name) and found_at(name, str(qualname)) is thing:
            yield from (qualname, package_of(name))
            return
        if (wrapped := getattr(thing, "__wrapped__", None)) is not None and kind.__module__ == "functools":
            yield self.of(wrapped)
            return
        if kind.__module__ == "typing":
            yield _named(thing)
            return
        yield self.of(kind)
        if kind.__module__.startswith("msgspec") and hasattr(thing, "factory"):
            yield self.of(thing.factory)
            return
        try:
            reducer = copyreg.dispatch_table.get(kind)
            reduced = thing.__reduce_ex__(4) if reducer is None else reducer(thing)
        except Exception as error:
            label = self.where or "it"
            raise Unkeyable(f"{label}: a {kind.__name__} has no content that could be compared ({error}).") from None
        if isinstance(reduced, str):
            yield reduced
            return
        for part in reduced:
            if part is not None and isinstance(part, Iterator):
                yield self.of(list(part))
            else:
                yield self.of(part)


def _hashed(*parts: Any) -> bytes:
    """A digest of parts, each told apart from the next by its length."""
    told = hashlib.blake2b(digest_size=16)
    for part in parts:
        raw = part if isinstance(part, bytes) else repr(part).encode(errors="surrogatepass")
        told.update(b"%d:" % len(raw) + raw)
    return told.digest()


def _named(thing: Any) -> str:
    """An annotation in words that do not depend on where things lie in memory."""
    return _MEMORY.sub("", inspect.formatannotation(thing)) if not isinstance(thing, Mapping) else ""


def _refuse_dynamic(function: types.FunctionType, read: Names) -> None:
    """Complain of code whose reads its names do not tell.

    Raises:
        Unkeyable: it finds something by a name that is made when it runs, or reads what lies outside of Python.
    """
    name, known = function.__name__, function.__globals__
    found = {one for one in _DYNAMIC & read.names if one not in known}
    for module, taken in _FINDING.items():
        here = {one for one, value in known.items() if getattr(value, "__name__", "") == module}
        named = set().union(*(read.attributes.get(one, set()) for one in here), read.imported.get(module, set()))
        found |= taken & (named | (read.said if module in read.imported else set()))
        found |= {one for one in taken & read.names if getattr(known.get(one), "__module__", "") == module}
    if found:
        raise Unkeyable(
            f"{name} finds what it uses by {', '.join(sorted(found))} when it runs, so it cannot be known beforehand; "
            "name it in the code instead."
        )
    outside = set() if read.writes else _OUTSIDE & read.said
    if outside:
        raise Unkeyable(
            f"{name} reads what lies outside of Python ({', '.join(sorted(outside))}), which may change between two "
            "runs; read it once, into a constant beside the function, and its content counts."
        )
