"""What a notebook holds, as TOML and JSON have it: numbers of numpy and pandas, tuples, sets and arrays made plain.

Knows numpy and pandas by what their values can do, and imports neither.
"""

from __future__ import annotations

from collections.abc import Callable, KeysView, Mapping, Sequence, Set, ValuesView
from numbers import Integral, Real
from typing import Any, TypeAlias

from gamekit.errors import ConfigError

#: Where something stands: keys and indexes, e.g. `("sectors", 1, "id")`.
Path: TypeAlias = tuple[str | int, ...]
#: Told of a value that has no plain form: where it stands, and what to do.
Wrong: TypeAlias = Callable[[Path, str], None]

#: How deep values may lie in each other; a definition needs four steps.
_DEEPEST = 12


def plain(value: Any, wrong: Wrong, path: Path = ()) -> Any:
    """A value as TOML and JSON have it: tables, lists, text, whole numbers, others as they are.

    What has no order, a set, is put in order. Values that can be read once only, and tables of pandas, are refused.
    """
    if value is None or type(value) in (str, int, bool, float):
        return value
    if len(path) > _DEEPEST:
        wrong(path[:4], f"values lie in each other more than {_DEEPEST} deep; a definition needs four steps.")
        return None
    if isinstance(value, Mapping):
        return {str(key): plain(one, wrong, (*path, str(key))) for key, one in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Set) and not isinstance(value, KeysView):
        try:
            value = sorted([sorted(one) if isinstance(one, Set) else one for one in value])
        except TypeError:
            wrong(path, "a set has no order, and what is in this one cannot be sorted; give a list.")
            return None
    elif type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        value = value.tolist()
        if not isinstance(value, list):
            return value
    if isinstance(value, Sequence | KeysView | ValuesView) and not isinstance(value, bytes | bytearray):
        return [plain(one, wrong, (*path, index)) for index, one in enumerate(value)]
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    if hasattr(value, "to_dict"):
        wrong(path, _of_pandas(value, path))
        return None
    if hasattr(value, "__next__"):
        wrong(path, f"expected a list, got a {type(value).__name__}, which can be read once only; give list(...).")
        return None
    return value


def _of_pandas(value: Any, path: Path) -> str:
    """What to give instead of a table or a row of pandas."""
    if not hasattr(value, "columns"):
        return "expected a table or a list, got a row or column of pandas; give `row.to_dict()` or `column.tolist()`."
    give = "frame.values.tolist()" if path[-1:] == ("gates",) else "frame.to_dict('records')"
    return f"expected a list, got a table of pandas; give `{give}`."


def plain_or_refused(source: str, value: Any) -> Any:
    """The same, for what is sent and kept as it is.

    Raises:
        ConfigError: some of it has no plain form; a line for each.
    """
    found: list[str] = []
    made = plain(value, lambda path, text: found.append(f"{source}: {_written(path)}: {text}"))
    if found:
        raise ConfigError("\n".join(found))
    return made


def _written(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
