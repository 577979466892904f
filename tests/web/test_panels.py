"""The second panel: station, market, ledger, log and players, on a desktop and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import Visitor, until
from tests.web.test_orders import selected, settled
from tests.web.test_play import bodies, by_id, click, new_game, own_ship, play

PANELS = ("station", "market", "ledger", "log", "players")
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
#: Texts and controls that lie outside the screen, or are cut off without an ellipsis, by what they say.
CUT_OFF = """() => [...document.querySelectorAll("#play *")]
  .filter((element) => element.checkVisibility() && !element.closest("canvas, svg, select, .unseen, #map"))
  .filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    const outside = width > 0 && (left < -0.5 || right > innerWidth + 0.5);
    const leaf = !element.children.length && element.textContent.trim();
    const cut = leaf && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0;
    return outside || (cut && getComputedStyle(element).textOverflow !== "ellipsis");
  })
  .map((element) => `${element.tagName} ${element.id} ${element.textContent.slice(0, 60)}`)"""

#: Calls all stations and sectors, ships, players and wares the same.
CALL_ALL = """(name) => {
  const { stations, sectors, ships, players, wares } = gamekit.model.view;
  for (const one of [stations, sectors, ships, players, wares].flatMap(Object.values)) one.name = name;
  gamekit.showPanel();
}"""


def opened(page: Page, name: str) -> None:
    """Open a panel by its tab."""
    by_id(page, f"tab-{name}").click()
    expect(by_id(page, "info")).to_be_visible()
    expect(page.locator("#info-title")).to_have_text(name.capitalize())


def test_a_station_tells_stock_prices_recipe_and_why_it_stands_still(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    made = new_game(server, rules={"initial_stock_percent": 0, "company_percent": 0})
    page = play(visitor, made["play_url"])
    click(page, {"station": "sirius-shipyard"})
    expect(page.locator("#info-title")).to_have_text("Station")
    expect(by_id(page, "station-choice").locator("option:checked")).to_have_text("Sirius Shipyard")
    expect(by_id(page, "station-standing")).to_contain_text("Starved: it stands still, short of")
    expect(by_id(page, "station-recipe")).to_contain_text("every")
    rows = by_id(page, "station-wares").locator("li")
    held = server.state(made["id"])["view"]["stations"]["sirius-shipyard"]
    expect(rows).to_have_count(len(held["price"]))
    expect(rows.first).to_contain_text("0 / ")
    expect(rows.first).to_contain_text("▲ 30 %")
    assert rows.first.locator("meter").evaluate("(meter) => [meter.value, meter.max]")[0] == 0
    page.screenshot(path=pictures / "station.png")

    by_id(page, "station-choice").select_option(label="Sol Hub")
    expect(by_id(page, "info-body")).to_contain_text("Hub in Sol")
    ship = own_ship(page)
    selected(page, ship)
    by_id(page, "station-choice").select_option(label="Sirius Shipyard")
    by_id(page, "station-send").click()
    until(page, f"gamekit.model.view.ships[{ship!r}].queue.at(-1)?.station === 'sirius-shipyard'")


def test_a_ship_is_bought_named_renamed_and_sold(server: LiveServer, visitor: Visitor, pictures: Path) -> None:
    made = new_game(server, rules={"company_percent": 0, "starting_credits": 30_000_000})
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    opened(page, "station")
    by_id(page, "station-choice").select_option(label="Sol Hub")
    yard = by_id(page, "shipyard")
    classes = server.state(made["id"])["view"]["ship_classes"]
    expect(yard.get_by_role("button", name="Buy for")).to_have_count(len(classes))
    for button in yard.get_by_role("button", name="Buy for").all():
        price = int(re.sub(r"\D", "", (button.text_content() or "").removesuffix(".00")))
        assert button.is_disabled() == (price > 300_000), "what is too dear cannot be bought, and says so"
    page.screenshot(path=pictures / "shipyard.png")
    by_id(page, "ship-name").fill("Swallow <b>")
    yard.get_by_role("button", name="Buy for").and_(page.locator(":enabled")).first.click()
    until(page, "gamekit.fleet.own.length === 2")
    new = page.evaluate("(ship) => gamekit.fleet.own.find((one) => one !== ship)", ship)
    expect(by_id(page, f"ship-{new}")).to_contain_text("Swallow <b>")

    by_id(page, f"ship-{new}").click()
    by_id(page, "rename-open").click()
    expect(by_id(page, "rename")).to_have_value("Swallow <b>")
    by_id(page, "rename").fill("Swift")
    page.screenshot(path=pictures / "rename.png")
    by_id(page, "rename").press("Enter")
    expect(by_id(page, f"ship-{new}")).to_contain_text("Swift")
    expect(by_id(page, "rename-open")).to_be_focused()

    before = page.evaluate("() => gamekit.model.view.players[gamekit.player].credits")
    sell = yard.get_by_role("button", name=re.compile(": Swift"))
    sell.click()
    expect(sell).to_have_text("Sure? Sell")
    assert page.evaluate("() => gamekit.fleet.own.length") == 2, "one click sells nothing"
    sell.click()
    until(page, "gamekit.fleet.own.length === 1")
    assert page.evaluate("() => gamekit.model.view.players[gamekit.player].credits") > before
    assert [body["type"] for body in bodies(server, made)] == ["buy_ship", "rename_ship", "sell_ship"]


def test_a_shipyard_says_why_a_ship_cannot_be_sold(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    page.evaluate(
        "(ship) => { gamekit.model.view.ships[ship].hold = { food: 3 }; gamekit.showPanel(); }", own_ship(page)
    )
    opened(page, "station")
    by_id(page, "station-choice").select_option(label="Sol Hub")
    expect(by_id(page, "shipyard")).to_contain_text("wares on board: sell them first")
    expect(by_id(page, "shipyard").get_by_role("button", name="Sell for")).to_be_disabled()


def test_the_market_lists_the_best_prices_and_leads_to_their_stations(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    made = new_game(server, rules={"company_percent": 100})
    page = play(visitor, made["play_url"])
    server.admin(made["id"], "speed", speed=100)
    until(page, "gamekit.model.tick > 3000")
    server.admin(made["id"], "pause")
    until(page, "gamekit.paused")
    opened(page, "market")
    view = page.evaluate("() => gamekit.model.view")
    for ware in ("alloys", "food"):
        sellers = [s["price"][ware] for s in view["stations"].values() if ware in s["sells"] and s["stock"][ware]]
        row = by_id(page, f"market-{ware}")
        expect(row).to_contain_text(f"{min(sellers) / 100:,.2f}")
        assert row.locator("polyline").count() == 2
    points = page.evaluate("() => gamekit.annals.prices.get('alloys').ask.points.length")
    assert points >= 2
    page.screenshot(path=pictures / "market.png")
    link = by_id(page, "market-alloys").locator("button").first
    name = link.text_content()
    link.click()
    expect(by_id(page, "station-choice").locator("option:checked")).to_have_text(str(name))


def test_the_ledger_adds_up(server: LiveServer, visitor: Visitor, pictures: Path) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    selected(page, own_ship(page))
    for what, units in (("buy:alloys", "30"), ("sell:alloys", "10"), ("sell:alloys", "20")):
        by_id(page, "trade-what").select_option(what)
        by_id(page, "trade-units").fill(units)
        by_id(page, "trade-go").click()
        settled(page)
    opened(page, "ledger")
    expect(by_id(page, "ledger").locator("li")).to_have_count(3)
    expect(by_id(page, "ledger").locator("li").first).to_contain_text("Sold 20 Alloys")
    flows = page.evaluate(
        "() => gamekit.annals.trades.map(({ bought, total, fee }) => (bought ? -total - fee : total - fee))"
    )
    credits = server.state(made["id"], made["token"])["view"]["players"][made["player"]]["credits"]
    assert sum(flows) == credits - 10_000_000
    expect(by_id(page, "ledger-credits")).to_have_text(f"{credits / 100:,.2f} cr".replace(".00 cr", " cr"))
    page.screenshot(path=pictures / "ledger.png")


def test_players_and_companies_are_told_apart(server: LiveServer, visitors: Callable[..., Visitor]) -> None:
    made = new_game(server, rules={"company_percent": 100})
    page = play(visitors(), made["play_url"])
    opened(page, "players")
    server.call("POST", f"/api/game/{made['id']}/join", {"name": "Grace"})
    rows = by_id(page, "players").locator("li")
    expect(rows.nth(0)).to_contain_text("Adayou1 ship")
    expect(rows.nth(1)).to_contain_text("Grace")
    view = page.evaluate("() => gamekit.model.view")
    companies = [id for id, one in view["players"].items() if one["company"]]
    expect(by_id(page, "players").locator("[data-kind=company]")).to_have_count(len(companies))
    expect(rows.nth(2)).to_contain_text("company")
    dim = page.evaluate("() => [...gamekit.map.marks.byId.values()].filter(({ company }) => company).length")
    assert dim == sum(ship["owner"] in companies for ship in view["ships"].values())
    opened(page, "log")
    expect(by_id(page, "log")).to_contain_text("Grace joined the game")


def test_the_log_can_be_narrowed_to_what_went_wrong(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    ship = own_ship(page)
    page.evaluate(
        """(ship) => {
          gamekit.command({ type: "move", ship, to: { station: "sirius-shipyard" } });
          gamekit.command({ type: "stop", ship: "ship-999" });
        }""",
        ship,
    )
    settled(page)
    opened(page, "log")
    expect(by_id(page, "log")).to_contain_text("Mercury to Sirius Shipyard")
    page.get_by_label("Only what went wrong").check()
    expect(by_id(page, "log").locator("li")).to_have_count(1)
    expect(by_id(page, "log")).to_contain_text("Refused: A ship: stop.")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_no_panel_cuts_anything_off(
    server: LiveServer, visitors: Callable[..., Visitor], pictures: Path, device: str
) -> None:
    made = new_game(server, name="Friday evening", rules={"company_percent": 100})
    page = play(visitors(**(PHONE if device == "phone" else {})), made["play_url"])
    selected(page, own_ship(page))
    page.evaluate(
        "(ship) => { gamekit.model.view.ships[ship].hold = { alloys: 60, robots: 3 }; gamekit.showPanel(); }",
        own_ship(page),
    )
    expect(by_id(page, "hold")).to_contain_text("60 Alloys, 3 Robots")
    rename = by_id(page, "rename-open").bounding_box()
    assert rename
    assert rename["height"] < 25, "no word is broken in two"
    assert page.evaluate(CUT_OFF) == []
    for longest in ("Luyten 726-8 Electronics Factory", "W" * 40):
        page.evaluate(CALL_ALL, longest)
        until(page, f"document.querySelector('#trade-where').textContent.endsWith({longest!r})")
        assert page.evaluate(CUT_OFF) == []
        for name in PANELS:
            opened(page, name)
            until(page, "document.querySelector('#info-body').children.length > 0")
            page.screenshot(path=pictures / f"{device}-{name}.png")
            assert page.evaluate(CUT_OFF) == [], name
        if device == "phone":
            by_id(page, "tab-fleet").click()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_the_sheet_does_not_come_up_over_the_ship_that_it_is_about(
    server: LiveServer, visitors: Callable[..., Visitor]
) -> None:
    # So large that the page shows a part of the galaxy only, with the ship anywhere in it.
    made = server.new_game(scenario="procedural:60", seed=5, player_name="Ada", rules={"company_percent": 0})
    page = play(visitors(**PHONE), made["play_url"])
    ship = own_ship(page)
    where = f"gamekit.map.screenOf({{ ship: {ship!r} }}).y"
    top = "document.querySelector('#panel').getBoundingClientRect().top"
    page.evaluate(f"() => gamekit.map.panBy(0, {top} - 60 - {where})")
    until(page, "!gamekit.map.camera.glide")
    low = page.evaluate(f"() => {where}")
    selected(page, ship)
    until(page, f"{top} < {low}")
    until(page, f"!gamekit.map.camera.glide && {where} < {top}")
    page.evaluate("() => gamekit.map.panBy(0, -700)")
    until(page, "!gamekit.map.camera.glide")
    by_id(page, "append").check()
    by_id(page, "send").select_option(index=3)
    by_id(page, "send-go").click()
    expect(by_id(page, "queue-order")).to_have_count(1)
    by_id(page, "tab-fleet").tap()
    assert page.evaluate(f"() => {where}") < -200, "who looks elsewhere is left alone"


def test_on_a_phone_a_long_refusal_covers_nothing_of_the_galaxy(
    server: LiveServer, visitors: Callable[..., Visitor], pictures: Path
) -> None:
    page = play(visitors(**PHONE), new_game(server, name="Friday evening")["play_url"])
    selected(page, own_ship(page))
    bar = "() => document.querySelector('.bar').getBoundingClientRect().height"
    before = page.evaluate(bar)
    page.evaluate(
        "(ship) => gamekit.command({ type: 'move', ship, to: { station: 'a-station-whose-name-goes-on-and-on' } })",
        own_ship(page),
    )
    toast = by_id(page, "toast")
    expect(toast).to_contain_text("There is no station 'a-station-whose-name-goes-on-and-on'")
    expect(by_id(page, "latest")).to_contain_text("a-station-whose-name-goes-on-and-on")
    page.evaluate("() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))")
    page.screenshot(path=pictures / "phone-refused.png")
    spots = page.evaluate(
        "() => Object.keys(gamekit.model.view.sectors).map((sector) => gamekit.map.screenOf({ sector, y: -1000 }).y)"
    )
    box = toast.bounding_box()
    assert box
    assert box["y"] + box["height"] < min(spots)
    assert page.evaluate(bar) == before, "the map stays where it is"
    assert page.evaluate(CUT_OFF) == []


def test_on_a_phone_the_tabs_change_the_sheet_and_a_ship_brings_its_orders_back(
    server: LiveServer, visitors: Callable[..., Visitor]
) -> None:
    page = play(visitors(**PHONE), new_game(server, rules={"company_percent": 0})["play_url"])
    opened(page, "market")
    expect(page.locator("#panel")).to_be_hidden()
    spot = page.evaluate("(ship) => gamekit.map.screenOf({ ship })", own_ship(page))
    page.touchscreen.tap(spot["x"], spot["y"])
    expect(page.locator("#panel")).to_be_visible()
    expect(by_id(page, "orders")).to_be_visible()
    by_id(page, "tab-fleet").tap()
    expect(by_id(page, "orders")).to_be_hidden()
    by_id(page, "tab-fleet").tap()
    expect(by_id(page, "orders")).to_be_visible()
    by_id(page, "tab-log").tap()
    by_id(page, "info-close").tap()
    expect(page.locator("#panel")).to_be_visible()
