"""The map with two thousand ships and with a thousand sectors: what a frame draws, counted; how long it takes, told.

Times depend on the machine, so they are printed and recorded and never decide; what decides is what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import Visitor, until
from tests.web.test_panels import opened
from tests.web.test_play import by_id, own_ship, play

#: A map of its own over the lobby's page: a game's own view, but a clock that nobody else sets. Every ship flies.
STAGED = """async ([game, token, fly]) => {
  const answer = await fetch(`api/game/${game}/state`, { headers: { Authorization: `Bearer ${token}` } });
  const text = await answer.text();
  const parsing = performance.now();
  const { view } = JSON.parse(text);
  const parsed = performance.now();
  const { GalaxyMap } = await import(new URL("web/js/map.js", document.baseURI));
  const element = document.createElement("div");
  element.style.cssText = "position: fixed; inset: 0; z-index: 9";
  document.body.replaceChildren(element);
  const map = (window.staged = new GalaxyMap(element));
  const sectors = Object.keys(view.sectors);
  for (const [index, ship] of Object.values(view.ships).entries()) {
    const sector = sectors[index % sectors.length];
    const reach = 100 + (index % 80) * 10;
    const [from, to] = [[-reach, reach], [reach, (index % 9) * 50]];
    if (fly) ship.at = { type: "leg", sector, from, to, depart: 0, arrive: 9e6 };
  }
  const showing = performance.now();
  map.setView(view);
  map.setClock({ tick: 1e6, speed: 1, paused: false, tickHz: 10, quietS: 1000 });
  map.frameAll(false);
  map.stage.frame();
  const shownMs = performance.now() - showing;
  // The observer of the map's size reports once, behind the first frame; with that the map is painted anew.
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  window.counts = {};
  for (const name of ["fill", "stroke", "fillText", "clearRect"]) {
    const draw = CanvasRenderingContext2D.prototype[name];
    CanvasRenderingContext2D.prototype[name] = function (...given) {
      counts[name] = (counts[name] ?? 0) + 1;
      return draw.apply(this, given);
    };
  }
  return { bytes: text.length, parse_ms: parsed - parsing, show_ms: shownMs };
}"""
#: What so many frames in a row drew, with what happens before each of them.
FRAMES = """([count, before]) => new Promise((resolve) => {
  const { stats } = staged;
  const middle = staged.camera.middle;
  const drag = () => { staged.steered = true; staged.camera.pan(3, 2); staged.request(); };
  const zoom = () => { staged.steered = true; staged.camera.zoomAt(1.04, middle); staged.request(); };
  const act = { drag, zoom }[before] ?? (() => {});
  for (const name of Object.keys(counts)) counts[name] = 0;
  const began = performance.now();
  let left = count;
  const look = () => {
    if (left > 0) act();
    left -= 1;
    if (left >= 0) return requestAnimationFrame(look);
    const now = staged.stats;
    resolve({
      ...counts,
      frames: now.frames - stats.frames,
      basePaints: now.basePaints - stats.basePaints,
      shipsDrawn: now.shipsDrawn,
      sectorsSeen: now.sectorsSeen,
      medianMs: now.medianMs,
      perSecond: (1000 * (now.frames - stats.frames)) / (performance.now() - began),
    });
  };
  requestAnimationFrame(look);
})"""


def staged(server: LiveServer, visitor: Visitor, scenario: str, fly: bool) -> tuple[Page, dict[str, Any]]:
    """A page with a map of a new game's view, and what showing it took."""
    made = server.new_game(scenario=scenario, seed=7, player_name="Ada")
    page = visitor.page()
    page.goto(server.url)
    expect(by_id(page, "create")).to_be_visible()
    shown: dict[str, Any] = page.evaluate(STAGED, [made["id"], made["token"], fly])
    return page, shown


def frames(page: Page, count: int, before: str = "") -> dict[str, Any]:
    """What so many frames drew; `before` each of them the map is dragged or zoomed."""
    drawn: dict[str, Any] = page.evaluate(FRAMES, [count, before])
    return drawn


def told(record: Callable[[str, Any], None], what: str, drawn: dict[str, Any]) -> None:
    """Write times down, for those who want to know them."""
    record(what, drawn)
    print(what, {key: round(value, 1) if isinstance(value, float) else value for key, value in drawn.items()})


def test_two_thousand_ships_move_in_every_frame_and_are_a_handful_of_paths(
    server: LiveServer, visitor: Visitor, record_property: Callable[[str, Any], None]
) -> None:
    page, shown = staged(server, visitor, "crowded", fly=True)
    told(record_property, "first view of 2,000 ships", shown)
    all_of_them = frames(page, 60)
    told(record_property, "2,000 ships", all_of_them)
    assert all_of_them["frames"] >= 59, "a frame for every one of the screen's"
    assert all_of_them["shipsDrawn"] == 2001
    assert all_of_them["basePaints"] == 0, "what stands still is not painted again"
    assert all_of_them["clearRect"] == all_of_them["frames"], "one layer in each frame"
    assert all_of_them["fill"] + all_of_them.get("stroke", 0) <= 6 * all_of_them["frames"]
    spots = page.evaluate("() => [...staged.marks.byId.values()].map(({ x, y }) => x + y)")
    frames(page, 3)
    after = page.evaluate("() => [...staged.marks.byId.values()].map(({ x, y }) => x + y)")
    assert sum(one != other for one, other in zip(spots, after, strict=True)) > 1990

    page.evaluate("() => staged.frameSectors([Object.keys(staged.view.sectors)[0]], false)")
    near = frames(page, 30)
    told(record_property, "one sector of 2,000 ships", near)
    assert near["shipsDrawn"] < 300
    assert near["sectorsSeen"] <= 9


def test_the_ground_is_painted_at_its_new_place_also_while_ships_fly(server: LiveServer, visitor: Visitor) -> None:
    page, _ = staged(server, visitor, "crowded", fly=True)
    before = page.evaluate(
        """() => {
          staged.steered = true;
          staged.camera.pan(37 / 3, 7.1);
          staged.stage.frame();
          return [staged.stats.basePaints, staged.stage.base.style.transform !== ""];
        }"""
    )
    assert before[1], "at first it is only moved"
    until(page, f"staged.stats.basePaints === {before[0] + 1} && !staged.stage.base.style.transform", 5_000)


def test_stocks_that_change_repaint_the_ground_only_when_that_can_be_seen(server: LiveServer, visitor: Visitor) -> None:
    page, _ = staged(server, visitor, "crowded", fly=True)
    nudge = """(part) => {
      const before = staged.stats.basePaints;
      const [id, station] = Object.entries(staged.view.stations).find(([, one]) => Object.keys(one.capacity).length);
      const [ware] = Object.keys(station.capacity);
      const stock = { ...station.stock, [ware]: Math.round(station.capacity[ware] * part) };
      staged.merge({ stations: { [id]: { stock } } });
      staged.stage.frame();
      staged.frameSectors([station.sector], false);
      staged.stage.frame();
      const framed = staged.stats.basePaints;
      staged.merge({ stations: { [id]: { stock: { ...stock, [ware]: stock[ware] + 1 } } } });
      staged.stage.frame();
      const little = staged.stats.basePaints;
      staged.merge({ stations: { [id]: { stock: { ...stock, [ware]: 0 } } } });
      staged.stage.frame();
      staged.merge({ stations: { [id]: { status: "clogged" } } });
      staged.stage.frame();
      return [framed - before, little - framed, staged.stats.basePaints - little];
    }"""
    assert page.evaluate(nudge, 0.9) == [1, 0, 2], "far away no ring is seen; near by a step of one is, and a trouble"


def test_a_thousand_sectors_are_moved_and_stretched_and_painted_when_they_rest(
    server: LiveServer, visitor: Visitor, record_property: Callable[[str, Any], None]
) -> None:
    page, shown = staged(server, visitor, "procedural:1000", fly=False)
    told(record_property, "first view of 1,000 sectors", shown)
    assert page.evaluate("() => staged.stats.sectorsSeen") == 1000
    counted = page.evaluate(
        """() => {
          for (const name of Object.keys(counts)) counts[name] = 0;
          const began = performance.now();
          staged.stage.spoilBase();
          staged.stage.frame();
          return { ...counts, ms: performance.now() - began };
        }"""
    )
    told(record_property, "ground of 1,000 sectors", counted)
    assert counted["fill"] + counted["stroke"] <= 30, "what looks alike is one path"
    dragged = frames(page, 40, "drag")
    told(record_property, "1,000 sectors dragged", dragged)
    assert dragged["basePaints"] <= 2
    zoomed = frames(page, 40, "zoom")
    told(record_property, "1,000 sectors zoomed", zoomed)
    assert zoomed["basePaints"] <= 6
    until(page, "!staged.stage.base.style.transform && staged.stage.painted.scale === staged.camera.sight.scale")
    page.evaluate("() => staged.frameSectors(Object.keys(staged.view.sectors).slice(0, 1), false)")
    near = frames(page, 10)
    assert near["sectorsSeen"] <= 9
    assert frames(page, 20)["frames"] <= 2, "nothing moves, so nothing is painted"


def test_lists_of_a_thousand_sectors_are_filled_when_they_are_wanted(server: LiveServer, visitor: Visitor) -> None:
    made = server.new_game(scenario="procedural:1000", seed=7, player_name="Ada")
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    by_id(page, f"ship-{ship}").click()
    opened(page, "station")
    options = "() => document.querySelectorAll('#send option, #info option').length"
    assert page.evaluate(options) == 2, "a list of thousands would hold up every click"
    by_id(page, "station-choice").focus()
    by_id(page, "send").focus()
    view = server.state(made["id"])["view"]
    assert page.evaluate(options) == 1 + len(view["sectors"]) + 2 * len(view["stations"])
    last = max(view["stations"])
    by_id(page, "station-choice").select_option(last)
    assert page.evaluate("() => gamekit.info.station") == last
