"""The lobby: games are made with rules, joined by link or code, watched, and found again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.live import LiveServer
from tests.web.conftest import Visitor, until
from tests.web.test_panels import CUT_OFF, PHONE
from tests.web.test_play import by_id, live, new_game


def test_a_game_is_made_with_the_chosen_scenario_seed_and_rules(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    page = visitor.page()
    page.goto(server.url)
    by_id(page, "create-player").fill("Ada")
    by_id(page, "create-scenario").select_option("procedural")
    by_id(page, "create-sectors").fill("5")
    by_id(page, "create-seed").fill("42")
    by_id(page, "rules").locator("summary").first.click()
    by_id(page, "rule-company_percent").select_option("0")
    by_id(page, "rule-starting_credits").select_option("2000000")
    by_id(page, "rule-storm_rate").select_option("300")
    by_id(page, "all-rules").locator("summary").click()
    by_id(page, "rule-jump_ticks").fill("77")
    page.screenshot(path=pictures / "lobby-rules.png", full_page=True)
    by_id(page, "create").click()
    live(page)
    expect(by_id(page, "credits")).to_have_text("20,000 cr")
    assert page.evaluate("() => Object.keys(gamekit.model.view.sectors).length") == 5
    rules = page.evaluate("() => gamekit.welcomed")
    assert (rules["storm_rate"], rules["company_percent"], rules["jump_ticks"]) == (300, 0, 77)
    game = page.evaluate("() => gamekit.game")
    status, info = server.call("GET", f"/api/game/{game}")
    assert status == 200
    assert info["seed"] == 42


def test_every_scenario_and_every_rule_of_the_server_is_offered(server: LiveServer, visitor: Visitor) -> None:
    page = visitor.page()
    page.goto(server.url)
    _, offered = server.call("GET", "/api/scenarios")
    choice = by_id(page, "create-scenario")
    expect(choice.locator("option")).to_have_text([one["title"] for one in offered["scenarios"]])
    for one in offered["scenarios"]:
        choice.select_option(one["name"])
        expect(page.locator("#create-about")).to_have_text(one["sentence"])
        assert by_id(page, "create-sectors").is_enabled() == (one["least_sectors"] < one["most_sectors"])
    by_id(page, "rules").locator("summary").first.click()
    by_id(page, "all-rules").locator("summary").click()
    _, rules = server.call("GET", "/api/rules")
    for rule in rules["rules"]:
        if rule["name"] != "version":
            expect(by_id(page, f"rule-{rule['name']}")).to_have_count(1)
    fog = by_id(page, "rule-fog")
    assert (fog.get_attribute("min"), fog.get_attribute("max"), fog.get_attribute("placeholder")) == ("0", "1", "0")
    choice.select_option("duel")
    by_id(page, "create-player").fill("Ada")
    fog.fill("1")
    by_id(page, "create").click()
    live(page)
    assert page.evaluate("() => gamekit.welcomed.fog") == 1


def test_a_game_is_watched_by_its_bare_code(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = visitor.page()
    page.goto(server.url)
    by_id(page, "join-link").fill(made["id"])
    by_id(page, "watch").click()
    live(page)
    assert page.evaluate("() => gamekit.player") is None
    expect(by_id(page, "enter")).to_contain_text("You are watching")
    by_id(page, "tab-ledger").click()
    expect(by_id(page, "info-body")).to_contain_text("only players have a ledger")
    until(page, "!gamekit.connection.queue.entries.length")


def test_the_lobby_fits_a_phone(server: LiveServer, visitors: Callable[..., Visitor], pictures: Path) -> None:
    page = visitors(**PHONE).page()
    page.goto(server.url)
    expect(by_id(page, "create")).to_be_visible()
    by_id(page, "rules").locator("summary").first.click()
    by_id(page, "all-rules").locator("summary").click()
    expect(by_id(page, "rule-fog")).to_be_visible()
    page.screenshot(path=pictures / "lobby-phone.png", full_page=True)
    assert page.evaluate(CUT_OFF.replace("#play", "#lobby")) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390


def test_a_seed_that_the_browser_cannot_hold_is_refused_before_it_is_sent(server: LiveServer, visitor: Visitor) -> None:
    page = visitor.page()
    page.goto(server.url)
    by_id(page, "create-player").fill("Ada")
    page.evaluate("() => (document.getElementById('create-seed').value = '9007199254740993')")
    page.evaluate("() => document.getElementById('create').requestSubmit()")
    expect(page.locator("#lobby-problem")).to_contain_text("A seed is a whole number from")
