"""Where code comes from: Python, an installed package, gamekit, or the user; the first three count by their version."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import sysconfig
import types
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import gamekit

#: Parts of gamekit that no run comes to; a metric may use all the rest (frames, histories, the doctor).
_APART = ("server", "web", "cli", "widgets", "bench", "faultsim", "client", "lab/charts", "lab/sweeps")


def deciding() -> Iterator[Path]:
    """The files of gamekit that may decide what a run gives, in order."""
    package = Path(gamekit.__file__).parent
    for path in sorted(package.rglob("*")):
        name = path.relative_to(package).as_posix()
        if path.suffix in {".py", ".toml"} and not name.startswith(tuple(f"{part}/" for part in _APART)):
            yield path


@cache
def rules_code() -> str:
    """A digest of gamekit's own code that may decide a run; after a change of it studies begin anew."""
    told = hashlib.blake2b(gamekit.__version__.encode(), digest_size=16)
    package = Path(gamekit.__file__).parent
    for path in deciding():
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
    if top in ("gamekit", "builtins") or top in sys.builtin_module_names:
        return False
    file = getattr(sys.modules.get(name) or sys.modules.get(top), "__file__", None)
    if file is None:
        return top not in sys.stdlib_module_names
    # A file beside the script may have the name of a module of Python's ("code", "test", "profile"), and hides it.
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
    return f"{name} {getattr(sys.modules.get(top), '__version__', None)} {_content_of(top)}"


@cache
def _content_of(top: str) -> str:
    """A digest of an installed package's files, because its author may change them and not its version."""
    told = hashlib.blake2b(digest_size=16)
    for one in sorted(_distributions().get(top, ())):
        with contextlib.suppress(metadata.PackageNotFoundError):
            lines = (metadata.distribution(one).read_text("RECORD") or "").splitlines()
            told.update(f"{one} {metadata.version(one)}".encode())
            told.update("\n".join(sorted(line for line in lines if _is_content(line))).encode())
    if top not in _distributions():
        # A file that was put there by hand.
        file = getattr(sys.modules.get(top), "__file__", None)
        place = Path(file) if file else Path()
        for path in sorted(place.parent.rglob("*.py")) if place.name == "__init__.py" else [place] if file else []:
            told.update(path.name.encode() + path.read_bytes())
    return told.hexdigest()


def _is_content(line: str) -> bool:
    """Whether a line of RECORD tells a file of the package itself: no script, and nothing that the installer wrote."""
    return ",sha256=" in line and not line.startswith("../") and ".dist-info/" not in line


@cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


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
