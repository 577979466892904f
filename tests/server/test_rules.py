"""Rules over HTTP: read, changed by the owner, told to everybody; and designers' own games, where they are allowed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gamekit.game import Join, PlayerId, Rejected
from gamekit.journal import SqliteReader
from gamekit.session.records import read_line, read_saved
from tests.designer_game import Donate, FoodFirst
from tests.live import LiveServer, until
from tests.rawclient import RawSocket
from tests.test_cli import gamekit

FOOD_FIRST = "--game=tests.designer_game:FoodFirst"


def patch(server: LiveServer, game: str, token: str | None = None, **changes: Any) -> tuple[int, Any]:
    """Change rules as the server's owner, or with another token."""
    return server.call("PATCH", f"/api/game/{game}/rules", changes, token=token or server.admin_token)


# --- reading and changing -------------------------------------------------------------------------------------------


def test_the_table_of_rules_tells_what_may_be_set_and_what_may_be_changed(server: LiveServer) -> None:
    status, told = server.call("GET", "/api/rules")
    assert status == 200
    assert (told["game"], told["games"], told["defaults"]) == ("space", ["space"], {})
    rows = {row["name"]: row for row in told["rules"]}
    assert rows["jump_ticks"] == {
        "name": "jump_ticks",
        "default": 50,
        "low": 1,
        "high": 36_000,
        "unit": "ticks",
        "sentence": "Time between entering a gate and coming out.",
        "at_start": False,
    }
    assert rows["sector_size_m"]["at_start"]
    [move] = [one for one in told["commands"] if one["type"] == "move"]
    assert move["fields"] == ["ship", "to", "append?"]
    status, problem = server.call("GET", "/api/rules?game=nowhere")
    assert (status, problem["code"]) == (404, "no_such_game")


def test_the_owner_changes_rules_and_every_connection_learns_of_it(server: LiveServer) -> None:
    made = server.new_game(seed=3, rules={"dock_ticks": 4})

    async def watched() -> tuple[dict[str, Any], dict[str, Any]]:
        socket = await RawSocket.open(made["ws_url"], client="w")
        welcome = await socket.of("welcome")
        assert welcome["rules"]["dock_ticks"] == 4
        await socket.of("snapshot")
        status, answer = await asyncio.to_thread(patch, server, made["id"], jump_ticks=20)
        assert status == 200, answer
        delta = await socket.until(
            lambda m: m["type"] == "delta" and any(e["type"] == "RulesChanged" for e in m["events"])
        )
        await socket.close()
        return answer, delta

    answer, delta = asyncio.run(watched())
    assert answer["rules"]["jump_ticks"] == 20
    assert {"type": "RulesChanged", "changes": {"jump_ticks": 20}} in delta["events"]
    assert delta["changes"]["rules"]["jump_ticks"] == {"value": 20}
    assert delta["changes"]["gates"]["sol:sirius"]["jump_ticks"] == 20
    assert server.state(made["id"])["view"]["rules"]["jump_ticks"] == {"value": 20}
    _, told = server.call("GET", f"/api/game/{made['id']}/rules")
    assert (told["game"], told["rules"]["jump_ticks"], told["rules"]["dock_ticks"]) == ("space", 20, 4)
    assert [row["name"] for row in told["fields"]] == list(told["rules"])


def test_changes_that_cannot_be_are_answered_with_what_is_allowed(server: LiveServer) -> None:
    made = server.new_game(seed=3)
    _, before = server.call("GET", f"/api/game/{made['id']}/rules")
    for changes, code, words in (
        ({"jump_ticks": 0}, "bad_rule", "from 1 to 36000, got 0"),
        ({"jump_ticks": 5, "dock_ticks": "fast"}, "bad_rule", "rules.dock_ticks: expected a whole number"),
        ({"jump_ticks": 10**25}, "bad_rule", "from 1 to 36000"),
        ({"jmp_ticks": 5}, "bad_rule", "jump_ticks"),
        ({}, "bad_rule", "at least one"),
        ({"sector_size_m": 500}, "fixed_rule", "make a new game"),
    ):
        status, problem = patch(server, made["id"], **changes)
        assert (status, problem["code"]) == (422, code)
        assert words in problem["detail"]
    for body in (b"[1]", b"{"):
        status, problem = server.call("PATCH", f"/api/game/{made['id']}/rules", body, token=server.admin_token)
        assert (status, problem["code"]) == (400, "bad_request")
    for token in (made["token"], "nonsense"):
        status, problem = patch(server, made["id"], token, jump_ticks=5)
        assert (status, problem["code"]) == (401, "admin_only")
    assert patch(server, "nowhere", jump_ticks=5)[0] == 404
    _, after = server.call("GET", f"/api/game/{made['id']}/rules")
    assert after["rules"] == before["rules"]


def test_a_killed_server_comes_back_with_the_changed_rules_and_verify_agrees(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data").start()
    made = server.new_game(seed=5, rules={"company_percent": 100})
    server.admin(made["id"], "speed", speed=1000)
    for ticks, changes in ((2_000, {"storm_rate": 3_000}), (4_000, {"cycle_percent": 20, "ship_capacity": 100})):
        wait_for(made, ticks)
        assert patch(server, made["id"], **changes)[0] == 200
    wait_for(made, 8_000)
    server.kill()
    server.start()
    # At a thousand times normal speed there is much to live through; until then the answer is to ask again.
    until(lambda: server.call("GET", f"/api/game/{made['id']}/rules")[0] != 503)
    _, told = server.call("GET", f"/api/game/{made['id']}/rules")
    assert (told["rules"]["storm_rate"], told["rules"]["ship_capacity"]) == (3_000, 100)
    assert server.stop() == 0
    verdict = gamekit("verify", tmp_path / "data" / "gamekit.db")
    assert verdict.returncode == 0, verdict.stdout


def wait_for(made: dict[str, Any], tick: int) -> None:
    """Watch a game until it is at a tick."""

    async def watched() -> None:
        socket = await RawSocket.open(made["ws_url"], client="w")
        await socket.until(lambda message: message["type"] != "ack" and message.get("tick", 0) >= tick)
        await socket.close()

    asyncio.run(watched())


# --- games of designers' own ----------------------------------------------------------------------------------------


def test_a_game_of_ones_own_runs_on_a_server_as_it_does_headless(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data", options=(FOOD_FIRST,)).start()
    config = {"scenario": "procedural:5", "rules": {"company_percent": 100}}
    made = server.new_game(game="food-first", seed=11, **config)
    other = server.new_game(seed=1)
    games = {row["id"]: row["game"] for row in server.call("GET", "/api/games", token=server.admin_token)[1]["games"]}
    assert games == {made["id"]: "food-first", other["id"]: "space"}
    _, told = server.call("GET", "/api/rules?game=food-first")
    assert {"type": "donate", "fields": ["to", "credits"], "text": Donate.__doc__} in told["commands"]
    assert told["metrics"] == ["food_in_store", "trading_share"]

    def command(cid: int, **body: Any) -> tuple[int, Any]:
        return server.call("POST", f"/api/game/{made['id']}/commands", {"cid": cid, "body": body}, token=made["token"])

    server.admin(made["id"], "speed", speed=1000)
    wait_for(made, 2_000)
    assert command(1, type="donate", to="c1", credits=1_000_000)[0] == 200
    assert command(2, type="donate", to="nobody", credits=1)[1]["code"] == "unknown_player"
    assert command(3, type="donate", to="c1")[1]["code"] == "bad_command"
    assert patch(server, made["id"], dock_ticks=3)[0] == 200
    state = server.state(made["id"], made["token"])
    assert state["view"]["players"][made["player"]]["credits"] == 9_000_000
    wait_for(made, 20_000)
    assert server.stop() == 0

    game = FoodFirst()
    twin = game.new(config, 11)
    with SqliteReader(tmp_path / "data" / "gamekit.db") as reader:
        row = next(row for row in reader.games() if row.id == made["id"])
        for record in reader.records(row.id):
            game.advance(twin, record.tick)
            for entry in read_line(record.seq, record.tick, record.commands).entries:
                body = bytes(entry.body)
                if b'"donate"' in body:
                    game.apply(twin, entry.player, Donate("c1" if b'"c1"' in body else "nobody", 1_000_000))
                elif b'"join"' in body:
                    assert not isinstance(game.apply(twin, entry.player, Join("Player 1")), Rejected)
                elif b'"set_rules"' in body:
                    game.set_rules(twin, {"dock_ticks": 3})
        tick, seq, _ = reader.snapshots(row.id)[-1]
        kept = reader.snapshot(row.id, seq=seq, tick=tick)
        assert kept is not None
    game.advance(twin, tick)
    assert tick >= 20_000
    assert read_saved(kept.data).state == game.encode(twin)
    assert twin.players[PlayerId("p1")].name == "Player 1"

    database = tmp_path / "data" / "gamekit.db"
    verdict = gamekit("verify", database)
    assert verdict.returncode == 1
    assert "'food-first' is not known here; name it with --game MODULE:CLASS" in verdict.stdout
    verdict = gamekit("verify", database, FOOD_FIRST)
    assert verdict.returncode == 0, verdict.stdout
    assert gamekit("verify", database, "--game", other["id"]).returncode == 0


def test_games_whose_rules_are_not_allowed_are_refused_and_the_others_run(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data", options=(FOOD_FIRST,)).start()
    own, plain = server.new_game(game="food-first", seed=1), server.new_game(seed=1)
    assert server.stop() == 0
    server.options = ()
    with server:
        assert server.state(plain["id"])["view"]
        assert server.call("GET", f"/api/game/{own['id']}")[1]["seed"] is None, "whether it keeps secrets is not known"
        status, problem = server.call("GET", f"/api/game/{own['id']}/state")
        assert (status, problem["code"]) == (503, "unavailable")
        assert "gamekit serve --game MODULE:CLASS" in problem["detail"]
        assert "'food-first'" in problem["detail"]
        rows = server.call("GET", "/api/games", token=server.admin_token)[1]["games"]
        assert {row["id"]: row["hosted"] for row in rows} == {own["id"]: False, plain["id"]: True}
        status, problem = server.call("POST", "/api/game/new", {"game": "food-first"})
        assert (status, problem["code"]) == (400, "bad_config")
        assert "allowed are space" in problem["detail"]
        assert "--game MODULE:CLASS" in problem["detail"]


def test_a_hook_that_fails_stops_its_game_alone_and_is_named(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data", options=("--game=tests.designer_game:Failing",)).start()
    failing = server.new_game(game="failing", seed=1, scenario="procedural:3", rules={"company_percent": 100})
    healthy = server.new_game(game="failing", seed=1, scenario="procedural:3")

    async def watched() -> int:
        socket = await RawSocket.open(failing["ws_url"], client="w")
        await socket.of("snapshot")
        loop = asyncio.get_running_loop()
        status, problem = await loop.run_in_executor(
            None, lambda: patch(server, failing["id"], price_spread_percent=85)
        )
        assert (status, problem["code"]) == (503, "unavailable")
        assert "the hook 'price' of the game 'failing' raised ZeroDivisionError" in problem["detail"]
        return await socket.closed()

    assert asyncio.run(watched()) == 1013
    status, problem = server.call("GET", f"/api/game/{failing['id']}/state")
    assert (status, problem["code"]) == (503, "unavailable")
    assert "'price'" in problem["detail"]
    assert server.state(healthy["id"])["view"]
    assert server.admin(healthy["id"], "pause")["paused"]
    assert server.stop() == 0
    assert "'price' of the game 'failing'" in server.log.read_text()


def test_a_servers_own_defaults_are_the_rules_of_new_games(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("jump_ticks = 20\ndock_ticks = 5\n")
    with LiveServer(tmp_path / "data", options=(f"--rules={file}", "--rule", "dock_ticks=6")) as server:
        made = server.new_game(rules={"queue_limit": 9, "jump_ticks": 21})
        _, told = server.call("GET", f"/api/game/{made['id']}/rules")
        assert [told["rules"][name] for name in ("jump_ticks", "dock_ticks", "queue_limit")] == [21, 6, 9]
        assert server.call("GET", "/api/rules")[1]["defaults"] == {"jump_ticks": 20, "dock_ticks": 6}
    refused = gamekit("serve", "--port", 0, "--data", tmp_path / "other", "--rule", "jump_ticks=0")
    assert refused.returncode == 1
    assert "from 1 to 36000" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("path", ["nowhere:Game", "tests.designer_game:Nothing", "json:dumps"])
def test_a_server_does_not_start_with_a_game_that_is_none(tmp_path: Path, path: str) -> None:
    refused = gamekit("serve", "--port", 0, "--data", tmp_path / "data", "--game", path)
    assert refused.returncode == 1
    assert f"game {path}:" in refused.stderr
    assert "Traceback" not in refused.stderr
