"""Playing in the browser: what a player clicks, sees and may rely on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.live import LiveServer
from tests.web.conftest import Visitor, until

#: Where the tests send their ship: two gates from Sol, by way of Sirius.
GOAL = {"sector": "epsilon-eridani", "x": -600, "y": -600}
ROUTE_COLOUR = (255, 211, 92)


def by_id(page: Page, name: str) -> Locator:
    """The element with a test id."""
    return page.get_by_test_id(name)


def play(visitor: Visitor, url: str) -> Page:
    """A page that plays, live and with the galaxy on its map."""
    page = visitor.page()
    page.goto(url)
    live(page)
    return page


def live(page: Page) -> None:
    """Wait until the page is connected and has the game's view."""
    expect(by_id(page, "light")).to_have_attribute("data-state", "live")
    until(page, "window.gamekit?.model.ready")


def new_game(server: LiveServer, **body: Any) -> dict[str, Any]:
    """A game of the hand-made scenario; the answer has the player's address too."""
    return server.new_game(**{"scenario": "nearest-stars", "seed": 7, "player_name": "Ada", **body})


def own_ship(page: Page) -> str:
    """The id of the player's first ship."""
    ship: str = page.evaluate(
        "() => Object.entries(gamekit.model.view.ships).find(([, ship]) => ship.owner === gamekit.map.player)[0]"
    )
    return ship


def click(page: Page, what: dict[str, Any]) -> None:
    """A real click on the pixels where the map shows something."""
    spot = page.evaluate("(what) => gamekit.map.screenOf(what)", what)
    page.mouse.click(spot["x"], spot["y"])


def colour_on_lane(page: Page, gate: str) -> tuple[int, int, int]:
    """The colour of the map's moving layer in the middle of a gate's curve."""
    pixel = page.evaluate(
        """(gate) => {
          const { camera, ground, stage: { live, ratio } } = gamekit.map;
          const [a, b, c, d] = ground.curves.get(gate);
          const middle = (k) => (a[k] + 3 * b[k] + 3 * c[k] + d[k]) / 8;
          const { x, y } = camera.toScreen({ x: middle("x"), y: middle("y") });
          return [...live.getContext("2d").getImageData(Math.round(x * ratio), Math.round(y * ratio), 1, 1).data];
        }""",
        gate,
    )
    red, green, blue, _ = pixel
    return red, green, blue


def test_create_in_the_lobby_and_join_by_the_shared_link(
    server: LiveServer, visitors: Callable[..., Visitor], pictures: Path
) -> None:
    ada, grace = visitors(permissions=["clipboard-read", "clipboard-write"]), visitors()
    page = ada.page()
    page.goto(server.url)
    expect(by_id(page, "create")).to_be_visible()
    page.screenshot(path=pictures / "lobby.png")
    by_id(page, "create-player").fill("<b>Ada</b>")
    by_id(page, "create-name").fill("Friday evening")
    by_id(page, "create-seed").fill("7")
    by_id(page, "create").click()
    live(page)
    page.wait_for_url(re.compile(rf"^{server.url}play/[\w-]+$"))
    expect(page.locator("#panel-title")).to_have_text("<b>Ada</b>")
    expect(by_id(page, "credits")).to_have_text("100,000 cr")
    by_id(page, "share").click()
    expect(by_id(page, "toast")).to_contain_text("Link copied")
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert link == page.url

    guest = grace.page()
    guest.goto(server.url)
    by_id(guest, "join-player").fill("Grace")
    by_id(guest, "join-link").fill(link)
    by_id(guest, "join").click()
    live(guest)
    expect(guest.locator("#panel-title")).to_have_text("Grace")
    until(page, "Object.values(gamekit.model.view.players).filter((one) => !one.company).length === 2")
    guest.goto(server.url)
    expect(by_id(guest, "games")).to_contain_text("Friday evening")
    expect(by_id(guest, "games")).to_contain_text("2 players")


def test_lobby_says_why_a_game_cannot_be_joined(server: LiveServer, visitor: Visitor) -> None:
    visitor.forgiven = re.compile("404")
    page = visitor.page()
    page.goto(server.url)
    by_id(page, "join-player").fill("Grace")
    for wrong, words in (("no link at all!", "no link or code"), ("nosuchgame", "no game")):
        by_id(page, "join-link").fill(wrong)
        by_id(page, "join").click()
        expect(by_id(page, "lobby-problem")).to_contain_text(words)


def test_a_ship_is_sent_across_two_gates_by_clicks_and_arrives(
    server: LiveServer, visitor: Visitor, pictures: Path
) -> None:
    made = new_game(server, name="Friday evening")
    page = play(visitor, made["play_url"])
    # The page takes it out once the server has accepted it and the browser keeps it.
    page.wait_for_url(lambda url: "token" not in url)
    ship = own_ship(page)
    page.screenshot(path=pictures / "map.png")
    click(page, {"ship": ship})
    expect(by_id(page, f"ship-{ship}")).to_have_attribute("aria-pressed", "true")
    click(page, GOAL)
    steps = by_id(page, "queue-entry")
    expect(steps).to_have_count(5)
    kinds = [step.get_attribute("data-type") for step in steps.all()]
    assert kinds == ["fly", "jump", "fly", "jump", "fly"]
    expect(steps.first).to_have_attribute("data-status", "active")
    until(page, f"gamekit.model.view.ships[{ship!r}].at.type === 'leg'")
    for gate in ("sol:sirius", "sirius:epsilon-eridani"):
        assert colour_on_lane(page, gate) == ROUTE_COLOUR
    expect(by_id(page, "toast")).to_contain_text("Epsilon Eridani")
    page.screenshot(path=pictures / "route.png")

    before = page.evaluate("(ship) => gamekit.map.screenOf({ ship })", ship)
    server.admin(made["id"], "speed", speed=30)
    until(page, f"gamekit.model.view.ships[{ship!r}].at.type === 'gate'")
    assert page.evaluate("(ship) => gamekit.map.screenOf({ ship })", ship) != before
    until(page, f"gamekit.model.view.ships[{ship!r}].at.sector === 'epsilon-eridani'")
    expect(steps).to_have_count(0)
    at = server.state(made["id"], made["token"])["view"]["ships"][ship]["at"]
    assert {key: at[key] for key in ("sector", "x", "y")} | {"type": at["type"]} == {"type": "space", **GOAL}
    assert colour_on_lane(page, "sol:sirius") == (0, 0, 0)


def test_the_map_rests_when_nothing_moves(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    page.mouse.move(5, 400)
    frames = page.evaluate(
        """() => new Promise((resolve) => {
          let left = 30, before = 0;
          const count = () => {
            left -= 1;
            if (left === 20) before = gamekit.map.frames;
            if (left) requestAnimationFrame(count);
            else resolve(gamekit.map.frames - before);
          };
          count();
        })"""
    )
    # A delta may come in between and cost a frame each; a loop that does not stop would cost all twenty.
    assert frames <= 5


def test_a_click_waits_for_the_second_one_and_a_double_click_orders_nothing(
    server: LiveServer, visitor: Visitor
) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    click(page, {"ship": ship})
    scale = page.evaluate("() => gamekit.map.camera.sight.scale")
    spot = page.evaluate("(goal) => gamekit.map.screenOf(goal)", GOAL)
    page.mouse.dblclick(spot["x"], spot["y"])
    until(page, f"!gamekit.map.camera.glide && gamekit.map.camera.sight.scale > 3 * {scale}")
    page.keyboard.press("0")
    until(page, f"!gamekit.map.camera.glide && Math.abs(gamekit.map.camera.sight.scale - {scale}) < 0.001")
    click(page, {"station": "sol-hub"})
    until(page, "gamekit.connection.queue.stored.next === 2 && !gamekit.connection.queue.entries.length")
    assert [body["to"] for body in bodies(server, made)] == [{"station": "sol-hub"}]


def bodies(server: LiveServer, made: dict[str, Any]) -> list[dict[str, Any]]:
    """What players commanded, as the game's history has it."""
    status, answer = server.call("GET", f"/api/game/{made['id']}/commands", token=made["token"])
    assert status == 200
    commands = [command for record in answer["records"] for command in record["commands"]]
    return [command["body"] for command in commands if command["body"]["type"] != "join"]


def test_keyboard_alone_selects_a_ship_and_sends_it(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    page.keyboard.press("ArrowDown")
    expect(by_id(page, f"ship-{ship}")).to_be_focused()
    by_id(page, "send").focus()
    page.keyboard.type("sirius, the")
    expect(by_id(page, "send").locator("option:checked")).to_have_text("Sirius, the middle")
    page.keyboard.press("Enter")
    expect(by_id(page, "queue-entry")).to_have_count(3)
    by_id(page, "append").focus()
    page.keyboard.press("Space")
    by_id(page, "send").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    by_id(page, "send").select_option(label="Sol, the middle")
    page.keyboard.press("Tab")
    expect(by_id(page, "send-go")).to_be_focused()
    page.keyboard.press("Enter")
    expect(by_id(page, "queue-entry")).to_have_count(6)
    until(page, "!gamekit.connection.queue.entries.length")
    goals = [{"sector": "sirius", "x": 0, "y": 0}, {"sector": "sol", "x": 0, "y": 0}]
    assert [body["to"] for body in bodies(server, made)] == goals, "no order before it is sent"
    page.get_by_label("Take out:").last.press("Enter")
    expect(by_id(page, "queue-entry")).to_have_count(3)
    by_id(page, "stop").press("Enter")
    expect(by_id(page, "queue-entry")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(by_id(page, "orders")).to_be_hidden()


def test_a_pause_stops_the_page_and_a_resume_sets_it_going(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    page = play(visitor, made["play_url"])
    ship = own_ship(page)
    page.evaluate("([ship, to]) => gamekit.connection.command({ type: 'move', ship, to, append: false })", [ship, GOAL])
    until(page, f"gamekit.model.view.ships[{ship!r}].at.type === 'leg'")
    server.admin(made["id"], "pause")
    expect(by_id(page, "pace")).to_have_text("paused")
    until(page, "!gamekit.map.clock.running(performance.now())")
    spots = page.evaluate(
        """(ship) => new Promise((resolve) => {
          const spots = [];
          const look = () => {
            spots.push(JSON.stringify(gamekit.map.screenOf({ ship })));
            if (spots.length < 20) requestAnimationFrame(look);
            else resolve([...new Set(spots)]);
          };
          look();
        })""",
        ship,
    )
    assert len(spots) == 1, "nothing moves during a pause"

    clock = by_id(page, "clock").text_content()
    assert clock
    server.admin(made["id"], "resume")
    expect(by_id(page, "pace")).to_have_text("")
    until(page, "gamekit.map.clock.running(performance.now())")
    expect(by_id(page, "clock")).not_to_have_text(clock)
    until(page, f"JSON.stringify(gamekit.map.screenOf({{ ship: {ship!r} }})) !== {spots[0]!r}")

    server.admin(made["id"], "pause")
    expect(by_id(page, "pace")).to_have_text("paused")
    page.evaluate("() => gamekit.notice({ type: 'notice', kind: 'resumed', message: '', tick: 1, speed: 1 })")
    expect(by_id(page, "pace")).to_have_text("")


def test_a_refusal_is_shown_in_words(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    page.evaluate("() => gamekit.connection.command({ type: 'stop', ship: 'ship-999' })")
    expect(by_id(page, "toast")).to_contain_text("Refused")
    expect(by_id(page, "toast")).to_have_attribute("data-mood", "bad")
    until(page, "gamekit.connection.pendingCount === 0")


def test_station_prices_are_told_on_hover(server: LiveServer, visitor: Visitor) -> None:
    page = play(visitor, new_game(server)["play_url"])
    spot = page.evaluate("() => gamekit.map.screenOf({ station: 'sol-hub' })")
    page.mouse.move(spot["x"] - 3, spot["y"])
    expect(by_id(page, "tooltip")).to_contain_text("Sol Hub")
    expect(by_id(page, "tooltip")).to_contain_text("sells")


def test_without_a_token_one_watches_and_can_join(
    server: LiveServer, visitors: Callable[..., Visitor], pictures: Path
) -> None:
    made = new_game(server)
    play(visitors(), made["play_url"])
    page = visitors().page()
    page.goto(f"{server.url}play/{made['id']}")
    live(page)
    expect(by_id(page, "enter")).to_be_visible()
    assert page.evaluate("() => Object.keys(gamekit.model.view.ships).length") == 18 + 1
    page.screenshot(path=pictures / "watching.png")
    by_id(page, "enter-player").fill("Grace")
    by_id(page, "enter-join").click()
    expect(page.locator("#panel-title")).to_have_text("Grace")
    live(page)
    expect(by_id(page, "enter")).to_be_hidden()
    assert own_ship(page)


def test_a_wrong_token_and_a_missing_game_are_refused_in_words(
    server: LiveServer, visitors: Callable[..., Visitor]
) -> None:
    made = new_game(server)
    for path, words in ((f"play/{made['id']}#token=wrong", "token"), ("play/nosuchgame", "no game")):
        page = visitors().page()
        page.goto(server.url + path)
        expect(by_id(page, "light")).to_have_attribute("data-state", "refused")
        expect(by_id(page, "light")).to_contain_text(words)
        expect(by_id(page, "retry")).to_be_visible()


def test_two_tabs_of_one_player_do_not_mix_their_commands(server: LiveServer, visitor: Visitor) -> None:
    made = new_game(server)
    one = play(visitor, made["play_url"])
    two = play(visitor, f"{server.url}play/{made['id']}")
    for page in (one, two):
        page.evaluate("(ship) => gamekit.connection.command({ type: 'stop', ship })", own_ship(one))
    for page in (one, two):
        until(page, "!gamekit.connection.queue.entries.length")
    clients = {page.evaluate("() => gamekit.connection.queue.client") for page in (one, two)}
    assert len(clients) == 2
    assert len(bodies(server, made)) == 2
    one.reload()
    live(one)
    assert one.evaluate("() => gamekit.connection.queue.client") in clients


def test_the_phone_shows_everything_and_plays_by_touch(
    server: LiveServer, visitors: Callable[..., Visitor], pictures: Path
) -> None:
    phone = visitors(viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True, is_mobile=True)
    page = play(phone, new_game(server, name="Friday evening")["play_url"])
    ship = own_ship(page)
    spot = page.evaluate("(ship) => gamekit.map.screenOf({ ship })", ship)
    page.touchscreen.tap(spot["x"], spot["y"])
    expect(by_id(page, f"ship-{ship}")).to_have_attribute("aria-pressed", "true")
    goal = page.evaluate("(goal) => gamekit.map.screenOf(goal)", GOAL)
    page.touchscreen.tap(goal["x"], goal["y"])
    expect(by_id(page, "queue-entry")).to_have_count(5)
    by_id(page, "send-go").scroll_into_view_if_needed()
    by_id(page, "send").select_option(label="Sol, the middle")
    expect(by_id(page, "queue-entry")).to_have_count(5)
    page.screenshot(path=pictures / "phone.png")
    by_id(page, "send-go").tap()
    expect(by_id(page, "queue-entry")).to_have_count(1)
    page.screenshot(path=pictures / "phone-sent.png")
    cut_off = page.evaluate(
        """() => [...document.querySelectorAll("#play button, #play select, #play h1, #play h2, #light, #clock")]
          .filter((element) => element.checkVisibility())
          .filter((element) => {
            const { left, right } = element.getBoundingClientRect();
            return left < 0 || right > innerWidth;
          })
          .map((element) => element.id || element.textContent)"""
    )
    assert cut_off == []
    assert page.evaluate("() => document.documentElement.scrollWidth") == 390
    bar = "() => document.querySelector('.bar').clientHeight"
    before = page.evaluate(bar)
    page.evaluate("() => { document.querySelector('#game-name').textContent = 'A game with a rather long name'; }")
    assert page.evaluate(bar) == before, "a long name is cut and takes no row for itself"


def test_the_page_works_behind_a_prefix(server: LiveServer, visitor: Visitor) -> None:
    # The address of the socket is only looked at: playwright can fetch pages from elsewhere, but connect no sockets.
    prefix = f"{server.url}hub/user/ada/proxy/8642/"
    # Nor does the page's question why none comes about get anything but a refusal.
    visitor.forgiven = re.compile("WebSocket connection|400 \\(Bad Request\\)")
    page = visitor.page()
    page.route(
        f"{prefix}**",
        lambda route: route.fulfill(response=route.fetch(url=route.request.url.replace(prefix, server.url))),
    )
    page.goto(prefix)
    by_id(page, "create-player").fill("Ada")
    by_id(page, "create").click()
    page.wait_for_url(f"{prefix}play/*")
    until(page, "window.gamekit")
    assert page.evaluate("() => gamekit.connection.parts.url").startswith(prefix.replace("http", "ws") + "api/game/")
    page.get_by_label("All games").click()
    page.wait_for_url(prefix)
    expect(by_id(page, "games")).to_contain_text("1 player")
    page.unroute_all(behavior="wait")
