"""What the page withstands: any names, hours of play, keys alone, the strict policy, views that it does not know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.nodejs import missing
from tests.web.conftest import Visitor, until
from tests.web.test_orders import selected
from tests.web.test_panels import PANELS, PHONE, opened
from tests.web.test_play import by_id, live, new_game, own_ship, play

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
NAMES = [
    "<img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "مرحبا بالعالم",
    "שלום 123 (עולם)",
    "🚀🛸✨",
    "&lt;b&gt; \"quoted\" 'name'",
    "W" * 40,
]
GHOST = {
    "name": "Ghost",
    "owner": "nobody",
    "class": "?",
    "capacity": 0,
    "speed": 1,
    "status": "",
    "reason": "",
    "at": {"type": "gate", "gate": "gone", "exit": None, "depart": 0, "arrive": 9},
}
ODD_GATE = {"sector": "sol", "x": -800, "y": -800, "to": None, "to_sector": None, "open": True, "jump_ticks": 5}
BARE_STATION: dict[str, Any] = {
    "name": "Bare",
    "kind": "?",
    "sector": "sol",
    "x": 0,
    "y": 0,
    "stock": {},
    "capacity": {},
    "price": {},
    "buys": [],
    "sells": [],
    "recipe": None,
    "status": "",
    "reason": "",
}
#: Deltas and a message as a later server might send them.
STRANGE = """([ship, ghost, odd, bare]) => {
  const { connection, model } = gamekit;
  const hear = (message) => connection.heard(JSON.stringify(message));
  const say = (events, changes) =>
    hear({ type: "delta", tick: model.tick, seq: 1, n: connection.position.n + 1, events, changes });
  say([{ type: "SomethingNew", ship, deep: { er: [1] } }, { type: "RulesChanged" }], {
    weather: { sol: { wind: 3 } },
    rules: { price_spread_percent: { value: 40 } },
    ships: { ghost },
    gates: { "sol:sirius": { storm_until: 99999, open: false }, odd },
    sectors: { "ross-154": null, sol: { gates: ["odd"] } },
  });
  say([{ type: "ShipDocked", ship: "ghost", station: "gone" }], { stations: { "sol-hub": null, bare } });
  hear({ type: "weather_report", text: "?" });
}"""
RUN_AXE = """async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(" | ")}`);
}"""


def accessible(page: Page) -> list[str]:
    """What axe finds wrong with the page as it is."""
    if not AXE.exists():
        missing("NOT TESTED: accessibility; axe-core is missing. Run `make test`, which brings it.")
    # Given through the debugger, the checker needs no exception from the page's policy.
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(RUN_AXE)
    return found


def heap(page: Page) -> int:
    """What the page's JavaScript holds after a collection, in bytes."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    used: int = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used


def test_names_are_text_whatever_they_contain(server: LiveServer, visitor: Visitor, pictures: Path) -> None:
    made = new_game(server, name="<u>Game</u> تجربة & 🚀", player_name=NAMES[0])
    for name in NAMES[1:]:
        status, answer = server.call("POST", f"/api/game/{made['id']}/join", {"name": name})
        assert status == 201, answer
    page = play(visitor, made["play_url"])
    page.on("dialog", lambda dialog: visitor.complaints.append(f"dialog {dialog.message}"))
    expect(page.locator("#panel-title")).to_have_text(NAMES[0])
    assert by_id(page, "game-name").text_content() == "<u>Game</u> تجربة & 🚀"
    ship = own_ship(page)
    page.evaluate(
        "([ship, name]) => { gamekit.model.view.ships[ship].name = name; gamekit.showPanel(); }", [ship, NAMES[1]]
    )
    spot = page.evaluate("(ship) => gamekit.map.screenOf({ ship })", ship)
    page.mouse.move(spot["x"], spot["y"])
    expect(by_id(page, "tooltip")).to_contain_text(f"{NAMES[1]}freighter, {NAMES[0]}")
    selected(page, ship)
    page.evaluate("(ship) => gamekit.command({ type: 'stop', ship: ship + '<b>' })", ship)
    for panel in PANELS:
        opened(page, panel)
    texts = by_id(page, "players").locator("bdi").all_text_contents()
    assert texts[: len(NAMES)] == NAMES
    assert page.locator("#play :is(img[src=x], u, b, script)").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=pictures / "names.png")
    page.goto(server.url)
    expect(by_id(page, f"game-{made['id']}")).to_contain_text(NAMES[0])
    assert page.locator("#lobby :is(img[src=x], u, b, script)").count() == 0


def test_a_view_with_holes_and_things_nobody_knows_hurts_nothing(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server, rules={"company_percent": 100})
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    selected(page, ship)
    page.evaluate(STRANGE, [ship, GHOST, ODD_GATE, BARE_STATION])
    for panel in PANELS:
        opened(page, panel)
    expect(by_id(page, "log")).to_have_count(0)
    spot = page.evaluate("() => gamekit.map.screenOf({ gate: 'odd' })")
    page.mouse.move(spot["x"], spot["y"])
    expect(by_id(page, "tooltip")).to_contain_text("unknown")
    page.keyboard.press("0")
    until(page, "!gamekit.map.camera.glide")


@pytest.mark.parametrize("device", ["desktop", "phone"])
def test_lobby_and_game_are_accessible(server: LiveServer, visitors: Callable[..., Visitor], device: str) -> None:
    visitor = visitors(**(PHONE if device == "phone" else {}))
    made = new_game(server, rules={"company_percent": 100})
    page = play(visitor, made["play_url"])
    selected(page, own_ship(page))
    page.evaluate("(ship) => gamekit.command({ type: 'stop', ship: 'ship-999' })")
    expect(by_id(page, "latest")).to_be_visible()
    assert accessible(page) == []
    for panel in PANELS:
        opened(page, panel)
        assert accessible(page) == [], panel
    page.goto(server.url)
    expect(by_id(page, "create")).to_be_visible()
    by_id(page, "rules").locator("summary").first.click()
    by_id(page, "all-rules").locator("summary").click()
    expect(by_id(page, "rule-fog")).to_be_visible()
    assert accessible(page) == []


def test_everything_can_be_reached_and_left_by_keys(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    selected(page, own_ship(page))
    page.locator(".home").focus()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("() => document.activeElement?.dataset?.testid ?? document.activeElement?.id ?? ''"))
    wanted = {"share", "map", "tab-station", "tab-players", "send", "trade-what", "trade-units", "trade-go", "append"}
    assert wanted | {"auto", "stop", "rename-open", f"ship-{own_ship(page)}"} <= reached
    by_id(page, "tab-market").press("Enter")
    expect(by_id(page, "info")).to_be_visible()
    by_id(page, "info-body").press("Escape")
    expect(by_id(page, "info")).to_be_hidden()


def test_an_hour_of_play_leaves_the_page_no_larger(
    server: LiveServer, visitor: Visitor, record_property: Callable[[str, Any], None]
) -> None:
    made = new_game(server, rules={"company_percent": 100, "storm_rate": 1000})
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    selected(page, ship)
    by_id(page, "auto").check()
    opened(page, "market")
    # A quarter of an hour fills what is bounded; the hour after it may add nothing.
    server.admin(made["id"], "speed", speed=200)
    until(page, "gamekit.model.tick > 9000", timeout_ms=60_000)
    first = heap(page)
    elements = page.evaluate("() => document.querySelectorAll('*').length")
    until(page, "gamekit.model.tick > 9000 + 36000", timeout_ms=120_000)
    last = heap(page)
    record_property("heap_bytes", [first, last])
    print(f"heap after a quarter of an hour {first:,}, after an hour more {last:,} bytes")
    assert last < first + 1_500_000
    assert page.evaluate("() => document.querySelectorAll('*').length") < elements + 200
    assert page.evaluate("() => gamekit.annals.log.length") <= 300


def test_the_first_view_weighs_less_than_150_kb(
    server: LiveServer, visitors: Callable[..., Visitor], record_property: Callable[[str, Any], None]
) -> None:
    made = new_game(server)
    for name, address in (("lobby", server.url), ("game", made["play_url"])):
        page = visitors().page()
        requests: list[Any] = []

        def note(request: Any, into: list[Any] = requests) -> None:
            into.append(request)

        page.on("requestfinished", note)
        page.goto(address, wait_until="networkidle")
        if name == "game":
            live(page)
        else:
            expect(by_id(page, "create")).to_be_visible()
        sizes = [request.sizes() for request in requests]
        weight = sum(one["responseBodySize"] + one["responseHeadersSize"] for one in sizes)
        ready = page.evaluate("() => performance.getEntriesByType('paint').at(-1)?.startTime")
        record_property(f"{name}_bytes", weight)
        record_property(f"{name}_painted_ms", ready)
        print(f"{name}: {weight:,} bytes in {len(requests)} files, painted after {ready:.0f} ms")
        assert 20_000 < weight < 150_000
