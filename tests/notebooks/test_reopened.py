"""A notebook that is opened again after its kernel ended shows the last picture of every widget, and no error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser import browser
from tests.notebooks.lab import ERRORS, READY, RUN_ALL, JupyterLab
from tests.notebooks.test_widgets_lab import RESTART, write_notebook

CELLS = [
    "import gamekit, ipywidgets\nclient = gamekit.launch()\ngame = client.new_game(seed=7)\nme = game.join('Ada')",
    *(f"game.{name}()" for name in ("map", "orders", "fleet", "market", "console", "latency")),
    "gamekit.lab.replay(game).scrubber()",
    "ipywidgets.IntSlider()",
]
SAVE = "() => jupyterapp.commands.execute('docmanager:save')"
#: How many outputs there are, and the texts of those of code cells.
OUTPUTS = "() => [...document.querySelectorAll('.jp-OutputArea-output')].map((one) => one.innerText)"
#: The cells but for the map's do not run again.
RUN_MAP = """() => {
  globalThis.ran = false;
  jupyterapp.shell.currentWidget.content.activeCellIndex = 1;
  jupyterapp.commands.execute("notebook:run-cell").then(() => { ran = true; });
}"""
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


def saved(page: Page, lab: JupyterLab) -> tuple[dict[str, Any], list[str]]:
    """After saving: the models in the notebook's metadata, and the ids that its outputs show."""
    page.evaluate(SAVE)
    notebook = json.loads((lab.directory / "notebooks" / "widgets.ipynb").read_text())
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    shown = [output["data"][VIEW]["model_id"] for output in outputs if VIEW in output.get("data", {})]
    return notebook["metadata"].get("widgets", {}).get(STATE, {"state": {}})["state"], shown


def opened(page: Page, lab: JupyterLab) -> None:
    page.goto(lab.url("widgets.ipynb"))
    page.wait_for_function(READY)


def test_a_notebook_without_its_kernel_shows_the_last_pictures(tmp_path: Path) -> None:
    with browser() as chromium, JupyterLab(tmp_path / "lab") as lab:
        write_notebook(lab, "widgets.ipynb", CELLS)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        opened(page, lab)
        page.evaluate(RUN_ALL)
        page.wait_for_function("() => ran")
        assert page.evaluate(ERRORS) == []
        page.wait_for_selector(".gamekit-scrubber canvas")
        state, shown = saved(page, lab)
        assert set(state) == set(shown[:7]), "a picture for each of ours, and nothing of others' widgets"
        page.evaluate(RESTART)
        opened(page, lab)
        page.wait_for_function(f"() => ({OUTPUTS})().filter((text) => text.includes('run it again')).length === 7")
        # The slider is not ours; once its error is there, all that could be restored has been.
        page.wait_for_function(f"() => ({OUTPUTS})().some((text) => text.includes('Error displaying widget'))")
        texts = page.evaluate(OUTPUTS)
        assert sum("Error displaying widget" in text for text in texts) == 1
        assert page.locator(".jp-OutputArea-output svg[role=img]").count() >= 3, "map, orders and scrubber"
        assert sum("Barnard's Star" in text for text in texts) >= 3
        # What was run again is live, and has another picture in the place of the old one.
        page.evaluate("() => jupyterapp.shell.currentWidget.content.activate()")
        page.evaluate(RUN_FIRST)
        page.wait_for_function("() => ran")
        page.evaluate(RUN_MAP)
        page.wait_for_function("() => ran")
        page.wait_for_selector(".gamekit-mapbox canvas")
        again, shown_again = saved(page, lab)
        assert shown_again[0] != shown[0]
        assert set(again) == set(shown_again[:7])
        page.close()


RUN_FIRST = RUN_MAP.replace("= 1;", "= 0;")
