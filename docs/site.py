"""Make the documentation site: `python docs/site.py TARGET`, or `make docs`. Needs no network.

The pages are those of `docs/`, the reference from the docstrings, and the notebooks as the tests ran them, which
`tests/notebooks` leave in `build/notebooks`. Everything is laid out in a folder of its own beside the target, with
links that lead out of `docs/` turned into links of the site or into plain paths.
"""

from __future__ import annotations

import re
import shutil
import sys
from functools import partial
from pathlib import Path

from sphinx.cmd.build import build_main

DOCS = Path(__file__).parent
ROOT = DOCS.parent
NOTEBOOKS = ROOT / "notebooks"
EXECUTED = ROOT / "build" / "notebooks"

#: A link of a page to something above `docs/`, e.g. `[first](../notebooks/01.ipynb)`.
_OUT = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<up>(?:\.\./)+)(?P<path>[^)#]+)(?P<anchor>#[^)]*)?\)")

#: What a page loads by itself from another machine.
_FETCHED = re.compile(r'<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)="(?P<address>(?:https?:)?//[^"]+)"')


def main(target: Path) -> int:
    """Build the site into `target`; the exit status is Sphinx's, which counts every warning as an error."""
    pages = target.with_name(target.name + "-pages")
    shutil.rmtree(pages, ignore_errors=True)
    shutil.copytree(DOCS, pages, ignore=shutil.ignore_patterns("__pycache__", "site.py", "screenshots*.py"))
    _place_notebooks(pages / "notebooks")
    for page in [*pages.rglob("*.md"), *pages.rglob("*.ipynb")]:
        # A notebook is in a folder of the repository as it is in one of the site.
        depth = len(page.relative_to(pages).parts) - 1
        above = 0 if page.suffix == ".ipynb" else depth
        page.write_text(_OUT.sub(partial(_inside, above=above, depth=depth), page.read_text()))
    status: int = build_main(["-b", "html", "-W", "--keep-going", "-q", "-j", "auto", str(pages), str(target)])
    fetched = {found for page in target.rglob("*.html") for found in _FETCHED.findall(page.read_text())}
    if fetched:
        print(f"pages of the site load from elsewhere: {', '.join(sorted(fetched))}", file=sys.stderr)
    return status or bool(fetched)


def _inside(link: re.Match[str], *, above: int, depth: int) -> str:
    """The same link within the site; what the site does not have is named by its path.

    Args:
        link: a match of `_OUT`.
        above: how many folders up a link still leads within the site.
        depth: in how many folders of the site the page is.
    """
    path, text = link["path"], link["text"]
    if link["up"].count("/") <= above:
        return link[0]
    for folder in ("notebooks/", "docs/"):
        if path.startswith(folder):
            here = path if folder == "notebooks/" else path.removeprefix(folder)
            return f"[{text}]({'../' * depth}{here}{link['anchor'] or ''})"
    return f"{text} (`{path}`)" if text.strip("`") != path else text


def _place_notebooks(folder: Path) -> None:
    """Put the notebooks there as they were run, with a page that lists them.

    Raises:
        SystemExit: some were never run.
    """
    folder.mkdir()
    if missing := missing_notebooks():
        sys.exit(f"build/notebooks lacks {', '.join(missing)}; run `make notebooks` first, which runs them.")
    names = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
    for name in names:
        shutil.copy(EXECUTED / name, folder / name)
    entries = "\n".join(name.removesuffix(".ipynb") for name in names)
    intro = "# The notebooks, as they ran\n\nEach is in `notebooks/`; `make lab` opens them."
    (folder / "index.md").write_text(f"{intro}\n\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n")


def missing_notebooks() -> list[str]:
    """The notebooks that were never run, or were changed since."""
    missing = []
    for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
        run = EXECUTED / notebook.name
        if not run.exists() or run.stat().st_mtime < notebook.stat().st_mtime:
            missing.append(notebook.name)
    return missing


if __name__ == "__main__":
    if sys.argv[1:] == ["--missing"]:
        sys.exit(1 if missing_notebooks() else 0)
    sys.exit(main(Path(sys.argv[1]).resolve()))
