"""Commands: durable before acknowledged, acknowledged before applied, applied exactly once, always answered."""

from __future__ import annotations

import pytest

from gamekit import wire
from gamekit.errors import SessionError
from gamekit.session import Appended
from gamekit.session.answers import MESSAGE_CHARS
from tests.session.world import World


def test_a_command_is_acknowledged_only_when_it_is_durable_and_applied_at_its_tick() -> None:
    world = World()
    player = world.join()
    connection = world.connect(player)
    world.durable()
    viewer = world.viewers[connection]

    world.send(connection, 1, type="add", n=5)
    assert viewer.of(wire.Ack) == []
    before = world.session.state.value
    world.durable()
    [ack] = viewer.of(wire.Ack)
    assert (ack.cid, ack.tick, ack.seq) == (1, world.now + 1, 2)
    assert world.session.state.value == before, "it was applied before its tick"
    world.pass_ticks(1)
    assert world.session.state.value == before + 5 + (1 if world.now % 10 == 0 else 0)
    assert "CommandDone" in [type(event).__name__ for delta in viewer.of(wire.Delta) for event in delta.events]


def test_a_tick_waits_for_its_commands_and_is_not_shown_before() -> None:
    world = World({"rules": {"every_ticks": 1}})
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.pass_ticks(5)
    world.send(connection, 1, type="reset")
    world.pass_ticks(5, durable=False)
    stuck_at = world.session.tick
    assert stuck_at == world.now - 5, "the session went past a tick whose command is not durable"
    assert world.viewers[connection].tick == stuck_at
    world.durable()
    assert world.session.tick == world.now
    assert world.session.state.value == 4


def test_commands_that_come_during_a_write_share_the_next_record() -> None:
    world = World()
    player = world.join()
    connection = world.connect(player)
    world.durable()
    for cid in range(1, 6):
        world.send(connection, cid, type="add", n=cid)
    assert len([one for one in world.waiting if hasattr(one, "seq")]) == 1
    world.durable(1)
    assert len([one for one in world.waiting if hasattr(one, "seq")]) == 1
    world.durable()
    assert [ack.seq for ack in world.viewers[connection].of(wire.Ack)] == [2, 3, 3, 3, 3]


def test_a_resend_gets_the_original_ack_and_is_not_applied_again() -> None:
    world = World({"rules": {"every_ticks": 0}})
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.send(connection, 1, type="add", n=5)
    world.send(connection, 1, type="add", n=5)
    world.durable()
    world.send(connection, 1, type="add", n=5)
    world.pass_ticks(3)
    world.send(connection, 1, type="add", n=5)
    world.pass_ticks(3)
    acks = world.viewers[connection].of(wire.Ack)
    assert len(acks) == 3
    assert len(set(acks)) == 1
    assert world.session.state.value == 5


def test_a_resend_after_a_crash_gets_the_original_ack() -> None:
    world = World({"rules": {"every_ticks": 0}})
    player = world.join()
    first = world.connect(player)
    world.durable()
    world.send(first, 1, type="add", n=5)
    world.send(first, 2, type="add", n=500)
    world.durable()
    [ack, refused] = world.viewers[first].of(wire.Ack)
    world.crash()
    again = world.connect(player)
    world.durable()
    world.send(again, 1, type="add", n=5)
    world.send(again, 2, type="add", n=500)
    world.durable()
    world.pass_ticks(2)
    assert world.viewers[again].of(wire.Ack) == [ack, refused]
    assert [(e.code, e.cid) for e in world.viewers[again].of(wire.Error)] == [("bad_number", 2)]
    assert world.session.state.value == 5


def test_a_command_that_was_never_durable_can_be_sent_again_after_a_crash() -> None:
    world = World({"rules": {"every_ticks": 0}})
    player = world.join()
    first = world.connect(player)
    world.durable()
    world.send(first, 1, type="add", n=5)
    world.crash()
    again = world.connect(player)
    assert world.viewers[again].of(wire.Welcome)[0].last_cid == 0
    world.durable()
    world.send(again, 1, type="add", n=5)
    world.durable()
    world.pass_ticks(2)
    assert world.session.state.value == 5
    assert len(world.viewers[again].of(wire.Ack)) == 1


def test_each_client_of_a_player_counts_its_own_commands() -> None:
    world = World({"rules": {"every_ticks": 0}})
    player = world.join()
    one, two = world.connect(player, "one"), world.connect(player, "two")
    world.durable()
    world.send(one, 1, type="add", n=1)
    world.send(two, 1, type="add", n=2)
    world.durable()
    world.pass_ticks(2)
    assert world.session.state.value == 3
    assert len(world.viewers[one].of(wire.Ack)) == len(world.viewers[two].of(wire.Ack)) == 1


def test_an_old_number_that_was_never_used_is_refused() -> None:
    world = World()
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.send(connection, 7, type="add", n=1)
    world.send(connection, 3, type="add", n=1)
    assert [(e.code, e.cid) for e in world.viewers[connection].of(wire.Error)] == [("stale_cid", 3)]


def test_a_malformed_command_is_refused_and_its_number_stays_free() -> None:
    world = World()
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.send(connection, 1, type="add", n="five")
    world.send(connection, 1, type="fly")
    world.send(connection, 1, type="join", name="Eve")
    assert [(e.code, e.cid) for e in world.viewers[connection].of(wire.Error)] == [("bad_command", 1)] * 3
    world.send(connection, 1, type="add", n=1)
    world.durable()
    assert len(world.viewers[connection].of(wire.Ack)) == 1


def test_a_refusal_by_the_rules_is_journaled_and_told_as_error_and_event() -> None:
    world = World()
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.send(connection, 1, type="add", n=1000)
    world.durable()
    world.pass_ticks(2)
    viewer = world.viewers[connection]
    assert [(e.code, e.cid) for e in viewer.of(wire.Error)] == [("bad_number", 1)]
    failed = [e for d in viewer.of(wire.Delta) for e in d.events if type(e).__name__ == "CommandFailed"]
    assert [(e.code, e.cid) for e in failed] == [("bad_number", 1)]


def test_outcomes_are_private_to_the_player() -> None:
    world = World({"rules": {"every_ticks": 0}})
    ada, bob = world.join("Ada"), world.join("Bob")
    one, two, spectator = world.connect(ada), world.connect(bob), world.connect()
    world.durable()
    world.send(one, 1, type="add", n=5)
    world.durable()
    world.pass_ticks(2)
    names = lambda c: [type(e).__name__ for d in world.viewers[c].of(wire.Delta) for e in d.events]  # noqa: E731
    assert names(one) == ["CounterMoved", "ScoreChanged", "CommandDone"]
    assert names(two) == names(spectator) == ["CounterMoved"]
    assert world.viewers[two].view["players"][ada].get("score") is None
    assert world.viewers[one].view["players"][ada]["score"] == 5


def test_too_many_commands_under_way_are_refused() -> None:
    world = World()
    player = world.join()
    connection = world.connect(player)
    world.durable()
    for cid in range(1, wire.MAX_PENDING_COMMANDS + 2):
        world.send(connection, cid, type="add", n=1)
    [error] = world.viewers[connection].of(wire.Error)
    assert (error.code, error.cid) == ("too_many_pending", wire.MAX_PENDING_COMMANDS + 1)


def test_a_spectator_cannot_command() -> None:
    world = World()
    connection = world.connect()
    world.send(connection, 1, type="reset")
    assert [e.code for e in world.viewers[connection].of(wire.Error)] == ["spectator"]


def test_a_ticket_is_settled_once_when_its_command_is_applied_even_if_asked_twice() -> None:
    world = World()
    player = world.join()
    first = world.submit(player, {"type": "add", "n": 1}, cid=1, client="http")
    second = world.submit(player, {"type": "add", "n": 1}, cid=1, client="http")
    world.durable()
    world.pass_ticks(2)
    third = world.submit(player, {"type": "add", "n": 1}, cid=1, client="http")
    assert world.settled[first] == world.settled[second] == world.settled[third]
    assert world.settled[first].code is None


def test_a_failed_journal_stops_acknowledgements_and_says_so() -> None:
    world = World()
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.send(connection, 1, type="add", n=1)
    ticket = world.submit(player, {"type": "reset"}, cid=1, client="http")
    world.fail()
    world.send(connection, 2, type="add", n=1)
    viewer = world.viewers[connection]
    assert viewer.of(wire.Ack) == []
    assert [n.kind for n in viewer.of(wire.Notice)] == ["readonly"]
    assert [(e.code, e.cid) for e in viewer.of(wire.Error)] == [("readonly", 2)]
    assert world.settled[ticket].code == "readonly"
    world.pass_ticks(3)
    assert world.waiting == []


def test_a_report_about_an_unknown_record_tells_the_story() -> None:
    world = World()
    with pytest.raises(SessionError, match="Record 9 was reported durable, but none is under way"):
        world.feed(Appended(9))


def test_other_players_cannot_make_the_session_forget_a_client_s_answers() -> None:
    world = World({"rules": {"every_ticks": 0}})
    victim, crowd = world.join("Victim"), world.join("Crowd")
    world.submit(victim, {"type": "add", "n": 50}, cid=1, client="mine")
    world.durable()
    world.pass_ticks(2)
    for number in range(5000):
        world.submit(crowd, {"type": "add", "n": 0}, cid=1, client=f"c{number}")
        if number % 100 == 0:
            world.durable()
            world.pass_ticks(2)
    world.durable()
    world.pass_ticks(2)
    again = world.submit(victim, {"type": "add", "n": 50}, cid=1, client="mine")
    assert world.settled[again].code is None
    assert world.session.state.value == 50


def test_a_resend_while_the_command_waits_for_its_tick_is_answered_too() -> None:
    world = World()
    player = world.join()
    first = world.submit(player, {"type": "add", "n": 1}, cid=1, client="http")
    world.durable()
    second = world.submit(player, {"type": "add", "n": 1}, cid=1, client="http")
    assert first not in world.settled
    world.pass_ticks(2)
    assert world.settled[first] == world.settled[second]


def test_after_a_journal_failure_what_is_durable_is_still_applied_and_resends_are_refused() -> None:
    world = World({"rules": {"every_ticks": 0}})
    player = world.join()
    first = world.submit(player, {"type": "add", "n": 1}, cid=1, client="http")
    second = world.submit(player, {"type": "add", "n": 2}, cid=2, client="http")
    world.durable(1)
    world.fail()
    assert world.settled[second].code == "readonly"
    resent = world.submit(player, {"type": "add", "n": 2}, cid=2, client="http")
    assert world.settled[resent].code == "readonly"
    world.pass_ticks(5)
    assert world.settled[first].code is None
    assert world.session.state.value == 1
    assert world.session.tick == world.records[-1].tick, "time went past a record that may be on disk"


def test_a_refusal_s_sentence_is_bounded() -> None:
    world = World()
    player = world.join()
    ticket = world.submit(player, {"type": "add", "n": 10**15}, cid=1, client="http")
    world.durable()
    world.pass_ticks(2)
    assert len(world.settled[ticket].message or "") <= MESSAGE_CHARS
