"""A real server with two players and a spectator in fog: what each was sent is what they may know, and no more."""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from typing import Any

import msgspec

from gamekit.game import PlayerId, merge
from tests.audit import GAME, History, check_connection, check_mirror, delta_places, shown_places
from tests.live import LiveServer
from tests.rawclient import Message, RawSocket

RULES = {
    "fog": 1,
    "discovery_ticks": 1_500,
    "company_percent": 20,
    "jump_ticks": 20,
    "ship_speed_mm_per_tick": 60_000,
    "storm_rate": 3_600,
    "storm_ticks": 200,
}


class Explorer:
    """A player (None: a spectator) who keeps a mirror over many connections, and goes through every unknown gate."""

    def __init__(self, game: dict[str, Any], ship: str | None, far_off: list[str]) -> None:
        self.far_off = far_off
        self.game = game
        self.player: str | None = game["player"] if ship else None
        self.ship = ship
        self.view: dict[str, Any] = {}
        self.resume: dict[str, int] | None = None
        self.connections: list[list[Message]] = []
        self.cid = self.asked_tick = 0
        self.discovered: list[str] = []

    def unknown(self) -> list[str]:
        """Open gates of which it is not known where they lead."""
        return [key for key, row in self.view["gates"].items() if row["to"] is None and row["open"]]

    async def play(self, discoveries: int) -> None:
        """One connection's time, until so many sectors were discovered in all; then cut."""
        hello = {"client": "c"} | ({"token": self.game["token"]} if self.ship else {})
        if self.resume:
            hello["resume"] = self.resume  # type: ignore[assignment]
        socket = await RawSocket.open(self.game["ws_url"], **hello)
        epoch = (await socket.of("welcome"))["epoch"]
        while len(self.discovered) < discoveries:
            message = await socket.receive()
            assert message is not None, "the server closed the connection"
            if message["type"] == "snapshot":
                self.view = deepcopy(message["view"])
            elif message["type"] == "delta":
                merge(self.view, deepcopy(message["changes"]))
                kind = "SectorDiscovered" if self.ship else "SectorCharted"
                self.discovered += [one["sector"] for one in message["events"] if one["type"] == kind]
            else:
                continue
            self.resume = {"epoch": epoch, "n": message["n"]}
            answered = message["tick"] > self.asked_tick + 20
            if self.ship and answered and self.view["ships"][self.ship]["status"] in {"idle", "docked"}:
                self.asked_tick = message["tick"]
                await self.explore(socket)
        # What is still on its way when the connection is cut does not count: it comes again.
        self.connections.append(list(socket.messages))
        await socket.close()

    async def play_on(self, *goals: int) -> None:
        """Each goal on a connection of its own, which goes on where the one before was cut."""
        for goal in goals:
            await self.play(goal)

    async def explore(self, socket: RawSocket) -> None:
        """Order the ship through an unknown gate; now and then ask for what it cannot know."""
        if not self.unknown():
            return
        self.cid += 1
        gates = self.unknown()
        to = {"gate": gates[self.cid % len(gates)], "through": True}
        if self.cid % 5 == 0:
            to = {"station": self.far_off[self.cid % len(self.far_off)]}
        await socket.send(type="command", cid=self.cid, body={"type": "move", "ship": self.ship, "to": to})


def test_seed_and_history_of_a_game_in_fog_are_the_admins_only(server: LiveServer) -> None:
    made = server.new_game(scenario="procedural:9", seed=5, rules={"fog": 1})
    about, history = f"/api/game/{made['id']}", f"/api/game/{made['id']}/commands"
    assert server.call("GET", about)[1]["seed"] is None
    assert server.call("GET", about, token=made["token"])[1]["scenario"] == "procedural:9"
    assert server.call("GET", about, token=server.admin_token)[1]["seed"] == 5
    status, problem = server.call("GET", history, token=made["token"])
    assert (status, problem["code"]) == (401, "admin_only")
    assert server.call("GET", history, token=server.admin_token)[0] == 200
    clear = server.new_game(seed=5)
    assert server.call("GET", f"/api/game/{clear['id']}")[1]["seed"] == 5


def test_what_keeps_a_game_in_fog_awake_is_the_admins_only(server: LiveServer) -> None:
    made = server.new_game(scenario="procedural:9", seed=5, rules={"fog": 1})
    about = f"/api/game/{made['id']}"
    told = server.call("GET", about, token=made["token"])[1]
    assert [told[key] for key in ("seq", "state", "connections", "why_awake")] == [None, None, None, []]
    assert told["tick"] >= 0
    told = server.call("GET", about, token=server.admin_token)[1]
    assert told["why_awake"]
    assert told["seq"] == 1
    latency = f"{about}/latency"
    assert server.call("GET", latency, token=made["token"])[1]["code"] == "admin_only"
    assert server.call("GET", latency, token=server.admin_token)[0] == 200


def test_players_in_fog_are_sent_what_they_know_and_nothing_else(server: LiveServer) -> None:
    config = {"scenario": "procedural:60", "rules": RULES}
    start = GAME.new(config, 5)
    far_off = [one.id for one in start.stations.values() if one.sector not in start.charts.sectors]
    made = server.new_game(**config, seed=5, player_name="Ada")
    server.admin(made["id"], "speed", speed=30)
    status, joined = server.call("POST", f"/api/game/{made['id']}/join", {"name": "Bob"})
    assert status == 201
    ada, bob = Explorer(made, "ship-1", far_off), Explorer(joined, "ship-2", far_off)
    watcher = Explorer(made, None, [])

    async def explore() -> None:
        watching = asyncio.create_task(watcher.play(1))
        for goal in (1, 2, 4):  # each on a connection of its own, which goes on where the last one ended
            await asyncio.wait_for(asyncio.gather(ada.play(goal), bob.play(goal)), 60)
        await asyncio.wait_for(watching, 60)

    asyncio.run(explore())
    server.admin(made["id"], "pause")
    states = {player: server.state(made["id"], token) for player, token in _tokens(made, joined).items()}
    assert server.stop() == 0

    everybody = (ada, bob, watcher)
    history = History(server.directory / "gamekit.db", made["id"])
    messages = [message for one in everybody for connection in one.connections for message in connection]
    at_last = [(state["tick"], state["seq"]) for state in states.values()]
    streams = {one: [message for connection in one.connections for message in connection] for one in everybody}
    sampled = [place for stream in streams.values() for place in delta_places(stream, every=7)]
    places = history.replay(shown_places(messages) + sampled + at_last)
    for one in everybody:
        # Connections that resumed got deltas only, so all of them together are one stream.
        stream = streams[one]
        assert [m["type"] for m in stream].count("snapshot") == 1, "a resumed connection got a snapshot"
        assert check_connection(history, places, one.player, stream) > 10
        assert check_mirror(places, one.player, stream) > 3
        _silent(history.final, one, stream)
    for player, state in states.items():
        place = (state["tick"], state["seq"])
        assert state["view"] == json.loads(
            msgspec.json.encode(GAME.view(places[place], PlayerId(player) if player else None))
        )
    assert set(ada.discovered) == set(history.final.players[PlayerId("p1")].discovered[: len(ada.discovered)])


def _tokens(made: dict[str, Any], joined: dict[str, Any]) -> dict[str | None, str | None]:
    return {made["player"]: made["token"], joined["player"]: joined["token"], None: None}


def _silent(state: Any, one: Explorer, stream: list[Message]) -> None:
    """No message has a word of what this viewer does not know even at the end."""
    text = json.dumps([message for message in stream if message["type"] != "error"])
    hidden = [sector for sector in state.sectors.values() if not state.knows(one.player, sector.id)]
    assert hidden, "everything is known; the test shows nothing"
    for sector in hidden:
        for word in (f'"{sector.id}"', f'"{sector.name}"', *(f'"{gate}"' for gate in sector.gates)):
            assert word not in text, (one.player, word)
    for station in state.stations.values():
        if not state.knows(one.player, station.sector):
            assert f'"{station.id}"' not in text
            assert f'"{station.name}"' not in text
