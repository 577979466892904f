"""The server that one would write first: a PeriodicCallback a session, json.dumps of all positions, a commit a command.

It speaks enough of gamekit's protocol for the load generator, plays the same model with the same functions, and makes
commands as durable (WAL, synchronous=FULL). With `--legs` it sends a leg when it starts instead of all positions at
every tick, which is the first thing that one would improve. It knows no reconnection, no numbers, no replay and no
backpressure.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from tornado.ioloop import PeriodicCallback
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from gamekit.bench.swarm import Leg, first_leg, place, random_leg

#: Between two ticks of a room, in milliseconds.
TICK_MS = 100


class Room:
    """One session."""

    def __init__(self, seed: int, ships_each: int, legs: bool) -> None:
        self.seed, self.ships_each, self.only_legs = seed, ships_each, legs
        self.tick = 0
        self.owners: list[str] = []
        self.legs: list[Leg] = []
        self.begun: list[int] = []
        self.players: list[str] = []
        self.sockets: set[Socket] = set()
        self.late_ms: list[float] = []
        self._changed: set[int] = set()
        self._timer = PeriodicCallback(self.step, TICK_MS)
        self._timer.start()
        #: When the next tick is due, on the grid that the timer keeps.
        self._due_s = time.perf_counter() + TICK_MS / 1000

    def join(self) -> str:
        """A player comes, with ships."""
        player = f"p{len(self.players) + 1}"
        self.players.append(player)
        for number in range(len(self.legs), len(self.legs) + self.ships_each):
            self.owners.append(player)
            self.legs.append(first_leg(self.seed, number, self.tick))
            self.begun.append(1)
        return player

    def move(self, number: int, x: int, y: int) -> None:
        """Send a ship elsewhere."""
        here = place(self.legs[number], self.tick)
        until = random_leg(self.seed, number, self.begun[number], *here, self.tick)[5]
        self.legs[number] = (*here, x, y, self.tick, until)
        self.begun[number] += 1
        self._changed.add(number)

    def step(self) -> None:
        """One tick."""
        now_s = time.perf_counter()
        late_ms = max(now_s - self._due_s, 0.0) * 1000
        self.late_ms.append(late_ms)
        # The timer leaves out what it missed, and stays on its grid.
        self._due_s += (int(late_ms / TICK_MS) + 1) * TICK_MS / 1000
        self.tick += 1
        for number, leg in enumerate(self.legs):
            if leg[5] <= self.tick:
                self.legs[number] = random_leg(self.seed, number, self.begun[number], leg[2], leg[3], self.tick)
                self.begun[number] += 1
                self._changed.add(number)
        changed, self._changed = self._changed, set()
        ships: dict[str, Any]
        if self.only_legs:
            if not changed:
                return
            ships = {str(number): {"leg": self.legs[number]} for number in sorted(changed)}
        else:
            ships = {}
            for number, leg in enumerate(self.legs):
                x, y = place(leg, self.tick)
                ships[str(number)] = {"x": x, "y": y}
        message = json.dumps({"type": "delta", "tick": self.tick, "changes": {"ships": ships}})
        for socket in self.sockets:
            socket.write_message(message)

    def whole(self) -> str:
        """What a socket sees first."""
        ships = {str(n): {"owner": self.owners[n], "leg": leg} for n, leg in enumerate(self.legs)}
        return json.dumps({"type": "snapshot", "tick": self.tick, "view": {"ships": ships}})


class Everything:
    """All sessions, and the one database."""

    def __init__(self, directory: Path, legs: bool) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.legs = legs
        self.rooms: dict[str, Room] = {}
        self.records = 0
        self.database = sqlite3.connect(directory / "naive.db", isolation_level=None)
        self.database.execute("pragma journal_mode=wal")
        self.database.execute("pragma synchronous=full")
        self.database.execute("create table if not exists commands (game, tick, player, body)")

    def keep(self, game: str, tick: int, player: str, body: dict[str, Any]) -> None:
        """One command, durable on return: a commit of its own."""
        row = (game, tick, player, json.dumps(body))
        self.database.execute("insert into commands values (?, ?, ?, ?)", row)
        self.records += 1


class Handler(RequestHandler):
    """Base: everything is shared."""

    def initialize(self, all_of_it: Everything) -> None:
        """Tornado's way to hand the route's arguments over."""
        self.all = all_of_it

    def made(self, game: str, player: str) -> None:
        """Answer with who plays what."""
        address = f"ws://{self.request.host}/api/game/{game}/ws"
        self.set_status(201)
        self.finish({"id": game, "player": player, "token": player, "ws_url": address})


class New(Handler):
    """POST /api/game/new"""

    def post(self) -> None:
        """Make a session and its first player."""
        asked = json.loads(self.request.body or b"{}")
        game = f"g{len(self.all.rooms)}"
        room = self.all.rooms[game] = Room(asked.get("seed", 0), asked.get("rules", {}).get("ships", 50), self.all.legs)
        self.made(game, room.join())


class Join(Handler):
    """POST /api/game/ID/join"""

    def post(self, game: str) -> None:
        """Let another player in."""
        self.made(game, self.all.rooms[game].join())


class Figures(Handler):
    """GET /figures: what it counted."""

    def get(self) -> None:
        """Lateness since the last call, and records."""
        late = [ms for room in self.all.rooms.values() for ms in room.late_ms]
        for room in self.all.rooms.values():
            room.late_ms = []
        self.finish({"late_ms": late, "records": self.all.records})


class Socket(WebSocketHandler):
    """GET /api/game/ID/ws"""

    def initialize(self, all_of_it: Everything) -> None:
        """Tornado's way to hand the route's arguments over."""
        self.all = all_of_it

    def check_origin(self, origin: str) -> bool:
        """Anybody."""
        return True

    def open(self, game: str) -> None:
        """Show everything."""
        self.set_nodelay(True)
        self.game, self.player = game, self.get_query_argument("token", "")
        self.room = self.all.rooms[game]
        self.write_message(self.room.whole())
        self.room.sockets.add(self)

    def on_message(self, message: str | bytes) -> None:
        """A command: write it down, acknowledge it, carry it out."""
        asked = json.loads(message)
        body = asked["body"]
        number = int(body["ship"])
        if not 0 <= number < len(self.room.owners) or self.room.owners[number] != self.player:
            self.write_message(json.dumps({"type": "error", "cid": asked["cid"], "code": "unknown_ship"}))
            return
        self.all.keep(self.game, self.room.tick, self.player, body)
        self.room.move(number, body["to"]["x"], body["to"]["y"])
        self.write_message(json.dumps({"type": "ack", "cid": asked["cid"], "tick": self.room.tick}))

    def on_close(self) -> None:
        """Forget it."""
        self.room.sockets.discard(self)


async def serve(directory: Path, legs: bool, ready: int) -> None:
    """Serve on a free port of 127.0.0.1 until standard input ends."""
    everything = Everything(directory, legs)
    shared = {"all_of_it": everything}
    routes: list[Any] = [(r"/api/game/new", New, shared), (r"/api/game/(\w+)/join", Join, shared)]
    routes += [(r"/figures", Figures, shared), (r"/api/game/(\w+)/ws", Socket, shared)]
    server = Application(routes, websocket_ping_interval=0).listen(0, "127.0.0.1", backlog=4096)
    [listening] = server._sockets.values()
    with open(ready, "w") as pipe:
        pipe.write(json.dumps({"port": listening.getsockname()[1], "admin_token": ""}) + "\n")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, stop.set)
    await stop.wait()


def main() -> None:
    """Started by the harness."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="directory of the database")
    parser.add_argument("--legs", action="store_true", help="send legs when they start instead of all positions")
    parser.add_argument("--ready-fd", type=int, required=True, help="where to write the port")
    asked = parser.parse_args()
    asyncio.run(serve(asked.data, asked.legs, asked.ready_fd))


if __name__ == "__main__":
    main()
