"""From plain values to typed structures, with all that is wrong in shape told at once.

A value that is wrong is noted and stands as None in what is made, so that whether the rest makes sense can be asked all
the same. What notebooks hold is made plain before; see `gamekit.plain`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from gamekit.names import tidied, unfit
from gamekit.space.mistakes import Mistakes, Path, listed, shown


def shaped(value: Any, kind: Any, found: Mistakes, path: Path = ()) -> Any:
    """A plain value as a structure of type `kind`; what is wrong is noted, and None stands in its place."""
    if value is None and found.noted(path):
        return None
    kind, meta = _unwrapped(kind)
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        if value is None:
            return None
        [kind] = [one for one in get_args(kind) if one is not NoneType]
        return shaped(value, kind, found, path)
    if hasattr(kind, "__struct_fields__"):
        return _structure(value, kind, found, path)
    if origin is tuple:
        return _row(value, get_args(kind), meta, found, path)
    if origin is dict:
        return _table(value, get_args(kind)[1], found, path)
    if origin is Literal:
        if value in get_args(kind):
            return value
        found.unknown(path, _last(path), value, [str(one) for one in get_args(kind)])
        return None
    if kind is bool:
        if isinstance(value, bool):
            return value
        found.add(path, f"expected true or false, got {shown(value)}.")
        return None
    if kind is int:
        return _number(value, meta, found, path)
    if kind is str:
        return _text(value, meta, found, path)
    return value


def _unwrapped(kind: Any) -> tuple[Any, Meta]:
    if get_origin(kind) is Annotated:
        plain_kind, meta = get_args(kind)
        return plain_kind, meta
    return kind, _NO_LIMITS


_NO_LIMITS = Meta()


@cache
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """The fields of a structure: `{name: (type, whether it must be given)}`."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: (hints[field.name], field.required) for field in msgspec.structs.fields(kind)}


def _last(path: Path) -> str:
    return str(next((step for step in reversed(path) if isinstance(step, str)), "value"))


def _structure(value: Any, kind: Any, found: Mistakes, path: Path) -> Any:
    if not isinstance(value, Mapping):
        found.add(path, f"expected a table of {', '.join(kind.__struct_fields__)}, got {shown(value)}.")
        return None
    fields = _fields(kind)
    for name in value:
        if name not in fields:
            found.unknown((*path, name), "key", name, list(fields), key=_where(path))
    made: dict[str, Any] = {}
    for name, (hint, required) in fields.items():
        if name in value:
            made[name] = shaped(value[name], hint, found, (*path, name))
        elif required:
            made[name] = None
    missing = [name for name, (_, required) in fields.items() if required and name not in value]
    if missing:
        found.add(
            path, f"{listed(missing)} {'is' if len(missing) == 1 else 'are'} missing; the keys are {', '.join(fields)}."
        )
    return kind(**made)


def _where(path: Path) -> str | None:
    return None if path else ""


def _row(value: Any, kinds: tuple[Any, ...], meta: Meta, found: Mistakes, path: Path) -> Any:
    if not isinstance(value, list):
        found.add(path, f"expected a list, got {shown(value)}.")
        return None
    if kinds[-1] is not Ellipsis:
        if len(value) != len(kinds):
            found.add(path, f"expected {len(kinds)} values, got {len(value)}: {shown(value)}.")
            return None
        return tuple(
            shaped(one, kind, found, (*path, at)) for at, (one, kind) in enumerate(zip(value, kinds, strict=True))
        )
    low, high = meta.min_length or 0, meta.max_length
    if len(value) < low or (high is not None and len(value) > high):
        found.add(path, f"expected {low} to {high} of them, got {len(value)}.")
        value = value[:high]
    return tuple(shaped(one, kinds[0], found, (*path, index)) for index, one in enumerate(value))


def _table(value: Any, kind: Any, found: Mistakes, path: Path) -> Any:
    if not isinstance(value, Mapping):
        found.add(path, f"expected a table, got {shown(value)}.")
        return None
    return {str(name): shaped(one, kind, found, (*path, str(name))) for name, one in value.items()}


def _number(value: Any, meta: Meta, found: Mistakes, path: Path) -> int | None:
    whole = value
    if type(value) is float and value.is_integer():
        # A column of pandas with a gap somewhere holds its whole numbers so.
        whole = int(value)
    low, high = cast("int | None", meta.ge), cast("int | None", meta.le)
    if type(whole) is int and (low is None or whole >= low) and (high is None or whole <= high):
        return whole
    span = f" from {low} to {high}" if low is not None and high is not None else ""
    found.add(path, f"expected a whole number{span}, got {shown(value)}{_rounded(value, low, high)}.")
    return None


def _rounded(value: Any, low: int | None, high: int | None) -> str:
    """What would do in the place of a number with a fraction."""
    if type(value) is not float or not abs(value) < 2**53:
        return ""
    near = round(value)
    inside = (low is None or near >= low) and (high is None or near <= high)
    return f"; {near} would do" if inside else ""


def _text(value: Any, meta: Meta, found: Mistakes, path: Path) -> str | None:
    if not isinstance(value, str):
        found.add(path, f"expected text in quotation marks, got {shown(value)}.")
        return None
    if meta.pattern is not None:
        # An id: whether it is one is asked where the others are known, so that a free one can be offered.
        return value
    longest = meta.max_length
    if longest is None:
        return value
    if not meta.min_length:
        # A sentence, which may be empty, and may go over several lines of a file.
        sentence = " ".join(value.split())
        if sentence and (wrong := unfit(sentence, longest)):
            found.add(path, wrong.replace("a name of 1", "text of 0") + f" It is {shown(value)}.")
        return sentence
    if wrong := unfit(value, longest):
        found.add(path, f"{wrong} It is {shown(value)}.")
        return value
    return tidied(value)
