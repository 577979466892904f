"""Three of the notebooks in a real JupyterLab in a real browser: the first one's widgets draw, move and take orders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import ConsoleMessage, Page

from tests.browser import browser
from tests.notebooks.lab import ERRORS, READY, RUN_ALL, JupyterLab, ask_kernel
from tests.notebooks.test_notebooks import NOTEBOOKS, gone

read: Any = nbformat.read
write: Any = nbformat.write

#: How many colours the canvases of the map show together; 1 or 2 would be blank.
COLOURS = """(selector) => {
  const colours = new Set();
  for (const canvas of document.querySelectorAll(selector)) {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3]) colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    }
  }
  return colours.size;
}"""
DRAWN = f"(selector) => ({COLOURS})(selector) > 10"

#: The map's own ship is somewhere else on the screen than at [x, y].
MOVED = """([x, y]) => {
  const map = document.querySelector(".gamekit-map").galaxyMap;
  const [ship] = Object.keys(map.view.ships).filter((id) => map.view.ships[id].owner === map.player);
  const spot = ship && map.screenOf({ ship });
  return spot && Math.hypot(spot.x - x, spot.y - y) > 3;
}"""
OWN_SHIP = """() => {
  const map = document.querySelector(".gamekit-map").galaxyMap;
  const [ship] = Object.keys(map.view.ships).filter((id) => map.view.ships[id].owner === map.player);
  return { ship, ...map.screenOf({ ship }) };
}"""
PLACE = """([sector, x, y]) => document.querySelector(".gamekit-map").galaxyMap.screenOf({ sector, x, y })"""


#: Shipped notebooks that are opened and run beside the first one, short, and what each must show.
OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "03-cross-sector.ipynb": ({"jumps": 4, "hours": 0.2}, ".gamekit-map canvas"),
    "05-own-rules.ipynb": ({"hours": 0.2}, ".jp-RenderedHTMLCommon table"),
}


def prepare(lab: JupyterLab, name: str, **parameters: Any) -> None:
    """Copy a notebook into JupyterLab's folder with other parameters, and without its last cell, which shuts down."""
    notebook = read(NOTEBOOKS / name, as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source += "".join(f"\n{key} = {value!r}" for key, value in parameters.items())
    assert "client.close()" in notebook.cells[-1].source
    del notebook.cells[-1]
    write(notebook, lab.directory / "notebooks" / name)


def picture(page: Page, name: str, directory: Path) -> Path:
    """Keep a picture of the page where the developer wants it."""
    kept = Path(os.environ.get("GAMEKIT_SCREENSHOTS", directory))
    kept.mkdir(parents=True, exist_ok=True)
    path = kept / f"{name}.png"
    page.screenshot(path=path)
    return path


def runs_whole(page: Page, lab: JupyterLab, name: str, tmp_path: Path) -> int:
    """A shipped notebook is opened, run and shows what it should; the process id of its server."""
    parameters, shown = OTHERS[name]
    prepare(lab, name, **parameters)
    page.goto(lab.url(name))
    page.wait_for_function(READY)
    page.evaluate(RUN_ALL)
    page.wait_for_function("() => ran")
    assert page.evaluate("() => ran") is True
    assert page.evaluate(ERRORS) == []
    page.locator(shown).last.scroll_into_view_if_needed()
    if "canvas" in shown:
        page.wait_for_function(DRAWN, arg=shown)
    picture(page, name.removesuffix(".ipynb"), tmp_path)
    return int(ask_kernel(page, "client.pid"))


def test_widgets_draw_move_and_take_orders_in_jupyterlab(tmp_path: Path) -> None:
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and "gamekit" in message.text.lower():
            complaints.append(message.text)

    with browser() as chromium, JupyterLab(tmp_path / "lab") as lab:
        prepare(lab, "01-first-game.ipynb", seed=7, speed=4, jumps=4)
        page = chromium.new_page(viewport={"width": 1400, "height": 1100})
        page.set_default_timeout(120_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(lab.url("01-first-game.ipynb"))
        page.wait_for_function(READY)
        page.evaluate(RUN_ALL)

        # While the cell after the map is still waiting for the ship, the map is drawn and the ship moves on it.
        page.wait_for_selector(".gamekit-map canvas")
        page.locator(".gamekit-map").scroll_into_view_if_needed()
        page.wait_for_function(DRAWN, arg=".gamekit-map canvas")
        page.wait_for_function(MOVED, arg=[-1, -1])
        before = page.evaluate(OWN_SHIP)
        page.wait_for_function(MOVED, arg=[before["x"], before["y"]])
        assert page.evaluate("() => ran") is False, "the ship should still be under way"
        picture(page, "notebook-map", tmp_path)

        page.wait_for_function("() => ran")
        assert page.evaluate("() => ran") is True
        page.locator(".gamekit-latency").scroll_into_view_if_needed()
        page.wait_for_function(DRAWN, arg="canvas.gamekit-latency")
        picture(page, "notebook-latency", tmp_path)
        charts = page.locator(
            ".jp-OutputArea-output img[src^='data:image/svg'], .jp-RenderedSVG svg, .jp-RenderedSVG img"
        )
        assert charts.count() >= 2

        # A click on the ship, then one on a place, is an order.
        page.locator(".gamekit-map").scroll_into_view_if_needed()
        ship = page.evaluate(OWN_SHIP)
        page.mouse.click(ship["x"], ship["y"])
        assert page.evaluate("() => document.querySelector('.gamekit-map').galaxyMap.selected") == ship["ship"]
        place = page.evaluate(PLACE, ["sirius", -500, -700])
        page.mouse.click(place["x"], place["y"])
        page.wait_for_function(MOVED, arg=[ship["x"], ship["y"]])
        picture(page, "notebook-order", tmp_path)
        orders = ask_kernel(
            page, "[c['body'] for r in game.commands() for c in r['commands'] if c['player'] == red.id]"
        )
        assert orders[-1]["type"] == "move"
        assert orders[-1]["to"]["sector"] == "sirius"
        pids = [ask_kernel(page, "client.pid"), *(runs_whole(page, lab, name, tmp_path) for name in OTHERS)]
        page.close()

    # JupyterLab ended, its kernels with it, and the games' servers with those.
    assert [pid for pid in pids if not gone(pid)] == []
    assert complaints == []
