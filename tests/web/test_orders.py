"""Orders in the browser: to one ship or many, shown from the click to their end, put into another sequence; trades."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import Visitor, until
from tests.web.test_play import bodies, by_id, click, new_game, own_ship, play

#: Keeps every state that any row of the latest orders goes through, in the order in which it is seen; and the signs.
WATCH = """() => {
  window.states = {};
  window.signs = {};
  new MutationObserver(() => {
    for (const { dataset, firstChild } of document.querySelectorAll("#latest li"))
      window.signs[dataset.state] = firstChild.textContent;
    for (const row of gamekit.book.seen(performance.now())) {
      const seen = (window.states[row.key] ??= []);
      if (seen.at(-1) !== row.state) seen.push(row.state);
    }
  }).observe(document.getElementById("latest"), { childList: true, subtree: true });
}"""


def selected(page: Page, ship: str) -> Page:
    """The page with a ship selected, by its row."""
    by_id(page, f"ship-{ship}").click()
    expect(by_id(page, f"ship-{ship}")).to_have_attribute("aria-pressed", "true")
    return page


def send(page: Page, *places: str) -> None:
    """Send the selected ship to places, one after the other."""
    for place in places:
        by_id(page, "send").select_option(label=place)
        by_id(page, "send-go").click()
    settled(page)


def settled(page: Page) -> None:
    """Wait until every order has its end."""
    until(page, "!gamekit.connection.queue.entries.length")


def orders(page: Page) -> list[str]:
    """The orders in the queue, as they are shown."""
    return by_id(page, "queue-order").locator(".head .step").all_text_contents()


def ship_of(server: LiveServer, made: dict[str, Any], ship: str) -> dict[str, Any]:
    """A ship as its owner sees it, from the server."""
    found: dict[str, Any] = server.state(made["id"], made["token"])["view"]["ships"][ship]
    return found


def give_company_ships(page: Page, count: int) -> list[str]:
    """Let the page take some ships of companies for the player's own; the server knows better."""
    given: list[str] = page.evaluate(
        """(count) => {
          const { view } = gamekit.model;
          const others = Object.keys(view.ships).filter((id) => view.players[view.ships[id].owner].company);
          for (const id of others.slice(0, count)) view.ships[id].owner = gamekit.player;
          gamekit.map.changed();
          gamekit.showPanel();
          return others.slice(0, count);
        }""",
        count,
    )
    return given


def test_the_price_preview_is_what_the_server_then_does(server: LiveServer, visitor: Visitor, pictures: Path) -> None:
    made = new_game(server, rules={"company_percent": 0})
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    server.admin(made["id"], "pause")
    server.admin(made["id"], "step", ticks=1)
    selected(page, ship)
    expect(by_id(page, "trade-where")).to_have_text("Trade at Sol Hub")
    by_id(page, "trade-what").select_option("buy:alloys")
    by_id(page, "trade-units").fill("37")
    quoted = page.evaluate("() => gamekit.fleet.orders.trade.quoted(37)")
    cost, now, then = (
        (quoted[one] + more) / 100 for one, more in (("total", quoted["fee"]), ("before", 0), ("after", 0))
    )
    assert quoted["fee"] > 0
    assert then > now
    expect(by_id(page, "trade-quote")).to_contain_text(f"37 Alloys for {cost:,.2f} cr")
    expect(by_id(page, "trade-quote")).to_contain_text(f"The price goes from {now:,.2f} to {then:,.2f}.")
    page.screenshot(path=pictures / "trade.png")
    before = server.state(made["id"], made["token"])["view"]
    by_id(page, "trade-go").click()
    server.admin(made["id"], "step", ticks=5)
    settled(page)
    after = server.state(made["id"], made["token"])["view"]
    player = made["player"]
    assert before["players"][player]["credits"] - after["players"][player]["credits"] == quoted["total"] + quoted["fee"]
    assert after["stations"]["sol-hub"]["price"]["alloys"] == quoted["after"]
    assert before["stations"]["sol-hub"]["price"]["alloys"] == quoted["before"]

    expect(by_id(page, "trade-what")).to_have_value("buy:alloys")
    by_id(page, "trade-what").select_option("sell:alloys")
    expect(by_id(page, "trade-units")).to_have_value("37")
    quoted = page.evaluate("() => gamekit.fleet.orders.trade.quoted(37)")
    by_id(page, "trade-go").click()
    server.admin(made["id"], "step", ticks=5)
    settled(page)
    end = server.state(made["id"], made["token"])["view"]
    assert end["players"][player]["credits"] - after["players"][player]["credits"] == quoted["total"] - quoted["fee"]
    assert end["stations"]["sol-hub"]["price"]["alloys"] == quoted["after"]


def test_a_partial_fill_is_told_before_and_after(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    selected(page, own_ship(page))
    by_id(page, "trade-what").select_option("buy:alloys")
    by_id(page, "trade-most").click()
    most = int(by_id(page, "trade-units").input_value())
    by_id(page, "trade-units").fill("5000")
    expect(by_id(page, "trade-quote")).to_contain_text(f"{most} Alloys for")
    expect(by_id(page, "trade-quote")).to_contain_text("Not more: the hold is full then.")
    by_id(page, "trade-go").click()
    expect(by_id(page, "toast")).to_contain_text(f"bought only {most} of 5000 Alloys at Sol Hub")
    by_id(page, "tab-log").click()
    rows = by_id(page, "log").locator("li")
    expect(rows.nth(0)).to_contain_text(f"bought only {most} of 5000 Alloys at Sol Hub")
    expect(rows.nth(1)).to_contain_text("Ordered: Mercury: buy 5000 Alloys")


def test_an_order_is_pending_then_done_and_a_refusal_stays_until_it_is_put_away(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    selected(page, ship)
    page.evaluate(WATCH)
    page.evaluate(
        """(ship) => {
          for (const station of ["nowhere", "sirius-shipyard"])
            gamekit.command({ type: "move", ship, to: { station } });
        }""",
        ship,
    )
    rows = by_id(page, "latest-order")
    refused = rows.and_(page.locator("[data-state=refused]"))
    expect(refused).to_contain_text("refused: There is no station 'nowhere'")
    expect(rows.and_(page.locator("[data-state=done]"))).to_contain_text("Mercury to Sirius Shipyard accepted")
    page.screenshot(path=pictures / "orders.png")
    seen = list(page.evaluate("() => window.states").values())
    assert [states[-1] for states in seen] == ["refused", "done"]
    assert all(set(states[:-1]) & {"waiting", "sent", "acknowledged"} for states in seen)
    signs = page.evaluate("() => window.signs")
    assert len(set(signs.values())) == len(signs) > 2, "each state has a sign of its own, so that no colour is needed"
    settled(page)
    page.evaluate("() => { gamekit.book.ended.forEach((row) => (row.endedMs -= 60000)); gamekit.showPanel(); }")
    expect(rows).to_have_count(1)
    page.get_by_label("Put away:").click()
    expect(by_id(page, "latest")).to_be_hidden()
    by_id(page, "tab-log").click()
    expect(by_id(page, "log")).to_contain_text("Refused: Mercury to nowhere. There is no station 'nowhere'")


def test_refusals_are_tried_again_and_put_away_all_together(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    give = """([ship, count]) => { for (let i = 0; i < count; i += 1)
      gamekit.command({ type: "move", ship, to: { station: `nowhere-${i}` } }); }"""
    page.evaluate(give, [own_ship(page), 40])
    until(page, "gamekit.book.refused.length === 40")
    latest = by_id(page, "latest")
    expect(latest).to_contain_text("40 refused")
    page.screenshot(path=pictures / "refusals.png")
    by_id(page, "refused-again").click()
    until(page, "gamekit.connection.queue.entries.length === 0 && gamekit.book.refused.length === 40")
    ordered = [body["to"]["station"] for body in bodies(server, made) if body["type"] == "move"]
    assert ordered == [f"nowhere-{number}" for number in range(40)] * 2
    latest.get_by_label("Try again: Mercury to nowhere-0", exact=True).click()
    until(page, "gamekit.connection.queue.entries.length === 0")
    assert page.evaluate("() => gamekit.book.refused.at(-1).body.to.station") == "nowhere-0"
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=pictures / "refusals-phone.png")
    by_id(page, "refused-away").click()
    expect(latest).to_be_hidden()


def test_an_order_that_fails_on_its_turn_is_told_in_words(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    selected(page, ship)
    send(page, "Sirius Shipyard")
    page.evaluate("(ship) => gamekit.command({ type: 'sell', ship, ware: 'robots', units: 3, append: true })", ship)
    expect(by_id(page, "queue-order")).to_have_count(2)
    server.admin(made["id"], "speed", speed=200)
    expect(by_id(page, "toast")).to_contain_text("carries no Robots")
    by_id(page, "tab-log").click()
    expect(by_id(page, "log")).to_contain_text("carries no Robots")


def test_orders_are_dragged_into_another_sequence(server: LiveServer, visitor: Visitor, pictures: Path) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    selected(page, ship)
    by_id(page, "append").check()
    send(page, "Sirius, the middle", "Luhman 16, the middle", "Sol Habitat")
    names = ["To the middle of Sirius", "To the middle of Luhman 16", "To Sol Habitat"]
    assert orders(page) == names
    grips = by_id(page, "grip")
    start, end = grips.nth(2).bounding_box(), grips.nth(0).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(start["x"] + 8, start["y"] + 8 + (end["y"] - 6 - start["y"]) * step / 10)
    page.screenshot(path=pictures / "dragging.png")
    page.mouse.up()
    settled(page)
    assert orders(page) == [names[2], names[0], names[1]]
    numbers = [entry["order"] for entry in ship_of(server, made, ship)["queue"]]
    assert list(dict.fromkeys(numbers)) == [3, 1, 2]
    assert bodies(server, made)[-1] == {"type": "reorder", "ship": ship, "orders": [3, 1, 2]}


def test_orders_are_moved_by_keys_and_a_refused_sequence_is_taken_back(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    selected(page, own_ship(page))
    by_id(page, "append").check()
    send(page, "Sirius Shipyard", "Luhman 16, the middle")
    by_id(page, "grip").first.focus()
    page.keyboard.press("ArrowDown")
    settled(page)
    assert orders(page) == ["To the middle of Luhman 16", "To Sirius Shipyard"]
    expect(page.locator("#queue-said")).to_have_text("Now number 2 of 2.")
    until(page, "document.activeElement.closest('.order')?.textContent.includes('To Sirius Shipyard')")

    page.evaluate(
        "() => gamekit.command({ type: 'sell', ship: gamekit.map.selected, ware: 'robots', units: 3, append: true })"
    )
    expect(by_id(page, "queue-order")).to_have_count(3)
    by_id(page, "grip").last.focus()
    page.keyboard.press("ArrowUp")
    expect(by_id(page, "toast")).to_contain_text("would not be docked when it trades Robots")
    until(page, "document.querySelector('#queue').lastElementChild.textContent.includes('Sell 3 Robots')")
    assert orders(page)[1:] == ["To Sirius Shipyard", "Sell 3 Robots"]


def test_auto_trade_is_switched_and_any_other_order_switches_it_off(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    selected(page, ship)
    by_id(page, "auto").check()
    until(page, f"gamekit.model.view.ships[{ship!r}].auto_trade === true")
    expect(by_id(page, f"ship-{ship}")).to_contain_text("auto")
    expect(by_id(page, "auto")).to_be_checked()
    assert ship_of(server, made, ship)["auto_trade"] is True
    by_id(page, "auto").uncheck()
    settled(page)
    assert ship_of(server, made, ship)["auto_trade"] is False
    by_id(page, "auto").check()
    settled(page)
    assert [body["on"] for body in bodies(server, made)] == [True, False, True]
    send(page, "Sirius, the middle")
    expect(by_id(page, "auto")).not_to_be_checked()
    by_id(page, "tab-log").click()
    expect(by_id(page, "log")).to_contain_text("no longer trades by itself")


def test_many_ships_are_selected_and_commanded_together(server: LiveServer, visitor: Visitor, pictures: Path) -> None:
    made = new_game(server, rules={"company_percent": 100})
    page = play(visitor, made["play_url"])
    mine = own_ship(page)
    others = give_company_ships(page, 2)
    selected(page, mine)
    by_id(page, f"ship-{others[0]}").click(modifiers=["Shift"])
    assert page.evaluate("() => [...gamekit.map.selection.ids]") == [mine, others[0]]
    expect(by_id(page, "hold")).to_have_text("2 ships take the next orders")
    by_id(page, "select-all").click()
    assert page.evaluate("() => gamekit.map.selection.size") == 3
    by_id(page, "select-all").click()
    assert page.evaluate("() => gamekit.map.selection.size") == 0

    box = page.evaluate(
        """(ships) => {
          const spots = ships.map((ship) => gamekit.map.screenOf({ ship }));
          const all = (pick, of) => pick(...spots.map((spot) => spot[of]));
          return [all(Math.min, "x") - 40, all(Math.min, "y") - 40, all(Math.max, "x") + 40, all(Math.max, "y") + 40];
        }""",
        [mine, *others],
    )
    page.keyboard.down("Shift")
    page.mouse.move(box[0], box[1])
    page.mouse.down()
    page.mouse.move(box[2], box[3], steps=6)
    page.screenshot(path=pictures / "lasso.png")
    page.mouse.up()
    page.keyboard.up("Shift")
    assert set(page.evaluate("() => [...gamekit.map.selection.ids]")) == {mine, *others}

    click(page, {"sector": "epsilon-eridani", "x": 0, "y": 700})
    expect(by_id(page, "latest-order").and_(page.locator("[data-state=refused]"))).to_have_count(2)
    settled(page)
    moves = [body for body in bodies(server, made) if body["type"] == "move"]
    assert {body["ship"] for body in moves} == {mine, *others}
    assert len({str(body["to"]) for body in moves}) == 1
    until(page, f"gamekit.model.view.ships[{mine!r}].queue.length > 0")


def test_shift_and_a_click_on_the_map_append_and_shift_on_a_ship_selects_it_as_well(
    server: LiveServer, visitor: Visitor
) -> None:
    made = new_game(server, rules={"company_percent": 100})
    page = play(visitor, made["play_url"])
    mine = own_ship(page)
    click(page, {"ship": mine})
    for sector in ("sirius", "ross-248"):
        page.keyboard.down("Shift")
        click(page, {"sector": sector, "x": 600, "y": 700})
        page.keyboard.up("Shift")
        until(page, f"gamekit.model.view.ships[{mine!r}].queue.some((entry) => entry.sector === {sector!r})")
    assert [body["append"] for body in bodies(server, made)] == [True, True]
    (other,) = give_company_ships(page, 1)
    page.keyboard.down("Shift")
    click(page, {"ship": other})
    page.keyboard.up("Shift")
    assert page.evaluate("() => [...gamekit.map.selection.ids]") == [mine, other]
