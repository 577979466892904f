"""The player page and the map renderer: plain ES modules, styles and pictures, served as they are.

This package holds files and knows their names; it serves nothing. `index.html` needs `{{base}}` replaced by the way
back to the server's root. The notebook's widget cannot import modules: `renderer_source` gives it the same renderer as
one text.
"""

from __future__ import annotations

import re
from importlib import resources

#: Where the files are.
DIRECTORY = resources.files(__name__)

#: The modules that make up the map renderer, each after those that it imports. `map.js` exports `GalaxyMap`.
RENDERER_MODULES = (
    "model.js",
    "layout.js",
    "labels.js",
    "camera.js",
    "paint.js",
    "tooltip.js",
    "pointers.js",
    "map.js",
)

#: An import of the renderer's modules among each other; they use this one form only.
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./[a-z]+\.js";\n', re.MULTILINE)


def renderer_source() -> str:
    """The map renderer as the text of one ES module without imports; it exports `GalaxyMap` and all the rest."""
    texts = ((DIRECTORY / "js" / name).read_text("utf-8") for name in RENDERER_MODULES)
    return "\n".join(_IMPORT.sub("", text) for text in texts)
