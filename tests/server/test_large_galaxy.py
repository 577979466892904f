"""A galaxy that the check allows can be played on a server; one that is too large is refused with what to do."""

from __future__ import annotations

import json
from typing import Any

from gamekit.server.settings import MAX_BODY_BYTES, MAX_NEW_GAME_BYTES
from gamekit.space import scenario
from tests.live import LiveServer

COUNT = 1_000
GALAXY: dict[str, Any] = {
    "name": "big",
    "sectors": [
        {"id": f"sector-number-{i}", "name": f"Sector Number {i}", "x": 300 * (i % 32), "y": 300 * (i // 32)}
        for i in range(COUNT)
    ],
    "gates": [[f"sector-number-{i}", f"sector-number-{i + d}"] for i in range(COUNT) for d in (1, 32) if i + d < COUNT],
    "stations": [
        {"sector": f"sector-number-{i}", "recipe": recipe, "x": 300 * at, "y": 0, "name": f"\u6771\u4eac {i} {at}"}
        for i in range(COUNT)
        for at, recipe in enumerate(("hub", "ore-mine", "smelter"))
    ],
}


def test_an_allowed_galaxy_is_taken_by_a_server(server: LiveServer) -> None:
    assert len(json.dumps({"scenario": GALAXY})) > MAX_BODY_BYTES
    # What a stranger may make is another table (`gamekit.server.limits`); its owner may have what the check allows.
    status, game = server.call("POST", "/api/game/new", {"scenario": GALAXY}, token=server.admin_token)
    assert status == 201, game
    view = server.state(game["id"])["view"]
    assert (len(view["sectors"]), len(view["stations"])) == (COUNT, 3 * COUNT)


def test_the_limit_of_a_request_follows_from_that_of_a_definition() -> None:
    # Outside ASCII, json.dumps writes six characters for two bytes of UTF-8, or twelve for four.
    assert 3 * scenario.MOST_BYTES + MAX_BODY_BYTES <= MAX_NEW_GAME_BYTES


def test_a_request_beyond_it_is_refused_with_what_to_do(server: LiveServer) -> None:
    body = json.dumps({"scenario": GALAXY}).encode() + b" " * MAX_NEW_GAME_BYTES
    status, problem = server.call("POST", "/api/game/new", body)
    assert (status, problem["code"]) == (413, "too_large")
    assert "The scenario is too large: a definition has up to 2,000,000." in problem["detail"]
