"""What strangers may make has limits that one table tells; the owner of the server raises them, or exceeds them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from gamekit.errors import ConfigError, ServerBusy, TooCostly, TooOften
from gamekit.games import hosted
from gamekit.server.app import Server
from gamekit.server.budgets import BURST_S
from gamekit.server.limits import MINUTE_S, MOST_ADDRESSES, NONE, Limits
from gamekit.server.settings import MAX_BODY_BYTES, Settings
from gamekit.space import SpaceGame
from gamekit.space.scenario import GROWN, HAND_MADE
from tests.live import LiveServer

ROOT = Path(__file__).resolve().parent.parent.parent
STRANGER = "198.51.100.7"
COSTLY = [
    {"scenario": "crowded", "rules": {"company_percent": 1000}},
    {"scenario": "procedural:1000", "rules": {"cycle_percent": 1}},
    {"scenario": "crowded", "rules": {"ship_speed_mm_per_tick": 1_000_000, "sector_size_m": 200, "dock_ticks": 0}},
    {"scenario": "procedural:1000", "rules": {"trade_range_jumps": 1_000}},
    {"scenario": {"name": "nearest-stars", "companies": [{"name": "A", "ships": 5_001, "credits": 0}]}},
    {"rules": {"ships_limit": 10_000}},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with a few limits of its own."""
    directory = tmp_path_factory.mktemp("limits") / "data"
    options = ("--limit", "players=2", "--limit", "definition_bytes=3000", "--trusted-proxy", "127.0.0.1")
    with LiveServer(directory, options=options) as running:
        yield running
    assert "Traceback" not in running.log.read_text()


@pytest.mark.parametrize("asked", COSTLY, ids=[str(one)[:60] for one in COSTLY])
def test_a_game_that_is_too_much_work_is_refused_with_the_limit_and_its_option(
    server: LiveServer, asked: dict[str, Any]
) -> None:
    status, problem = server.call("POST", "/api/game/new", asked)
    assert status == 422, problem
    assert (status, problem["code"]) == (422, "too_costly")
    assert re.search(r"--limit [a-z_]+=N", problem["detail"])
    _, page = server.call("GET", "/api/games", token=server.admin_token)
    assert page["games"] == [], "it was made all the same"


@pytest.mark.parametrize("scenario", [*HAND_MADE, *GROWN, "procedural:1000"])
def test_every_shipped_scenario_may_be_made_by_anybody(scenario: str) -> None:
    game = SpaceGame()
    limits = Limits((), hosted(), lambda: 0.0)
    limits.check_state(game, game.new({"scenario": scenario}, 1))


def test_the_admin_token_and_a_raised_limit_let_it_be_made(server: LiveServer) -> None:
    large = {"rules": {"ships_limit": 10_000}}
    status, _ = server.call("POST", "/api/game/new", large, token=server.admin_token)
    assert status == 201
    game = SpaceGame()
    limits = Limits(("ships_a_player=10_000",), hosted(), lambda: 0.0)
    limits.check_state(game, game.new(large, 1))
    # What the owner makes the rule for all games is refused to nobody.
    limits = Limits((), hosted(), lambda: 0.0)
    limits.allow(game, game.new(large, 1))
    limits.check_state(game, game.new(large, 1))
    with pytest.raises(TooCostly):
        limits.check_state(game, game.new({"scenario": "crowded", "rules": {"company_percent": 1000}}, 1))


def test_a_large_definition_and_a_full_game_are_refused(server: LiveServer) -> None:
    sectors = [{"id": f"s{number}", "name": f"S {number}", "x": number * 300, "y": 0} for number in range(100)]
    body = {"scenario": {"sectors": sectors}}
    status, problem = server.call("POST", "/api/game/new", body)
    assert (status, problem["code"]) == (422, "too_costly")
    assert "definition_bytes=N" in problem["detail"]
    game = server.new_game(seed=1)["id"]
    assert server.call("POST", f"/api/game/{game}/join", {"name": "Bo"})[0] == 201
    status, problem = server.call("POST", f"/api/game/{game}/join", {"name": "Cy"})
    assert (status, problem["code"]) == (422, "game_full")
    assert "--limit players=N" in problem["detail"]
    assert server.call("POST", f"/api/game/{game}/join", {"name": "Cy"}, token=server.admin_token)[0] == 201


def test_a_definition_that_is_too_large_is_refused_unread(server: LiveServer) -> None:
    rules = {"x" * 5_000: 1}
    status, problem = server.call("POST", "/api/game/new", {"nothing like": "a game", "rules": rules})
    assert (status, problem["code"]) == (422, "too_costly"), "it was read first"
    status, problem = server.call("POST", "/api/game/new", {"rules": rules}, token=server.admin_token)
    assert (status, problem["code"]) == (400, "bad_config")
    assert len(problem["detail"]) < 1_000


def test_who_sends_large_bodies_again_and_again_has_them_read_later(tmp_path: Path) -> None:
    async def check() -> None:
        server = Server(Settings(port=0, directory=tmp_path / "data"))
        await server.start()
        try:
            # As if one had just been read that took long; what is owed is paid in half a second.
            server.budgets.charge([("address", "127.0.0.1")], BURST_S + 0.1)

            async def posted(body: bytes) -> int:
                client = AsyncHTTPClient(force_instance=True)
                answer = await client.fetch(f"{server.url}api/game/new", method="POST", body=body, raise_error=False)
                return int(answer.code)

            large = asyncio.ensure_future(posted(b'{"rules": {' + b" " * MAX_BODY_BYTES + b"]"))
            assert await posted(b"{") == 400
            assert not large.done(), "it was read though its address owes"
            assert await large == 400
            assert server.budgets.wait_s([("address", "127.0.0.1")]) == 0
        finally:
            await server.drain()

    asyncio.run(check())


def test_one_address_makes_so_many_games_in_a_minute(server: LiveServer) -> None:
    headers = {"X-Forwarded-For": STRANGER}
    answers = []
    while not answers or answers[-1][0] == 201:
        # Refused ones count as well, and cost little here.
        answers.append(server.call("POST", "/api/game/new", {"scenario": "duel"}, headers=headers))
        assert len(answers) < 100
    status, problem = answers[-1]
    assert (status, problem["code"]) == (429, "too_many")
    assert "games_a_minute=N" in problem["detail"]
    assert len(answers) == 31
    assert server.call("POST", "/api/game/new", {}, headers={"X-Forwarded-For": "198.51.100.8"})[0] == 201
    assert server.call("POST", "/api/game/new", {}, headers=headers, token=server.admin_token)[0] == 201
    assert server.call("POST", "/api/game/new", {})[0] == 201, "this machine itself is not counted"


def test_large_games_are_counted_apart() -> None:
    game, limits = SpaceGame(), Limits((), hosted(), lambda: 0.0)
    small, large = game.new({}, 1), game.new({"scenario": "crowded"}, 1)
    for _ in range(limits["large_games_a_minute"]):
        limits.check_state(game, large, STRANGER)
    with pytest.raises(TooOften, match="large_games_a_minute"):
        limits.check_state(game, large, STRANGER)
    limits.check_state(game, small, STRANGER)
    limits.check_state(game, large, "127.0.0.1")


def test_rates_count_a_minute_of_each_address_and_forget_who_stays_away() -> None:
    now_s = 0.0
    limits = Limits(("joins_a_minute=2",), hosted(), lambda: now_s)
    for _ in range(2):
        limits.count("joins_a_minute", STRANGER)
    with pytest.raises(ServerBusy) as caught:
        limits.count("joins_a_minute", STRANGER)
    assert caught.value.retry_s == MINUTE_S
    now_s = MINUTE_S
    limits.count("joins_a_minute", STRANGER)
    for number in range(MOST_ADDRESSES + 10):
        limits.count("joins_a_minute", f"2001:db8:0:{number:x}::1")
    assert len(limits._asked) == MOST_ADDRESSES


@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        ("2001:db8::1", "2001:db8::2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("198.51.100.1", "::ffff:198.51.100.1", True),
        ("198.51.100.1", "198.51.100.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_an_address_of_six_counts_as_its_network(first: str, second: str, together: bool) -> None:
    limits = Limits(("joins_a_minute=1",), hosted(), lambda: 0.0)
    limits.count("joins_a_minute", first)
    for own in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "127.8.8.8", "unix"):
        limits.count("joins_a_minute", own)
        limits.count("joins_a_minute", own)
    if together:
        with pytest.raises(TooOften):
            limits.count("joins_a_minute", second)
    else:
        limits.count("joins_a_minute", second)


def test_costly_requests_at_one_time_are_bounded() -> None:
    limits = Limits(("costly_at_once=1",), hosted(), lambda: 0.0)
    with limits.costly():
        with pytest.raises(ServerBusy), limits.costly():
            pass
        with limits.costly(free=True):
            pass
    with limits.costly():
        pass


@pytest.mark.parametrize("text", ["ships", "ships=", "ships=-1", "ships=1e9", "shipz=3", "=4", "ships=٣"])
def test_a_limit_that_is_none_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(ConfigError, match="--limit"):
        Limits((text,), hosted(), lambda: 0.0)
    assert Limits(("ships=none",), hosted(), lambda: 0.0)["ships"] == NONE


def test_every_limit_is_documented_with_its_value() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    told = {
        name: int(most.replace(",", ""))
        for name, most in re.findall(r"^\| `([a-z_]+)` \| ([0-9,]+) \|", page, re.MULTILINE)
    }
    assert {weight.name: weight.most for weight in Limits((), hosted(), lambda: 0.0).table} == told
