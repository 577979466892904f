"""The documented routes, as scripts use them."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from tornado.websocket import websocket_connect

from tests.live import LiveServer
from tests.rawclient import RawSocket


def test_a_new_game_can_be_played_with_what_it_answers(server: LiveServer) -> None:
    made = server.new_game(scenario="nearest-stars", seed=7, name="First", player_name="Ada")
    assert set(made) == {"id", "token", "player", "ws_url", "play_url"}
    state = server.state(made["id"], made["token"])
    assert set(state) == {"id", "tick", "lag_ticks", "late_s", "seq", "view"}
    assert {"sectors", "stations", "ships", "players"} <= set(state["view"])
    assert state["view"]["players"][made["player"]]["name"] == "Ada"
    assert len(state["view"]["sectors"]) == 16

    async def play() -> None:
        socket = await RawSocket.open(f"{made['ws_url']}?token={made['token']}")
        welcome = await socket.of("welcome")
        assert welcome["player"] == made["player"]
        await socket.of("snapshot")
        [ship] = [key for key, fields in state["view"]["ships"].items() if fields["owner"] == made["player"]]
        body = {"type": "move", "ship": ship, "to": {"sector": "sirius", "x": 0, "y": 0}}
        await socket.send(type="command", cid=7, body=body)
        ack = await socket.of("ack", cid=7)
        assert ack["tick"] > 0
        assert ack["seq"] > 0
        done = await socket.until(
            lambda m: m["type"] == "delta" and any(e["type"] == "CommandDone" for e in m["events"])
        )
        assert ship in done["changes"]["ships"]
        await socket.close()

    asyncio.run(play())


def test_an_http_command_is_answered_when_applied_and_a_resend_gets_the_same_answer(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    ship = "ship-1"
    body = {"cid": 1, "body": {"type": "move", "ship": ship, "to": {"sector": "sirius", "x": 5, "y": 5}}}
    first = server.call("POST", f"/api/game/{made['id']}/commands", body, token=made["token"])
    second = server.call("POST", f"/api/game/{made['id']}/commands", body, token=made["token"])
    assert first == second
    assert first[0] == 200
    _, history = server.call("GET", f"/api/game/{made['id']}/commands", token=made["token"])
    moves = [c for r in history["records"] for c in r["commands"] if c["body"]["type"] == "move"]
    assert len(moves) == 1


def test_the_state_without_a_token_is_the_public_one(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    public = server.state(made["id"])["view"]
    own = server.state(made["id"], made["token"])["view"]
    assert "credits" not in public["players"][made["player"]]
    assert "credits" in own["players"][made["player"]]


def test_joining_gives_a_token_of_its_own(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    status, joined = server.call("POST", f"/api/game/{made['id']}/join", {"name": "Bob <b>&amp;"})
    assert status == 201
    assert joined["player"] != made["player"]
    assert joined["token"] != made["token"]
    players = server.state(made["id"])["view"]["players"]
    assert players[joined["player"]]["name"] == "Bob <b>&amp;"


def test_pause_speed_and_step_are_journaled_and_obeyed(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    paused = server.admin(made["id"], "pause")
    assert paused["paused"]
    at = server.state(made["id"])["tick"]
    server.admin(made["id"], "speed", speed=1000)
    server.admin(made["id"], "step", ticks=500)

    async def reach() -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"])
        while server.state(made["id"])["tick"] < at + 500:
            await asyncio.sleep(0.01)
        await socket.close()

    asyncio.run(reach())
    assert server.state(made["id"])["tick"] == at + 500
    _, history = server.call("GET", f"/api/game/{made['id']}/commands", token=server.admin_token)
    kinds = [command["body"]["type"] for record in history["records"] for command in record["commands"]]
    assert kinds == ["join", "pause", "set_speed", "step"]


def test_a_step_ends_by_itself_while_nobody_watches(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    server.admin(made["id"], "pause")
    at = server.call("GET", f"/api/game/{made['id']}")[1]["tick"]
    server.admin(made["id"], "step", ticks=20)
    about = {"paused": False}
    while not about["paused"]:
        _, listed = server.call("GET", "/api/games", token=server.admin_token)
        [about] = [game for game in listed["games"] if game["id"] == made["id"]]
    assert about["tick"] == at + 20


def test_the_same_seed_makes_the_same_galaxy(server: LiveServer) -> None:
    one, two = server.new_game(scenario="procedural", seed=5), server.new_game(scenario="procedural", seed=5)
    assert server.state(one["id"])["view"]["sectors"] == server.state(two["id"])["view"]["sectors"]


def test_messagepack_carries_the_same_messages(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    server.admin(made["id"], "pause")

    async def both() -> tuple[Any, Any]:
        plain = await RawSocket.open(made["ws_url"], token=made["token"])
        snapshot = await plain.of("snapshot")
        await plain.close()
        packed = await websocket_connect(made["ws_url"], subprotocols=["gamekit.msgpack"])
        assert packed.selected_subprotocol == "gamekit.msgpack"
        await packed.write_message(msgspec.msgpack.encode({"type": "hello", "token": made["token"]}), binary=True)
        while True:
            frame = await packed.read_message()
            assert isinstance(frame, bytes)
            message = msgspec.msgpack.decode(frame)
            if message["type"] == "snapshot":
                packed.close()
                while await packed.read_message() is not None:
                    pass
                return snapshot, message

    snapshot, packed = asyncio.run(both())
    assert packed["view"] == snapshot["view"]


def test_health_and_metrics(server: LiveServer) -> None:
    assert server.call("GET", "/healthz") == (200, {"status": "ok"})
    assert server.call("GET", "/readyz") == (200, {"status": "ok"})
    with urllib.request.urlopen(server.url + "metrics") as answer:
        text = answer.read().decode()
    assert "gamekit_tick_lateness_seconds_bucket" in text
    assert "gamekit_sessions " in text


def test_a_pause_and_a_look_at_a_game_that_lags_behind_both_end(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    server.admin(made["id"], "speed", speed=1000)
    # Nobody watches, so the game falls behind its clock until somebody asks.
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            looks = [pool.submit(server.state, made["id"]) for _ in range(3)]
            paused = pool.submit(server.admin, made["id"], "pause")
            assert paused.result(30)["paused"]
            assert all(look.result(30)["tick"] <= server.state(made["id"])["tick"] for look in looks)
            server.admin(made["id"], "resume")


def test_metrics_count_records_and_the_commits_that_served_them(server: LiveServer) -> None:
    def counted() -> tuple[float, float]:
        with urllib.request.urlopen(server.url + "metrics") as answer:
            rows = dict(line.split() for line in answer.read().decode().splitlines() if not line.startswith("#"))
        return float(rows["gamekit_records_total"]), float(rows["gamekit_commits_total"])

    before = counted()
    made = server.new_game(seed=1)
    server.admin(made["id"], "pause")
    after = counted()
    assert (after[0] - before[0], after[1] - before[1]) == (2, 2)


def test_tick_times_are_kept_in_the_database(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    server.admin(made["id"], "speed", speed=100)

    async def watch() -> dict[str, Any]:
        socket = await RawSocket.open(made["ws_url"], token=made["token"])
        while True:
            await socket.receive()
            _, answer = server.call("GET", f"/api/game/{made['id']}/latency", token=made["token"])
            if answer["rows"]:
                await socket.close()
                row: dict[str, Any] = answer["rows"][0]
                return row

    row = asyncio.run(asyncio.wait_for(watch(), 30))
    assert row["ticks"] > 0
    assert 0 <= row["late_p50_us"] <= row["late_p99_us"] <= row["late_max_us"]
    assert 0 < row["work_p50_us"] <= row["work_p99_us"] <= row["work_max_us"]


def test_the_games_list_shows_every_game(server: LiveServer) -> None:
    made = server.new_game(seed=1, name="Listed")
    status, answer = server.call("GET", "/api/games", token=server.admin_token)
    assert status == 200
    [game] = [game for game in answer["games"] if game["id"] == made["id"]]
    assert game["name"] == "Listed"
    status, one = server.call("GET", f"/api/game/{made['id']}")
    assert status == 200
    assert one["players"] == [{"id": made["player"], "name": "Player 1"}]


def test_pages_are_served_with_a_strict_policy(server: LiveServer) -> None:
    for path in ("", "play/abc", "admin"):
        with urllib.request.urlopen(server.url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert b"{{base}}" not in answer.read()
    # A file that is opened by itself may run nothing else either, nor be taken for what it is not.
    for path in ("web/js/app.js", "web/style.css", "web/backdrop.svg"):
        with urllib.request.urlopen(server.url + path) as answer:
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
    status, problem = server.call("GET", "/nothing-here")
    assert (status, problem["code"]) == (404, "no_such_page")
    assert json.dumps(problem)


def test_scenarios_are_listed_for_everybody(server: LiveServer) -> None:
    status, answer = server.call("GET", "/api/scenarios")
    rows = answer["scenarios"]
    assert status == 200
    assert rows[0]["name"] == "nearest-stars"
    assert {"title", "sentence", "sectors", "stations", "companies", "ships"} <= set(rows[0])


def test_a_path_in_a_request_is_not_read(server: LiveServer, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('sectors = [{ id = "here", name = "Here", x = 0, y = 0 }]')
    status, problem = server.call("POST", "/api/game/new", {"scenario": str(path)})
    assert (status, problem["code"]) == (400, "bad_config")
    assert "is unknown; allowed are" in problem["detail"]
