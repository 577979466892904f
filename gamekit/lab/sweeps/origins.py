"""Where code comes from: Python, an installed package, gamekit, or the user; the first three count by their version."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import sysconfig
import types
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import gamekit

#: Parts of gamekit that decide what a run gives; the rest (servers, pages, charts) may change without harm.
_DECIDING = ("space", "session", "game.py", "history.py", "upgrade.py", "lab/metrics.py", "lab/simulate.py")


@cache
def rules_code() -> str:
    """A digest of gamekit's own code that decides a run; after a change of it studies begin anew."""
    told = hashlib.blake2b(gamekit.__version__.encode(), digest_size=16)
    package = Path(gamekit.__file__).parent
    for part in _DECIDING:
        found = package / part
        for path in [found] if found.is_file() else sorted(found.rglob("*")):
            if path.suffix in {".py", ".toml"}:
                told.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


@cache
def _places() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({str(Path(paths[name]).resolve()) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


@cache
def is_own(name: str) -> bool:
    """Whether a module is the user's: neither Python's, nor an installed package's, nor gamekit's."""
    top = name.partition(".")[0]
    if top in ("__main__", "__mp_main__"):
        return True
    if top in ("gamekit", "builtins") or top in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(name) or sys.modules.get(top), "__file__", None)
    if file is None:
        return top not in sys.builtin_module_names
    place = str(Path(file).resolve())
    return "site-packages" not in place and "dist-packages" not in place and not place.startswith(_places())


@cache
def package_of(name: str | None) -> str:
    """A module that is not the user's, with the version of what it belongs to."""
    top = (name or "builtins").partition(".")[0]
    if top == "gamekit":
        return f"{name} {rules_code()}"
    if top == "builtins" or top in sys.stdlib_module_names:
        return f"{name} {sys.version}"
    version = getattr(sys.modules.get(top), "__version__", None)
    if version is None:
        with contextlib.suppress(metadata.PackageNotFoundError):
            version = metadata.version(top)
    return f"{name} {version}"


def found_at(module: str, qualname: str) -> Any:
    """What stands in a module under a name; None when nothing does."""
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def text_of(module: types.ModuleType) -> str:
    """A digest of a module's file."""
    file = getattr(module, "__file__", None)
    try:
        return hashlib.blake2b(Path(file).read_bytes(), digest_size=16).hexdigest() if file else ""
    except OSError:
        return ""
