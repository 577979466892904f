"""Games of older versions go on under newer rules where they stood, and nobody opens what is newer than its rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gamekit.capsule import past_of, read_capsule, renamed, write_capsule
from gamekit.cli import main
from gamekit.errors import JournalError, SessionError
from gamekit.game import GameId
from gamekit.history import rebuild, verify
from gamekit.journal import Journal, MemoryJournal, SqliteJournal, SqliteReader, back_up
from gamekit.lab.rehearsal import outlook
from gamekit.upgrade import bring, brought, check_version
from tests.growing_game import GrowingV1, GrowingV2, GrowingV3
from tests.virtual import ID, Place, run

RULES = {"rules": {"every_ticks": 7}}
NAMES = [("--game", f"tests.growing_game:GrowingV{number}") for number in range(4)]


async def lived(place: Place, *, reset: bool = False) -> None:
    """Some time with some commands."""
    runner = await place.runner()
    player = next(iter(runner.session.players), None) or await place.join()
    for cid in range(3):
        number = runner.session.answers.last_cid(f"{player}/c") + 1
        await asyncio.sleep(2.5)
        await place.host.command(runner, player, "c", number, {"type": "add", "n": cid + 1})
    if reset:
        await place.host.command(runner, player, "c", number + 1, {"type": "reset"})
    await asyncio.sleep(3)


async def ended(place: Place) -> MemoryJournal:
    """The host stops in order; what a new process finds."""
    await place.host.drain()
    return place.journal.crash()


def old_journal(*, in_order: bool, reset: bool = False, game: Any = None) -> MemoryJournal:
    """A game that version 1 played."""

    async def play() -> MemoryJournal:
        place = Place(config=RULES, game=game or GrowingV1())
        await lived(place, reset=reset)
        if in_order:
            return await ended(place)
        place.stop()
        return place.journal.crash()

    return run(play)


def standing(journal: Any, game: Any) -> Any:
    """The session as the journal tells it to these rules."""
    row = journal.game(ID)
    return rebuild(journal, row, game)


def on_host(journal: MemoryJournal, game: Any, then: Callable[[Place], Coroutine[Any, Any, None]]) -> MemoryJournal:
    """A new host on the journal does something and stops in order."""

    async def work() -> MemoryJournal:
        place = Place(journal=journal, game=game)
        await then(place)
        return await ended(place)

    return run(work)


def test_a_server_takes_an_older_game_on_where_it_stood_and_version_after_version() -> None:
    journal = old_journal(in_order=True, reset=True)
    before = standing(journal, GrowingV1())

    async def open_and_play(place: Place) -> None:
        session = (await place.runner()).session
        assert (session.state.value, session.tick) == (before.state.value, before.tick)
        assert session.answers.rows() == before.answers.rows()
        assert place.journal.version(ID) == place.game.version
        await lived(place)

    journal = on_host(journal, GrowingV2(), open_and_play)
    before = standing(journal, GrowingV2())
    assert before.state.highest >= before.state.value > 0
    journal = on_host(journal, GrowingV3(), open_and_play)
    after = standing(journal, GrowingV3())
    assert after.state.value > before.state.value
    row = journal.game(ID)
    assert row is not None
    [*_, verdict] = verify(journal, row, GrowingV3())
    assert verdict.problem is None, "what the new code lived is verified"
    assert 0 < verdict.older < verdict.records, "what older code lived it does not come to"


def test_rules_that_reproduce_the_past_verify_all_of_it() -> None:
    # Without a reset, that is: what the highest value was before one, a state of version 1 does not tell.
    journal = on_host(old_journal(in_order=True), GrowingV2(), lived)
    row = journal.game(ID)
    assert row is not None
    [*_, verdict] = verify(journal, row, GrowingV2())
    assert (verdict.problem, verdict.older) == (None, 0)
    # A change in what the new version lived is found as ever.
    book = journal.storage.books[ID]
    changed = GrowingV2()
    changed.apply = lambda state, player, command: []  # type: ignore[method-assign]
    [*_, verdict] = verify(journal, row, changed)
    assert verdict.problem is not None
    assert "digest" in verdict.problem
    assert len(book.records) == verdict.records


def test_a_game_that_did_not_end_in_order_waits_for_the_version_that_wrote_it() -> None:
    journal = old_journal(in_order=False)
    epoch = journal.game(ID)

    async def refused(place: Place) -> None:
        with pytest.raises(SessionError, match=r"did not end in order.*Start and stop the gamekit that wrote it"):
            await place.runner()
        assert place.journal.game(ID) == epoch, "it was taken over all the same"

    journal = on_host(journal, GrowingV2(), refused)

    async def nothing(place: Place) -> None:
        await place.runner()

    on_host(on_host(journal, GrowingV1(), nothing), GrowingV2(), lived)


def test_a_game_that_did_not_end_in_order_is_lived_again_when_somebody_says_so() -> None:
    journal = old_journal(in_order=False)
    journal.start(lambda done: None)
    row = journal.game(ID)
    assert row is not None
    with pytest.raises(SessionError):
        bring(journal, row, GrowingV3())
    assert bring(journal, row, GrowingV3(), replay_rest=True)
    assert not bring(journal, row, GrowingV3())
    assert not check_version(journal, row, GrowingV3())


def test_what_is_newer_than_the_rules_is_refused_and_not_touched() -> None:
    journal = old_journal(in_order=True, game=GrowingV2())
    before = journal.game(ID)

    async def refused(place: Place) -> None:
        with pytest.raises(SessionError, match="version 2 of the rules 'growing', and here they are version 1"):
            await place.runner()

    journal = on_host(journal, GrowingV1(), refused)
    assert journal.game(ID) == before
    with pytest.raises(SessionError, match="version 2"):
        brought(past_of(journal, ID), GrowingV1())


@pytest.mark.parametrize("in_order", [True, False])
def test_copies_of_an_older_game_go_on_from_their_end(tmp_path: Path, in_order: bool) -> None:
    past = past_of(old_journal(in_order=in_order, reset=True), ID)
    write_capsule(past, tmp_path / "old.capsule")
    taken = brought(read_capsule(tmp_path / "old.capsule"), GrowingV2())
    fork = brought(renamed(past, GameId("fork")), GrowingV2())
    assert [one.version for one in taken.snapshots][-1] == 2
    assert brought(taken, GrowingV2()) is taken
    for copy in (taken, fork):
        journal = MemoryJournal()
        journal.start(lambda done: None)
        journal.adopt(copy)
        row = journal.game(copy.row.id)
        assert row is not None
        assert not check_version(journal, row, GrowingV2())
        [*_, verdict] = verify(journal, row, GrowingV2())
        assert (verdict.problem, verdict.tick) == (None, past.tick)


def test_an_outlook_names_the_first_tick_and_the_fields_that_differ() -> None:
    journal = old_journal(in_order=True)
    row = journal.game(ID)
    assert row is not None
    assert outlook(journal, row, GrowingV2()).status == "equal"
    seen = outlook(journal, row, GrowingV3())
    assert (seen.status, seen.tick) == ("differs", journal.snapshots(ID)[-1][0])
    [value] = [one for one in seen.fields if one.path == "state.value" or one.path.endswith('["state"].value')]
    assert value.a > value.b
    assert f"{value.a!r}, was {value.b!r}" in str(seen)
    reset = old_journal(in_order=True, reset=True)
    failed = outlook(reset, row, GrowingV3())
    assert failed.status == "differs"
    assert "the rules fail before it" in str(failed)
    assert outlook(journal, row, None).status == "refused"


# --- the command --------------------------------------------------------------------------------------------------


def database(path: Path, *pasts: tuple[str, bool]) -> Path:
    """A database of games of version 1: each an id, and whether it ended in order."""
    journal: Journal = SqliteJournal(path)
    journal.start(lambda done: None)
    for name, in_order in pasts:
        journal.adopt(renamed(past_of(old_journal(in_order=in_order), ID), GameId(name)))
    journal.close()
    return path


def contents(directory: Path) -> dict[str, bytes]:
    """Every file; but SQLite's index of the log, and a log without a commit, which any reader leaves."""
    files = {one.name: one.read_bytes() for one in directory.iterdir() if not one.name.endswith("-shm")}
    return {name: held for name, held in files.items() if held or not name.endswith("-wal")}


def upgrade(path: Path, *options: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, ["upgrade", str(path), *options])


def test_a_rehearsal_reports_every_game_and_leaves_the_original_as_it_is(tmp_path: Path) -> None:
    path = database(tmp_path / "gamekit.db", ("good", True), ("torn", False))
    before = contents(tmp_path)
    done = upgrade(path, "--rehearse", *NAMES[2])
    *lines, last = done.output.splitlines()
    assert done.exit_code == 1
    assert last.startswith("NOT EQUAL: 2 games: 1 equal, 0 would differ in their past, 1 cannot be upgraded")
    assert any("good" in line and "equal" in line for line in lines)
    assert any("torn" in line and "did not end in order" in line for line in lines)
    assert contents(tmp_path) == before
    done = upgrade(path, "--rehearse", "--replay-rest", *NAMES[2])
    assert (done.exit_code, done.output.splitlines()[-1].partition(":")[0]) == (0, "ok")
    assert upgrade(path, "--rehearse", "--replay-rest", *NAMES[3]).exit_code == 1
    assert upgrade(path, "--rehearse").exit_code == 1, "the rules are not known"
    assert contents(tmp_path) == before


def test_nobody_writes_between_the_copy_and_the_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = database(tmp_path / "gamekit.db", ("good", True))
    tried: list[str] = []

    def copy(source: Path, target: Path) -> None:
        with pytest.raises(JournalError) as refused:
            SqliteJournal(source)
        tried.append(str(refused.value))
        back_up(source, target)

    monkeypatch.setattr("gamekit.cli.upgrade.back_up", copy)
    assert upgrade(path, *NAMES[2]).exit_code == 0
    assert ["has this journal open" in one for one in tried] == [True]


@pytest.mark.parametrize("error", [OSError("no room"), KeyboardInterrupt()])
def test_a_copy_that_is_not_whole_does_not_stand_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = database(tmp_path / "gamekit.db", ("good", True))
    before = contents(tmp_path)

    def copy(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:1000])
        raise error

    monkeypatch.setattr("gamekit.cli.upgrade.back_up", copy)
    assert upgrade(path, *NAMES[2]).exit_code == 1
    assert {name: held for name, held in contents(tmp_path).items() if not name.endswith(".part")} == before
    SqliteJournal(path).close()


def test_an_upgrade_brings_what_it_can_and_keeps_a_copy_of_the_database_before(tmp_path: Path) -> None:
    path = database(tmp_path / "gamekit.db", ("good", True), ("torn", False))
    with SqliteReader(path) as reader:
        told = past_of(reader, GameId("good")), past_of(reader, GameId("torn"))
    holder = SqliteJournal(path)
    refused = upgrade(path, *NAMES[2])
    holder.close()
    assert refused.exit_code == 1
    assert "has this journal open" in refused.output
    assert not list(tmp_path.glob("*.before-*"))
    done = upgrade(path, *NAMES[2])
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith("NOT ALL: 1 games were brought")
    with SqliteReader(path) as reader:
        assert [reader.version(GameId(name)) for name in ("good", "torn")] == [2, 1]
    [saved] = tmp_path.glob("*.before-*")
    with SqliteReader(saved) as reader:
        assert (past_of(reader, GameId("good")), past_of(reader, GameId("torn"))) == told
    saved.unlink()
    assert upgrade(path, "--replay-rest", *NAMES[2]).output.splitlines()[-1].startswith("ok: 1 games were brought")
