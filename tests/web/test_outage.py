"""The server dies under a player who goes on commanding: nothing is lost, nothing happens twice."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import AWAY, Visitor, until
from tests.web.test_play import bodies, by_id, click, live, new_game, own_ship, play

OUTAGE_S = 5.0


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of the test's own, to be killed."""
    with LiveServer(tmp_path / "data") as running:
        yield running


def goals(server: LiveServer, made: dict[str, Any]) -> list[dict[str, Any]]:
    """Where the history's moves lead."""
    return [body["to"] for body in bodies(server, made) if body["type"] == "move"]


def offline(page: Page) -> None:
    """Wait until the page knows that the server is gone."""
    expect(by_id(page, "light")).to_have_attribute("data-state", "offline")


#: Keeps what the light says, in its sequence.
WATCH = """() => {
  window.said = [];
  const words = document.getElementById("light-text");
  new MutationObserver(() => window.said.push(words.textContent)).observe(words, { childList: true });
}"""


def counted_down(said: list[str]) -> bool:
    """Whether the seconds to the next try were seen to become fewer, one by one, within one wait."""
    seconds = [int(found[1]) if (found := re.fullmatch(r"Offline · next try in (\d+) s", text)) else 0 for text in said]
    return any(after == before - 1 > 0 for before, after in pairwise(seconds))


def test_two_orders_given_during_an_outage_are_carried_out_once(
    mortal: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    visitor.forgiven = AWAY
    made = new_game(mortal, name="Friday evening")
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    click(page, {"ship": ship})
    page.evaluate(WATCH)

    mortal.kill()
    down_at = time.monotonic()
    offline(page)
    goal_one, goal_two = {"sector": "sirius", "x": -600, "y": -600}, {"sector": "ross-248", "x": -600, "y": 600}
    click(page, goal_one)
    expect(by_id(page, "pending")).to_have_text("1 order waiting to be sent")
    page.keyboard.down("Shift")
    click(page, goal_two)
    page.keyboard.up("Shift")
    expect(by_id(page, "pending")).to_have_text("2 orders waiting to be sent")
    expect(by_id(page, "light")).to_contain_text("next try in")
    page.screenshot(path=pictures / "offline.png")
    # The one real wait: the outage is to last five seconds, whatever the page does meanwhile.
    time.sleep(max(0.0, OUTAGE_S - (time.monotonic() - down_at)))
    expect(by_id(page, "pending")).to_have_attribute("data-count", "2")
    said = page.evaluate("() => window.said")
    assert counted_down(said), said

    mortal.start()
    live(page)
    expect(by_id(page, "pending")).to_have_attribute("data-count", "0")
    expect(by_id(page, "pending")).to_be_hidden()
    until(page, "!gamekit.connection.queue.entries.length")
    moves = [body for body in bodies(mortal, made) if body["type"] == "move"]
    assert [abs(move["to"]["x"] - goal["x"]) < 30 for move, goal in zip(moves, (goal_one, goal_two), strict=True)]
    assert [(move["to"]["sector"], move["append"]) for move in moves] == [("sirius", False), ("ross-248", True)]
    mortal.admin(made["id"], "speed", speed=100)
    mine = f"gamekit.model.view.ships[{ship!r}]"
    until(page, f"{mine}.at.sector === 'ross-248' && !{mine}.queue.length")
    assert len(goals(mortal, made)) == 2


def test_orders_outlive_the_tab_in_which_they_were_given(mortal: LiveServer, visitor: Visitor) -> None:
    visitor.forgiven = AWAY
    made = new_game(mortal)
    page = play(visitor, made["play_url"])
    bystander = play(visitor, page.url)
    ship = own_ship(page)
    mortal.kill()
    offline(page)
    page.evaluate(
        "(ship) => gamekit.connection.command({ type: 'move', ship, to: { station: 'sol-hub' }, append: true })", ship
    )
    expect(by_id(page, "pending")).to_have_attribute("data-count", "1")
    page.close()
    mortal.start()
    live(bystander)
    until(bystander, "gamekit.connection.queue.stored.next === 2 && !gamekit.connection.queue.entries.length")
    assert goals(mortal, made) == [{"station": "sol-hub"}]


def test_orders_given_offline_survive_a_reload_and_are_sent_once(mortal: LiveServer, visitor: Visitor) -> None:
    visitor.forgiven = AWAY
    made = new_game(mortal)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    click(page, {"ship": ship})
    mortal.kill()
    offline(page)
    click(page, {"sector": "sirius", "x": -600, "y": -600})
    expect(by_id(page, "pending")).to_have_attribute("data-count", "1")
    # As people do it: at first the reload finds nobody.
    with pytest.raises(PlaywrightError, match="ERR_CONNECTION_REFUSED"):
        page.reload()
    mortal.start()
    for _ in range(2):
        page.reload()
        live(page)
        until(page, "gamekit.connection.queue.stored.next === 2 && !gamekit.connection.queue.entries.length")
        assert [goal["sector"] for goal in goals(mortal, made)] == ["sirius"]


def test_an_order_under_way_when_the_server_dies_is_not_doubled(mortal: LiveServer, visitor: Visitor) -> None:
    visitor.forgiven = AWAY
    made = new_game(mortal)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    for _ in range(3):
        page.evaluate(
            """(ship) => {
              for (const x of [1, 2, 3, 4, 5]) {
                gamekit.connection.command({ type: "move", ship, to: { sector: "sol", x, y: 0 }, append: true });
              }
            }""",
            ship,
        )
        mortal.kill()
        offline(page)
        mortal.start()
        live(page)
    until(page, "!gamekit.connection.queue.entries.length")
    assert [goal["x"] for goal in goals(mortal, made)] == [1, 2, 3, 4, 5] * 3
