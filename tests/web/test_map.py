"""The map under wheel, fingers and keys; and what its lanes tell of traffic and storms."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import Visitor, until
from tests.web.test_panels import PHONE
from tests.web.test_play import GOAL, by_id, click, new_game, own_ship, play

#: Where Sol is on the screen, and how large the map is.
SIGHT = "() => ({ ...gamekit.map.screenOf({ sector: 'sol' }), scale: gamekit.map.camera.sight.scale })"
#: The texts of the next frame, by overhearing the canvas.
TEXTS = """() => {
  const texts = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
    texts.push(text);
    return fillText.call(this, text, ...at);
  };
  gamekit.map.stage.frame();
  CanvasRenderingContext2D.prototype.fillText = fillText;
  return texts;
}"""

#: As the server tells of a storm that closes gates.
STORM = """(ids) => {
  const { connection, model } = gamekit;
  const storm = { open: false, reason: "storm", storm_until: model.tick + 1500 };
  const changes = { gates: Object.fromEntries((ids ?? Object.keys(model.view.gates)).map((id) => [id, storm])) };
  const { tick } = model;
  connection.heard(JSON.stringify({ type: "delta", tick, seq: 1, n: connection.position.n + 1, events: [], changes }));
}"""
#: How many storms have their time written, and which of these cross a sector's name.
CROSSED = """() => {
  const written = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
    const half = parseFloat(/([\\d.]+)px/.exec(this.font)[1]) / 2;
    written.push({ text, left: x, right: x + this.measureText(text).width, top: y - half, bottom: y + half });
    return fillText.call(this, text, x, y);
  };
  gamekit.map.stage.baseStale = true;
  gamekit.map.stage.frame();
  CanvasRenderingContext2D.prototype.fillText = fillText;
  const sectors = new Set(Object.values(gamekit.model.view.sectors).map(({ name }) => name));
  const names = written.filter(({ text }) => sectors.has(text));
  const storms = written.filter(({ text }) => text.startsWith("storm "));
  const crosses = (a, b) => a.left < b.right && a.right > b.left && a.top < b.bottom && a.bottom > b.top;
  const crossed = storms.flatMap((storm) => names.filter((name) => crosses(storm, name)).map(({ text }) => text));
  return { storms: storms.length, names: names.length, crossed };
}"""


def sight(page: Page) -> dict[str, float]:
    """Where Sol is, and at which scale."""
    seen: dict[str, float] = page.evaluate(SIGHT)
    return seen


def test_the_wheel_zooms_about_the_pointer_and_dragging_moves(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    before = sight(page)
    page.mouse.move(before["x"], before["y"])
    page.mouse.wheel(0, -300)
    until(page, f"gamekit.map.camera.sight.scale > 1.3 * {before['scale']}")
    near = sight(page)
    assert abs(near["x"] - before["x"]) < 1
    assert abs(near["y"] - before["y"]) < 1, "what is under the pointer stays there"
    page.mouse.move(near["x"] + 5, near["y"] + 30)
    page.mouse.down()
    page.mouse.move(near["x"] + 105, near["y"] - 10, steps=5)
    page.mouse.up()
    moved = sight(page)
    assert (round(moved["x"] - near["x"]), round(moved["y"] - near["y"])) == (100, -40)
    assert moved["scale"] == near["scale"]
    until(page, "!gamekit.map.stage.base.style.transform")


def test_two_fingers_zoom_and_move_the_map(server: LiveServer, visitors: Callable[..., Visitor]) -> None:
    page = play(visitors(**PHONE), new_game(server)["play_url"])
    before = sight(page)
    session = page.context.new_cdp_session(page)

    def fingers(kind: str, *columns: int) -> None:
        """Real touches, through the browser's own input."""
        points = [{"x": x, "y": 250, "id": index} for index, x in enumerate(columns)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 150, 250)
    for step in range(1, 6):
        fingers("touchMove", 150 - 10 * step, 250 + 10 * step)
    fingers("touchEnd")
    after = sight(page)
    assert 1.8 < after["scale"] / before["scale"] < 2.2
    assert page.evaluate("() => gamekit.map.selection.size") == 0, "a pinch is no tap"
    # The middle between the fingers stays where it is.
    assert abs((after["x"] - 200) - 2 * (before["x"] - 200)) < 12


def test_keys_move_and_zoom_the_map(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    before = sight(page)
    page.locator("#map").focus()
    page.keyboard.press("Shift+ArrowRight")
    until(page, "!gamekit.map.camera.glide")
    assert round(before["x"] - sight(page)["x"]) == 90
    page.keyboard.press("+")
    until(page, f"!gamekit.map.camera.glide && gamekit.map.camera.sight.scale > 1.4 * {before['scale']}")
    page.keyboard.press("0")
    until(page, f"!gamekit.map.camera.glide && Math.abs(gamekit.map.camera.sight.scale - {before['scale']}) < 0.001")
    assert round(sight(page)["x"] - before["x"]) == 0


def test_lanes_show_their_traffic_and_storms_how_long_they_last(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    made = new_game(server, rules={"company_percent": 0})
    page = play(visitor, made["play_url"])
    ship = page.evaluate("() => gamekit.fleet.own[0]")
    busy = "() => gamekit.map.ground.lanes.get('sol:sirius').busy"
    assert page.evaluate(busy) == 0
    server.admin(made["id"], "speed", speed=20)
    order: dict[str, Any] = {"type": "move", "ship": ship, "to": {"sector": "sirius", "x": 0, "y": 0}}
    page.evaluate("(order) => gamekit.command(order)", order)
    until(page, "gamekit.map.ground.lanes.get('sol:sirius').busy === 1")
    assert page.evaluate("() => gamekit.map.ground.lanes.get('sol:luhman-16').busy") == 0
    server.admin(made["id"], "pause")
    until(page, "gamekit.paused")
    painted = page.evaluate("() => gamekit.map.stats.basePaints")
    page.evaluate(STORM, ["sol:ross-248", "ross-248:sol"])
    until(page, "!gamekit.map.ground.lanes.get('ross-248:sol').open")
    texts = page.evaluate(TEXTS)
    (storm,) = [text for text in texts if text.startswith("storm ")]
    assert re.fullmatch(r"storm 2:(2\d|30)", storm)
    assert page.evaluate("() => gamekit.map.stats.basePaints") > painted, "the lane is painted anew"
    page.locator("summary", has_text="Legend").click()
    expect(page.locator("#legend")).to_contain_text("closed by a storm")
    legend = page.locator(".legend").bounding_box()
    assert legend
    until(
        page,
        "Math.min(...Object.keys(gamekit.model.view.sectors).map((sector) => "
        f"gamekit.map.screenOf({{ sector, x: -1000 }}).x)) > {legend['x'] + legend['width']}",
    )
    page.screenshot(path=pictures / "storm.png")


def test_the_map_tells_the_times_of_a_route_that_the_queue_tells(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    click(page, {"ship": ship})
    click(page, GOAL)
    expect(by_id(page, "queue-entry")).to_have_count(5)
    server.admin(made["id"], "pause")
    until(page, "gamekit.paused && !gamekit.map.clock.running(performance.now())")
    page.evaluate("() => gamekit.showPanel()")
    steps = by_id(page, "queue-entry")
    told = steps.and_(page.locator("[data-type=jump], :last-child")).locator(".eta").all_text_contents()
    assert len(told) == 3
    assert set(told) <= set(page.evaluate(TEXTS))


def test_how_long_storms_last_is_written_beside_names_not_over_them(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    page.evaluate(STORM)
    until(page, "gamekit.map.ground.passages.every(({ open }) => !open)")
    passages = page.evaluate("() => gamekit.map.ground.passages.length")
    assert page.evaluate(CROSSED) == {"storms": passages, "names": 16, "crossed": []}
