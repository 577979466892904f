"""A browser's part, for tests of the widgets' Python side."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from anywidget import AnyWidget

from gamekit.lab.handles import Player
from gamekit.widgets.shared import SharedWidget


class FrontEnd:
    """Takes the place of a browser: gets what a widget sends, and says what views say."""

    def __init__(self, widget: AnyWidget, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widget = widget
        #: What views speak to about being in sight.
        self.watched: AnyWidget = widget.stream if isinstance(widget, SharedWidget) else widget
        self.messages: list[dict[str, Any]] = []
        self._news = threading.Condition()
        monkeypatch.setattr(widget, "send", self._take)
        monkeypatch.setattr(self.watched, "send", self._take)

    def _take(self, message: dict[str, Any]) -> None:
        with self._news:
            self.messages.append(message)
            self._news.notify_all()

    def say(self, kind: str, **content: Any) -> None:
        told = self.watched if kind in {"shown", "hidden", "whole"} else self.widget
        told._handle_custom_msg({"kind": kind, **content}, [])

    def until(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        with self._news:
            assert self._news.wait_for(lambda: any(map(condition, self.messages)), 30)
            return next(filter(condition, self.messages))


def settle(player: Player) -> None:
    """Wait until the client's thread has done what it was given."""
    player.io.call(lambda: None)
