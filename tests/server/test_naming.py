"""Names at the door: players, ships and games are held to what can be seen, before anything of it is journaled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.live import LiveServer
from tests.names.test_visible import REFUSED, TAKEN

#: JSON has no way to write half a character, and names that are blank or long have tests of their own.
UNSEEN = [name for name, what in REFUSED.items() if name.strip() and len(name) <= 40 and name != "\ud800"]


def told(server: LiveServer, game: dict[str, Any]) -> dict[str, str]:
    """{player: name} as everybody sees them."""
    players = server.state(game["id"])["view"]["players"]
    return {player: fields["name"] for player, fields in players.items() if not fields["company"]}


def rename(server: LiveServer, game: dict[str, Any], cid: int, name: str) -> tuple[int, dict[str, Any]]:
    body = {"type": "rename_ship", "ship": "ship-1", "name": name}
    return server.call("POST", f"/api/game/{game['id']}/commands", {"cid": cid, "body": body}, token=game["token"])


def test_names_that_cannot_be_seen_are_refused_for_players_ships_and_games(server: LiveServer) -> None:
    game = server.new_game(scenario="duel")
    for number, name in enumerate(UNSEEN, start=1):
        status, problem = server.call("POST", f"/api/game/{game['id']}/join", {"name": name})
        assert (status, problem["code"]) == (422, "bad_name"), ascii(name)
        assert "printable characters; " in problem["detail"]
        status, problem = rename(server, game, number, name)
        assert (status, problem["code"]) == (422, "bad_name"), ascii(name)
        status, problem = server.call("POST", "/api/game/new", {"scenario": "duel", "name": name})
        assert (status, problem["code"]) == (422, "bad_name"), ascii(name)
    assert len(told(server, game)) == 1
    _, history = server.call("GET", f"/api/game/{game['id']}/commands", token=game["token"])
    assert len(history["records"]) == 1, "what is refused is not journaled"


def test_a_game_whose_first_player_has_no_name_is_not_made(server: LiveServer) -> None:
    _, before = server.call("GET", "/api/games", token=server.admin_token)
    status, problem = server.call("POST", "/api/game/new", {"scenario": "duel", "player_name": "\u2800"})
    assert (status, problem["code"]) == (422, "bad_name")
    _, after = server.call("GET", "/api/games", token=server.admin_token)
    assert len(after["games"]) == len(before["games"])


def test_names_of_every_script_are_taken_and_kept_composed(server: LiveServer) -> None:
    game = server.new_game(scenario="duel")
    for name in TAKEN:
        status, _ = server.call("POST", f"/api/game/{game['id']}/join", {"name": f" {name} "})
        assert status == 201, ascii(name)
    kept = list(told(server, game).values())
    assert "Zo\u00eb" in kept
    assert "\u5c71\u7530 \u592a\u90ce" in kept
    assert rename(server, game, 1, " Zoe\u0308 ")[0] == 200
    assert server.state(game["id"])["view"]["ships"]["ship-1"]["name"] == "Zo\u00eb"


@pytest.mark.parametrize("together", [False, True])
def test_players_who_look_the_same_are_told_apart(server: LiveServer, together: bool) -> None:
    game = server.new_game(scenario="nearest-stars", player_name="Ada")
    names = ["Ada", "\u0410da", "\uff21da", "Ada ", "Bob"]
    with ThreadPoolExecutor(len(names) if together else 1) as several:
        answers = list(
            several.map(lambda name: server.call("POST", f"/api/game/{game['id']}/join", {"name": name}), names)
        )
    assert {status for status, _ in answers} == {201}
    kept = sorted(told(server, game).values())
    assert [name[-1] for name in kept if name != "Bob"].count("a") == 1
    assert sorted(name.rpartition(" ")[2] for name in kept if " " in name) == ["2", "3", "4", "5"]
    company = server.state(game["id"])["view"]["players"]["c1"]["name"]
    server.call("POST", f"/api/game/{game['id']}/join", {"name": company})
    assert f"{company} 2" in told(server, game).values()
