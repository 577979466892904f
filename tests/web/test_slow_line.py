"""A slow line, and more orders at once than the window takes: all arrives, and the page says what is going on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.live import LiveServer
from tests.slowline import slow_line
from tests.web.conftest import AWAY, Visitor, until
from tests.web.test_play import by_id, live, new_game, own_ship, play

#: Keeps what the light says, from the beginning.
WATCH = """
window.said = [];
addEventListener("DOMContentLoaded", () => {
  const words = document.getElementById("light-text");
  new MutationObserver(() => window.said.push(words.textContent)).observe(words, { childList: true });
});
"""


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
def test_the_first_picture_comes_over_one_connection_and_the_bar_tells_how_much_is_there(
    server: LiveServer, visitor: Visitor, pictures: Path, size: tuple[int, int]
) -> None:
    made = server.new_game(scenario="crowded", seed=3, player_name="Ada")
    visitor.context.add_init_script(WATCH)
    with slow_line(server.url, 5_000) as line:
        page = visitor.page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(f"http://127.0.0.1:{line.port}/play/{made['id']}#token={made['token']}")
        until(page, "document.getElementById('light-text').textContent.match(/, [3-8]\\d %/)")
        page.screenshot(path=pictures / f"receiving-{size[0]}.png")
        expect(by_id(page, "light")).to_have_attribute("data-receiving", "yes")
        live(page)
        until(page, "document.getElementById('light-text').textContent.startsWith('Live')")
        expect(by_id(page, "light")).to_have_attribute("data-receiving", "")
        said = page.evaluate("() => window.said")
        assert line.sockets == 1
        assert len([text for text in said if text.startswith("Receiving the galaxy, ")]) > 3
        assert page.evaluate("() => Object.keys(gamekit.model.view.ships).length") > 1000


#: Gives many orders in one moment.
GIVE = "([ship, count]) => { for (let i = 0; i < count; i += 1) gamekit.command({ type: 'stop', ship }); }"


def numbers(server: LiveServer, made: dict[str, Any]) -> list[int]:
    """The numbers of the page's commands in the history."""
    _, answer = server.call("GET", f"api/game/{made['id']}/commands", token=made["token"])
    entries = [entry for record in answer["records"] for entry in record["commands"]]
    return [entry["cid"] for entry in entries if entry["player"] == made["player"] and entry["client"] != "@server"]


def test_more_orders_at_once_than_the_window_takes_are_all_carried_out_in_the_order_given(
    server: LiveServer, visitor: Visitor
) -> None:
    made = new_game(server, name="Three hundred at once")
    page = play(visitor, made["play_url"])
    # A tick a second: acks come long before effects.
    server.admin(made["id"], "speed", speed=0.1)
    page.evaluate(GIVE, [own_ship(page), 300])
    until(page, "gamekit.connection.queue.entries.length === 0")
    assert numbers(server, made) == list(range(1, 301))
    assert page.evaluate("() => gamekit.book.refused.length") == 0


def test_three_hundred_orders_outlive_a_server_that_is_killed_among_them_once_each_and_in_order(
    tmp_path: Path, visitor: Visitor
) -> None:
    visitor.forgiven = AWAY
    with LiveServer(tmp_path / "data") as mortal:
        made = new_game(mortal, name="Killed among them")
        page = play(visitor, made["play_url"])
        page.evaluate(GIVE, [own_ship(page), 300])
        until(page, "gamekit.connection.queue.entries.length < 250")
        mortal.kill()
        expect(by_id(page, "light")).to_have_attribute("data-state", "offline")
        page.evaluate(GIVE, [own_ship(page), 50])
        mortal.start()
        until(page, "gamekit.connection.queue.entries.length === 0")
        assert numbers(mortal, made) == list(range(1, 351))
        assert page.evaluate("() => gamekit.book.refused.length") == 0
