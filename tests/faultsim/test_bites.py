"""The simulator bites: each guard of the production code is taken away, one at a time, and a seed of CI's finds it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gamekit.faultsim import CALM, Ratios, Verdict, parse_ratios, simulate_faults
from gamekit.faultsim.disk import Disk
from gamekit.faultsim.store import Store
from gamekit.game import Rejected
from gamekit.journal import Append, Reserve, memory
from gamekit.journal.admission import Admission
from gamekit.server import sleep
from gamekit.server.host import Host
from gamekit.server.runner import Runner
from gamekit.session import Appended, AppendRecord, ReserveTick, Session, TickReserved
from gamekit.session import core as session_core
from gamekit.session.answers import Answers
from gamekit.session.intake import Intake
from gamekit.session.turned import TurnedAway
from gamekit.wire import Ack
from tests.faultsim import CI_SEEDS, CI_STEPS


def found(*, ratios: Ratios | None = None, play: str | None = None, mixed: bool = True) -> Verdict:
    """The first verdict that is not well, among the seeds that CI runs."""
    for seed in CI_SEEDS:
        verdict = simulate_faults(seed, CI_STEPS, ratios, play, mixed=mixed)
        if not verdict.ok:
            assert verdict.story, "a failure without its story"
            return verdict
    pytest.fail("no seed found it")


def test_acks_before_the_fsync_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = Store._sync

    def report_first(store: Store, entries: Any) -> None:
        if all(isinstance(entry, Append) for entry in entries):
            store._report()
        sync(store, entries)

    monkeypatch.setattr(Store, "_sync", report_first)
    assert found().promise == 1


def test_acks_when_the_record_is_handed_over_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    perform = Runner._perform

    def eager(runner: Runner, actions: list[Any]) -> None:
        perform(runner, actions)
        for action in actions:
            if isinstance(action, AppendRecord):
                runner.feed(Appended(action.seq))

    committed = Runner.committed

    def only_others(runner: Runner, done: Any) -> None:
        if not isinstance(done.write, Append):
            committed(runner, done)

    monkeypatch.setattr(Runner, "_perform", eager)
    monkeypatch.setattr(Runner, "committed", only_others)
    assert found().promise == 1


def test_acks_that_leave_before_the_write_is_submitted_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    flush = Session._flush

    def early(session: Session[Any], now: int) -> None:
        flush(session, now)
        line = session.intake.under_way
        if line is not None and isinstance(session.actions[-1], AppendRecord):
            for entry in line.entries:
                ack = Ack(cid=entry.cid, tick=line.tick, seq=line.seq)
                session.actions[-1:-1] = list(session.audience.acknowledge(entry.key, ack))

    monkeypatch.setattr(Session, "_flush", early)
    assert found().promise == 1


def test_commands_that_are_not_checked_for_their_number_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    offer = Intake.offer

    def forgetful(intake: Intake, player: Any, client: str, cid: int, body: Any, **more: Any) -> Any:
        intake._pending.clear()
        return offer(intake, player, client, cid, body, **{**more, "answers": Answers()})

    applied = Intake.appended

    def lenient(intake: Intake, seq: int) -> Any:
        if intake.under_way is not None:
            for entry in intake.under_way.entries:
                intake._pending.setdefault(entry.key, {})[entry.cid] = None
        return applied(intake, seq)

    monkeypatch.setattr(Intake, "offer", forgetful)
    monkeypatch.setattr(Intake, "appended", lenient)
    assert found().promise == 3


def test_commands_that_overtake_one_that_was_refused_for_now_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TurnedAway, "before", lambda *_: None)
    verdict = found(ratios=parse_ratios(("reordered=0.1",), CALM), play="tally", mixed=False)
    assert verdict.promise == 3
    assert "must come again first" in verdict.expected


def test_ticks_that_are_shown_before_they_are_reserved_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Session._limit

    def unlimited(session: Session[Any]) -> int:
        reserved, session.reserved = session.reserved, 10**12
        try:
            return limit(session)
        finally:
            session.reserved = reserved

    monkeypatch.setattr(Session, "_limit", unlimited)
    assert found().promise == 2


def test_reservations_that_count_when_they_are_handed_over_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    perform = Runner._perform

    def eager(runner: Runner, actions: list[Any]) -> None:
        perform(runner, actions)
        for action in actions:
            if isinstance(action, ReserveTick) and not action.lower:
                runner.feed(TickReserved(action.tick))

    monkeypatch.setattr(Runner, "_perform", eager)
    assert found().promise == 2


def test_a_reservation_lost_at_the_restart_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.MemoryJournal, "clock", lambda *_: None)
    assert found().promise == 2


def test_ticks_that_are_given_back_and_shown_all_the_same_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    less = Session._reserve_less

    def keeps(session: Session[Any]) -> None:
        reserved = session.reserved
        less(session)
        session.reserved = reserved

    monkeypatch.setattr(Session, "_reserve_less", keeps)
    # It takes a clock far ahead of a fast game: a disk that is often slow.
    ratios = parse_ratios(("disk_slow=0.4", "clock_forward=0.1"), CALM)
    assert found(ratios=ratios, play="tally", mixed=False).promise == 2


def test_a_record_that_does_not_hold_time_back_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Session._limit

    def hasty(session: Session[Any]) -> int:
        under_way, session.intake.under_way = session.intake.under_way, None
        try:
            return limit(session)
        finally:
            session.intake.under_way = under_way

    monkeypatch.setattr(Session, "_limit", hasty)
    assert found().promise == 2


def test_answers_forgotten_at_recovery_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    restore = session_core.read_saved

    def forgetful(encoded: bytes) -> Any:
        saved = restore(encoded)
        saved.answers = {}
        return saved

    monkeypatch.setattr(session_core, "read_saved", forgetful)
    # A game that wakes comes back the same way, and is compared with what it would have been awake.
    assert found().promise in {3, 6}


def test_a_record_applied_twice_on_replay_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    replay = Session.replay

    def twice(session: Session[Any], seq: int, tick: int, commands: str) -> Any:
        events = replay(session, seq, tick, commands)
        session.seq -= 1
        return events + replay(session, seq, tick, commands)

    monkeypatch.setattr(Session, "replay", twice)
    # 7 when the second time fails, as a second join does.
    assert found().promise in {3, 4, 7}


def test_a_snapshot_with_a_wrong_state_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = Session.snapshot

    def stale(session: Session[Any]) -> bytes:
        before = session.game.encode(session.state)
        session.game.advance(session.state, session.tick + 1)
        try:
            return snapshot(session)
        finally:
            session.state = session.game.decode(before, session.game.version)

    monkeypatch.setattr(Session, "snapshot", stale)
    assert found().promise == 4


def test_a_chain_that_is_not_checked_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "check_link", lambda *_: None)
    # 7 when what is damaged can no longer be read as a command.
    assert found().promise in {4, 7}


def test_an_epoch_that_is_not_fenced_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Admission._check

    def open_to_all(admission: Admission, write: Any) -> None:
        run = admission._runs.get(write.record.game if isinstance(write, Append) else getattr(write, "game", None))
        if run is not None and isinstance(write, Append | Reserve):
            epoch, run.epoch = run.epoch, write.record.epoch if isinstance(write, Append) else write.epoch
            try:
                check(admission, write)
            finally:
                run.epoch = epoch
            return
        check(admission, write)

    monkeypatch.setattr(Admission, "_check", open_to_all)
    assert found().promise == 2


def test_a_log_that_is_not_written_anew_after_a_crash_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Disk, "rewrite", lambda disk: None)
    assert found().promise in {1, 2, 4}


def test_a_refused_command_that_changes_the_state_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from gamekit.faultsim.tally import TallyGame

    apply = TallyGame.apply

    def generous(game: TallyGame, state: Any, player: Any, command: Any) -> Any:
        done = apply(game, state, player, command)
        if isinstance(done, Rejected) and player in state.players:
            state.players[player].coins += 1
        return done

    monkeypatch.setattr(TallyGame, "apply", generous)
    assert found(play="tally").promise == 5


def test_a_game_that_sleeps_on_what_is_not_durable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    settle = Session.settle

    def forgetful(session: Session[Any]) -> Any:
        return [replace(action, tick=action.tick + 7) for action in settle(session)[-1:]]

    monkeypatch.setattr(Session, "settle", forgetful)
    assert found(play="tally").promise == 6


def test_a_game_that_wakes_as_another_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    rebuild = sleep.rebuild

    def fooled(*args: Any, **how: Any) -> Any:
        session = rebuild(*args, **how)
        session.policy = session.policy.changed("pause" if session.policy.when_empty == "run" else "run", None)
        return session

    monkeypatch.setattr(sleep, "rebuild", fooled)
    assert found(play="tally").promise == 6


def test_time_that_is_made_up_for_and_not_reserved_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(host: Host, write: Any) -> None:
        pass

    monkeypatch.setattr(Host, "stored", never)
    assert found(play="tally").promise == 6


def test_a_disk_that_lies_about_its_fsync_is_found() -> None:
    # Which is broken first is the disk's choice: an ack, what was shown, or what was made up for in a game that woke.
    assert found(ratios=replace(Ratios(), lying_fsync=0.05)).promise in {1, 2, 6}
