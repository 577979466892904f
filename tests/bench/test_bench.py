"""The benchmarks run, on every server, and their figures are what they say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import strategies as st

from gamekit.bench.harness import Figures
from gamekit.bench.naive import Room
from gamekit.bench.processes import SERVERS, BenchServer
from gamekit.bench.swarm import LEG_TICKS, Move, Place, Swarm, digest, place
from gamekit.bench.wirefast import FastSocket, masked
from gamekit.cli import main
from gamekit.game import Command, Join, PlayerId, View
from tests.game_contract import LAWS, Subject


def moves(view: View) -> st.SearchStrategy[Command]:
    """Ships of anybody and of nobody, to places in and out of reach."""
    ships = st.sampled_from([*view["ships"], "-1", "9999"])
    number = st.integers(-1_100, 1_100)
    return st.builds(Move, ship=ships, to=st.builds(Place, x=number, y=number))


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS.keys())
def test_the_model_keeps_the_laws_of_every_game(law: Callable[..., None]) -> None:
    from hypothesis import HealthCheck, given, settings

    subject = Subject("swarm", Swarm(), {"rules": {"ships": 3}}, moves, longest_wait=300)

    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(data=st.data())
    def kept(data: st.DataObject) -> None:
        law(subject, data)

    kept()


def test_every_ship_is_always_under_way_and_legs_take_five_to_twenty_seconds() -> None:
    game = Swarm()
    state = game.new({"rules": {"ships": 20}}, 7)
    game.apply(state, PlayerId("p1"), Join(name="A"))
    for tick in range(0, 3_000, 7):
        game.advance(state, tick)
        for ship in state.saved.ships:
            depart, arrive = ship.leg[4:]
            assert depart <= tick < arrive
            assert LEG_TICKS[0] <= arrive - depart <= LEG_TICKS[1]
    assert digest([ship.leg for ship in state.saved.ships]) == "6e41c182edb3547f"
    assert place((0, 0, 100, -100, 0, 10), 5) == (50, -50)


@pytest.fixture(scope="module")
def rows() -> dict[str, dict[str, Any]]:
    """`{server: its line}` of a tiny run of the workload of players."""
    asked = ["bench", "--json", "--workload", "players", "--sessions", "3", "--seconds", "2", "--windows", "1"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    return {row["server"]: row for row in map(json.loads, result.stdout.splitlines())}


def test_every_server_plays_the_same_game_with_the_same_players(rows: dict[str, dict[str, Any]]) -> None:
    assert set(rows) == set(SERVERS)
    assert len({row["first_orders"] for row in rows.values()}) == 1
    for row in rows.values():
        assert (row["sessions"], row["players"], row["ships"], row["sockets_open"]) == (3, 2, 50, 6)
        assert row["refused"] == 0
        assert row["acks_per_s"] > 0
        assert row["server_cpu_per_s"] > 0
        assert row["generator_cpu_per_s"] > 0
        # Two seconds are measured: what was under way at either end makes two commands at most.
        assert row["counted_per_s"]["records"] == pytest.approx(row["commands_per_s"], abs=1.0)


def test_a_delta_is_encoded_once_for_all_who_get_it(rows: dict[str, dict[str, Any]]) -> None:
    counted = rows["gamekit"]["counted_per_s"]
    # Two players a session get every delta. For one of them alone are an ack for each command and, in the tick in which
    # it is carried out, a delta that says so.
    commands = counted["records"]
    shared = counted["encodings"] - 2 * commands
    assert counted["messages"] - commands == pytest.approx(2 * shared, rel=0.1)
    assert counted["commits"] <= commands + 0.5


def test_the_table_names_every_run(tmp_path: Path) -> None:
    out = tmp_path / "runs" / "lines.jsonl"
    asked = ["bench", "--workload", "broadcast", "--server", "gamekit", "--seconds", "1", "--windows", "1"]
    result = CliRunner().invoke(main, [*asked, "--rounds", "2", "--output", str(out)])
    assert result.exit_code == 0, result.output
    assert "broadcast  gamekit" in result.output
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["round"] for row in rows] == [0, 1]
    assert rows[0]["at"] == rows[1]["at"]
    for row in rows:
        assert row["sockets_open"] == 200
        # One frame a tick, whoever gets it.
        assert row["counted_per_s"]["encodings"] < 25 < row["frames_per_s"]


def test_a_naive_tick_after_a_stall_is_not_late_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> list[float]:
        monkeypatch.setattr("gamekit.bench.naive.time.perf_counter", lambda: 5.0)
        room = Room(1, 1, legs=True)
        # The timer's grid is 5.1, 5.2, ...; it misses 5.3 to 5.5.
        for now_s in (5.101, 5.2, 5.55, 5.604, 5.7, 5.81):
            monkeypatch.setattr("gamekit.bench.naive.time.perf_counter", lambda now_s=now_s: now_s)
            room.step()
        return room.late_ms

    assert asyncio.run(play()) == pytest.approx([1, 0, 250, 4, 0, 10], abs=1e-6)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="did not start"), BenchServer("gamekit", tmp_path, ("--no-such-option",)):
        pass


def test_lateness_is_read_off_buckets() -> None:
    before = Figures({}, late_buckets=[(1.0, 10), (10.0, 10), (float("inf"), 10)])
    after = Figures({}, late_buckets=[(1.0, 60), (10.0, 110), (float("inf"), 110)])
    assert after.late_ms(before, 50) == pytest.approx(1.0)
    assert after.late_ms(before, 75) == pytest.approx(5.5)
    assert Figures({}).late_ms(Figures({}), 50) != Figures({}).late_ms(Figures({}), 50)


def test_frames_are_cut_wherever_the_bytes_are_torn() -> None:
    got: list[bytes] = []
    payloads = [b"a", b"b" * 125, b"c" * 126, b"d" * 70_000, b""]
    stream = b"HTTP/1.1 101 Switching Protocols\r\nX: y\r\n\r\n"
    for payload in payloads:
        size = len(payload)
        head = (
            bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 65_536 else b"\x7f" + size.to_bytes(8)
        )
        stream += b"\x81" + head + payload
    for step in (1, 3, 1_000, len(stream)):
        got.clear()
        socket = FastSocket("ws://127.0.0.1:1/x", got.append)
        for at in range(0, len(stream), step):
            socket.data_received(stream[at : at + step])
        assert got == payloads
    assert masked(b"x" * 200)[:4] == b"\x81\xfe\x00\xc8"
