"""Whose ships a browser flies: links, bookmarks and the lobby lead to the right seat, and no seat is ever lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import AWAY, Visitor, until
from tests.web.test_play import by_id, live, new_game, own_ship, play

#: Leaves no room in the browser's stores, not even for one letter.
FILL = """() => {
  for (const store of [localStorage, sessionStorage]) {
    let key = 0;
    for (let size = 1 << 20; size >= 1; ) {
      try {
        store.setItem(`filler ${(key += 1)}`, "x".repeat(size));
      } catch {
        size = Math.floor(size / 2);
      }
    }
  }
}"""


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of the test's own, to be killed."""
    with LiveServer(tmp_path / "data") as running:
        yield running


def join(server: LiveServer, made: dict[str, Any], name: str) -> dict[str, Any]:
    """Another player of a game."""
    status, joined = server.call("POST", f"/api/game/{made['id']}/join", {"name": name})
    assert status == 201
    result: dict[str, Any] = joined
    return result


def bookmark(server: LiveServer, made: dict[str, Any]) -> str:
    """The game's address as the browser shows it: without any token."""
    return f"{server.url}play/{made['id']}"


def plays(page: Page, name: str) -> None:
    """Wait until the page is live as a player."""
    live(page)
    expect(page.locator("#panel-title")).to_have_text(name)


def test_a_link_with_a_wrong_token_leaves_the_stored_seat_alone(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    for tab in (page, visitor.page()):
        tab.goto("about:blank")
        tab.goto(f"{bookmark(server, made)}#token=garbage")
        expect(by_id(tab, "toast")).to_contain_text("The token of that link is not valid for this game.")
        plays(tab, "Ada")
        tab.goto("about:blank")
        tab.goto(bookmark(server, made))
        plays(tab, "Ada")
        tab.reload()
        plays(tab, "Ada")
    page.goto(f"{bookmark(server, made)}#token=garbage")
    expect(by_id(page, "toast")).to_contain_text("You play on as Ada.")
    assert page.url == bookmark(server, made)


def test_a_wrong_token_is_forgotten_where_there_is_no_seat(server: LiveServer, visitor: Visitor) -> None:
    page = visitor.page()
    page.goto(f"{bookmark(server, new_game(server))}#token=garbage")
    expect(by_id(page, "enter")).to_contain_text("The token is not valid")
    by_id(page, "retry").click()
    live(page)
    expect(by_id(page, "enter")).to_contain_text("You are watching")


def test_the_link_of_a_second_player_plays_in_its_tab_and_both_seats_stay(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    made = new_game(server, name="Friday evening")
    bob = join(server, made, "Bob")
    play(visitor, made["play_url"]).close()
    page = play(visitor, bob["play_url"])
    plays(page, "Bob")
    page.reload()
    plays(page, "Bob")
    other = play(visitor, bookmark(server, made))
    plays(other, "Ada")
    page.goto("about:blank")
    page.goto(bookmark(server, made))
    plays(page, "Ada")

    page.goto(server.url)
    seats = by_id(page, f"game-{made['id']}")
    expect(seats).to_have_count(2)
    expect(by_id(page, "games")).to_contain_text("2 players")
    page.screenshot(path=pictures / "lobby-seats.png")
    seats.filter(has_text="as Bob").click()
    plays(page, "Bob")
    assert page.url == bookmark(server, made)
    other.reload()
    plays(other, "Ada")
    plays(play(visitor, bookmark(server, made)), "Bob")

    page.goto(server.url)
    page.get_by_label("Take Friday evening as Bob off the list").click()
    expect(seats).to_have_count(1)
    seats.click()
    plays(page, "Ada")


def test_orders_that_wait_stay_with_their_seat(mortal: LiveServer, visitor: Visitor) -> None:
    visitor.forgiven = AWAY
    made = new_game(mortal)
    bob = join(mortal, made, "Bob")
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    mortal.kill()
    expect(by_id(page, "light")).to_have_attribute("data-state", "offline")
    page.evaluate("(ship) => gamekit.connection.command({ type: 'move', ship, to: { station: 'sol-hub' } })", ship)
    expect(by_id(page, "pending")).to_have_attribute("data-count", "1")
    page.close()
    mortal.start()
    guest = play(visitor, bob["play_url"])
    guest.evaluate("(ship) => gamekit.connection.command({ type: 'stop', ship })", own_ship(guest))
    until(guest, "gamekit.connection.queue.stored.next === 2 && !gamekit.connection.queue.entries.length")
    page = play(visitor, bookmark(mortal, made))
    until(page, "gamekit.connection.queue.stored.next === 2 && !gamekit.connection.queue.entries.length")
    _, answer = mortal.call("GET", f"/api/game/{made['id']}/commands", token=made["token"])
    sent = [(one["player"], one["body"]["type"]) for record in answer["records"] for one in record["commands"]]
    assert [one for one in sent if one[1] != "join"] == [(bob["player"], "stop"), (made["player"], "move")]


def test_a_full_store_makes_nobody_a_spectator(server: LiveServer, visitors: Callable[..., Visitor]) -> None:
    made = new_game(server)
    page = visitors().page()
    page.goto(server.url)
    page.evaluate(FILL)
    page.goto(made["play_url"])
    plays(page, "Ada")
    page.reload()
    plays(page, "Ada")

    page.goto(bookmark(server, made))
    page.goto("about:blank")
    page.goto(bookmark(server, made))
    by_id(page, "enter-player").fill("Grace")
    by_id(page, "enter-join").click()
    plays(page, "Grace")

    page.goto(server.url)
    by_id(page, "create-player").fill("Zoe")
    by_id(page, "create").click()
    plays(page, "Zoe")


def test_the_page_of_a_game_that_does_not_exist_leads_to_the_lobby(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    page = visitor.page()
    page.goto(f"{server.url}play/nosuchgame")
    expect(by_id(page, "light")).to_contain_text("no game")
    expect(by_id(page, "to-lobby")).to_be_visible()
    expect(by_id(page, "enter")).to_have_count(0)
    page.screenshot(path=pictures / "nogame.png")
    by_id(page, "to-lobby").click()
    expect(by_id(page, "create")).to_be_visible()
    assert page.url == server.url
