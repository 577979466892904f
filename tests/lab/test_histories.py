"""The laws of histories, on recorded games of the bundled game: forks, digests, and where two of them part."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamekit.capsule import reader_of
from gamekit.errors import CommandFailed
from gamekit.game import Event, Tick
from gamekit.history import verify
from gamekit.journal import Past
from gamekit.lab import diff, fork, replay
from gamekit.lab.replay import Replay
from gamekit.lab.sources import read_past
from gamekit.space import SpaceGame, SpaceState

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
PASTS = {path.stem: read_past(path) for path in sorted(CORPUS.glob("*.capsule"))}
recorded = st.sampled_from(sorted(PASTS))


@given(name=recorded, share=st.integers(0, 1_000))
@settings(max_examples=12, deadline=None)
def test_a_fork_that_is_given_the_same_commands_becomes_the_original(name: str, share: int) -> None:
    past = PASTS[name]
    branch = fork(past, past.tick * share // 1_000)
    for record in past.records[branch.past.last_seq :]:
        branch.advance(record.tick - branch.tick)
        for entry in json.loads(record.commands):
            body = entry["body"]
            if body["type"] == "set_rules":
                branch.set_rules(**body["changes"])
            elif body["type"] == "join":
                assert branch.join(body["name"]) == entry["player"]
            else:
                with suppress(CommandFailed):  # Some were refused; so they are again.
                    branch.command(entry["player"], body)
    branch.advance(past.tick - branch.tick)
    assert SpaceGame().encode(branch.state) == SpaceGame().encode(replay(past).state)
    assert diff(branch, past) is None


@pytest.mark.parametrize("name", sorted(PASTS))
def test_a_replay_meets_every_digest_of_its_capsule(name: str) -> None:
    past = PASTS[name]
    assert len(past.snapshots) > 2
    from_start = Replay(past, SpaceGame())
    from_start._keyframes, from_start._ticks = from_start._keyframes[:1], from_start._ticks[:1]
    met = 0
    for kept in past.snapshots:
        if from_start.seek(kept.tick).session.seq == kept.seq:  # Else more was ordered later in the same tick.
            assert from_start.digest == replay(past, kept.tick).digest == kept.digest
            met += 1
    assert met >= 2
    *_, verdict = verify(reader_of(past), past.row, SpaceGame())
    assert (verdict.problem, verdict.snapshots) == (None, len(past.snapshots))


def _name(state: SpaceState) -> str:
    ship = next(iter(state.ships.values()))
    ship.name += "!"
    return f'ships["{ship.id}"].name'


def _stock(state: SpaceState) -> str:
    station = next(iter(state.stations.values()))
    ware = next(iter(station.stock))
    station.stock[ware] += 1 if station.stock[ware] == 0 else -1
    return f'stations["{station.id}"].stock["{ware}"]'


def _credits(state: SpaceState) -> str:
    account = next(iter(state.ledger.credits))
    state.ledger.credits[account] += 1
    return f'ledger.credits["{account}"]'


def _made(state: SpaceState) -> str:
    state.ships_made += 1
    return "ships_made"


class Meddled(SpaceGame):
    """Other code: changes one field at one tick."""

    name = "meddled"

    def __init__(self, tick: Tick, meddle: Callable[[SpaceState], str]) -> None:
        self.at, self.meddle, self.path = tick, meddle, ""

    def next_due(self, state: SpaceState) -> Tick | None:
        due = super().next_due(state)
        return self.at if state.tick < self.at and (due is None or due > self.at) else due

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        before = state.tick
        events = super().advance(state, to_tick)
        if before < self.at <= state.tick:
            self.path = self.meddle(state)
        return events


@given(name=recorded, share=st.integers(1, 1_000), meddle=st.sampled_from([_name, _stock, _credits, _made]))
@settings(max_examples=12, deadline=None)
def test_diff_finds_a_single_changed_field_at_its_tick_and_path(
    name: str, share: int, meddle: Callable[[SpaceState], str]
) -> None:
    past: Past = PASTS[name]
    other = Meddled(max(past.tick * share // 1_000, 1), meddle)
    found: Any = diff(past, rules_b=other)
    assert found is not None
    assert (found.tick, [one.path for one in found.fields]) == (other.at, [other.path])
    assert found.fields[0].a != found.fields[0].b
