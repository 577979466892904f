"""Several ES modules as one text, for front ends that can load only one.

Handles the plain modules of this project and no others: named imports from relative paths, exported declarations.
Each module becomes a function of its own, so that names that are private to two modules do not meet. Anything else at
the beginning of a line that says `import` or `export` is an error rather than a guess.
"""

from __future__ import annotations

import re
from pathlib import Path

from gamekit.errors import ConfigError

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)";[ \t]*\n?', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+(?=(?:async\s+function|function\*?|class|const|let)\s+(\w+))", re.MULTILINE)
_EXPORT_DEFAULT = re.compile(r"^export\s+default\s", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def bundle(entry: Path) -> str:
    """The module at `entry`, with all that it imports, as the text of one module.

    Args:
        entry: an ES module whose default export becomes that of the bundle.

    Raises:
        ConfigError: a module uses a form of import or export that this does not know; the message shows the line.
    """
    done: dict[Path, str] = {}
    parts: list[str] = []
    _add(entry.resolve(), done, parts, is_entry=True)
    return "\n".join(parts)


def _add(path: Path, done: dict[Path, str], parts: list[str], *, is_entry: bool) -> None:
    """Append a module after those it imports."""
    text = path.read_text(encoding="utf-8")
    done[path] = f"module{len(done)}"
    for match in _IMPORT.finditer(text):
        imported = (path.parent / match[2]).resolve()
        if imported not in done:
            _add(imported, done, parts, is_entry=False)

    def bind(match: re.Match[str]) -> str:
        names = " ".join(match[1].split()).rstrip(",").replace(" as ", ": ")
        return f"const {{ {names} }} = {done[(path.parent / match[2]).resolve()]};\n"

    text = _IMPORT.sub(bind, text)
    names = [match[1] for match in _EXPORT.finditer(text)]
    text = _EXPORT.sub("", text)
    left_over = _LEFT_OVER.search(_EXPORT_DEFAULT.sub("", text) if is_entry else text)
    if left_over:
        raise ConfigError(f"{path.name} cannot be bundled because of this line: {left_over[0]}")
    if is_entry:
        parts.append(text)
    else:
        parts.append(f"const {done[path]} = (() => {{\n{text}\nreturn {{ {', '.join(names)} }};\n}})();")
