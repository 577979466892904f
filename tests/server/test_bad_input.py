"""A bad client harms only itself: each bad input gets its documented error, and the game ticks on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from gamekit.wire import MAX_MESSAGE_BYTES
from tests.live import LiveServer
from tests.rawclient import RawSocket


@pytest.fixture
def game(server: LiveServer) -> Iterator[dict[str, Any]]:
    """A game that still ticks and serves its player after the test."""
    made = server.new_game(seed=3)
    before = server.state(made["id"])["tick"]
    yield made

    async def ticks_on() -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"])
        tick = before
        while tick <= before:
            await socket.send(type="ping", t=0)
            tick = (await socket.of("pong"))["tick"]
        await socket.close()

    asyncio.run(ticks_on())


def own_ship(server: LiveServer, game: dict[str, Any]) -> str:
    ships = server.state(game["id"], game["token"])["view"]["ships"]
    return next(ship for ship, fields in ships.items() if fields["owner"] == game["player"])


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("this is not JSON", "bad_message"),
        ('{"type": "command", "cid": 1', "bad_message"),
        ("[]", "bad_message"),
        ("null", "bad_message"),
        ('{"cid": 1, "body": {}}', "bad_message"),
        ('{"type": "dance"}', "bad_message"),
        ('{"type": "command", "cid": "one", "body": {}}', "bad_message"),
        ('{"type": "command", "cid": 1.5, "body": {}}', "bad_message"),
        ('{"type": "command", "cid": 1, "body": []}', "bad_message"),
        ('{"type": "command", "cid": 1, "body": {}, "extra": 1}', "bad_message"),
        ('{"type": "command", "cid": 0, "body": {}}', "bad_cid"),
        ('{"type": "command", "cid": -7, "body": {}}', "bad_cid"),
        ('{"type": "command", "cid": 9007199254740993, "body": {}}', "bad_cid"),
        ('{"type": "command", "cid": 123456789012345678901234567890, "body": {}}', "bad_cid"),
        ('{"type": "command", "cid": 1, "body": {"type": "move"}}', "bad_command"),
        ('{"type": "command", "cid": 1, "body": {"type": "steal"}}', "bad_command"),
        ('{"type": "command", "cid": 1, "body": {"type": "pause"}}', "bad_command"),
        ('{"type": "command", "cid": 1, "body": {"type": "join", "name": "Eve"}}', "bad_command"),
        ('{"type": "command", "cid": 1, "body": ' + '{"a":' * 2500 + "1" + "}" * 2501, "bad_message"),
        ('{"type": "ping", "t": "' + "x" * MAX_MESSAGE_BYTES + '"}', "too_large"),
    ],
)
def test_a_bad_frame_gets_its_error_and_the_connection_stays(game: dict[str, Any], frame: str, code: str) -> None:
    async def check() -> None:
        socket = await RawSocket.open(game["ws_url"], token=game["token"])
        await socket.of("snapshot")
        await socket.send_raw(frame)
        error = await socket.of("error")
        assert error["code"] == code, error
        assert error["message"].endswith(".")
        await socket.send(type="ping", t=5)
        assert (await socket.of("pong"))["t"] == 5
        await socket.close()

    asyncio.run(check())


def test_binary_noise_is_answered(game: dict[str, Any]) -> None:
    async def check() -> None:
        socket = await RawSocket.open(game["ws_url"], token=game["token"])
        await socket.of("snapshot")
        await socket.send_raw(bytes(range(256)), binary=True)
        assert (await socket.of("error"))["code"] == "bad_message"
        await socket.close()

    asyncio.run(check())


def test_a_frame_over_the_hard_limit_closes_its_own_connection_only(game: dict[str, Any]) -> None:
    async def check() -> None:
        bad = await RawSocket.open(game["ws_url"], token=game["token"])
        good = await RawSocket.open(game["ws_url"], token=game["token"])
        await bad.of("snapshot")
        await good.of("snapshot")
        await bad.send_raw("x" * 200_000)
        assert await bad.closed() == 1009
        await good.send(type="ping", t=1)
        await good.of("pong")
        await good.close()

    asyncio.run(check())


def test_orders_to_what_does_not_exist_or_is_not_yours_are_refused_by_name(
    server: LiveServer, game: dict[str, Any]
) -> None:
    status, other = server.call("POST", f"/api/game/{game['id']}/join", {"name": "Other"})
    assert status == 201
    mine, theirs = own_ship(server, game), own_ship(server, other)
    there = {"sector": "sirius", "x": 0, "y": 0}
    orders = [
        ({"type": "move", "ship": "no-such-ship", "to": there}, "unknown_ship"),
        ({"type": "move", "ship": theirs, "to": there}, "not_your_ship"),
        ({"type": "move", "ship": mine, "to": {"sector": "nowhere", "x": 0, "y": 0}}, "unknown_sector"),
        ({"type": "move", "ship": mine, "to": {"station": "nowhere"}}, "unknown_station"),
        ({"type": "move", "ship": mine, "to": {"gate": "nowhere"}}, "unknown_gate"),
        ({"type": "move", "ship": mine, "to": {"sector": "sirius", "x": 10**9, "y": 0}}, "outside_sector"),
        ({"type": "buy", "ship": mine, "ware": "unobtainium", "units": 1}, "unknown_ware"),
    ]

    async def over_socket() -> None:
        socket = await RawSocket.open(game["ws_url"], token=game["token"], client="orders")
        await socket.of("snapshot")
        for cid, (body, code) in enumerate(orders, start=1):
            await socket.send(type="command", cid=cid, body=body)
            await socket.of("ack", cid=cid)
            error = await socket.of("error", cid=cid)
            assert error["code"] == code, error
        await socket.close()

    asyncio.run(over_socket())
    for cid, (body, code) in enumerate(orders, start=1):
        status, problem = server.call(
            "POST",
            f"/api/game/{game['id']}/commands",
            {"cid": cid, "body": body, "client": "http"},
            token=game["token"],
        )
        assert (status, problem["code"]) == (422, code), problem


def test_a_wrong_token_is_refused_everywhere(server: LiveServer, game: dict[str, Any]) -> None:
    other = server.new_game(seed=4)
    for token in ("nonsense", "", "p1.", game["token"] + "x", game["token"][:-1], other["token"], server.admin_token):

        async def by_hello(token: str = token) -> None:
            socket = await RawSocket.open(game["ws_url"] + "?token=" + token)
            if token == "":
                # No token at all is a spectator, after its hello.
                await socket.send(type="hello")
                assert (await socket.of("welcome"))["player"] is None
                await socket.close()
                return
            assert (await socket.of("error"))["code"] == "bad_token"
            assert await socket.closed() == 1008

        asyncio.run(by_hello())
        if token:
            status, problem = server.call("GET", f"/api/game/{game['id']}/state", token=token)
            assert (status, problem["code"]) == (401, "bad_token")
            body = {"cid": 1, "body": {"type": "stop", "ship": "ship-1"}}
            status, problem = server.call("POST", f"/api/game/{game['id']}/commands", body, token=token)
            assert (status, problem["code"]) == (401, "bad_token")


def test_an_address_that_cannot_be_decoded_is_refused_and_leaves_no_connection(
    server: LiveServer, game: dict[str, Any]
) -> None:
    async def check() -> None:
        for query in ("?token=%ff", "?token=x&client=%ff"):
            socket = await RawSocket.open(game["ws_url"] + query)
            assert (await socket.of("error"))["code"] == "bad_token"
            assert await socket.closed() == 1008

    asyncio.run(check())
    _, about = server.call("GET", f"/api/game/{game['id']}")
    assert about["connections"] == 0


def test_admin_verbs_need_the_admin_token(server: LiveServer, game: dict[str, Any]) -> None:
    for token in (None, game["token"], "admin.x"):
        for verb in ("pause", "resume", "speed", "step"):
            status, problem = server.call("POST", f"/api/game/{game['id']}/{verb}", {"speed": 2}, token=token)
            assert (status, problem["code"]) == (401, "admin_only")
        status, problem = server.call("GET", "/api/games", token=token)
        assert (status, problem["code"]) == (401, "admin_only")
    status, problem = server.call("GET", f"/api/game/{game['id']}/commands")
    assert (status, problem["code"]) == (401, "token_needed")


def test_a_wrong_game_id_is_told_on_both_ways(server: LiveServer) -> None:
    for path in ("", "/state", "/commands", "/latency"):
        status, problem = server.call("GET", f"/api/game/nosuchgame{path}")
        assert (status, problem["code"]) == (404, "no_such_game")
    status, problem = server.call("POST", "/api/game/nosuchgame/join", {"name": "x"})
    assert (status, problem["code"]) == (404, "no_such_game")

    async def check() -> None:
        socket = await RawSocket.open(server.url.replace("http", "ws") + "api/game/nosuchgame/ws")
        assert (await socket.of("error"))["code"] == "no_such_game"
        assert await socket.closed() == 4404

    asyncio.run(check())


def test_a_foreign_origin_is_refused_on_both_ways(server: LiveServer, game: dict[str, Any]) -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        status, problem = server.call("POST", "/api/game/new", {}, headers={"Origin": origin})
        assert (status, problem["code"]) == (403, "foreign_origin")

        async def check(origin: str = origin) -> None:
            request = HTTPRequest(game["ws_url"], headers={"Origin": origin})
            with pytest.raises(HTTPClientError, match="403"):
                await websocket_connect(request)

        asyncio.run(check())
    status, _ = server.call("POST", "/api/game/new", {}, headers={"Origin": server.url.rstrip("/")})
    assert status == 201


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", "bad_request"),
        (b"[1]", "bad_request"),
        ({"unknown": 1}, "bad_request"),
        ({"seed": "one"}, "bad_request"),
        ({"scenario": "no-such-scenario"}, "bad_config"),
        ({"rules": {"no_such_rule": 1}}, "bad_config"),
        ({"rules": {"jump_ticks": "fast"}}, "bad_config"),
        ({"rules": {"jump_ticks": -1}}, "bad_config"),
        ({"scenario": "procedural:1000000"}, "bad_config"),
        ({"seed": 2**80}, "bad_config"),
        ({"seed": 2**53}, "bad_config"),
        ({"seed": -(2**53)}, "bad_config"),
    ],
)
def test_a_bad_new_game_is_refused_with_what_is_allowed(server: LiveServer, body: Any, code: str) -> None:
    status, problem = server.call("POST", "/api/game/new", body)
    assert (status, problem["code"]) == (400, code), problem
    assert len(problem["detail"]) > 20


@pytest.mark.parametrize("seed", [2**53 - 1, -(2**53 - 1), 0])
def test_every_seed_that_a_browser_shows_exactly_is_taken_and_told(server: LiveServer, seed: int) -> None:
    made = server.new_game(seed=seed)
    about = server.call("GET", f"/api/game/{made['id']}")[1]
    assert (about["seed"], about["seed_text"]) == (seed, str(seed))
    assert float(about["seed"]) == seed


def test_a_bad_name_is_refused(server: LiveServer, game: dict[str, Any]) -> None:
    for name in ("", " ", "x" * 200):
        status, problem = server.call("POST", f"/api/game/{game['id']}/join", {"name": name})
        assert (status, problem["code"]) == (422, "bad_name")


def test_commands_before_hello_are_refused(game: dict[str, Any]) -> None:
    async def check() -> None:
        socket = await RawSocket.open(game["ws_url"])
        await socket.send(type="command", cid=1, body={"type": "stop", "ship": "ship-1"})
        assert (await socket.of("error"))["code"] == "hello_first"
        await socket.send(type="hello", token=game["token"])
        await socket.of("snapshot")
        await socket.close()

    asyncio.run(check())


def test_a_flood_is_slowed_down_and_harms_nobody(game: dict[str, Any]) -> None:
    async def check() -> None:
        flood = await RawSocket.open(game["ws_url"], token=game["token"])
        quiet = await RawSocket.open(game["ws_url"], token=game["token"])
        await flood.of("snapshot")
        await quiet.of("snapshot")
        for number in range(300):
            await flood.send(type="ping", t=number)
        await quiet.send(type="ping", t=1)
        await quiet.of("pong")
        answered = len([m for m in flood.messages if m["type"] == "pong"])
        assert answered < 300
        await flood.of("pong", t=299)
        await flood.close()
        await quiet.close()

    asyncio.run(check())
