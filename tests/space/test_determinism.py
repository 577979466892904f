"""The history decides the state: on every machine, in every process, for every hash seed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

import gamekit.space
from gamekit.errors import ConfigError
from gamekit.game import Event, Join, PlayerId
from gamekit.journal import digest_of
from gamekit.lab.simulate import simulate, traffic
from gamekit.space import SpaceGame, SpaceState, check
from gamekit.space.gates import close_gate, open_gate

GAME = SpaceGame()
#: A short busy run, in a process of its own.
RUN = """
from gamekit.lab.simulate import simulate, traffic
for scenario in ("nearest-stars", "procedural:6"):
    print(simulate(scenario, seed=7, hours=0.5, setup=traffic(12)).digest)
"""
#: Digests of half an hour with twelve ships. A change here means that recorded games will play differently: if that
#: is meant, raise `SpaceGame.version`, say so in the change log, and write the new digests here.
GOLDEN = {
    "nearest-stars": "b560c6bd49a2667c9c8ad2da50762b3b",
    "procedural:6": "2140de309e9306cefbda7949e4156380",
}


@pytest.mark.parametrize("scenario", GOLDEN)
def test_known_run_ends_as_it_always_has(scenario: str) -> None:
    run = simulate(scenario, seed=7, hours=0.5, setup=traffic(12))
    check(run.state)
    assert run.digest == GOLDEN[scenario]


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_hash_seed_of_the_process_does_not_matter(hash_seed: str) -> None:
    out = subprocess.run(
        [sys.executable, "-c", RUN],
        env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(gamekit.space.__file__).parents[2])},
        check=True,
        capture_output=True,
        text=True,
    )
    assert out.stdout.split() == list(GOLDEN.values())


def busy_state() -> SpaceState:
    """A state in which much is under way."""
    return simulate(seed=3, hours=0.2, setup=traffic(8)).state


def rebuilt(state: SpaceState) -> SpaceState:
    """The same state after encoding and decoding."""
    return GAME.decode(GAME.encode(state), GAME.version)


def test_time_may_pass_in_any_pieces() -> None:
    whole = busy_state()
    pieces, start = rebuilt(whole), whole.tick
    events = GAME.advance(whole, start + 5_000)
    in_pieces: list[Event] = []
    for tick in range(start, start + 5_001, 7):
        in_pieces += GAME.advance(pieces, tick)
    in_pieces += GAME.advance(pieces, start + 5_000)
    assert in_pieces == events
    assert GAME.encode(pieces) == GAME.encode(whole)


def test_decoded_state_goes_on_as_if_nothing_had_been() -> None:
    state = busy_state()
    twin = rebuilt(state)
    for step in range(30):
        state, twin = twin, rebuilt(state)
        gate = list(state.gates)[step % len(state.gates)]
        switch = close_gate if step % 3 else open_gate
        assert switch(state, gate) == switch(twin, gate)
        assert GAME.advance(state, state.tick + 97) == GAME.advance(twin, twin.tick + 97)
        assert GAME.encode(state) == GAME.encode(twin)
        check(state)
        check(twin)


def test_late_joiners_do_not_disturb_the_past() -> None:
    state = GAME.new({}, 1)
    for number in range(1, 4):
        GAME.apply(state, PlayerId(f"p{number}"), Join("Someone"))
        GAME.advance(state, state.tick + 100)
    assert GAME.encode(rebuilt(state)) == GAME.encode(state)


def test_time_does_not_run_back() -> None:
    state = GAME.new({}, 1)
    GAME.advance(state, 100)
    with pytest.raises(ValueError, match="tick 100"):
        GAME.advance(state, 99)


def test_state_of_another_version_is_refused() -> None:
    for version in (1, GAME.version + 1):
        with pytest.raises(ConfigError, match=f"versions 2 to 3, not {version}"):
            GAME.decode(GAME.encode(GAME.new({}, 1)), version)


def test_state_of_version_2_is_read_as_it_is() -> None:
    state = busy_state()
    assert GAME.encode(GAME.decode(GAME.encode(state), 2)) == GAME.encode(state)


@pytest.mark.parametrize("junk", [b"", b"\xc1", msgspec.msgpack.encode([1, 2, 3]), msgspec.msgpack.encode({})])
def test_bytes_that_are_no_state_are_refused(junk: bytes) -> None:
    with pytest.raises(ConfigError, match="no space state"):
        GAME.decode(junk, GAME.version)


def test_digest_changes_with_the_state() -> None:
    state = GAME.new({}, 1)
    before = digest_of(GAME.encode(state))
    close_gate(state, "sol:sirius")
    assert digest_of(GAME.encode(state)) != before


def test_rules_of_the_game_import_no_clock_no_entropy_and_no_machine() -> None:
    allowed = {
        "__future__",
        "bisect",
        "collections",
        "difflib",
        "enum",
        "functools",
        "gamekit",
        "heapq",
        "importlib",
        "itertools",
        "math",
        "numbers",
        "operator",
    }
    allowed |= {"msgspec", "re", "tomllib", "types", "typing"}
    for path in sorted(Path(gamekit.space.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in allowed, f"{path.name} imports {name}"
                assert (
                    name == "gamekit"
                    or not name.startswith("gamekit")
                    or name.startswith(
                        ("gamekit.space", "gamekit.game", "gamekit.errors", "gamekit.names", "gamekit.plain")
                    )
                ), f"{path.name} imports {name}"
