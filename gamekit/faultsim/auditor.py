"""The independent auditor: sees every byte that leaves a host and every commit that the disk has, and judges them.

It owns a chronicle of each game (what is durable) and a replica for each run of its session (what may be shown), and
asks neither the session nor the recovery what is right. Each promise that it checks, and when:

1. at every ack and every answer: the command is on the platter then; at every recovery: all records are there;
2. at every message: its tick is one that recovery reaches, and its content is that of the durable history there;
3. at every durable record: no command is in the history twice; at every answer: it is the original one;
4. at every recovery and every kept snapshot: the state is the one that the history gives, bit for bit;
5. at every step of a replica: nothing appears or vanishes;
6. at every waking, and after all that was made up for: the state is the one that a session awake would have there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec

import msgspec

from gamekit.faultsim.plays import PLAYS
from gamekit.faultsim.replica import Chronicle, Place, Replica, plain
from gamekit.faultsim.store import Created, Entry, Opened
from gamekit.faultsim.world import PromiseBroken, World
from gamekit.game import GameId, merge
from gamekit.journal import Append, Reserve, SaveSnapshot, StoredSnapshot, Write, digest_of
from gamekit.wire import Outcome

P = ParamSpec("P")

#: Runs of one game whose replicas are kept. Somebody may still be connected to an older host, and with every waking on
#: the newer one a run begins.
RUNS_KEPT = 64

#: Refusals that are given before a command reaches the history.
TURNED_AWAY = {"stale_cid", "too_many_pending", "readonly", "bad_command", "unavailable", "spectator"}


class Seat:
    """One connection as the auditor sees it: who sits there and what was sent to them."""

    def __init__(self, game: GameId, player: str | None, client: str) -> None:
        self.game = game
        self.player = player
        self.client = client
        self.epoch = 0
        self.n = 0
        self.tick = 0
        #: Where the last snapshot or delta stood; None before the first.
        self.place: Place | None = None
        self.view: dict[str, Any] = {}
        #: What the client held at positions that it may resume from: {(epoch, n): (place, view)}
        self.positions: dict[tuple[int, int], tuple[Place, dict[str, Any]]] = {}
        #: The positions that the hellos under way asked for, oldest first: one may wait while the session stands
        #: between two ticks, and be followed by another.
        self.asked: deque[tuple[int, int] | None] = deque()


def _audited(check: Callable[Concatenate[Auditor, P], None]) -> Callable[Concatenate[Auditor, P], None]:
    """A check that notes a broken promise in the world instead of raising into what it watches."""

    def checked(self: Auditor, /, *args: P.args, **kwargs: P.kwargs) -> None:
        if self.world.broken is None:
            try:
                check(self, *args, **kwargs)
            except PromiseBroken as broken:
                self.world.break_promise(broken.promise, broken.expected, broken.seen)

    return checked


class Auditor:
    """Judges one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chronicles: dict[GameId, Chronicle] = {}
        #: {(game, epoch): the replica of that run}
        self.replicas: dict[tuple[GameId, int], Replica] = {}
        #: Commands that were refused because too many were under way, and have not come again:
        #: {(game, epoch): {(player, client): cids}}
        self.turned_away: dict[tuple[GameId, int], dict[tuple[str, str], set[int]]] = {}
        #: How often each kind of check was made: {kind: times}
        self.checks: dict[str, int] = {}

    # --- what the disk says -----------------------------------------------------------------------------------

    @_audited
    def durable(self, entries: Sequence[Entry]) -> None:
        """These are on the platter."""
        for entry in entries:
            if isinstance(entry, Created):
                chronicle = self.chronicles[entry.row.id] = Chronicle(entry.row)
                replica = Replica(PLAYS[entry.row.game], chronicle)
                self.replicas[entry.row.id, entry.row.epoch] = replica
                self._kept(replica, entry.first)
            elif isinstance(entry, Opened):
                self.chronicles[entry.game].epoch = entry.epoch
            elif isinstance(entry, Append):
                self._count("records")
                chronicle = self.chronicles[entry.record.game]
                chronicle.append(entry.record)
                self._in_order(entry.record.game, entry.record.epoch, chronicle.entries[-1])
            elif isinstance(entry, Reserve):
                self._reserved(entry)

    def _in_order(self, game: GameId, epoch: int, commands: Sequence[dict[str, Any]]) -> None:
        """A number that was refused for a reason that passes is in the history before any higher one."""
        for one in commands:
            key = (one["player"], one["client"])
            held = self.turned_away.get((game, epoch), {}).get(key)
            if not held or not one["cid"]:
                continue
            if one["cid"] > min(held):
                text = f"command {min(held)} of {key} in game {game}, which must come again first"
                raise PromiseBroken(3, text, f"command {one['cid']} in the history")
            held.discard(one["cid"])

    def _turned_away(self, game: GameId, epoch: int, key: tuple[str, str], cid: int, code: str) -> None:
        """A command was refused before it reached the history."""
        held = self.turned_away.setdefault((game, epoch), {}).setdefault(key, set())
        if code == "too_many_pending":
            self._count("commands over the window")
            held.add(cid)
        else:
            held.discard(cid)

    def _reserved(self, reserve: Reserve) -> None:
        chronicle = self.chronicles[reserve.game]
        chronicle.clock = reserve.tick if reserve.final else max(chronicle.clock, reserve.tick)
        if chronicle.shown > chronicle.limit:
            text = f"tick {reserve.tick}"
            raise PromiseBroken(2, f"game {reserve.game} to keep tick {chronicle.shown} reserved, as shown", text)

    @_audited
    def submitted(self, writes: Sequence[Write]) -> None:
        """A host hands these over: a snapshot must be the state that the history gives."""
        for write in writes:
            if isinstance(write, SaveSnapshot):
                replica = self._replica(write.snapshot.game, write.epoch)
                self._show(replica, (write.snapshot.tick, write.snapshot.seq))
                self._kept(replica, write.snapshot)

    def _kept(self, replica: Replica, snapshot: StoredSnapshot) -> None:
        self._count("snapshots kept")
        self._expect(4, "the snapshot's digest", snapshot.digest, digest_of(snapshot.data))
        saved = msgspec.msgpack.decode(snapshot.data)
        where = f"the snapshot of game {snapshot.game} at {replica.place}"
        self._expect(4, f"{where}: state", saved["state"], replica.game.encode(replica.state))
        self._expect(4, f"{where}: speed", saved["speed"], replica.speed)
        self._expect(4, f"{where}: pause", saved["hold_at"], replica.hold_at)
        self._expect(4, f"{where}: players", saved["players"], replica.names)
        self._expect(4, f"{where}: policy", saved.get("policy", {}), replica.policy)
        self._expect(3, f"{where}: answers", saved["answers"], replica.answers)

    # --- what hosts do ----------------------------------------------------------------------------------------

    @_audited
    def recovered(self, session: Any) -> None:
        """A host rebuilt a session: it must be the one that the history gives, and not before what was shown."""
        self._count("recoveries")
        chronicle = self._chronicle(session.id)
        if chronicle.damaged:
            raise PromiseBroken(4, f"game {session.id} refused, for its history is damaged", "it is served")
        latest = max((one for (game, _), one in self.replicas.items() if game == session.id), key=lambda one: one.place)
        replica = Replica(latest.play, chronicle, latest)
        replica.recover()
        for key in [key for key in self.replicas if key[0] == session.id][:-RUNS_KEPT]:
            del self.replicas[key]
        self.replicas[session.id, session.epoch] = replica
        self._same(session, replica, "recovered")
        if session.tick < chronicle.shown:
            text = f"no tick before {chronicle.shown}, which was shown of game {session.id}"
            raise PromiseBroken(2, text, f"it recovered at tick {session.tick}")

    @_audited
    def slept(self, game: GameId, epoch: int, place: Place) -> None:
        """A host dropped a session under its connections: what it is rebuilt from must be durable."""
        self._count("falls asleep")
        chronicle = self._chronicle(game)
        if chronicle.epoch == epoch and place != (chronicle.limit, len(chronicle.records)):
            text = f"game {game} to be durable as it fell asleep, at {place}"
            raise PromiseBroken(6, text, f"{(chronicle.limit, len(chronicle.records))}")

    @_audited
    def woken(self, session: Any, place: Place) -> None:
        """A host rebuilt a session in the same run: it must be as it fell asleep, bit for bit."""
        self._count("wakings")
        self._expect(6, f"game {session.id} woken", (session.tick, session.seq), place)
        self._as_awake(session, "woken")

    @_audited
    def made_up(self, session: Any) -> None:
        """A session lived through the time that it missed, and nobody has seen it yet."""
        self._count("times made up for")
        self._as_awake(session, "caught up")

    def _as_awake(self, session: Any, what: str) -> None:
        replica = self._replica(session.id, session.epoch)
        try:
            self._show(replica, (session.tick, session.seq))
            self._same(session, replica, what)
        except PromiseBroken as broken:
            raise PromiseBroken(6, broken.expected, broken.seen) from None

    @_audited
    def running(self, session: Any) -> None:
        """A session at rest must be in the state that the history gives."""
        replica = self._replica(session.id, session.epoch)
        self._show(replica, (session.tick, session.seq))
        self._same(session, replica, "running")

    def _same(self, session: Any, replica: Replica, what: str) -> None:
        where = f"the {what} session of game {session.id}"
        self._expect(1 if session.seq < replica.seq else 4, f"{where}: record", session.seq, replica.seq)
        self._expect(2, f"{where}: tick", session.tick, replica.place[0])
        self._expect(4, f"{where}: state", session.game.encode(session.state), replica.game.encode(replica.state))
        self._expect(4, f"{where}: speed", session.speed, replica.speed)
        self._expect(4, f"{where}: pause", session.hold_at, replica.hold_at)
        self._expect(4, f"{where}: policy", plain(session.policy), replica.policy)
        self._expect(1, f"{where}: players", session.players, replica.names)
        self._expect(3, f"{where}: answers", plain(session.answers.rows()), plain(replica.answers))

    # --- what clients are sent --------------------------------------------------------------------------------

    @_audited
    def sent(self, seat: Seat, message: dict[str, Any]) -> None:
        """A message left a host for a connection."""
        kind = message["type"]
        self._count(kind)
        chronicle = self._chronicle(seat.game)
        if kind == "ack":
            self._acked(chronicle, seat, message)
            return
        if kind == "error":
            self._refused(chronicle, seat, message)
            return
        if kind == "welcome":
            self._welcomed(chronicle, seat, message)
        elif kind == "snapshot":
            self._drawn(seat, message)
        elif kind == "delta":
            self._moved(seat, message)
        tick = message["tick"]
        if tick is None:
            # The heartbeat of a game that sleeps, or keeps secrets; it tells no tick.
            return
        if tick > chronicle.limit:
            text = f"nothing after tick {chronicle.limit}, which is what recovery reaches"
            raise PromiseBroken(2, text, f"{kind} at tick {tick} of game {seat.game}")
        chronicle.shown = max(chronicle.shown, tick)
        if kind in {"snapshot", "delta", "heartbeat", "pong"}:
            if tick < seat.tick:
                raise PromiseBroken(2, f"no tick before {seat.tick}, which {seat.client} saw", f"{kind} at tick {tick}")
            seat.tick = tick

    def _welcomed(self, chronicle: Chronicle, seat: Seat, message: dict[str, Any]) -> None:
        seat.epoch = message["epoch"]
        replica = self._replica(seat.game, seat.epoch)
        held = [place[2] for place in chronicle.places if place[:2] == (seat.player, seat.client)]
        if message["last_cid"] > max(held, default=0):
            raise PromiseBroken(1, f"last_cid {max(held, default=0)}, the last durable one", f"{message['last_cid']}")
        applied = replica.answers.get(f"{seat.player}/{seat.client}", [[0]])[-1][0]
        if message["last_cid"] < applied:
            raise PromiseBroken(3, f"last_cid {applied} or later, which was answered", f"{message['last_cid']}")
        # Its client knows from here on what it sends again.
        self.turned_away.get((seat.game, seat.epoch), {}).pop((seat.player or "", seat.client), None)
        seat.place, seat.tick = None, 0
        resume = seat.asked.popleft() if seat.asked else None
        if resume is not None and resume[0] == seat.epoch:
            # Missed deltas may follow: they tell of the past, from the position that the client was at.
            place, view = seat.positions[resume]
            seat.place, seat.view, seat.n, seat.tick = place, plain(view), resume[1], place[0]

    def _drawn(self, seat: Seat, message: dict[str, Any]) -> None:
        place = (message["tick"], message["seq"])
        replica = self._replica(seat.game, seat.epoch)
        self._show(replica, place)
        self._expect(2, f"the snapshot of game {seat.game} at {place}", message["view"], replica.view(seat.player))
        outcomes = [
            [one["cid"], one["tick"], one["seq"], one.get("code"), one.get("message")] for one in message["outcomes"]
        ]
        self._expect(
            3, f"the outcomes for {seat.client}", outcomes, replica.answers.get(f"{seat.player}/{seat.client}", [])
        )
        seat.view, seat.place, seat.n = message["view"], place, message["n"]

    def _moved(self, seat: Seat, message: dict[str, Any]) -> None:
        place = (message["tick"], message["seq"])
        replica = self._replica(seat.game, seat.epoch)
        if place[0] < replica.place[0] or place[1] < replica.seq:
            replica.passed(place)
        else:
            self._show(replica, place)
        if seat.place is None:
            raise PromiseBroken(2, f"a snapshot for {seat.client} before any delta", f"a delta at {place}")
        if message["n"] <= seat.n:
            raise PromiseBroken(2, f"delta {seat.n + 1} or later", f"delta {message['n']} again")
        expected = replica.seen(seat.player, seat.place, place)
        where = f"the delta of game {seat.game} from {seat.place} to {place} for {seat.player}"
        self._expect(2, f"{where}: events", message["events"], [event for _, event in expected])
        self._expect(2, f"{where}: ticks", message["at"], [tick for tick, _ in expected])
        merge(seat.view, message["changes"])
        seat.place, seat.n = place, message["n"]
        if place == replica.place:
            self._expect(2, f"{where}: the view after it", seat.view, replica.view(seat.player))

    def _acked(self, chronicle: Chronicle, seat: Seat, message: dict[str, Any]) -> None:
        key = (seat.player or "", seat.client, message["cid"])
        place = chronicle.places.get(key)
        if place is None:
            raise PromiseBroken(1, f"command {key} on the disk before its ack", "it is not")
        self._expect(3, f"the ack of {key}: place", (message["tick"], message["seq"]), place)

    def _refused(self, chronicle: Chronicle, seat: Seat, message: dict[str, Any]) -> None:
        if (cid := message.get("cid")) is None:
            return
        code, key = message["code"], (seat.player or "", seat.client, cid)
        replica = self._replica(seat.game, seat.epoch)
        if code in TURNED_AWAY - {"readonly", "unavailable"}:
            self._turned_away(seat.game, seat.epoch, key[:2], cid, code)
        if code not in TURNED_AWAY:
            place = chronicle.places.get(key)
            if place is None:
                raise PromiseBroken(1, f"command {key} in the history before its refusal", f"{code} without a record")
            if replica.seq < place[1]:
                self._show(replica, place)
            answer = replica.answer(*key)
            self._expect(3, f"the refusal of {key}", code, answer[3] if answer else None)
        elif code == "stale_cid" and replica.answer(*key) is not None:
            raise PromiseBroken(3, f"the original answer to the resent command {key}", "stale_cid")

    @_audited
    def settled(self, game: GameId, epoch: int, player: str, client: str, outcome: Outcome) -> None:
        """A host answered a request with how a command ended."""
        self._count("answers")
        if outcome.cid and outcome.code in {"too_many_pending", "bad_command"}:
            self._turned_away(game, epoch, (player, client), outcome.cid, outcome.code)
        if outcome.code in TURNED_AWAY or (outcome.code is not None and outcome.seq == 0):
            return
        chronicle = self._chronicle(game)
        if not 0 < outcome.seq <= len(chronicle.records):
            raise PromiseBroken(1, f"the command of {player} on the disk before its answer", f"record {outcome.seq}")
        if outcome.cid:
            key = (player, client, outcome.cid)
            self._expect(3, f"the answer to {key}: place", (outcome.tick, outcome.seq), chronicle.places.get(key))
            replica = self._replica(game, epoch)
            if replica.seq < outcome.seq:
                self._show(replica, (outcome.tick, outcome.seq))
            answer = replica.answer(*key)
            self._expect(3, f"the answer to {key}", outcome.code, answer[3] if answer else None)
        elif not any(entry["player"] == player for entry in chronicle.entries[outcome.seq - 1]):
            raise PromiseBroken(1, f"the command of {player} in record {outcome.seq}", "it is not there")

    # --- parts ------------------------------------------------------------------------------------------------

    def _show(self, replica: Replica, place: Place) -> None:
        replica.go(place)
        chronicle = replica.chronicle
        if place[0] > chronicle.limit:
            text = f"nothing after tick {chronicle.limit}, which is what recovery reaches"
            raise PromiseBroken(2, text, f"tick {place[0]} of game {chronicle.row.id}")
        chronicle.shown = max(chronicle.shown, place[0])

    def _chronicle(self, game: GameId) -> Chronicle:
        chronicle = self.chronicles.get(game)
        if chronicle is None:
            raise PromiseBroken(1, f"game {game} on the disk before anybody plays it", "it is not")
        return chronicle

    def _replica(self, game: GameId, epoch: int) -> Replica:
        replica = self.replicas.get((game, epoch))
        if replica is None:
            raise PromiseBroken(2, f"a run of game {game} that recovered", f"one of epoch {epoch}")
        return replica

    def _expect(self, promise: int, what: str, seen: Any, expected: Any) -> None:
        if seen != expected:
            raise PromiseBroken(promise, f"{what}: {_short(expected, seen)}", _short(seen, expected))

    def _count(self, kind: str) -> None:
        self.checks[kind] = self.checks.get(kind, 0) + 1


def _short(value: Any, other: Any) -> str:
    """A value without what it has in common with the other, if that helps."""
    if isinstance(value, dict) and isinstance(other, dict):
        differing = {key: one for key, one in value.items() if key not in other or other[key] != one}
        missing = [key for key in other if key not in value]
        text = f"{differing}" + (f" without {missing}" if missing else "")
    else:
        text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]}... ({len(text)} characters)"
