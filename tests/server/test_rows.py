"""A week of seconds and 100,000 records come in pages, each small; numbers of a query are read strictly."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import gamekit
from gamekit.game import GameId, Tick
from gamekit.journal import LatencyRow, MemoryJournal, Record
from gamekit.journal.contract import chain_of
from gamekit.server.rows import MOST_ROWS, PAGE_BYTES, latency_page, records_page
from tests.live import LiveServer
from tests.rawclient import RawSocket

WEEK_S = 7 * 24 * 3600
RECORDS = 100_000
START_S = 1_764_000_000.0
GAME = GameId("g")


@pytest.fixture(scope="module")
def long_past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, dict[str, Any]]]:
    """A server with a game that has a week of measured seconds and 100,000 records."""
    directory = tmp_path_factory.mktemp("rows") / "data"
    server = LiveServer(directory)
    with server:
        made = server.new_game()
        server.admin(made["id"], "pause")
    fill(directory / "gamekit.db", GameId(made["id"]))
    with server:
        yield server, made


def fill(database: Path, game: GameId) -> None:
    """Put rows of a week, and records that say nothing, into a game that has ended in order."""
    connection = sqlite3.connect(database)
    seq, chain = connection.execute("SELECT seq, chain FROM commands ORDER BY seq DESC LIMIT 1").fetchone()
    tick = connection.execute("SELECT tick FROM clock").fetchone()[0]
    rows = []
    while len(rows) < RECORDS - seq:
        number = seq + len(rows) + 1
        chain = chain_of(chain, game, 1, number, tick, "[]")
        rows.append((game, 1, number, tick, "[]", chain))
    connection.executemany("INSERT INTO commands (game, epoch, seq, tick, commands, chain) VALUES (?,?,?,?,?,?)", rows)
    columns = LatencyRow.__struct_fields__
    marks = ", ".join("?" * len(columns))
    filler = [10] * (len(columns) - 4)
    connection.executemany(
        f"INSERT INTO latency ({', '.join(columns)}) VALUES ({marks})",
        ((game, START_S + second, *filler, "{}", "{}") for second in range(WEEK_S)),
    )
    connection.commit()
    connection.close()


def test_a_week_of_rows_and_every_record_are_paged_while_others_play(
    long_past: tuple[LiveServer, dict[str, Any]],
) -> None:
    server, made = long_past
    with gamekit.Client(server.url.rstrip("/"), token=server.admin_token) as client:
        game = client.game(made["id"])
        records = game.commands()
        assert [record["seq"] for record in records] == list(range(1, RECORDS + 1))
        assert [record["seq"] for record in game.commands(after_seq=RECORDS - 2)] == [RECORDS - 1, RECORDS]
        rows = game.latency_rows(START_S + WEEK_S - 3 * MOST_ROWS)
        assert [row["at_s"] for row in rows] == [START_S + second for second in range(WEEK_S - 3 * MOST_ROWS, WEEK_S)]


def test_no_answer_is_large_whatever_is_asked_and_other_pings_are_answered_meanwhile(
    long_past: tuple[LiveServer, dict[str, Any]],
) -> None:
    server, made = long_past
    other = server.new_game()
    at = f"/api/game/{made['id']}"

    async def check() -> None:
        bystander = await RawSocket.open(other["ws_url"], token=other["token"])
        await bystander.of("snapshot")
        asked = ("/latency", "/latency?limit=9007199254740991", "/commands", "/commands?limit=600000&after_seq=7")
        for number, query in enumerate(asked):
            asking = asyncio.ensure_future(asyncio.to_thread(server.call, "GET", at + query, token=made["token"]))
            while not asking.done():
                await bystander.send(type="ping", t=number)
                await bystander.of("pong", t=number)
            status, answer = await asking
            assert status == 200
            [table] = [answer[name] for name in ("rows", "records") if name in answer]
            assert len(table) == (MOST_ROWS if "limit" in query else 1_000)
            assert answer["next"] is not None
        await bystander.close()

    asyncio.run(check())


def test_pages_of_records_lead_to_the_end_and_are_bounded_in_bytes() -> None:
    journal = Written([(tick, json.dumps([{"x": "y" * PAGE_BYTES}]) if tick == 3 else "[]") for tick in range(1, 8)])
    seen, after = [], 0
    pages = 0
    while True:
        page = msgspec.json.decode(records_page(journal, GAME, after, 4))
        seen += [record["seq"] for record in page["records"]]
        pages += 1
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert pages == 2
    assert msgspec.json.decode(records_page(journal, GAME, 7, 4)) == {"records": [], "next": None}


@pytest.mark.parametrize(
    "times",
    [[], [1.5], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 2.0, 3.0, 3.0, 3.0, 4.0], [0.1 + 0.2, 0.3, 1e9 / 3, 1e9 / 3 + 1e-7]],
)
def test_pages_of_seconds_lose_and_repeat_none_also_where_two_have_one_time(times: list[float]) -> None:
    journal = Written([], times)
    seen: list[float] = []
    after = None
    while True:
        page = msgspec.json.decode(latency_page(journal, GAME, 0.0, after, 3))
        seen += [row["at_s"] for row in page["rows"]]
        if (after := page["next"]) is None:
            break
    assert seen == sorted(times)


class Written(MemoryJournal):
    """A journal that holds given rows."""

    def __init__(self, records: list[tuple[Tick, str]], times: list[float] | None = None) -> None:
        super().__init__()
        self._records, chain = [], ""
        for seq, (tick, commands) in enumerate(records, 1):
            chain = chain_of(chain, GAME, 1, seq, tick, commands)
            self._records.append(Record(GAME, 1, seq, tick, commands, chain))
        self._rows = [LatencyRow(GAME, at_s, *[0] * 11) for at_s in times or ()]

    def records(self, game: GameId, after_seq: int = 0) -> Iterator[Record]:
        return iter(self._records[after_seq:])

    def latency(self, game: str, since_s: float = 0.0, limit: int | None = None) -> list[LatencyRow]:
        return sorted((row for row in self._rows if row.at_s >= since_s), key=lambda row: row.at_s)[:limit]


NO_NUMBERS = [
    "-1",
    "+1",
    "1.5",
    "1_000",
    "0x1",
    "1e3",
    " 1",
    "1 ",
    "nan",
    "inf",
    "٣",
    "²",
    "9007199254740992",
    "9" * 400,
    "%ff",
    "1%00",
]


@pytest.mark.parametrize("text", NO_NUMBERS)
@pytest.mark.parametrize(
    "name", ["commands?after_seq", "commands?limit", "latency?limit", "export?tick", "games?limit"]
)
def test_what_is_no_whole_number_is_refused(long_past: tuple[LiveServer, dict[str, Any]], name: str, text: str) -> None:
    server, made = long_past
    path = f"/api/{name}" if name.startswith("games") else f"/api/game/{made['id']}/{name}"
    status, problem = server.call("GET", f"{path}={quoted(text)}", token=server.admin_token)
    assert (status, problem["status"]) == (400, 400), problem


@pytest.mark.parametrize("name", ["since_s", "after_s"])
@pytest.mark.parametrize(
    "text", ["nan", "inf", "-inf", "1e400", "1_000", "٣", "-1", "1e9", " 1", ".5", "1.", "1,5", "9" * 13]
)
def test_what_is_no_time_is_refused(long_past: tuple[LiveServer, dict[str, Any]], name: str, text: str) -> None:
    server, made = long_past
    path = f"/api/game/{made['id']}/latency?limit=1&{name}="
    status, problem = server.call("GET", path + quoted(text), token=made["token"])
    assert (status, problem["code"]) == (400, "bad_request")
    assert name in problem["detail"]


def test_times_and_numbers_that_are_some_are_taken(long_past: tuple[LiveServer, dict[str, Any]]) -> None:
    server, made = long_past
    for query in (
        "since_s=0",
        f"since_s={START_S}",
        "since_s=1764000000.123456789",
        "since_s=",
        "limit=1",
        "limit=000007",
    ):
        assert server.call("GET", f"/api/game/{made['id']}/latency?{query}", token=made["token"])[0] == 200, query
    twice = server.call("GET", f"/api/game/{made['id']}/latency?limit=1&limit=2", token=made["token"])
    assert (twice[0], "limit" in twice[1]["detail"]) == (400, True)
    for query in ("after=..%2F..", "after=a%20b"):
        assert server.call("GET", f"/api/games?{query}", token=server.admin_token)[0] == 400
    assert server.call("POST", "/api/games/import?new_id=yes", b"", token=server.admin_token)[0] == 400


@pytest.mark.parametrize("text", ["\\ud800", "\\udc00", "a\\ud800b", "\\ud800\\ud800", "\\ud800\\n", "\\\\\\ud83d"])
def test_half_a_surrogate_pair_is_named(long_past: tuple[LiveServer, dict[str, Any]], text: str) -> None:
    server, made = long_past
    body = f'{{"name": "{text}"}}'.encode()
    status, problem = server.call("POST", f"/api/game/{made['id']}/join", body)
    assert (status, problem["code"]) == (400, "bad_request")
    assert "half of a surrogate pair" in problem["detail"]

    async def by_socket() -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"])
        await socket.send_raw(f'{{"type": "hello", "client": "{text}"}}')
        error = await socket.of("error")
        assert "half of a surrogate pair" in error["message"]
        await socket.close()

    asyncio.run(by_socket())


def test_whole_pairs_and_other_mistakes_are_not_taken_for_half_ones(
    long_past: tuple[LiveServer, dict[str, Any]],
) -> None:
    server, made = long_past
    joined = server.call("POST", f"/api/game/{made['id']}/join", b'{"name": "\\ud83d\\ude80 \\\\ud800"}')
    assert joined[0] == 201, joined
    for body, said in (
        (b'{"name": "x', "truncated"),
        (b'{"name": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"name": "\xff"}', "UTF-8"),
    ):
        status, problem = server.call("POST", f"/api/game/{made['id']}/join", body)
        assert status == 400
        assert said in problem["detail"]


def quoted(text: str) -> str:
    """A value for a query; what is percent-encoded already stays so."""
    from urllib.parse import quote

    return text if "%" in text else quote(text)
