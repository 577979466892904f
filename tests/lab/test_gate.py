"""The gate: recorded games pass while behaviour is the same; what changed is told at its tick, with both values."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gamekit.cli import main
from gamekit.errors import ConfigError
from gamekit.game import Event, Tick
from gamekit.lab import begin, gate, replay
from gamekit.lab.gates.expected import path_of
from gamekit.space import SpaceGame, SpaceState
from gamekit.space.model import Station, Ware
from gamekit.space.rules import Rules

CORPUS = Path(__file__).resolve().parents[1] / "corpus"


class Dearer(SpaceGame):
    """Other code: everything costs one centi-credit more."""

    name = "dearer"

    def price(self, station: Station, ware: Ware, stock: int, rules: Rules) -> int:
        return super().price(station, ware, stock, rules) + 1


class Forgetful(SpaceGame):
    """Other code, which from tick 1,000 on changes one field and tells nobody."""

    name = "forgetful"

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        before = state.tick
        events = super().advance(state, to_tick)
        if before < 1_000 <= state.tick:
            state.ships_made += 1
        return events


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A copy of two games of the corpus that may be changed."""
    for name in ("storms", "amended"):
        for path in (CORPUS / f"{name}.capsule", CORPUS / f"{name}.expected.json"):
            shutil.copy(path, tmp_path)
    return tmp_path


def test_the_corpus_of_the_project_behaves_as_recorded() -> None:
    found = gate(CORPUS, progress=False)
    assert found.ok, str(found)
    assert {one.name for one in found.verdicts} >= {"orders", "storms", "fog", "amended"}
    assert sum(path.stat().st_size for path in CORPUS.iterdir() if path.is_file()) < 400_000


def test_the_corpus_touches_most_of_the_game() -> None:
    fell = {type(event).__name__ for path in CORPUS.glob("*.capsule") for _, event in replay(path, 0).events()}
    assert {"GateClosed", "SectorCharted", "SectorDiscovered", "RulesChanged", "CommandFailed", "ShipBought"} <= fell


def test_a_rule_that_changes_behaviour_is_told_at_its_tick_with_both_values(corpus: Path) -> None:
    found = gate(corpus, {"dock_ticks": 11}, progress=False)
    assert not found.ok
    storms = found.verdicts[1]
    assert storms.tick == storms.events_tick == storms.fields_tick
    [field] = storms.fields
    assert field.path.endswith(".due")
    assert field.b == field.a + 1
    [then], [now] = storms.then_events, storms.now_events
    assert then["type"] == now["type"] == "ShipDocking"
    assert (then["arrive"], now["arrive"]) == (field.a, field.b)
    before, after = storms.counts["ShipDocked"]
    assert before > after
    assert storms.metrics["companies_credits"][0] == "credits"
    said = str(found)
    assert f"behaviour changed at tick {storms.tick:,}" in said
    assert f"arrive={field.a}" in said
    assert "companies_credits: " in said
    assert said.splitlines()[-1].startswith("FAILED: 2 of 2 recorded games do not behave as recorded; first: amended")
    assert found.frame["tick"].tolist() == [one.tick for one in found.verdicts]


def test_a_rule_that_makes_no_difference_passes(corpus: Path) -> None:
    assert gate(corpus, {"ships_limit": 7}, progress=False).ok


def test_changed_code_is_told_also_when_the_code_that_recorded_is_gone(
    corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = gate(corpus / "storms.capsule", game=Dearer(), progress=False).verdicts[0]
    assert ours.events_tick is not None
    assert any(event["type"] == "TradeAssigned" for event in ours.now_events)
    assert ours.fields_tick == ours.tick
    silent = gate(corpus / "storms.capsule", game=Forgetful(), progress=False).verdicts[0]
    assert silent.tick is not None
    assert silent.tick >= 1_000
    assert [(one.path, one.b - one.a) for one in silent.fields] == [("ships_made", 1)]
    assert silent.events_tick is None
    # Now the bundled rules themselves are other ones: what they did is known from the recording alone.
    monkeypatch.setattr(SpaceGame, "advance", _grown)
    changed = gate(corpus / "storms.capsule", progress=False).verdicts[0]
    assert (changed.tick, changed.events_tick) == (silent.tick, None)
    assert changed.fields_tick == 3_000, "the next kept state after it"
    assert [one.path for one in changed.fields] == ["ships_made"]
    assert "(of tick 3,000, where a state was kept): ships_made" in changed.explanation


_advance = SpaceGame.advance


def _grown(self: SpaceGame, state: SpaceState, to_tick: Tick) -> list[Event]:
    before = state.tick
    events = _advance(self, state, to_tick)
    if before < 1_000 <= state.tick:
        state.ships_made += 1
    return events


def test_what_is_accepted_is_expected_from_then_on(corpus: Path) -> None:
    faster = {"jump_ticks": 20}
    accepted = gate(corpus, faster, accept=True, progress=False)
    assert accepted.ok
    assert "recorded anew" in str(accepted)
    assert gate(corpus, progress=False).ok, "the rules are the games' own now"
    assert not gate(corpus, {"jump_ticks": 50}, progress=False).ok
    assert replay(corpus / "storms.capsule").state.rules.jump_ticks == 20
    untouched = (corpus / "storms.capsule").read_bytes()
    assert gate(corpus, accept=True, progress=False).verdicts[1].accepted is False
    assert (corpus / "storms.capsule").read_bytes() == untouched


def test_a_capsule_of_which_nothing_was_recorded_is_judged_by_what_its_digests_vouch_for(corpus: Path) -> None:
    for name in ("storms", "amended"):
        path_of(corpus / f"{name}.capsule").unlink()
    assert gate(corpus, progress=False).ok
    found = gate(corpus, {"dock_ticks": 11}, progress=False).verdicts[1]
    assert found.tick == found.fields_tick


def test_what_cannot_be_played_fails_and_hides_no_other(corpus: Path, tmp_path: Path) -> None:
    path_of(corpus / "storms.capsule").write_text("{}")
    (corpus / "broken.capsule").write_bytes(b"no capsule " * 500)
    found = gate(corpus, progress=False)
    assert [(one.name, one.ok) for one in found.verdicts] == [("amended", True), ("broken", False), ("storms", False)]
    assert "record it anew" in found.verdicts[2].problem
    with pytest.raises(ConfigError, match=r"rules\.jump_ticks"):
        gate(corpus / "amended.capsule", {"jump_ticks": -1}, progress=False)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no capsules"):
        gate(tmp_path / "empty")


def test_command_line_ends_with_the_verdict_and_its_status(corpus: Path) -> None:
    def run(*arguments: Any) -> tuple[int, list[str]]:
        done = CliRunner().invoke(main, ["gate", *map(str, arguments)])
        return done.exit_code, done.output.splitlines()

    status, said = run(corpus)
    assert (status, said[-1]) == (0, "ok: 2 recorded games behave as recorded")
    status, said = run(corpus, "--rule", "dock_ticks=11")
    assert status == 1
    assert said[-1].startswith("FAILED: 2 of 2")
    assert run(corpus, "--rules", "dock_ticks=11")[1] == said
    (corpus / "slow.toml").write_text("dock_ticks = 11\n")
    assert run(corpus, "--rules", corpus / "slow.toml", "--accept")[0] == 0
    assert run(corpus)[0] == 0


def test_a_new_game_played_here_goes_into_a_corpus(tmp_path: Path) -> None:
    game = begin("duel", seed=4)
    game.advance(1_000)
    game.save(tmp_path / "mine.capsule")
    assert gate(tmp_path, progress=False).ok
    assert gate(tmp_path, accept=True, progress=False).verdicts[0].accepted
    assert path_of(tmp_path / "mine.capsule").exists()
