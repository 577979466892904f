"""A real browser before a real server. Whatever the page complains about fails the test."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import browser
from tests.live import LiveServer

#: Makes every violation of the page's security policy an error on the console.
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`security policy: ${event.violatedDirective} forbids ${event.blockedURI}`));
"""

#: What the browser itself says while a server is away.
AWAY = re.compile(r"net::ERR_CONNECTION_(REFUSED|RESET)|WebSocket connection to .* failed")


def until(page: Page, condition: str, timeout_ms: int = 20_000) -> None:
    """Wait until a JavaScript expression is true on the page, looking with every frame.

    Unlike `Page.wait_for_function` this needs no `eval`, which the page's policy forbids.
    """
    page.evaluate(
        f"""() => new Promise((resolve, reject) => {{
          const late = setTimeout(() => reject(new Error({condition!r} + " did not come true")), {timeout_ms});
          const look = () => {{
            if (!({condition})) return requestAnimationFrame(look);
            clearTimeout(late);
            resolve();
          }};
          look();
        }})"""
    )


class Visitor:
    """One person's browser: pages that are watched for complaints.

    Attributes:
        context: cookies and storage of this person.
        complaints: what the pages put on the console as errors.
        forgiven: complaints that match this are expected.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.complaints: list[str] = []
        self.forgiven: re.Pattern[str] | None = None
        context.set_default_timeout(20_000)
        context.add_init_script(_REPORT_VIOLATIONS)

    def page(self) -> Page:
        """A new tab."""
        page = self.context.new_page()
        page.on("console", lambda message: self._complain(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._complain(str(error)))
        return page

    def _complain(self, text: str) -> None:
        if self.forgiven is None or not self.forgiven.search(text):
            self.complaints.append(text)


@pytest.fixture(scope="module", name="browser")
def _browser() -> Iterator[Browser]:
    """One browser for the tests of a module."""
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One running server for the tests of a module."""
    with LiveServer(tmp_path_factory.mktemp("server") / "data") as running:
        yield running


@pytest.fixture
def visitors(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Makes persons with a browser each; none of their pages may have complained at the end."""
    came: list[Visitor] = []

    def come(**context: Any) -> Visitor:
        visitor = Visitor(browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **context}))
        came.append(visitor)
        return visitor

    yield come
    for visitor in came:
        visitor.context.close()
    assert [visitor.complaints for visitor in came] == [[] for _ in came]


@pytest.fixture
def visitor(visitors: Callable[..., Visitor]) -> Visitor:
    """One person with a browser."""
    return visitors()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: $GAMEKIT_SCREENSHOTS, else the test's own directory."""
    directory = Path(os.environ.get("GAMEKIT_SCREENSHOTS") or tmp_path)
    directory.mkdir(parents=True, exist_ok=True)
    return directory
