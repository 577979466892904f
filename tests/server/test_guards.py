"""One game that fails is alone with it: whatever it raises and wherever it is asked, every other game goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gamekit.game import Changes, Event, PlayerId, Tick, View
from gamekit.journal import SqliteReader
from gamekit.session import ADMIN, Submitted
from tests.counter_game import CounterGame, CounterState
from tests.live import LiveServer
from tests.server.test_turns import Table
from tests.virtual import run

SICK = 13


class Fragile(CounterGame):
    """A counter of which one game raises in one of its methods, when told so."""

    def __init__(self) -> None:
        self.loop: Any = None
        self.fails: str | None = None

    def _check(self, state: CounterState, where: str) -> None:
        if where == self.fails and state.seed == SICK:
            raise OverflowError(f"a fault in {where}")

    def advance(self, state: CounterState, to_tick: Tick) -> list[Event]:
        """May fail."""
        self._check(state, "advance")
        return super().advance(state, to_tick)

    def next_due(self, state: CounterState) -> Tick | None:
        """May fail."""
        self._check(state, "next_due")
        return super().next_due(state)

    def view(self, state: CounterState, player: PlayerId | None) -> View:
        """May fail."""
        self._check(state, "view")
        return super().view(state, player)

    def changes(self, state: CounterState, player: PlayerId | None, events: Any) -> Changes:
        """May fail."""
        self._check(state, "changes")
        return super().changes(state, player, events)

    def audience(self, state: CounterState, event: Event) -> tuple[PlayerId, ...] | None:
        """May fail."""
        self._check(state, "audience")
        return super().audience(state, event)

    def secretive(self, state: CounterState) -> bool:
        """May fail."""
        self._check(state, "secretive")
        return super().secretive(state)

    def rules(self, state: CounterState) -> dict[str, Any]:
        """May fail."""
        self._check(state, "rules")
        return super().rules(state)

    def encode(self, state: CounterState) -> bytes:
        """May fail."""
        self._check(state, "encode")
        return super().encode(state)


METHODS = ("advance", "next_due", "view", "changes", "audience", "secretive", "rules", "encode")


@pytest.mark.parametrize("fails", METHODS)
def test_what_a_game_raises_ends_at_most_this_game_and_delays_no_other(
    fails: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def check() -> None:
        game = Fragile()
        table = Table(game)
        host = table.host
        host.dormitory.sleep_after_us = 30_000_000
        well, watching = await table.seat(100)
        sick, _ = await table.seat(SICK)
        other, also = await table.seat(101)
        await asyncio.sleep(5)
        game.fails = fails
        # Somebody comes, a snapshot falls due, it would fall asleep, it is looked after every second.
        asked = asyncio.ensure_future(table.watch(sick))
        host.turns.add(sick)
        await asyncio.sleep(100)
        await asyncio.gather(asked, return_exceptions=True)
        for runner, socket in ((well, watching), (other, also)):
            assert runner.ended is None
            assert table.late_ms(runner) <= 10
            assert len([delta["tick"] for delta in socket.of("delta")]) >= 1_000, "ticks were left out"
            assert host.journal.latency(runner.id)[-1].ticks >= 9
        await host.drain()
        assert host.draining
        for runner in (well, other):
            assert runner.closed, "it was not closed in order"
            assert table.journal.storage.books[runner.id].snapshots[-1].tick == runner.session.tick
        if fails in {"encode", "advance", "next_due"}:
            [said] = host.unclosed
            assert sick.id in said
        game.fails = None

    run(check)
    caplog.clear()


def test_a_commit_of_many_games_reaches_those_behind_one_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        game = Fragile()
        table = Table(game)
        sick, _ = await table.seat(SICK)
        well, _ = await table.seat(100)
        await asyncio.sleep(1)
        game.fails = "changes"
        outcomes: list[Any] = []
        for runner in (sick, well):
            runner.ask(lambda ticket: Submitted(ticket, ADMIN, "@server", 0, {"type": "pause"}), outcomes.append)
        await asyncio.sleep(1)
        assert [outcome.code for outcome in outcomes] == ["unavailable", None]
        assert well.session.paused
        table.stop()

    run(check)
    caplog.clear()


OVERFLOW = """
import msgspec
from tests.counter_game import CounterGame, Add

class Overflowing(CounterGame):
    name = "overflowing"
    def apply(self, state, player, command):
        done = super().apply(state, player, command)
        if isinstance(command, Add):
            state.value = 2**64
        return done
"""


def test_a_server_stops_in_order_though_one_game_cannot_be_saved(tmp_path: Path) -> None:
    (tmp_path / "overflow.py").write_text(OVERFLOW)
    server = LiveServer(tmp_path / "data", options=("--game", "overflow:Overflowing"))
    with pytest.MonkeyPatch.context() as patch:
        root = Path(__file__).resolve().parents[2]
        patch.setenv("PYTHONPATH", f"{tmp_path}:{root}")
        with server:
            sick = server.new_game(game="overflowing", name="Overfull", rules={"every_ticks": 0})
            others = [server.new_game(seed=seed, scenario="duel") for seed in range(3)]
            body = {"cid": 1, "body": {"type": "add", "n": 1}}
            status, _ = server.call("POST", f"/api/game/{sick['id']}/commands", body, token=sick["token"])
            assert status == 200
            ticks = [server.state(made["id"])["tick"] for made in others]
            assert server.stop() == 0
    said = server.log.read_text().strip().splitlines()
    assert said[-1] == "drained: every game is safe on disk"
    [unclosed] = [line for line in said if line.startswith("not closed in order")]
    assert f"{sick['id']} (Overfull)" in unclosed
    with SqliteReader(tmp_path / "data" / "gamekit.db") as reader:
        for made, tick in zip(others, ticks, strict=True):
            assert max(kept[0] for kept in reader.snapshots(made["id"])) >= tick, "it got no last snapshot"
        row = reader.game(sick["id"])
        assert row is not None
        assert len(list(reader.records(row.id))) == 2, "the command that was answered is not in the history"


def test_a_list_of_games_tells_of_those_beside_one_that_cannot_be_told_of(tmp_path: Path) -> None:
    (tmp_path / "moody.py").write_text(
        "from tests.counter_game import CounterGame\nclass Moody(CounterGame):\n    name = 'moody'\n"
        "    def next_due(self, state):\n        if state.value == 7:\n            raise KeyError('mood')\n"
        "        return super().next_due(state)\n"
    )
    server = LiveServer(tmp_path / "data", options=("--game", "moody:Moody"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).resolve().parents[2]}")
        with server:
            sick = server.new_game(game="moody", rules={"every_ticks": 0})
            well = server.new_game(scenario="duel")
            body = {"cid": 1, "body": {"type": "add", "n": 7}}
            server.call("POST", f"/api/game/{sick['id']}/commands", body, token=sick["token"])
            status, listed = server.call("GET", "/api/games", token=server.admin_token)
            assert status == 200
            by_id = {game["id"]: game for game in listed["games"]}
            assert by_id[well["id"]]["state"] == "awake"
            assert by_id[sick["id"]]["why_awake"] or by_id[sick["id"]]["state"] == "failed"
            assert server.stop() == 0


LEAVING = """import asyncio, sys
from tests.counter_game import CounterGame
SEEDS = ["new", "apply", "advance", "view", "encode", "decode", "cancel"]
class Leaving(CounterGame):
    name = "leaving"
    def new(self, config, seed):
        if SEEDS[seed] == "new":
            sys.exit("that was all")
        return super().new(config, seed)
    def apply(self, state, player, command):
        if type(command).__name__ == "Add":
            state.value = 7
            if SEEDS[state.seed] == "apply":
                sys.exit("that was all")
            if SEEDS[state.seed] == "cancel":
                raise asyncio.CancelledError
        return super().apply(state, player, command)
    def advance(self, state, to_tick):
        if state.value >= 7 and SEEDS[state.seed] == "advance":
            raise SystemExit(3)
        return super().advance(state, to_tick)
    def view(self, state, player):
        if state.value >= 7 and SEEDS[state.seed] == "view":
            exit()
        return super().view(state, player)
    def encode(self, state):
        if state.value >= 7 and SEEDS[state.seed] == "encode":
            raise GeneratorExit
        return super().encode(state)
    def decode(self, data, version):
        state = super().decode(data, version)
        if SEEDS[state.seed] == "decode":
            sys.exit()
        return state
"""


def test_rules_that_end_the_program_end_their_own_game_only(tmp_path: Path) -> None:
    (tmp_path / "leave.py").write_text(LEAVING)
    server = LiveServer(tmp_path / "data", options=("--game", "leave:Leaving"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).resolve().parents[2]}")
        with server:
            well = server.new_game(scenario="duel")
            status, problem = server.call("POST", "/api/game/new", {"game": "leaving", "seed": 0})
            assert (status, problem["code"]) == (503, "unavailable")
            assert "the program" in problem["detail"]
            for seed in range(1, 7):
                status, made = server.call("POST", "/api/game/new", {"game": "leaving", "seed": seed})
                if status != 201:
                    assert status == 503, made
                    continue
                body = {"cid": 1, "body": {"type": "add", "n": 1}}
                server.call("POST", f"/api/game/{made['id']}/commands", body, token=made["token"])
                for _ in range(2):
                    status, told = server.call("GET", f"/api/game/{made['id']}/state", token=made["token"])
                    assert status in {200, 503}, told
            assert server.call("GET", f"/api/game/{well['id']}/state", token=well["token"])[0] == 200
            assert server.stop() == 0
    assert server.log.read_text().strip().splitlines()[-1] == "drained: every game is safe on disk"
