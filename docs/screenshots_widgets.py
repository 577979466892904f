"""Makes the pictures of the widgets for docs/notebooks.md: a real JupyterLab, the widgets one by one.

    .venv/bin/python docs/screenshots_widgets.py [light|dark] [width]

The pictures go to docs/images/widget-NAME.png; with a theme or a width of the page in pixels, to
docs/images/widget-NAME-THEME-WIDTH.png, for looking at narrow cells and dark pages.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser import browser
from tests.notebooks.lab import READY, RUN_ALL, JupyterLab
from tests.notebooks.test_widgets_lab import CELLS, DARK, write_notebook

IMAGES = ROOT / "docs" / "images"
NAMES = ("orders", "fleet", "market", "console", "scrubber")


def widgets(theme: str, width: int, suffix: str) -> None:
    """Every widget as its cell shows it, after a minute of the game."""
    with tempfile.TemporaryDirectory() as place, browser() as chromium, JupyterLab(Path(place) / "lab") as lab:
        write_notebook(lab, "widgets.ipynb", [cell.replace("game.step(300)", "game.step(900)") for cell in CELLS])
        page = chromium.new_page(viewport={"width": width, "height": 1000})
        page.set_default_timeout(120_000)
        page.goto(lab.url("widgets.ipynb"))
        page.wait_for_function(READY)
        if theme == "dark":
            page.evaluate(DARK)
        page.evaluate("() => jupyterapp.shell.collapseLeft()")
        page.evaluate(RUN_ALL)
        page.wait_for_function("() => ran")
        page.wait_for_selector(".gamekit-scrubber canvas")
        for name in NAMES:
            widget = page.locator(f".gamekit-{name}")
            if name == "console":
                page.get_by_test_id("console-rules").click()
                page.get_by_test_id("rules-search").fill("jump")
                page.get_by_test_id("rule-jump_ticks").fill("25")
            if name == "scrubber":
                page.get_by_test_id("scrub-slider").fill(str(400))
            widget.scroll_into_view_if_needed()
            page.wait_for_timeout(2000)
            widget.screenshot(path=IMAGES / f"widget-{name}{suffix}.png")
        page.close()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    chosen = sys.argv[1] if len(sys.argv) > 1 else "light"
    pixels = int(sys.argv[2]) if len(sys.argv) > 2 else 1180
    widgets(chosen, pixels, f"-{chosen}-{pixels}" if len(sys.argv) > 1 else "")
