"""A real server is killed with SIGKILL, again and again, under load. Promises 1 to 5 hold, or this fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tornado.websocket import WebSocketClosedError

from tests.audit import History, check_connection, check_exactly_once, count_kinds, shown_places
from tests.live import LiveServer
from tests.rawclient import RawSocket

KILLS = 10
GAMES = 4
PLAYERS_PER_GAME = 5
COMMANDS_A_SECOND = 25
#: How long it may take until everybody is back after a kill, in seconds.
BACK_S = 60


class Sender:
    """A player who sends moves all the time, reconnects for ever, and resends what has no ack."""

    def __init__(self, game: dict[str, Any], name: str, seed: int) -> None:
        self.game = game
        self.player = game["player"]
        self.client = name
        self.random = random.Random(seed)
        self.sent: dict[int, dict[str, Any]] = {}
        self.acks: dict[int, dict[str, Any]] = {}
        self.connections: list[list[dict[str, Any]]] = []
        self.resume: dict[str, int] | None = None
        self.sectors: list[str] = []
        self.ship = ""
        self.stopping = False
        self.highest_tick = 0

    @property
    def unacked(self) -> list[int]:
        """What the server has not confirmed."""
        return [cid for cid in self.sent if cid not in self.acks]

    async def run(self) -> None:
        """Until told to stop and everything is acknowledged."""
        while not (self.stopping and not self.unacked):
            try:
                socket = await RawSocket.open(
                    self.game["ws_url"], token=self.game["token"], client=self.client, resume=self.resume
                )
            except OSError:
                await asyncio.sleep(0.02)
                continue
            self.connections.append(socket.messages)
            writing = asyncio.create_task(self._write(socket))
            try:
                await self._read(socket)
            finally:
                writing.cancel()
                await socket.close()

    async def _read(self, socket: RawSocket) -> None:
        epoch = 0
        while not (self.stopping and not self.unacked):
            message = await socket.receive()
            if message is None:
                return
            kind = message["type"]
            if kind == "welcome":
                epoch = message["epoch"]
            elif kind in ("snapshot", "delta"):
                assert message["tick"] >= self.highest_tick, "a client saw time run back"
                self.highest_tick = message["tick"]
                self.resume = {"epoch": epoch, "n": message["n"]}
                if kind == "snapshot":
                    self.sectors = list(message["view"]["sectors"])
                    ships = message["view"]["ships"]
                    [self.ship] = [ship for ship, fields in ships.items() if fields["owner"] == self.player]
            elif kind == "ack":
                known = self.acks.setdefault(message["cid"], message)
                assert (known["tick"], known["seq"]) == (message["tick"], message["seq"]), "two different acks"

    async def _write(self, socket: RawSocket) -> None:
        try:
            for cid in self.unacked:
                await socket.send(type="command", cid=cid, body=self.sent[cid])
            while not self.stopping:
                await asyncio.sleep(self.random.uniform(0.5, 1.5) / COMMANDS_A_SECOND)
                if self.ship and len(self.unacked) < 100:
                    cid = len(self.sent) + 1
                    self.sent[cid] = self._command()
                    await socket.send(type="command", cid=cid, body=self.sent[cid])
        except WebSocketClosedError:
            return

    def _command(self) -> dict[str, Any]:
        if self.random.random() < 0.1:
            return {"type": "move", "ship": "no-such-ship", "to": {"sector": self.sectors[0], "x": 0, "y": 0}}
        to = {
            "sector": self.random.choice(self.sectors),
            "x": self.random.randint(-900, 900),
            "y": self.random.randint(-900, 900),
        }
        return {"type": "move", "ship": self.ship, "to": to, "append": self.random.random() < 0.3}


def test_ten_kills_under_twenty_senders_lose_repeat_and_contradict_nothing(
    tmp_path: Path, report: Callable[[str], None]
) -> None:
    senders: list[Sender] = []
    with LiveServer(tmp_path / "data") as server:
        for number in range(GAMES):
            made = server.new_game(scenario="nearest-stars", seed=number, name=f"Game {number}", player_name="First")
            players = [made]
            for more in range(PLAYERS_PER_GAME - 1):
                status, joined = server.call("POST", f"/api/game/{made['id']}/join", {"name": f"Player {more}"})
                assert status == 201
                players.append(joined)
            senders += [Sender(player, f"client-{i}", seed=number * 100 + i) for i, player in enumerate(players)]
        asyncio.run(_storm(server, senders))
        assert server.stop() == 0

    database = tmp_path / "data" / "gamekit.db"
    compared = 0
    for game in {sender.game["id"] for sender in senders}:
        history = History(database, game)
        mine = [sender for sender in senders if sender.game["id"] == game]
        messages = [message for sender in mine for connection in sender.connections for message in connection]
        states = history.replay(shown_places(messages))
        for sender in mine:
            key = lambda cid, s=sender: (s.player, s.client, cid)  # noqa: E731
            check_exactly_once(
                history,
                {key(cid): ack for cid, ack in sender.acks.items()},
                {key(cid): body for cid, body in sender.sent.items()},
            )
            assert sorted(sender.acks) == list(range(1, len(sender.sent) + 1)), "a command was never acknowledged"
            for connection in sender.connections:
                compared += check_connection(history, states, sender.player, connection)
        owners = history.final.players
        ships = {key: ship for key, ship in history.final.ships.items() if not owners[ship.owner].company}
        assert len(ships) == PLAYERS_PER_GAME
    kinds = count_kinds([m for s in senders for connection in s.connections for m in connection])
    sent = sum(len(sender.sent) for sender in senders)
    report(f"{KILLS} kills: {sent} commands sent, {compared} deltas and snapshots compared, received {dict(kinds)}")
    assert kinds["ack"] > 500
    assert compared > 500


async def _storm(server: LiveServer, senders: list[Sender]) -> None:
    running = [asyncio.create_task(sender.run()) for sender in senders]
    chance = random.Random(42)
    loop = asyncio.get_running_loop()
    for _ in range(KILLS):
        # Everybody is back and got answers again before the next kill.
        wanted = sum(len(sender.acks) for sender in senders) + 3 * len(senders)
        deadline = loop.time() + BACK_S
        while sum(len(sender.acks) for sender in senders) < wanted:
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in running), [t.exception() for t in running if t.done()]
            assert loop.time() < deadline, _standstill(server, senders)
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        server.kill()
        await loop.run_in_executor(None, server.start)
    for sender in senders:
        sender.stopping = True
    await asyncio.wait_for(asyncio.gather(*running), 60)


def _standstill(server: LiveServer, senders: list[Sender]) -> str:
    """What is known when answers stop coming."""
    lines = [f"no answers within {BACK_S} s; the server's log ends with", server.log.read_text()[-2000:]]
    for sender in senders:
        last = sender.connections[-1][-3:] if sender.connections else []
        short = [{key: message[key] for key in message if key not in {"view", "events", "changes"}} for message in last]
        lines.append(f"{sender.player}: {len(sender.connections)} connections, {len(sender.unacked)} unacked, {short}")
    return "\n".join(lines)
