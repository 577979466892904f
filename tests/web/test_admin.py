"""The admin page: every game of the server at a glance, with its controls."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.live import LiveServer
from tests.web.conftest import AWAY, Visitor


def test_the_admin_page_shows_and_controls_every_game(server: LiveServer, visitor: Visitor, pictures: Path) -> None:
    first = server.new_game(name="Friday evening", seed=1)
    server.new_game(name="<b>Bold</b> & co", scenario="procedural:8", seed=2)
    page = visitor.page()
    page.goto(f"{server.url}admin#token={server.admin_token}")
    row = page.get_by_role("row").filter(has_text="Friday evening")
    expect(row).to_contain_text("nearest-stars")
    expect(page.get_by_role("row").filter(has_text="<b>Bold</b> & co")).to_contain_text("procedural:8")
    page.screenshot(path=pictures / "admin.png")

    row.get_by_role("button", name="Pause").click()
    expect(row.get_by_role("cell", name="paused")).to_be_visible()
    assert server.call("GET", f"/api/game/{first['id']}")[1]["paused"]
    before = server.call("GET", f"/api/game/{first['id']}")[1]["tick"]
    row.get_by_role("button", name="Step 1 s").click()
    time = f"00:00:{(before + 10) // 10:02}"
    expect(row.get_by_role("cell", name=time)).to_be_visible()
    expect(row.get_by_role("cell", name="paused")).to_be_visible()
    assert server.call("GET", f"/api/game/{first['id']}")[1]["tick"] == before + 10
    row.get_by_role("button", name="Resume").click()
    expect(row.get_by_role("cell", name="1x", exact=True)).to_be_visible()
    row.get_by_role("button", name="10x", exact=True).click()
    expect(row.get_by_role("cell", name="10x", exact=True)).to_be_visible()
    assert server.call("GET", f"/api/game/{first['id']}")[1]["speed"] == 10


def test_the_admin_page_without_its_token_says_what_to_do(server: LiveServer, visitor: Visitor) -> None:
    visitor.forgiven = re.compile("401")
    page = visitor.page()
    page.goto(f"{server.url}admin")
    expect(page.get_by_role("status")).to_contain_text("Open the admin address that the server printed.")
    expect(page.get_by_role("table")).to_have_count(0)


def test_a_long_name_does_not_widen_the_admin_page(
    server: LiveServer, visitors: Callable[..., Visitor], pictures: Path
) -> None:
    name = "W" * 80
    server.new_game(name=name, scenario="procedural:5", seed=3)
    for width, picture in ((1280, "admin-long.png"), (375, "admin-phone.png")):
        page = visitors(viewport={"width": width, "height": 700}).page()
        page.goto(f"{server.url}admin#token={server.admin_token}")
        expect(page.get_by_role("row").filter(has_text=name)).to_be_visible()
        page.screenshot(path=pictures / picture)
        assert page.evaluate("() => document.documentElement.scrollWidth") == width
        if width == 1280:
            frame = page.get_by_role("region", name="Games")
            assert frame.evaluate("(element) => element.scrollWidth === element.clientWidth"), "all is in sight"
        button = page.get_by_role("row").filter(has_text=name).get_by_role("button", name="100x")
        button.click()
        expect(page.get_by_role("row").filter(has_text=name)).to_contain_text("100x")


def test_the_admin_page_says_that_the_server_is_away_and_goes_on_when_it_is_back(
    tmp_path: Path, visitor: Visitor
) -> None:
    visitor.forgiven = AWAY
    with LiveServer(tmp_path / "data") as mortal:
        mortal.new_game(name="Friday evening", seed=1)
        page = visitor.page()
        page.goto(f"{mortal.url}admin#token={mortal.admin_token}")
        expect(page.get_by_role("row").filter(has_text="Friday evening")).to_be_visible()
        status = page.get_by_role("status")
        mortal.kill()
        expect(status).to_have_text("The server does not answer. This page tries again every two seconds.")
        mortal.start()
        expect(status).to_have_text("")


def test_a_seed_of_a_game_of_before_is_shown_exactly(tmp_path: Path, visitor: Visitor) -> None:
    with LiveServer(tmp_path / "data") as server:
        made = server.new_game(name="Of before", seed=1)
        server.stop()
        with contextlib.closing(sqlite3.connect(server.directory / "gamekit.db")) as database, database:
            database.execute("UPDATE games SET seed = 9007199254740993 WHERE id = ?", (made["id"],))
        server.start()
        page = visitor.page()
        page.goto(f"{server.url}admin#token={server.admin_token}")
        expect(page.get_by_role("row").filter(has_text="Of before")).to_contain_text("seed 9007199254740993")
