"""The auditor: replays a game from its journal and judges what clients were shown and told.

It uses the rules and the journal reader, and none of the session's or the server's code.
"""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec

from gamekit.game import Event, GameId, Join, PlayerId, Rejected, merge
from gamekit.journal import SqliteReader
from gamekit.space import SpaceGame, invariants

#: A place in a game's history: (tick, number of the last record applied).
Place = tuple[int, int]

GAME = SpaceGame()


class History:
    """One game's whole history, replayed step by step."""

    def __init__(self, database: Path, game: str) -> None:
        with SqliteReader(database) as reader:
            row = reader.game(GameId(game))
            assert row is not None
            self.records = list(reader.records(row.id))
            clock = reader.clock(row.id)
            self.config = json.loads(row.config)
            self.seed = row.seed
        self.end_tick = max([record.tick for record in self.records] + [clock.tick if clock else 0])
        #: Every command by (player, client, cid), with the places at which it stands.
        self.commands: dict[tuple[str, str, int], list[tuple[Place, dict[str, Any]]]] = {}
        for record in self.records:
            for entry in json.loads(record.commands):
                key = (entry["player"], entry["client"], entry["cid"])
                self.commands.setdefault(key, []).append(((record.tick, record.seq), entry))
        #: (place, who may see it (None: everybody), the event as plain values), in order.
        self.events: list[tuple[Place, tuple[str, ...] | None, Any]] = []
        self._state = GAME.new(self.config, self.seed)
        self._seq = 0
        self._next_record = 0
        self._decoder = msgspec.json.Decoder(GAME.command_type)

    def replay(self, places: list[Place]) -> dict[Place, Any]:
        """Go through the history once; a copy of the state at each of `places` (which must be in it).

        Checks the game's invariants at every record.
        """
        states: dict[Place, Any] = {}
        for place in sorted(set(places), key=lambda one: (one[1], one[0])):
            while self._seq < place[1]:
                self._apply_next()
            assert GAME.tick(self._state) <= place[0], f"shown {place}, but time was further at record {self._seq}"
            following = self.records[self._next_record] if self._next_record < len(self.records) else None
            assert following is None or following.tick >= place[0], f"shown {place} without record {following}"
            self._step_to(place[0])
            states[place] = GAME.decode(GAME.encode(self._state), GAME.version)
        while self._next_record < len(self.records):
            self._apply_next()
        self._step_to(self.end_tick)
        invariants.check(self._state)
        return states

    @property
    def final(self) -> Any:
        """The state at the end, after `replay`."""
        return self._state

    def visible(self, player: str | None, after: Place, upto: Place) -> list[Any]:
        """The events that a player may see between two places, exclusive and inclusive, each with its tick."""
        return [
            (place[0], event)
            for place, who, event in self.events
            if after < place <= upto and (who is None or player in who)
        ]

    def _step_to(self, tick: int) -> None:
        while (due := GAME.next_due(self._state)) is not None and due <= tick:
            self._note(GAME.advance(self._state, due), due)
        GAME.advance(self._state, tick)

    def _apply_next(self) -> None:
        record = self.records[self._next_record]
        self._next_record += 1
        self._step_to(record.tick)
        self._seq = record.seq
        for entry in json.loads(record.commands):
            body = entry["body"]
            player = PlayerId(entry["player"])
            if entry["client"] == "@server":
                if body["type"] == "join":
                    done = GAME.apply(self._state, player, Join(name=body["name"]))
                    assert not isinstance(done, Rejected)
                    self._note(done, record.tick)
                continue
            result = GAME.apply(self._state, player, self._decoder.decode(json.dumps(body)))
            outcome = {"player": player, "client": entry["client"], "cid": entry["cid"]}
            if isinstance(result, Rejected):
                failed = {"type": "CommandFailed", **outcome, "code": result.code, "message": result.message}
                self.events.append(((record.tick, record.seq), (player,), failed))
            else:
                self._note(result, record.tick)
                self.events.append(((record.tick, record.seq), (player,), {"type": "CommandDone", **outcome}))
        invariants.check(self._state)

    def _note(self, events: list[Event], tick: int) -> None:
        for event in events:
            plain = json.loads(msgspec.json.encode(event))
            self.events.append(((tick, self._seq), GAME.audience(self._state, event), plain))


def check_connection(history: History, states: dict[Place, Any], player: str | None, messages: list[Any]) -> int:
    """Judge one connection's messages; returns how many deltas and snapshots were compared."""
    compared = 0
    last: Place | None = None
    for message in messages:
        place = (message.get("tick", 0), message.get("seq", 0))
        if message["type"] == "snapshot":
            expected = json.loads(msgspec.json.encode(GAME.view(states[place], PlayerId(player) if player else None)))
            assert message["view"] == expected, f"the snapshot at {place} differs from the history"
            last = place
            compared += 1
        elif message["type"] == "delta":
            assert last is not None
            expected = history.visible(player, last, place)
            assert message["events"] == [event for _, event in expected], f"the delta to {place} is not the history"
            assert message["at"] == [tick for tick, _ in expected], f"the delta to {place} has other ticks"
            last = place
            compared += 1
    return compared


def check_mirror(states: dict[Place, Any], player: str | None, messages: list[Any]) -> int:
    """Merge what one connection (or several that resumed one another) was sent, and compare wherever a state is given.

    So nothing is missing in the changes, and nothing is in them that the player may not see.
    """
    compared = 0
    mirror: dict[str, Any] = {}
    for number, message in enumerate(messages):
        if message["type"] == "snapshot":
            mirror = deepcopy(message["view"])
        elif message["type"] == "delta":
            merge(mirror, deepcopy(message["changes"]))
        else:
            continue
        place = (message["tick"], message["seq"])
        later = next((one for one in messages[number + 1 :] if one["type"] in {"snapshot", "delta"}), None)
        # A place may take two deltas; only after the last of them is all of it told.
        if place in states and (later is None or (later["tick"], later["seq"]) != place):
            view = GAME.view(states[place], PlayerId(player) if player else None)
            assert mirror == json.loads(msgspec.json.encode(view)), f"the mirror of {player} at {place} is not true"
            compared += 1
    return compared


def delta_places(messages: list[Any], every: int) -> list[Place]:
    """The places of every so many-th delta among the messages, and of the last one."""
    places = [(message["tick"], message["seq"]) for message in messages if message["type"] == "delta"]
    return places[::-every]


def shown_places(messages: list[Any]) -> list[Place]:
    """The places of all snapshots among the messages."""
    return [(message["tick"], message["seq"]) for message in messages if message["type"] == "snapshot"]


def check_exactly_once(history: History, acks: dict[tuple[str, str, int], Any], sent: dict[Any, Any]) -> None:
    """Every acknowledged command stands in the history exactly once, where its ack said."""
    twice = [key for key, places in history.commands.items() if key[2] and len(places) > 1]
    assert not twice, f"in the history twice: {twice}"
    for key, ack in acks.items():
        assert key in history.commands, f"acknowledged but not in the history: {key}"
        [(place, entry)] = history.commands[key]
        assert place == (ack["tick"], ack["seq"]), f"{key} was acknowledged at {ack} but stands at {place}"
        assert entry["body"].items() >= sent[key].items(), f"{key} was changed on its way"


def count_kinds(messages: list[Any]) -> Counter[str]:
    """How many messages of each type."""
    return Counter(message["type"] for message in messages)
