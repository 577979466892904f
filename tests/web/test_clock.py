"""The connection as it is shown, and the page's clock beside the server's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import AWAY, Visitor, until
from tests.web.test_play import by_id, live, new_game, own_ship, play

#: Asks the server for a ship's state again and again, and notes what the page showed just before and just after. The
#: server's tick lies between, so the page's tick may not be past the next one before, nor short of it after.
SAMPLE = """async ([game, token, ship, count]) => {
  const { map, model } = gamekit;
  const shown = () => map.clock.at(performance.now());
  const samples = [];
  for (let i = 0; i < count; i += 1) {
    await new Promise((next) => setTimeout(next, 37));
    const before = shown();
    const answer = await fetch(`../api/game/${game}/state`, { headers: { Authorization: `Bearer ${token}` } });
    const { tick, view } = await answer.json();
    samples.push({ before, after: shown(), tick, at: view.ships[ship].at, own: model.view.ships[ship].at });
  }
  return samples;
}"""


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[LiveServer]:
    """A server of the test's own, to be stopped."""
    with LiveServer(tmp_path / "data") as running:
        yield running


def notice(page: Page, kind: str, message: str = "", **fields: Any) -> None:
    """Let the page hear a notice of its server."""
    fields = {"tick": 5, "speed": 1, "paused": False, **fields}
    page.evaluate(
        "(message) => gamekit.connection.heard(JSON.stringify(message))",
        {"type": "notice", "kind": kind, "message": message, **fields},
    )


def test_a_flying_ship_is_shown_less_than_a_tick_from_where_the_server_has_it(
    server: LiveServer, visitor: Visitor
) -> None:
    made = new_game(server, rules={"company_percent": 0})
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    page.evaluate("(ship) => gamekit.command({ type: 'move', ship, to: { station: 'sirius-shipyard' } })", ship)
    until(page, f"gamekit.model.view.ships[{ship!r}].at.type === 'leg'")
    # While a page loads on a busy machine its first round trip may take most of a second, and tells no more than that.
    until(page, "gamekit.time.trips.length >= 3")
    samples = page.evaluate(SAMPLE, [made["id"], made["token"], ship, 60])
    flying = [one for one in samples if one["at"]["type"] == "leg"]
    assert len(flying) > 30
    assert all(one["at"] == one["own"] for one in flying), "the page knows the very leg that the server has"
    # A leg is a straight line in time, so an error in ticks is the error in a tick's travel.
    errors = [max(one["before"] - (one["tick"] + 1), one["tick"] - one["after"]) for one in flying]
    # A busy machine may stop the server or the page for longer than a tick; neither can know that of the other.
    off = [error for error in errors if error >= 1]
    assert len(off) <= len(errors) // 10, f"{len(off)} of {len(errors)} samples are a tick or more off: {off}"


def test_the_light_tells_latency_and_how_late_ticks_come(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    expect(by_id(page, "light")).to_contain_text("ms late")
    page.evaluate(
        """() => {
          const { connection } = gamekit;
          const t = performance.now() - 12;
          connection.heard(JSON.stringify({ type: "pong", t, tick: 9, lateness_ms: 240 }));
        }"""
    )
    expect(by_id(page, "light")).to_contain_text("240 ms late")
    expect(by_id(page, "light")).to_have_attribute("data-late", "yes")


def test_what_lasts_is_said_for_as_long_as_it_lasts(server: LiveServer, visitor: Visitor, pictures: Path) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    banner = by_id(page, "banner")
    expect(banner).to_be_hidden()
    server.admin(made["id"], "pause")
    expect(banner).to_contain_text("paused")
    notice(page, "overload", "The server is busy: time passes at half its speed.", speed=0.5)
    expect(banner).to_contain_text("time passes at half its speed")
    expect(by_id(page, "pace")).to_have_text("×0.5")
    page.screenshot(path=pictures / "overload.png")
    notice(page, "overload_over", "Time passes as it should again.")
    expect(banner).to_be_hidden()
    expect(by_id(page, "toast")).to_contain_text("as it should again")
    notice(page, "something_new", "Nobody knows this yet.")
    expect(by_id(page, "toast")).to_contain_text("Nobody knows this yet.")
    expect(banner).to_be_hidden()
    server.admin(made["id"], "resume")
    server.admin(made["id"], "pause")
    expect(banner).to_contain_text("paused")
    notice(page, "readonly", "Nothing can be saved: orders are refused.", paused=True)
    notice(page, "overload", "The server is busy.", paused=True)
    expect(banner).to_contain_text("orders are refused")
    expect(banner).to_have_attribute("data-kind", "readonly")
    page.reload()
    live(page)
    expect(banner).to_contain_text("paused")


def test_a_drain_is_said_and_the_countdown_leads_back(mortal: LiveServer, visitor: Visitor, pictures: Path) -> None:
    visitor.forgiven = AWAY
    page = play(visitor, new_game(mortal)["play_url"])
    page.evaluate(
        """() => {
          window.banners = [];
          const banner = document.getElementById("banner");
          new MutationObserver(() => window.banners.push(banner.dataset.kind)).observe(banner, { attributes: true });
        }"""
    )
    mortal.stop()
    expect(by_id(page, "light")).to_contain_text("next try in")
    assert "drain" in page.evaluate("() => window.banners")
    page.screenshot(path=pictures / "drained.png")
    mortal.start()
    live(page)
    expect(by_id(page, "banner")).to_be_hidden()


def test_a_sleeping_game_may_be_silent_for_as_long_as_it_said(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    page.evaluate("() => gamekit.connection.heard(JSON.stringify({ type: 'heartbeat', tick: null, next_s: 30 }))")
    assert page.evaluate("() => [gamekit.connection.quietMs, gamekit.quietS]") == [30_000, 30]
    assert page.evaluate("() => Number.isFinite(gamekit.map.clock.at(performance.now()))")
