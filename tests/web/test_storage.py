"""Browsers that keep nothing, or stop keeping: the page says so before the player leaves, and the seat is not lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import AWAY, Visitor, until
from tests.web.test_play import by_id, new_game, own_ship, play
from tests.web.test_seats import FILL, bookmark, plays

#: As Chromium does with site data blocked.
DENY = """for (const name of ['localStorage', 'sessionStorage'])
  Object.defineProperty(window, name, {get() { throw new DOMException('denied', 'SecurityError'); }});"""
#: Takes everything and keeps nothing.
FORGET = "Storage.prototype.setItem = () => {};"
#: Access is there, but every use of it fails.
BREAK = """for (const name of ['setItem', 'getItem', 'removeItem', 'key'])
  Storage.prototype[name] = () => { throw new DOMException('denied', 'SecurityError'); };"""

SAYS = "This browser keeps nothing for this page"


def cut_off(page: Page) -> None:
    """The network is gone."""
    page.context.set_offline(True)
    page.evaluate("() => { gamekit.connection.dropSocket(); gamekit.connection.lost(0); }")


@pytest.mark.parametrize("script", [DENY, FORGET, BREAK], ids=["denied", "forgotten", "broken"])
def test_where_nothing_is_kept_the_seat_stays_in_the_address_and_the_page_says_so(
    server: LiveServer, visitor: Visitor, script: str
) -> None:
    visitor.context.add_init_script(script)
    visitor.forgiven = AWAY
    made = new_game(server)
    page = play(visitor, made["play_url"])
    plays(page, "Ada")
    expect(by_id(page, "banner")).to_contain_text(SAYS)
    assert page.url == made["play_url"]
    page.evaluate("(ship) => gamekit.command({ type: 'stop', ship })", own_ship(page))
    until(page, "gamekit.connection.queue.entries.length === 0")
    expect(by_id(page, "toast")).not_to_contain_text("keeps nothing")
    page.reload()
    plays(page, "Ada")
    expect(by_id(page, "banner")).to_contain_text(SAYS)


def test_orders_that_only_the_page_holds_bring_a_warning_and_a_question_before_it_is_left(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    visitor.context.add_init_script(DENY)
    visitor.forgiven = AWAY
    made = new_game(server)
    page = play(visitor, made["play_url"])
    plays(page, "Ada")
    ship = own_ship(page)
    cut_off(page)
    page.evaluate("(ship) => gamekit.command({ type: 'stop', ship })", ship)
    expect(by_id(page, "toast")).to_contain_text("This browser keeps nothing: do not reload before the order is sent.")
    page.screenshot(path=pictures / "storage-denied.png")
    page.set_viewport_size({"width": 390, "height": 844})
    until(
        page,
        "Math.round(document.getElementById('banner').getBoundingClientRect().top) === "
        "Math.round(document.querySelector('.bar').getBoundingClientRect().bottom + 8)",
    )
    page.screenshot(path=pictures / "storage-denied-phone.png")
    with page.expect_event("dialog") as asked:
        page.evaluate("() => void setTimeout(() => location.reload())")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    again: list[str] = []
    page.on("dialog", lambda dialog: (again.append(dialog.type), dialog.accept()))
    page.context.set_offline(False)
    page.evaluate("() => gamekit.connection.wake()")
    until(page, "gamekit.connection.queue.entries.length === 0")
    page.reload()
    plays(page, "Ada")
    assert again == [], "with nothing to lose nothing is asked"


def test_who_joins_where_nothing_is_kept_has_the_seat_in_the_address(
    server: LiveServer, visitors: Callable[..., Visitor]
) -> None:
    made = new_game(server)
    visitor = visitors()
    visitor.context.add_init_script(DENY)
    page = visitor.page()
    page.goto(bookmark(server, made))
    by_id(page, "enter-player").fill("Grace")
    by_id(page, "enter-join").click()
    plays(page, "Grace")
    assert "#token=" in page.url
    page.reload()
    plays(page, "Grace")
    page.goto(server.url)
    by_id(page, "create-player").fill("Zoe")
    by_id(page, "create").click()
    plays(page, "Zoe")
    page.reload()
    plays(page, "Zoe")


def test_a_store_that_becomes_full_puts_the_seat_into_the_address_again(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    plays(page, "Ada")
    until(page, "!location.hash")
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.evaluate(FILL)
    page.evaluate("() => { gamekit.connection.position = null; gamekit.connection.hello(); }")
    expect(by_id(page, "banner")).to_contain_text(SAYS)
    assert page.url == made["play_url"]


def test_a_store_that_is_emptied_while_the_page_is_open_loses_neither_seat_nor_orders(
    server: LiveServer, visitor: Visitor
) -> None:
    visitor.forgiven = AWAY
    made = new_game(server)
    page = play(visitor, made["play_url"])
    plays(page, "Ada")
    ship = own_ship(page)
    cut_off(page)
    page.evaluate("(ship) => gamekit.command({ type: 'stop', ship })", ship)
    page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    page.context.set_offline(False)
    # Left at once, before it has connected again.
    page.goto("about:blank")
    page.goto(bookmark(server, made))
    plays(page, "Ada")
    until(page, "gamekit.connection.queue.stored.next === 2 && !gamekit.connection.queue.entries.length")
    assert stopped(server, made) == 1


def stopped(server: LiveServer, made: dict[str, Any]) -> int:
    """How many orders to stop are in the history."""
    _, answer = server.call("GET", f"/api/game/{made['id']}/commands", token=made["token"])
    commands = [one for record in answer["records"] for one in record["commands"]]
    return sum(one["body"].get("type") == "stop" for one in commands)
