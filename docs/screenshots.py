"""Makes the pictures of README and player's guide from the running software: real server, browser and JupyterLab.

    make screenshots

Six players send their ships across the galaxy; the first one's page is photographed with its ship's route, then the
first notebook in JupyterLab with its live map. For the guide one player makes a game, trades, reads the panels and
loses the server for a moment, on a desktop and on a phone.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page

import gamekit
from tests.browser import browser
from tests.live import LiveServer
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
        game.speed = 1
        game.resume()
        page = chromium.new_page(viewport={"width": 1280, "height": 800}, device_scale_factor=1.5)
        page.goto(players[0].play_url)
        page.get_by_test_id("light").and_(page.locator("[data-state=live]")).wait_for()
        page.get_by_test_id(f"ship-{players[0].ship.id}").click()
        page.wait_for_timeout(6000)
        page.screenshot(path=IMAGES / "map.png")
        page.close()


def ready(page: Page) -> None:
    """Wait until a page of a game is connected and has drawn the galaxy."""
    page.get_by_test_id("light").and_(page.locator("[data-state=live]")).wait_for()
    page.get_by_test_id("ships").locator("button").first.wait_for()


def picture(page: Page, name: str) -> None:
    """Photograph a page for the guide, after what moves has come to rest."""
    page.wait_for_timeout(900)
    page.screenshot(path=IMAGES / f"guide-{name}.png")


def guide() -> None:
    """Every step of the player's guide."""
    with tempfile.TemporaryDirectory() as place, browser() as chromium, LiveServer(Path(place) / "data") as server:
        page = chromium.new_page(viewport={"width": 1280, "height": 880})
        page.goto(server.url)
        page.get_by_test_id("create-player").fill("Ada")
        page.get_by_test_id("create-name").fill("Friday evening")
        page.get_by_test_id("create-seed").fill("7")
        page.get_by_test_id("rules").locator("summary").first.click()
        picture(page, "lobby")
        page.set_viewport_size({"width": 1280, "height": 800})
        page.get_by_test_id("create").click()
        ready(page)
        game = page.url.rsplit("/", 1)[1]
        server.admin(game, "speed", speed=5)
        server.call("POST", f"/api/game/{game}/join", {"name": "Grace"})
        picture(page, "start")
        page.get_by_test_id("ships").locator("button").first.click()
        page.get_by_test_id("trade-what").select_option("buy:alloys")
        page.get_by_test_id("trade-units").fill("60")
        picture(page, "trade")
        page.get_by_test_id("trade-go").click()
        page.get_by_test_id("append").check()
        for place_name in ("Sirius Shipyard", "Luhman 16, the middle", "Sol Hub"):
            page.get_by_test_id("send").select_option(label=place_name)
            page.get_by_test_id("send-go").click()
        picture(page, "orders")
        for panel in ("station", "market", "ledger", "log", "players"):
            page.get_by_test_id(f"tab-{panel}").click()
            picture(page, panel)
            if panel == "station":
                page.get_by_test_id("station-choice").select_option(label="Sol Hub")
                page.get_by_test_id("station-ships").click()
                page.get_by_test_id("rename-open").click()
                picture(page, "ships")
                page.get_by_label("Keep the name").click()
        page.get_by_test_id("info-close").click()
        phone = chromium.new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
        phone.goto(f"{page.url}#token={page.evaluate('() => gamekit.token')}")
        ready(phone)
        phone.get_by_test_id("ships").locator("button").first.tap()
        picture(phone, "phone")
        phone.get_by_test_id("tab-market").tap()
        picture(phone, "phone-market")
        phone.close()
        server.kill()
        page.locator("[data-state=offline]").first.wait_for()
        page.get_by_test_id("send").select_option(label="Ross 248, the middle")
        page.get_by_test_id("send-go").click()
        picture(page, "offline")
        page.close()
        server.start()
        crowd(chromium, server)


def crowd(chromium: Browser, server: LiveServer) -> None:
    """Two thousand ships after a few minutes, in a galaxy with storms."""
    made = server.new_game(scenario="crowded", seed=7, player_name="Ada", rules={"storm_rate": 700})
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto(made["play_url"])
    ready(page)
    server.admin(made["id"], "speed", speed=60)
    page.wait_for_function("() => gamekit.model.tick > 4000", timeout=120_000)
    server.admin(made["id"], "speed", speed=1)
    page.locator("summary", has_text="Legend").click()
    page.wait_for_timeout(6000)
    picture(page, "crowd")
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


def economy() -> None:
    """The second notebook: who carries what where, and what the doctor says."""
    with tempfile.TemporaryDirectory() as place, browser() as chromium, JupyterLab(Path(place) / "lab") as lab:
        shutil.copy(ROOT / "notebooks" / "02-economy.ipynb", lab.directory / "notebooks")
        page = chromium.new_page(viewport={"width": 1280, "height": 1450}, device_scale_factor=1)
        page.set_default_timeout(120_000)
        page.goto(lab.url("02-economy.ipynb"))
        page.wait_for_function(READY)
        page.evaluate(RUN_ALL)
        page.wait_for_function("() => ran")
        page.locator("h2", has_text="Who carries what where").first.evaluate("(heading) => heading.scrollIntoView()")
        page.wait_for_timeout(1500)
        page.screenshot(path=IMAGES / "economy.png")
        page.close()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    guide()
    player_page()
    notebook()
    economy()
