"""Races of the protocol as lists of stimuli: what the core decides, without any socket."""

from __future__ import annotations

from typing import Any

import pytest

from gamekit.client.actions import (
    Abandoned,
    Acknowledged,
    Action,
    Connected,
    Decided,
    Happened,
    Numbered,
    Redrawn,
    Stopped,
    Transmit,
    Turned,
)
from gamekit.client.core import Core, Phase
from gamekit.errors import LocalProtocolError, RequestRefused, ServerError
from gamekit.wire import (
    MAX_MESSAGE_BYTES,
    MAX_PENDING_COMMANDS,
    Ack,
    Command,
    Error,
    Heartbeat,
    Hello,
    Notice,
    Outcome,
    Resume,
)
from tests.client.sketch import delta, done, failed, snapshot, welcome

MOVE = {"type": "move", "ship": "ship-1", "to": {"sector": "sirius"}}


def attached(last_cid: int = 0) -> Core:
    core = Core("token", "me")
    core.connected()
    core.received(welcome(last_cid), 0.0)
    core.received(snapshot(), 0.0)
    return core


def sent(actions: list[Action]) -> list[Any]:
    return [action.message for action in actions if isinstance(action, Transmit)]


def cids(actions: list[Action]) -> list[int]:
    return [message.cid for message in sent(actions) if isinstance(message, Command)]


def kinds(actions: list[Action]) -> list[type]:
    return [type(action) for action in actions]


def test_first_hello_resumes_nothing() -> None:
    core = Core("token", "me")
    assert sent(core.connected()) == [Hello(token="token", client="me", resume=None)]


def test_command_goes_its_way_from_sent_to_decided() -> None:
    core = attached()
    ticket, actions = core.submit(MOVE)
    assert actions == [Numbered(ticket, 1), Transmit(Command(cid=1, body=MOVE))]
    ack = Ack(cid=1, tick=12, seq=2)
    assert core.received(ack, 0.0) == [Acknowledged(ticket, ack)]
    actions = core.received(delta(1, done(1), tick=30), 0.0)
    assert actions[0] == Decided(ticket, Outcome(cid=1, tick=12, seq=2))
    assert isinstance(actions[1], Happened)
    assert core.pending == 0


def test_commands_given_offline_leave_in_order_after_the_welcome() -> None:
    core = Core("token", "me")
    for number in range(3):
        ticket, actions = core.submit({"type": "stop", "ship": f"ship-{number}"})
        assert actions == []
        assert ticket == number + 1
    core.connected()
    actions = core.received(welcome(), 0.0)
    assert [message.body["ship"] for message in sent(actions)] == ["ship-0", "ship-1", "ship-2"]
    assert cids(actions) == [1, 2, 3]


def test_client_that_comes_back_counts_on_where_the_server_stands() -> None:
    core = Core("token", "me")
    core.submit(MOVE)
    core.connected()
    assert cids(core.received(welcome(last_cid=41), 0.0)) == [42]


def test_unacknowledged_commands_are_resent_with_their_numbers_before_new_ones() -> None:
    core = attached()
    for _ in range(3):
        core.submit(MOVE)
    core.received(Ack(cid=1, tick=12, seq=2), 0.0)
    core.disconnected()
    core.submit(MOVE)
    assert sent(core.connected()) == [Hello(token="token", client="me", resume=Resume(epoch=1, n=0))]
    assert cids(core.received(welcome(last_cid=1), 0.0)) == [2, 3, 4]


def test_second_ack_and_second_outcome_change_nothing() -> None:
    core = attached()
    core.submit(MOVE)
    ack = Ack(cid=1, tick=12, seq=2)
    assert kinds(core.received(ack, 0.0)) == [Acknowledged]
    assert core.received(ack, 0.0) == []
    core.received(delta(1, done(1)), 0.0)
    assert core.received(ack, 0.0) == []
    assert kinds(core.received(delta(2, done(1)), 0.0)) == [Happened]


def test_outcome_that_overtakes_the_ack_settles_with_the_resends_ack() -> None:
    core = attached()
    ticket, _ = core.submit(MOVE)
    core.disconnected()
    core.connected()
    assert cids(core.received(welcome(last_cid=1), 0.0)) == [1]
    assert kinds(core.received(delta(1, done(1)), 0.0)) == [Decided, Happened]
    ack = Ack(cid=1, tick=11, seq=2)
    assert core.received(ack, 0.0) == [Acknowledged(ticket, ack)]
    assert core.pending == 0


def test_snapshot_brings_the_answers_that_were_missed() -> None:
    core = attached()
    first, _ = core.submit(MOVE)
    second, _ = core.submit(MOVE)
    core.disconnected()
    core.connected()
    core.received(welcome(last_cid=2, epoch=2), 0.0)
    outcomes = (Outcome(cid=1, tick=11, seq=2), Outcome(cid=2, tick=12, seq=3, code="no_route", message="No."))
    actions = core.received(snapshot(tick=300, outcomes=outcomes), 0.0)
    assert actions[:4] == [
        Acknowledged(first, Ack(cid=1, tick=11, seq=2)),
        Decided(first, outcomes[0]),
        Acknowledged(second, Ack(cid=2, tick=12, seq=3)),
        Decided(second, outcomes[1]),
    ]
    assert isinstance(actions[4], Redrawn)
    assert core.received(Ack(cid=1, tick=11, seq=2), 0.0) == []


def test_refusal_by_the_rules_is_decided_once_by_error_or_event() -> None:
    core = attached()
    ticket, _ = core.submit(MOVE)
    core.received(Ack(cid=1, tick=12, seq=2), 0.0)
    actions = core.received(Error(code="no_route", message="No.", cid=1), 0.0)
    assert actions == [Decided(ticket, Outcome(cid=1, tick=12, seq=2, code="no_route", message="No."))]
    assert kinds(core.received(delta(1, failed(1)), 0.0)) == [Happened]


def test_command_turned_away_at_the_door_is_not_part_of_the_history() -> None:
    core = attached()
    ticket, _ = core.submit(MOVE)
    assert core.received(Error(code="bad_command", message="No.", cid=1), 0.0) == [
        Turned(ticket, 1, "bad_command", "No.")
    ]
    assert core.pending == 0


def test_refusal_of_a_durable_command_waits_for_the_ack_of_its_resend() -> None:
    core = attached()
    ticket, _ = core.submit(MOVE)
    core.disconnected()
    core.connected()
    core.received(welcome(last_cid=1), 0.0)
    assert kinds(core.received(Error(code="no_route", message="No.", cid=1), 0.0)) == [Decided]
    assert kinds(core.received(Ack(cid=1, tick=12, seq=2), 0.0)) == [Acknowledged]
    assert core.received(Error(code="no_route", message="No.", cid=1), 0.0) == []
    assert ticket == 1


def test_window_is_never_wider_than_the_server_remembers() -> None:
    core = attached()
    actions: list[Action] = []
    for _ in range(MAX_PENDING_COMMANDS + 5):
        actions += core.submit(MOVE)[1]
    assert cids(actions) == list(range(1, MAX_PENDING_COMMANDS + 1))
    core.received(Ack(cid=1, tick=12, seq=2), 0.0)
    assert cids(core.received(delta(1, done(1)), 0.0)) == [MAX_PENDING_COMMANDS + 1]


def test_outcomes_of_other_clients_of_the_same_player_are_not_mine() -> None:
    core = attached()
    core.submit(MOVE)
    assert kinds(core.received(delta(1, done(1, client="other")), 0.0)) == [Happened]
    assert core.pending == 1


def test_missed_deltas_move_the_picture_and_repeated_ones_do_not() -> None:
    core = attached()
    change = {"ships": {"ship-1": {"status": "flying"}}}
    core.received(delta(4, tick=20, changes=change), 0.0)
    assert core.seen is not None
    before = core.seen
    assert core.received(delta(3, tick=15, changes={"ships": {"ship-1": None}}), 0.0) == []
    assert core.seen is before
    assert before.view["ships"]["ship-1"]["status"] == "flying"


def test_picture_does_not_change_under_its_reader() -> None:
    core = attached()
    assert core.seen is not None
    early = core.seen
    core.received(delta(1, changes={"ships": {"ship-1": {"status": "flying"}, "ship-2": {"name": "New"}}}), 0.0)
    core.received(delta(2, changes={"ships": {"ship-1": None}}), 0.0)
    assert early.view["ships"]["ship-1"]["status"] == "idle"
    assert list(early.view["ships"]) == ["ship-1"]
    assert list(core.seen.view["ships"]) == ["ship-2"]


def test_clock_runs_between_messages_and_stands_still_in_a_pause_and_in_silence() -> None:
    core = attached()
    assert core.clock.at(0.5) == 15.0
    core.received(Notice(kind="speed", message="", tick=20, speed=20.0, paused=False), 1.0)
    assert core.clock.at(2.0) == 220.0
    assert core.clock.at(1000.0) == core.clock.at(4.0)
    core.received(Notice(kind="paused", message="", tick=300, speed=20.0, paused=True), 3.0)
    assert core.clock.at(9.0) == 300.0


@pytest.mark.parametrize(("code", "error_code"), [(1008, "bad_token"), (4404, "bad_token")])
def test_refused_token_ends_the_conversation_with_the_servers_words(code: int, error_code: str) -> None:
    core = Core("wrong", "me")
    ticket, _ = core.submit(MOVE)
    core.connected()
    core.received(Error(code="bad_token", message="The token is not valid."), 0.0)
    actions = core.disconnected(code, "bad_token")
    assert kinds(actions) == [Abandoned, Stopped]
    assert isinstance(actions[1], Stopped)
    error = actions[1].error
    assert isinstance(error, RequestRefused)
    assert (error.code, error.status) == (error_code, code)
    assert "The token is not valid." in str(error)
    with pytest.raises(RequestRefused):
        core.submit(MOVE)
    assert ticket == 1


@pytest.mark.parametrize("code", [None, 1001, 1006, 1011, 1013])
def test_lost_connection_is_taken_up_again(code: int | None) -> None:
    core = attached()
    assert core.disconnected(code) == [Connected(False)]
    assert core.phase is Phase.OFFLINE


def test_closing_abandons_what_is_not_settled() -> None:
    core = attached()
    tickets = [core.submit(MOVE)[0] for _ in range(3)]
    core.received(Ack(cid=1, tick=12, seq=2), 0.0)
    core.received(delta(1, done(1)), 0.0)
    error = ServerError("closed")
    assert core.stop(error) == [Abandoned(tickets[1], error), Abandoned(tickets[2], error), Stopped(error)]
    assert core.stop(error) == []


def test_message_before_the_welcome_is_the_servers_mistake() -> None:
    core = Core("token", "me")
    core.connected()
    assert kinds(core.received(snapshot(), 0.0)) == [Stopped]


def test_command_that_is_too_large_is_refused_before_it_is_sent() -> None:
    core = attached()
    with pytest.raises(LocalProtocolError, match=str(MAX_MESSAGE_BYTES)) as caught:
        core.submit({"type": "move", "ship": "x" * MAX_MESSAGE_BYTES})
    assert caught.value.code == "too_large"
    assert core.pending == 0


@pytest.mark.parametrize("body", [{"type": "move", "ship": object()}, {"type": "move", "ship": {1j}}])
def test_command_that_is_not_plain_is_refused_before_it_is_sent(body: dict[str, Any]) -> None:
    with pytest.raises(LocalProtocolError, match="plain values"):
        attached().submit(body)


def test_body_is_taken_as_it_was_given() -> None:
    core = Core("token", "me")
    body = {"type": "move", "to": {"sector": "sol"}}
    core.submit(body)
    body["to"] = {"sector": "elsewhere"}
    core.connected()
    assert sent(core.received(welcome(), 0.0))[0].body["to"] == {"sector": "sol"}


def test_the_clock_is_believed_for_as_long_as_the_server_promised_to_be_silent() -> None:
    core = attached()
    core.received(Heartbeat(tick=100, next_s=1.0), 10.0)
    assert core.clock.at(20.0) < 140
    core.received(Heartbeat(tick=200, next_s=30.0), 20.0)
    assert core.clock.at(40.0) == 400
    core.received(Heartbeat(tick=None, next_s=30.0), 50.0)
    assert core.clock.at(75.0) == 750, "a sleeping game's clock goes on"
    assert core.clock.at(500.0) < 900
    assert core.promised_s == 30.0
    core.disconnected()
    core.connected()
    assert core.promised_s == 1.0
