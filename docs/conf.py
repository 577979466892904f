"""How the documentation site is made; `docs/site.py` lays its pages out and runs Sphinx over them."""

from __future__ import annotations

import re
import sys
from importlib.metadata import version as version_of
from typing import Any

from gamekit.lab import history

project = "gamekit"
author = "the gamekit authors"
copyright = "the gamekit authors, MIT License"
version = release = version_of("gamekit")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = f"gamekit {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
# A single backtick in a docstring is code.
default_role = "code"

# Notebooks come with the outputs of the run that the tests made.
nb_execution_mode = "off"
nb_merge_streams = True
nb_ipywidgets_js: dict[str, Any] = {}
# A page has no kernel: of a widget it shows the picture that the widget leaves.
nb_mime_priority_overrides = [("html", "image/svg+xml", 1), ("html", "application/vnd.jupyter.widget-view+json", None)]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "show-inheritance": False, "undoc-members": False}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

#: A line that opens a block which is indented behind a blank line; in reStructuredText the block needs two colons.
_OPENS = re.compile(r"^(?P<indent> *)(?!\s*(?:Args|Returns|Raises|Attributes|Yields|Example|Note):$)\S.*[^:]:$")


def literal_blocks(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Let code that is indented in a docstring be code, as Markdown has it."""
    for number in range(len(lines) - 2):
        opened = _OPENS.match(lines[number])
        if opened and not lines[number + 1].strip() and lines[number + 2].startswith(opened["indent"] + "    "):
            lines[number] += ":"


def setup(app: Any) -> None:
    """Have docstrings put right before napoleon reads them, and names that only annotations use resolved."""
    sys.modules["gamekit.lab.simulate"].History = history.History  # type: ignore[attr-defined]
    app.connect("autodoc-process-docstring", literal_blocks, priority=1)
