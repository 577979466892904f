"""How widgets look: the player page's own style sheets within one element, and what notebooks add to them.

The page's sheets are nested under `.gamekit`, so that they reach nothing else in the notebook; the colours that they
give to the page's root are that element's. For light themes `widgets.css` has others; which theme it is, the front
end finds out (`js/theme.js`).
"""

from __future__ import annotations

import re
from pathlib import Path

from gamekit.errors import ConfigError

_WEB = Path(__file__).parent.parent / "web"
_PANEL = re.compile(r'<aside id="panel".*?</aside>', re.DOTALL)


def _nested() -> str:
    sheets = "".join((_WEB / name).read_text(encoding="utf-8") for name in ("style.css", "info.css"))
    return ".gamekit {\n" + sheets.replace(":root {", "& {", 1) + "\n}\n"


def panel_markup() -> str:
    """The elements of the player page's panel of ships, as the page has them.

    Raises:
        ConfigError: the page has no such panel.
    """
    found = _PANEL.search((_WEB / "index.html").read_text(encoding="utf-8"))
    if found is None:
        raise ConfigError('web/index.html has no <aside id="panel">, from which the orders widget is made.')
    return found[0]


CSS = _nested() + (Path(__file__).parent / "widgets.css").read_text(encoding="utf-8")
