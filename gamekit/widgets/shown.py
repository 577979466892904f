"""Whether anybody looks: a widget works only while at least one of its views is on somebody's screen.

A widget counts as looked at from the moment it is displayed, before its front end can say so: in the cell that
displays it the kernel is busy and hears nothing. Later its views tell when they come into sight and go out of it.
"""

from __future__ import annotations

from typing import Any


class Onlookers:
    """The views of one widget that are in sight. Used on one thread only."""

    def __init__(self) -> None:
        self._views: set[str] = set()
        self._expected = False

    def displayed(self) -> None:
        """The widget was displayed; a view will come."""
        self._expected = True

    def heard(self, content: dict[str, Any]) -> bool:
        """Take note of a front end's message; True when it was about a view coming or going."""
        view = str(content.get("view", ""))
        match content.get("kind"):
            case "shown":
                self._views.add(view)
            case "hidden":
                self._views.discard(view)
            case _:
                return False
        self._expected = False
        return True

    def __bool__(self) -> bool:
        return self._expected or bool(self._views)
