"""All widgets in one notebook of a real JupyterLab: clicked, dragged, linked, out of sight, after the kernel's end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Page, expect

from tests.browser import browser
from tests.notebooks.lab import ERRORS, READY, RUN_ALL, JupyterLab, ask_kernel
from tests.notebooks.test_lab import DRAWN, picture

CELLS = [
    "import gamekit, ipywidgets\n"
    "client = gamekit.launch()\n"
    "game = client.new_game(seed=7, name='Widgets')\n"
    "red = game.join('Red')\n"
    "red.buy_ship('courier', red.ship.station).result()\n"
    "game.speed = 5\n"
    "one, other = red.ships.values()\n"
    "other.go('Sirius'); other.go('Sol Hub', append=True)\n"
    "game.step(300); game.resume()",
    "orders = game.orders(one, height=380)\norders",
    "fleet = game.fleet()\nmap_ = game.map(height=260)\n"
    "link = ipywidgets.jslink((fleet, 'selected'), (map_, 'selected'))\nfleet",
    "map_",
    "game.market()",
    "console = game.console()\nconsole",
    "replay = gamekit.lab.replay(game)\n"
    "scrubber = replay.scrubber(height=300)\n"
    "slider = ipywidgets.IntSlider(max=replay.end_tick)\n"
    "both = ipywidgets.jslink((slider, 'value'), (scrubber, 'tick'))\n"
    "scrubber",
]
#: Counts what comes from the kernel for widgets, by the model it is for.
COUNT = """() => {
  globalThis.counted = {};
  const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  kernel.iopubMessage.connect((_, { header, content }) => {
    if (header.msg_type === "comm_msg") counted[content.comm_id] = (counted[content.comm_id] ?? 0) + 1;
  });
}"""
#: The colours of an element for the user's own things, and for what stands out of the ground.
COLOURS = """(selector) => {
  const style = getComputedStyle(document.querySelector(selector));
  return ["--own", "--raised"].map((name) => style.getPropertyValue(name));
}"""
RESTART = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
DARK = """() => jupyterapp.commands.execute("apputils:change-theme", { theme: "JupyterLab Dark" })"""


def write_notebook(lab: JupyterLab, name: str, cells: list[str]) -> None:
    """A notebook of code cells."""
    v4: Any = nbformat.v4
    write: Any = nbformat.write
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": spec})
    write(notebook, lab.directory / "notebooks" / name)


def bodies(page: Page) -> list[dict[str, Any]]:
    """All commands in the game's history."""
    answer = ask_kernel(page, "[c['body'] for r in game.commands() for c in r['commands']]")
    assert isinstance(answer, list)
    return answer


def orders_are_given(page: Page, tmp_path: Path) -> None:
    """By the destination box, by the map, by the trade form; taken out and put into another sequence."""
    orders = page.locator(".gamekit-orders")
    orders.scroll_into_view_if_needed()
    page.wait_for_function(DRAWN, arg=".gamekit-orders canvas")
    orders.get_by_test_id("trade-units").fill("10")
    orders.get_by_test_id("trade-go").click()
    orders.get_by_test_id("append").check()
    orders.get_by_test_id("send").select_option(label="Sirius, the middle")
    orders.get_by_test_id("send-go").click()
    queue = orders.get_by_test_id("queue-order")
    expect(queue).to_have_count(1)
    place = page.evaluate(
        "() => document.querySelector('.gamekit-orders .gamekit-map').galaxyMap.screenOf({sector: 'luhman-16'})"
    )
    page.mouse.click(place["x"], place["y"])
    expect(queue).to_have_count(2)
    picture(page, "widget-orders", tmp_path)
    queue.nth(1).get_by_test_id("grip").press("ArrowUp")
    # The new sequence plans every step anew; what is taken out before that is known would be one that is gone.
    expect(orders.get_by_test_id("latest-order").filter(has_text="another sequence")).to_contain_text("done")
    expect(queue.nth(0)).to_contain_text("Luhman 16")
    queue.nth(0).get_by_test_id("cancel").click()
    expect(queue).to_have_count(1)
    kinds = [body["type"] for body in bodies(page)]
    assert kinds[-5:] == ["buy", "move", "move", "reorder", "cancel"]


def selection_is_linked(page: Page, tmp_path: Path) -> None:
    """A click in the fleet selects on the map, without the kernel, by `jslink`."""
    fleet = page.locator(".gamekit-fleet")
    fleet.scroll_into_view_if_needed()
    ship = ask_kernel(page, "other.id")
    fleet.get_by_test_id(f"fleet-{ship}").click()
    expect(fleet.locator("tr[aria-selected=true]")).to_have_count(1)
    page.wait_for_function(
        "(ship) => document.querySelector('.gamekit-mapbox .gamekit-map').galaxyMap.selected === ship", arg=ship
    )
    assert ask_kernel(page, "map_.selected") == ship
    picture(page, "widget-fleet", tmp_path)


def console_changes_a_rule(page: Page, tmp_path: Path) -> None:
    """A wrong value is explained, a right one is one command in the journal."""
    console = page.locator(".gamekit-console")
    console.scroll_into_view_if_needed()
    console.get_by_test_id("console-rules").click()
    console.get_by_test_id("rules-search").fill("jump")
    rule = console.get_by_test_id("rule-jump_ticks")
    rule.fill("0")
    expect(console.locator(".rule.changed .note")).to_contain_text("From 1 to")
    expect(console.get_by_test_id("rules-apply")).to_be_disabled()
    rule.fill("25")
    console.get_by_test_id("rules-apply").click()
    expect(console.get_by_test_id("console-said")).to_contain_text("jump_ticks changed")
    assert ask_kernel(page, "game.rules['jump_ticks']") == 25
    console.get_by_test_id("console-pause").click()
    expect(console.get_by_test_id("console-pause")).to_have_text("Resume")
    console.get_by_test_id("console-fork").click()
    expect(console.get_by_test_id("console-said")).to_contain_text("console.forks[0]")
    expect(console.get_by_test_id("console-who")).to_contain_text("Red")
    console.scroll_into_view_if_needed()
    picture(page, "widget-console", tmp_path)


def scrubber_is_dragged(page: Page, tmp_path: Path) -> None:
    """The map goes to the tick, the kernel's trait and a linked slider with it."""
    scrubber = page.locator(".gamekit-scrubber")
    scrubber.scroll_into_view_if_needed()
    slider = scrubber.get_by_test_id("scrub-slider")
    # Waits until it stands still: what is above it may still be growing.
    slider.hover(trial=True)
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] - 8, middle)
    page.mouse.down()
    for step in range(10):
        page.mouse.move(box["x"] + box["width"] * (1 - step / 18), middle)
    page.mouse.up()
    end = ask_kernel(page, "replay.end_tick")
    wanted = int(slider.input_value())
    assert 0.3 * end < wanted < 0.7 * end
    page.wait_for_function(
        "(tick) => document.querySelector('.gamekit-scrubber .gamekit-map').galaxyMap.clock.anchorTick === tick",
        arg=wanted,
    )
    assert ask_kernel(page, "[scrubber.tick, slider.value]") == [wanted, wanted]
    scrubber.get_by_test_id("scrub-back").click()
    expect(scrubber.get_by_test_id("scrub-time")).not_to_contain_text(f"tick {wanted:,} ")
    scrubber.get_by_test_id("scrub-play").click()
    expect(scrubber.get_by_test_id("scrub-play")).to_have_text("Pause")
    page.wait_for_function("() => document.querySelector('.gamekit-scrubber .gamekit-map').galaxyMap.clock.rate > 0")
    picture(page, "widget-scrubber", tmp_path)
    # Rules that fail while somebody drags are told under the map; it pauses.
    ask_kernel(page, "setattr(scrubber._replay, 'seek', lambda tick: 1 // 0)")
    expect(scrubber.locator("> .gamekit-line")).to_contain_text("ZeroDivisionError")
    expect(scrubber.get_by_test_id("scrub-play")).to_have_text("Play")
    ask_kernel(page, "delattr(scrubber._replay, 'seek')")


def test_every_widget_works_in_jupyterlab_and_says_so_when_the_kernel_is_gone(tmp_path: Path) -> None:
    complaints: list[str] = []
    with browser() as chromium, JupyterLab(tmp_path / "lab") as lab:
        write_notebook(lab, "widgets.ipynb", CELLS)
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(lab.url("widgets.ipynb"))
        page.wait_for_function(READY)
        page.evaluate(COUNT)
        page.evaluate(RUN_ALL)
        page.wait_for_function("() => ran")
        assert page.evaluate("() => ran") is True
        assert page.evaluate(ERRORS) == []
        page.wait_for_selector(".gamekit-scrubber canvas")
        orders_are_given(page, tmp_path)
        selection_is_linked(page, tmp_path)
        sheets = page.locator("style[id^='gamekit.']").evaluate_all("(all) => all.map(({ id }) => id)")
        assert sorted(sheets) == ["gamekit.widgets.scrubber.ScrubberWidget", "gamekit.widgets.stream.Stream"]
        assert page.evaluate(COLOURS, ".gamekit-market") == ["#06708f", "#f4f6f8"]
        page.evaluate(DARK)
        expect(page.locator(".gamekit-market")).to_have_attribute("data-theme", "dark")
        assert page.evaluate(COLOURS, ".gamekit-market") == ["#5fd4f4", "#121a22"], "those of the player page"
        page.locator(".gamekit-market").scroll_into_view_if_needed()
        picture(page, "widget-market", tmp_path)
        console_changes_a_rule(page, tmp_path)
        scrubber_is_dragged(page, tmp_path)
        # With only the scrubber in sight the live game's stream rests, although time passes.
        assert ask_kernel(page, "game.resume()") > 0
        page.set_viewport_size({"width": 1280, "height": 330})
        page.locator(".gamekit-scrubber .gamekit-row").evaluate("(row) => row.scrollIntoView(false)")
        assert any(not ask_kernel(page, "fleet.stream.feeding") for _ in range(200)), "it still feeds what nobody sees"
        stream = ask_kernel(page, "fleet.stream.model_id")
        before = page.evaluate("(id) => counted[id]", stream)
        assert before > 5
        ask_kernel(page, "[ship.go('Sol').ack() and 0 for ship in (one, other)]")
        assert page.evaluate("(id) => counted[id]", stream) == before
        page.set_viewport_size({"width": 1280, "height": 900})
        # The kernel ends: every widget still shows what it had, and says that it is the past.
        page.evaluate(RESTART)
        for name in ("orders", "fleet", "market", "console", "scrubber"):
            expect(page.locator(f".gamekit-{name} > .gamekit-line")).to_contain_text("Run the cell again")
        picture(page, "widget-restarted", tmp_path)
        page.close()
    assert complaints == []
