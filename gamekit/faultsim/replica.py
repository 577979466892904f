"""The auditor's own model of one game: its durable history, and a copy of the game that is played from it.

Shares no code with the session or the recovery. What the rules do with a command is asked of the game itself, by its
contract; who may give one, how it is answered, and how time is held and passes is written here a second time.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import Any, TypeAlias

import msgspec

from gamekit.faultsim.plays import Play
from gamekit.faultsim.world import PromiseBroken
from gamekit.game import Event, Join, PlayerId, Rejected, Tick
from gamekit.journal import GameRow, Record

#: A place in a history: (tick, number of the last record applied).
Place: TypeAlias = tuple[Tick, int]
#: (player, client, cid)
Command: TypeAlias = tuple[str, str, int]

ANSWERS_KEPT = 256
MESSAGE_CHARS = 300
#: What time does in a game whose owner chose nothing.
USUAL_POLICY = {"when_empty": "run", "overload": "catch-up"}


class Chronicle:
    """What is durable of one game.

    Attributes:
        row: the catalogue's row as it was made.
        entries: the commands of each record, as plain values.
        places: where each numbered command stands.
        clock: the reserved tick.
        epoch: the latest run.
        shown: the highest tick that was ever shown to anybody.
        damaged: True while the stored history is not what was written.
    """

    def __init__(self, row: GameRow) -> None:
        self.row = row
        self.records: list[Record] = []
        self.entries: list[list[dict[str, Any]]] = []
        self.places: dict[Command, Place] = {}
        self.clock: Tick = 0
        self.epoch = row.epoch
        self.shown: Tick = 0
        self.damaged = False

    @property
    def limit(self) -> Tick:
        """The last tick that recovery reaches for certain; nothing later may be shown."""
        return max(self.clock, self.records[-1].tick if self.records else 0)

    def append(self, record: Record) -> None:
        """One more record is durable.

        Raises:
            PromiseBroken: it does not fit.
        """
        seq = len(self.records)
        if record.epoch != self.epoch:
            raise PromiseBroken(2, f"records of epoch {self.epoch} only", f"record {record.seq} of {record.epoch}")
        if record.seq != seq + 1:
            raise PromiseBroken(4, f"record {seq + 1} of game {record.game}", f"record {record.seq}")
        if record.tick < self.shown:
            text = f"no record before tick {self.shown}, which was shown"
            raise PromiseBroken(2, text, f"record {record.seq} at tick {record.tick} of game {record.game}")
        entries: list[dict[str, Any]] = json.loads(record.commands)
        for entry in entries:
            command = (entry["player"], entry["client"], entry["cid"])
            if entry["cid"] and command in self.places:
                text = f"in record {self.places[command][1]} and in record {record.seq}"
                raise PromiseBroken(3, f"command {command} in the history once", text)
            if entry["cid"]:
                self.places[command] = (record.tick, record.seq)
        self.records.append(record)
        self.entries.append(entries)


class Replica:
    """One game, played from its chronicle as far as one run of its session has shown it.

    Args:
        play: the rules.
        chronicle: the history.
        before: the replica of an earlier run, from whose place this one goes on; None to begin at tick 0.
    """

    def __init__(self, play: Play, chronicle: Chronicle, before: Replica | None = None) -> None:
        self.play = play
        self.game = play.game
        self.chronicle = chronicle
        self.names: dict[str, str] = {}
        self.seq = 0
        self.speed = 1.0
        self.hold_at: Tick | None = None
        #: What time does while nobody is there, and when it comes late: the fields that are not as they began.
        self.policy: dict[str, str] = {}
        #: {player/client: [(cid, tick, seq, code, message), ...]}
        self.answers: dict[str, list[list[Any]]] = {}
        #: What happened since the replica began: (tick, who may see it, the event), in order.
        self.events: list[tuple[Tick, tuple[str, ...] | None, Any]] = []
        #: Of each event the record that was applied last, and its tick; never falls.
        self._keys: list[tuple[int, Tick]] = []
        self._decoder = msgspec.json.Decoder(self.game.command_type)
        if before is None:
            self.state = self.game.new(json.loads(chronicle.row.config), chronicle.row.seed)
        else:
            self.state = self.game.decode(self.game.encode(before.state), self.game.version)
            self.seq, self.speed, self.hold_at = before.seq, before.speed, before.hold_at
            self.names, self.policy = dict(before.names), dict(before.policy)
            self.answers = {key: list(rows) for key, rows in before.answers.items()}

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.game.tick(self.state), self.seq

    def go(self, place: Place) -> None:
        """Play on to a place.

        Raises:
            PromiseBroken: there is no such place in the history.
        """
        tick, seq = place
        if place == self.place:
            return
        if seq < self.seq or tick < self.place[0]:
            raise PromiseBroken(2, f"nothing before {self.place}, which was shown", f"{place}")
        if seq > len(self.chronicle.records):
            raise PromiseBroken(2, f"only the {len(self.chronicle.records)} durable records", f"record {seq} applied")
        while self.seq < seq:
            self._apply(self.seq)
        following = self.chronicle.records[seq] if seq < len(self.chronicle.records) else None
        if following is not None and following.tick < tick:
            raise PromiseBroken(2, f"record {seq + 1} in force from tick {following.tick} on", f"{place} without it")
        if tick < self.place[0]:
            raise PromiseBroken(2, f"record {self.seq} at tick {self.place[0]}", f"it in force at {place}")
        if self.hold_at is not None and tick > max(self.hold_at, self.place[0]):
            raise PromiseBroken(2, f"time to stand still at tick {self.hold_at}", f"tick {tick}")
        self._pass(tick)
        self.play.check(self.state)

    def passed(self, place: Place) -> None:
        """Make sure that a place that lies behind is in the history.

        Raises:
            PromiseBroken: there is no such place.
        """
        tick, seq = place
        records = self.chronicle.records
        if seq > self.seq or tick > self.place[0] or (seq and records[seq - 1].tick > tick):
            raise PromiseBroken(2, f"a place before {self.place}", f"{place}")
        if seq < self.seq and records[seq].tick < tick:
            raise PromiseBroken(2, f"record {seq + 1} in force from tick {records[seq].tick} on", f"{place} without it")

    def recover(self) -> None:
        """Play to where recovery must come to."""
        while self.seq < len(self.chronicle.records):
            self._apply(self.seq)
        tick = self.chronicle.clock if self.hold_at is None else min(self.chronicle.clock, self.hold_at)
        self._pass(max(tick, self.place[0]))
        self.play.check(self.state)

    def view(self, player: str | None) -> Any:
        """What a player may see now, as plain values."""
        return plain(self.game.view(self.state, PlayerId(player) if player else None))

    def seen(self, player: str | None, after: Place, upto: Place) -> list[tuple[Tick, Any]]:
        """The events that a player may see between two places that were shown, each with its tick."""
        first, end = (bisect_right(self._keys, (seq, tick)) for tick, seq in (after, upto))
        part = self.events[first:end]
        return [(tick, event) for tick, who, event in part if who is None or player in who]

    def answer(self, player: str, client: str, cid: int) -> list[Any] | None:
        """How a command was answered, if it is applied and remembered."""
        return next((one for one in self.answers.get(f"{player}/{client}", ()) if one[0] == cid), None)

    def _pass(self, tick: Tick) -> None:
        while (due := self.game.next_due(self.state)) is not None and due <= tick:
            self._note(self.game.advance(self.state, due), due)
        self.game.advance(self.state, tick)

    def _apply(self, index: int) -> None:
        record = self.chronicle.records[index]
        self._pass(record.tick)
        self.seq = record.seq
        for entry in self.chronicle.entries[index]:
            player, client, cid = PlayerId(entry["player"]), entry["client"], entry["cid"]
            code = message = None
            done = self._execute(player, entry["body"], record.tick)
            if isinstance(done, Rejected):
                code, message = done.code, done.message[:MESSAGE_CHARS]
            else:
                self._note(done, record.tick)
            if not cid:
                continue
            kept = self.answers.setdefault(f"{player}/{client}", [])
            kept.append([cid, record.tick, record.seq, code, message])
            del kept[:-ANSWERS_KEPT]
            event: dict[str, Any] = {"type": "CommandDone", "player": player, "client": client, "cid": cid}
            if code is not None:
                event |= {"type": "CommandFailed", "code": code, "message": message}
            self._happened(record.tick, (player,), event)
        self.play.check(self.state)

    def _execute(self, player: PlayerId, body: dict[str, Any], tick: Tick) -> list[Event] | Rejected:
        if player == "@admin" and body["type"] == "set_rules":
            return self.game.set_rules(self.state, body["changes"])
        if player == "@admin":
            self._control(body, tick)
            return []
        if player in self.names:
            return self.game.apply(self.state, player, self._decoder.decode(json.dumps(body)))
        done = self.game.apply(self.state, player, Join(name=body["name"]))
        if not isinstance(done, Rejected):
            self.names[player] = body["name"]
        return done

    def _control(self, body: dict[str, Any], tick: Tick) -> None:
        match body["type"]:
            case "pause":
                self.hold_at = tick
            case "resume":
                self.hold_at = None
            case "step":
                self.hold_at = tick + body["ticks"]
            case "set_speed":
                self.speed = body["speed"]
            case "set_policy":
                chosen = {name: body[name] for name in USUAL_POLICY if body.get(name)}
                policy = self.policy | chosen
                self.policy = {name: value for name, value in policy.items() if value != USUAL_POLICY[name]}

    def _note(self, events: list[Event], tick: Tick) -> None:
        for event in events:
            self._happened(tick, self.game.audience(self.state, event), plain(event))

    def _happened(self, tick: Tick, who: tuple[str, ...] | None, event: Any) -> None:
        self.events.append((tick, who, event))
        self._keys.append((self.seq, tick))


def plain(value: Any) -> Any:
    """As it is after a way through JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))
