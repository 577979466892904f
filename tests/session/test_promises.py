"""The promises over random histories: whatever is done, in whatever order, whenever the process dies.

An independent model (a list of what was acknowledged, and everything that was shown) judges the session.
"""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gamekit import wire
from gamekit.game import PlayerId
from gamekit.session import ConnectionId, Ticked
from gamekit.wire import Resume
from tests.session.world import World


class Client:
    """A client that numbers its commands and resends what was not acknowledged."""

    def __init__(self, player: PlayerId, name: str) -> None:
        self.player = player
        self.name = name
        self.connection: ConnectionId | None = None
        self.commands: list[int] = []
        self.acks: dict[int, wire.Ack] = {}
        self.resume: Resume | None = None


class Histories(RuleBasedStateMachine):
    """Two players with two clients each, ticks, slow and failing disks, crashes, pauses."""

    @initialize(every=st.sampled_from([0, 1, 7]))
    def begin(self, every: int) -> None:
        self.world = World({"rules": {"every_ticks": every}})
        players = [self.world.join("Ada"), self.world.join("Bob")]
        self.clients = [Client(player, name) for player in players for name in ("one", "two")]
        #: (tick, seq, what was shown) of everything a spectator without gaps was ever sent
        self.shown: list[tuple[int, int, Any]] = []

    def _client(self, index: int) -> Client:
        return self.clients[index % len(self.clients)]

    def _note(self, client: Client) -> None:
        if client.connection is None:
            return
        viewer = self.world.viewers[client.connection]
        for message in viewer.messages:
            if isinstance(message, wire.Ack):
                known = client.acks.setdefault(message.cid, message)
                assert known == message, "a resend got another answer"
            if isinstance(message, wire.Delta | wire.Snapshot):
                client.resume = Resume(viewer.epoch, message.n)
            if isinstance(message, wire.Snapshot):
                self.shown.append((message.tick, message.seq, message.view["counters"]))
        viewer.messages.clear()

    @rule(index=st.integers(0, 3), resume=st.booleans())
    def connect(self, index: int, resume: bool) -> None:
        client = self._client(index)
        if client.connection is not None:
            self.world.disconnect(client.connection)
        position = client.resume if resume else None
        client.connection = self.world.connect(client.player, client.name, position)
        for cid, n in enumerate(client.commands, start=1):
            if cid not in client.acks:
                self.world.send(client.connection, cid, type="add", n=n)
        self._note(client)

    @rule(index=st.integers(0, 3))
    def disconnect(self, index: int) -> None:
        client = self._client(index)
        if client.connection is not None:
            self._note(client)
            self.world.disconnect(client.connection)
            client.connection = None

    @rule(index=st.integers(0, 3), n=st.integers(1, 120))
    def command(self, index: int, n: int) -> None:
        client = self._client(index)
        client.commands.append(n)
        if client.connection is not None:
            self.world.send(client.connection, len(client.commands), type="add", n=n)
            self._note(client)

    @rule(index=st.integers(0, 3), data=st.data())
    def resend(self, index: int, data: st.DataObject) -> None:
        client = self._client(index)
        if client.connection is not None and client.commands:
            sent = [cid for cid in range(1, len(client.commands) + 1) if cid <= max(client.acks, default=0)]
            if sent:
                cid = data.draw(st.sampled_from(sent))
                self.world.send(client.connection, cid, type="add", n=client.commands[cid - 1])
                self._note(client)

    @rule(ticks=st.integers(1, 40), durable=st.booleans())
    def pass_time(self, ticks: int, durable: bool) -> None:
        self.world.pass_ticks(ticks, durable=durable)
        self._note_all()

    @rule(count=st.integers(1, 3))
    def some_durable(self, count: int) -> None:
        self.world.durable(count)
        self._note_all()

    @rule(
        body=st.sampled_from(
            [
                {"type": "pause"},
                {"type": "resume"},
                {"type": "step", "ticks": 5},
                {"type": "set_speed", "speed": 1.0},
                {"type": "set_speed", "speed": 1000.0},
            ]
        )
    )
    def control(self, body: dict[str, Any]) -> None:
        self.world.admin(**body)
        self._note_all()

    @rule()
    def keep_snapshot(self) -> None:
        self.world.snapshots.append(self.world.session.keep_snapshot())

    @rule(use_snapshots=st.booleans())
    def crash(self, use_snapshots: bool) -> None:
        self._note_all()
        self.world.crash(use_snapshots=use_snapshots)
        for client in self.clients:
            client.connection = None

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def nothing_shown_is_contradicted_by_recovery(self) -> None:
        whole = self.world.recovered(use_snapshots=False)
        quick = self.world.recovered()
        assert whole.snapshot() == quick.snapshot(), "recovery depends on the snapshot it starts from"
        for client in self.clients:
            self._note(client)
            if client.connection is not None:
                assert self.world.viewers[client.connection].tick <= whole.tick
        for client in self.clients:
            for cid in client.acks:
                for recovered in (whole, quick):
                    answer = recovered.answers.find(f"{client.player}/{client.name}", cid)
                    assert answer is not None, "an acknowledged command is not in the history"
                    assert (answer.tick, answer.seq) == (client.acks[cid].tick, client.acks[cid].seq)

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        # Everybody comes back, everything becomes durable, time passes: every command was applied exactly once.
        for index in range(len(self.clients)):
            self.connect(index, resume=False)
        self.world.admin(type="resume")
        self.world.durable()
        self.world.pass_ticks(60)
        self.world.feed(Ticked())
        self._note_all()
        state = self.world.session.state
        for player in {client.player for client in self.clients}:
            wanted = sum(n for c in self.clients if c.player == player for n in c.commands if n <= 100)
            assert state.players[player].score == wanted
        for client in self.clients:
            assert sorted(client.acks) == list(range(1, len(client.commands) + 1))
        self._check_shown()

    def _note_all(self) -> None:
        for client in self.clients:
            self._note(client)

    def _check_shown(self) -> None:
        """Every snapshot that anybody was sent is what the recovered history holds at that place."""
        world = self.world
        session = world._first(epoch=99)
        places = sorted(self.shown, key=lambda one: (one[1], one[0]))
        for tick, seq, counters in places:
            while session.seq < seq:
                record = world.records[session.seq]
                session.replay(record.seq, record.tick, record.commands)
            session.run_to(tick)
            assert session.tick == tick
            assert session.game.view(session.state, None)["counters"] == counters


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_slowing_down_far_behind_the_clock_shows_no_tick_that_was_given_back() -> None:
    world = World()
    world.join()
    connection = world.connect()
    world.admin(type="set_speed", speed=100.0)
    world.pass_ticks(2)
    world.admin(type="set_speed", speed=1.0)
    # The loop stood still: the clock is far beyond the tick at which the game slows down, and within the old reserve.
    world.now += 1500
    world.feed(Ticked())
    assert world.session.speed == 1.0
    world.durable(1)
    assert world.session.tick <= world.session.reserved
    shown = world.viewers[connection].tick
    assert world.recovered().tick >= shown
