"""A browser that is killed in the next moment loses neither the seat nor the orders that were given."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import BrowserContext, Playwright, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.browser import ARGUMENTS, browser_path
from tests.live import LiveServer
from tests.web.conftest import until
from tests.web.test_play import by_id, live, new_game, own_ship
from tests.web.test_seats import bookmark
from tests.web.test_storage import stopped


@contextmanager
def chromium(playwright: Playwright, profile: Path) -> Iterator[BrowserContext]:
    """A browser with a profile on disk."""
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=browser_path(playwright), args=ARGUMENTS
    )
    context.set_default_timeout(20_000)
    yield context
    # One that was killed is closed already.
    with suppress(PlaywrightError):
        context.close()


def kill(profile: Path) -> None:
    """Kill the browser that runs on a profile, as it stands."""
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue
        if f"--user-data-dir={profile}".encode() in command:
            os.kill(int(entry.name), signal.SIGKILL)


def test_seat_and_orders_outlive_a_browser_that_is_killed(server: LiveServer, tmp_path: Path) -> None:
    made = new_game(server)
    profile = tmp_path / "profile"
    with sync_playwright() as playwright:
        with chromium(playwright, profile) as context:
            page = context.new_page()
            page.goto(made["play_url"])
            live(page)
            until(page, "!location.hash")
            ship = own_ship(page)
            context.set_offline(True)
            page.evaluate("() => { gamekit.connection.dropSocket(); gamekit.connection.lost(0); }")
            for _ in range(3):
                page.evaluate("(ship) => gamekit.command({ type: 'stop', ship })", ship)
            page.evaluate("() => gamekit.store.vault.written")
            kill(profile)
        with chromium(playwright, profile) as context:
            page = context.new_page()
            page.goto(bookmark(server, made))
            live(page)
            expect(page.locator("#panel-title")).to_have_text("Ada")
            until(page, "gamekit.connection.queue.stored.next === 4 && !gamekit.connection.queue.entries.length")
            assert stopped(server, made) == 3
            page.goto(server.url)
            expect(by_id(page, f"game-{made['id']}")).to_have_count(1)
            # What has ended does not come back with the copies.
            page.goto(bookmark(server, made))
            live(page)
            assert page.evaluate("() => gamekit.connection.queue.entries.length") == 0
    assert stopped(server, made) == 3
