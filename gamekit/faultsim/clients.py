"""Players in the simulated world: they give commands, reconnect for ever, and resend what has no answer.

A client keeps to the rules of docs/protocol.md and to nothing else: it numbers its commands, resends those without an
ack after each welcome, and says where its picture stopped when it resumes. It has no code in common with
`gamekit.client`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gamekit.faultsim.auditor import Seat
from gamekit.faultsim.network import Link
from gamekit.faultsim.replica import Place, plain
from gamekit.faultsim.requests import Requests
from gamekit.game import GameId, merge

#: Commands under way at most, but for bursts.
WINDOW = 8
#: How long a client waits for an ack before it sends again, in microseconds.
PATIENCE_US = 4_000_000
#: How long a client may stay away, in microseconds: long enough that nobody watches, and the game goes on by itself.
AWAY_US = 120_000_000
#: Refusals after which the same command is sent again, for it may be accepted then.
AGAIN = {"too_many_pending", "readonly", "unavailable", "draining", "waking", "busy"}
#: How often a player gives more at once than the window takes, and how many then.
FLOOD = 0.006
FLOOD_COMMANDS = 150


class SimClient:
    """One player's client; several may be of one player.

    Args:
        requests: where hosts are found, and asked without a socket.
        game: which game it plays.
        player: who it is; None for a spectator.
        name: the client id.
    """

    def __init__(self, requests: Requests, game: GameId, player: str | None, name: str) -> None:
        self.machine = requests.machine
        self.world = self.machine.world
        self.play = self.machine.play
        self.requests = requests
        self.game = game
        self.player = player
        self.name = name
        self.link: Link | None = None
        #: {cid: (body, when it was last sent)} of what has no ack and no refusal, in order
        self.unanswered: dict[int, tuple[dict[str, Any], int]] = {}
        #: What the client sees, where that stands, and its position: (epoch, n); None before the first snapshot.
        self.view: dict[str, Any] = {}
        self.place: Place = (0, 0)
        self.at: tuple[int, int] | None = None
        #: True while no new commands are given.
        self.calm = False
        self.welcomed = False
        self._chance = self.world.chance(f"client {game} {name}")
        #: Drawn from by itself, so that a flood does not change what else a seed does.
        self._floods = self.world.chance(f"floods {game} {name}")
        self._cid = 0
        self._epoch = 0
        self._hello_us = 0
        self._binary = self._chance.random() < 0.3
        self.world.after(self._chance.randrange(500_000), self._connect)
        self.world.after(self._chance.randrange(1_000_000), self._act)

    def rest(self) -> None:
        """Give no new commands; only see to it that the old ones are answered, starting now."""
        self.calm = True
        self.world.after(self._chance.randrange(1_000_000), self._connect)

    # --- the connection ---------------------------------------------------------------------------------------

    def _connect(self) -> None:
        host = self.machine.host
        if self.link is not None:
            return
        if host is None:
            self.world.after(self._chance.randrange(50_000, 1_000_000), self._connect)
            return
        seat = Seat(self.game, self.player, self.name)
        self.link = Link(self.world, self.machine.ratios, host, self.game, self, seat, binary=self._binary)
        self.machine.links[self.link] = None
        self._hello(self.link)

    def _hello(self, link: Link) -> None:
        """Say who we are and what we have seen."""
        hello: dict[str, Any] = {"type": "hello", "token": self.player or "", "client": self.name}
        if self.at is not None and self._chance.random() < 0.9:
            hello["resume"] = {"epoch": self.at[0], "n": self.at[1]}
            link.seat.positions[self.at] = (self.place, plain(self.view))
        self._hello_us = self.world.now_us
        self._send(hello)

    def lost(self) -> None:
        """The connection is gone: come back."""
        if self.link is not None:
            self.machine.links.pop(self.link, None)
            self.link = None
            self.welcomed = False
            away_us = AWAY_US if self._chance.random() < 0.1 and not self.calm else 1_500_000
            self.world.after(self._chance.randrange(10_000, away_us), self._connect)

    def _send(self, message: dict[str, Any]) -> None:
        if self.link is not None:
            payload = msgspec.msgpack.encode(message) if self._binary else msgspec.json.encode(message).decode()
            self.link.up(payload)

    def receive(self, message: dict[str, Any]) -> None:
        """One message came in."""
        match message["type"]:
            case "welcome":
                self._epoch = message["epoch"]
                self._cid = max(self._cid, message["last_cid"])
                self.welcomed = True
                self._resend()
            case "snapshot":
                self.view = message["view"]
                self.place, self.at = (message["tick"], message["seq"]), (self._epoch, message["n"])
                for outcome in message["outcomes"]:
                    self.unanswered.pop(outcome["cid"], None)
            case "delta" if self.at is not None and message["n"] > self.at[1]:
                merge(self.view, message["changes"])
                self.place, self.at = (message["tick"], message["seq"]), (self._epoch, message["n"])
            case "ack":
                self.unanswered.pop(message["cid"], None)
            case "error" if message.get("cid") and message["code"] not in AGAIN:
                self.unanswered.pop(message["cid"], None)

    # --- what a player does -----------------------------------------------------------------------------------

    def _act(self) -> None:
        self.world.after(self._chance.randrange(100_000, 1_500_000), self._act)
        if self.link is not None and not self.welcomed and self.world.now_us - self._hello_us > PATIENCE_US:
            self._hello(self.link)
        overdue = any(self.world.now_us - sent_us > PATIENCE_US for _, sent_us in self.unanswered.values())
        if self.welcomed and overdue:
            self._resend()
        if self.calm:
            return
        if self.welcomed and self.player is not None and self._floods.random() < FLOOD:
            self._flood()
        draw = self._chance.random()
        if self.link is not None and self._chance.random() < self.machine.ratios.slow_reader:
            self.world.fault("slow_reader", self.name)
            self.link.stop_reading(self._chance.randrange(500_000, 8_000_000))
        if self._chance.random() < self.machine.ratios.garbage:
            self._send_garbage()
        elif self.player is None or draw < 0.1:
            self._send({"type": "ping", "t": self.world.now_us / 1000})
        elif draw < 0.13 and self.link is not None:
            self._hello(self.link)
        elif draw < 0.15 and self.link is not None:
            self.link.cut()
        elif draw < 0.17:
            self.requests.read(self)
        elif draw < 0.25:
            self._give(by_http=True)
        elif draw < 0.27:
            for _ in range(12):
                self._give()
        else:
            self._give()

    def _give(self, *, by_http: bool = False) -> None:
        """Give a new command, also while there is no connection: then it is sent after the next welcome."""
        if len(self.unanswered) >= WINDOW and self._chance.random() < 0.9:
            return
        self._cid += 1
        body = self.play.command(self._chance, self.view, self.player or "")
        self.unanswered[self._cid] = (body, self.world.now_us)
        if by_http and self.player is not None:
            self.requests.post(self, self._cid, body)
        elif self.welcomed:
            self._send({"type": "command", "cid": self._cid, "body": body})

    def _flood(self) -> None:
        """Give more at once than the window takes, so that some of it is refused in the middle."""
        self.world.tell(f"{self.name} floods")
        for _ in range(FLOOD_COMMANDS):
            self._cid += 1
            body = self.play.command(self._floods, self.view, self.player or "")
            self.unanswered[self._cid] = (body, self.world.now_us)
            self._send({"type": "command", "cid": self._cid, "body": body})

    def answered(self, cid: int, code: str | None) -> None:
        """A request was answered."""
        if code not in AGAIN:
            self.unanswered.pop(cid, None)

    def _resend(self) -> None:
        """Send everything again that has no answer, in order."""
        for cid, (body, _) in list(self.unanswered.items()):
            self.unanswered[cid] = (body, self.world.now_us)
            self._send({"type": "command", "cid": cid, "body": body})

    def _send_garbage(self) -> None:
        """Something that is no message, or a command that is none."""
        self.world.fault("garbage", self.name)
        kind = self._chance.randrange(4)
        if kind == 0 and self.link is not None:
            self.link.up(
                self._chance.choice(("", "{", "[1]", '{"type": "hello", "token": 1}', b"\xff\x00", "x" * 20_000))
            )
        elif kind == 1:
            self._send({"type": "command", "cid": self._chance.choice((0, -1, 2**53)), "body": {}})
        elif kind == 2:
            self._send({"type": "command", "cid": self._cid + 1, "body": {"type": "no such thing"}})
        elif self._cid:
            # An old number with another content: the answer is that of the first.
            self._send({"type": "command", "cid": self._chance.randrange(self._cid) + 1, "body": {"type": "stop"}})
