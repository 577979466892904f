"""Makes the README's pictures from the running software: a real server, a real browser, a real JupyterLab.

    make screenshots

Six players send their ships across the galaxy; the first one's page is photographed with its ship's route, then the
first notebook in JupyterLab with its live map.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import gamekit
from tests.browser import browser
from tests.notebooks.lab import READY, RUN_ALL, JupyterLab
from tests.notebooks.test_lab import prepare

IMAGES = ROOT / "docs" / "images"
JOURNEYS = {
    "Ada": "Epsilon Eridani",
    "Bob": "Wolf 359",
    "Cleo": "Barnard's Star",
    "Dan": "EZ Aquarii",
    "Eve": "Ross 248",
    "Finn": "Sirius",
}


def player_page() -> None:
    """The page of a player whose ship is on its way, among others."""
    with gamekit.launch() as client, browser() as chromium:
        game = client.new_game(scenario="nearest-stars", seed=7, name="Sixteen stars")
        players = [game.join(name) for name in JOURNEYS]
        for player, goal in zip(players, JOURNEYS.values(), strict=True):
            player.ship.go(goal).result()
        game.speed = 20
        game.step(900)
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1.5)
        page.goto(players[0].play_url)
        page.get_by_test_id("light").and_(page.locator("[data-state=live]")).wait_for()
        page.get_by_test_id(f"ship-{players[0].ship.id}").click()
        page.wait_for_timeout(4000)
        page.screenshot(path=IMAGES / "map.png")
        page.close()


def notebook() -> None:
    """The first notebook after its cells have run."""
    with tempfile.TemporaryDirectory() as place, browser() as chromium, JupyterLab(Path(place) / "lab") as lab:
        prepare(lab, "01-first-game.ipynb", seed=7, speed=20, jumps=4)
        page = chromium.new_page(viewport={"width": 1280, "height": 1500}, device_scale_factor=1)
        page.set_default_timeout(120_000)
        page.goto(lab.url("01-first-game.ipynb"))
        page.wait_for_function(READY)
        page.evaluate(RUN_ALL)
        page.wait_for_selector(".gamekit-map canvas")
        page.wait_for_function("() => ran")
        page.locator(".gamekit-map").scroll_into_view_if_needed()
        page.evaluate("document.querySelector('.gamekit-map').scrollIntoView()")
        page.wait_for_timeout(1000)
        page.screenshot(path=IMAGES / "notebook.png")
        page.close()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    player_page()
    notebook()
