"""A corpus of capsules that no server writes: each is a good one in which one thing was changed, checksums and all."""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from gamekit.capsule import reader_of, write_capsule
from gamekit.game import GameId, Join, PlayerId
from gamekit.history import rebuild, stored
from gamekit.journal import Past, StoredSnapshot, chain_of, digest_of, schema
from gamekit.journal.transfer import insert_past
from gamekit.lab.sources import new_past, with_commands
from gamekit.session.answers import Answer
from gamekit.session.records import Saved, read_saved
from gamekit.space import SpaceGame

MB = 1 << 20


def good_past() -> Past:
    """Two players who joined, and a snapshot at the end."""
    asked = [(10 * number, PlayerId(f"p{number}"), Join(name=f"Player {number}")) for number in (1, 2)]
    past = with_commands(new_past(seed=5, name="Good"), asked, tick=40)
    session = rebuild(reader_of(past), past.row, SpaceGame())
    last = stored(session, session.snapshot(), tick=session.tick, seq=session.seq)
    return replace(past, snapshots=[*past.snapshots, last])


def good(path: Path) -> Path:
    """A capsule that is taken in."""
    write_capsule(good_past(), path)
    return path


def hostile(directory: Path) -> Iterator[tuple[str, Path]]:
    """Every capsule of the corpus by name, made as it is asked for."""
    base = good(directory / "good.capsule").read_bytes()
    for name, change in [*_SQL.items(), *_WORK.items(), *_PAST.items(), *_BYTES.items()]:
        path = directory / f"{name.replace(' ', '-')}.capsule"
        if name in _PAST:
            _written(path, change(good_past()))
        else:
            path.write_bytes(base)
            if name in _BYTES:
                path.write_bytes(change(base))
            else:
                with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                    connection.execute("PRAGMA journal_mode = DELETE")
                    connection.executescript(change) if isinstance(change, str) else change(connection)
        yield name, path
        path.unlink()


def _written(path: Path, past: Past) -> None:
    """A past as a capsule, whatever is in it."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.upgrade(connection)
        insert_past(connection, past, 1e9)


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
#: What SQL can change in place.
_SQL: dict[str, Any] = {
    "clock of 9e18": "UPDATE clock SET tick = 9000000000000000000",
    "clock at the largest whole number": f"UPDATE clock SET tick = {2**53 - 1}",
    "clock a month ahead": "UPDATE clock SET tick = 25920000",
    "clock before zero": "UPDATE clock SET tick = -5",
    "clock at no time": "UPDATE clock SET wall_s = 9e999",
    "configuration that is a list": "UPDATE games SET config = '[]'",
    "configuration that is a text": "UPDATE games SET config = '\"x\"'",
    "configuration that is no JSON": "UPDATE games SET config = '{'",
    "configuration nested very deeply": "UPDATE games SET config = '{\"scenario\":' || "
    "replace(hex(zeroblob(60000)), '00', '[') || replace(hex(zeroblob(60000)), '00', ']') || '}'",
    "configuration nested deeply": "UPDATE games SET config = '{\"scenario\":' || "
    "replace(hex(zeroblob(200)), '00', '[') || replace(hex(zeroblob(200)), '00', ']') || '}'",
    "configuration whose rules are a list": "UPDATE games SET config = '{\"rules\": []}'",
    "configuration whose scenario is a number": "UPDATE games SET config = '{\"scenario\": 7}'",
    "configuration with half a surrogate": r"""UPDATE games SET config = '{"scenario": "\ud800"}'""",
    "configuration with half a surrogate as a key": r"""UPDATE games SET config = '{"\udfff": 1}'""",
    "configuration with a number that is none": """UPDATE games SET config = '{"scenario": "duel", "more": NaN}'""",
    "configuration with a number without end": """UPDATE games SET config = '{"rules": {"storm_rate": 1e999}}'""",
    "name with what a terminal obeys": "UPDATE games SET name = char(27) || '[2J'",
    "name that is empty": "UPDATE games SET name = ''",
    "name of a million characters": "UPDATE games SET name = hex(zeroblob(500000))",
    "name that is no text": "UPDATE games SET name = cast(x'ff41ff' as text)",
    "configuration of nine megabytes": 'UPDATE games SET config = \'{"scenario": {"a": [\' || '
    "replace(hex(zeroblob(6500000)), '0000', '[],') || '1]}}'",
    "seed that is no number": "UPDATE games SET seed = 'nan'",
    "seed of five thousand digits": "UPDATE games SET seed = replace(hex(zeroblob(2500)), '0', '7')",
    "made at no time": "UPDATE games SET created_s = 9e999",
    "made in a million years": "UPDATE games SET created_s = 3e13",
    "epoch before zero": "UPDATE games SET epoch = -1",
    "epoch near the end of numbers": "UPDATE games SET epoch = 9223372036854775807",
    "version near the end of numbers": "UPDATE games SET version = 9223372036854775807",
    "version of a snapshot from the future": "UPDATE snapshots SET version = 1000000",
    "owner among the players": "UPDATE players SET player = '@admin' WHERE player = 'p2'",
    "player that is a path": "UPDATE players SET player = '../..' WHERE player = 'p2'",
    "player whose name is a line break": "UPDATE players SET name = char(10) WHERE player = 'p2'",
    "two games": "INSERT INTO games SELECT 'another', game, version, name, config, seed, created_s, epoch FROM games",
    "no game": "DELETE FROM games",
    "no records before the last": "DELETE FROM commands WHERE seq = 1",
    "no snapshots": "DELETE FROM snapshots",
    "records that are not chained": "UPDATE commands SET commands = '[]'",
    "rules that are not here": "UPDATE games SET game = 'nowhere'",
    "view that never ends": f"CREATE VIEW more AS {_ENDLESS} SELECT * FROM n",
    "view in the place of a table": f"DROP TABLE commands; CREATE VIEW commands AS {_ENDLESS} "
    "SELECT 'x' AS game, i AS seq, 1 AS epoch, i AS tick, '[]' AS commands, '' AS chain FROM n",
    "view in the place of the catalogue": f"DROP TABLE games; CREATE VIEW games AS {_ENDLESS} "
    "SELECT 'x' AS id, 'space' AS game, 1 AS version, 'x' AS name, '{}' AS config, '1' AS seed, 1.0 AS created_s, "
    "1 AS epoch FROM n",
    "trigger": "CREATE TRIGGER more AFTER INSERT ON commands BEGIN DELETE FROM games; END",
    "virtual table": "CREATE VIRTUAL TABLE more USING fts5(text)",
    "table of its own": "CREATE TABLE more (x)",
    "index over an expression": "CREATE INDEX more ON commands (abs(seq))",
    "index over a part": "CREATE INDEX more ON commands (seq) WHERE seq > 1",
    "column that is computed": "ALTER TABLE commands ADD COLUMN more INTEGER AS (seq * 2)",
    "table without a column": "ALTER TABLE clock DROP COLUMN wall_s",
    "table that is missing": "DROP TABLE latency",
    "index in the pages of a table": "PRAGMA writable_schema = ON; "
    "UPDATE sqlite_master SET rootpage = 2 WHERE name = 'idx_commands_game_seq'",
    "step from the future": "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('gamekit', '_of_the_future')",
}


def _texts_as_bytes(connection: sqlite3.Connection) -> None:
    """A table without types, in which a text is a blob."""
    text = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'commands'").fetchone()[0]
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'commands'", (text.replace("STRICT", ""),))
    connection.execute("PRAGMA writable_schema = OFF")
    version = connection.execute("PRAGMA schema_version").fetchone()[0]
    connection.execute(f"PRAGMA schema_version = {version + 1}")
    connection.execute("UPDATE commands SET commands = x'5b5d', tick = 'soon'")


#: What needs a little more than SQL.
_WORK: dict[str, Any] = {"commands that are bytes": _texts_as_bytes}


def _row(**fields: Any) -> Callable[[Past], Past]:
    return lambda past: replace(past, row=replace(past.row, **fields))


def _id(text: str) -> Callable[[Past], Past]:
    def change(past: Past) -> Past:
        chained = _chained(past, game=GameId(text))
        kept = [replace(one, game=GameId(text)) for one in past.snapshots]
        return replace(chained, row=replace(past.row, id=GameId(text)), snapshots=kept)

    return change


def _chained(past: Past, **fields: Any) -> Past:
    """The last record with other fields, and the chain made anew."""
    chain, records = "", []
    for number, one in enumerate(past.records, 1):
        here = {**fields} if number == len(past.records) or "game" in fields else {}
        made = replace(one, **here)
        try:
            chain = chain_of(chain, made.game, made.epoch, made.seq, made.tick, made.commands)
        except UnicodeEncodeError:
            chain = "0" * 32
        records.append(replace(made, chain=chain))
    return replace(past, records=records)


def _record(**fields: Any) -> Callable[[Past], Past]:
    return lambda past: _chained(past, **fields)


def _entry(**fields: Any) -> Callable[[Past], Past]:
    entry = {"player": "p2", "client": "lab", "cid": 0, "body": {"type": "join", "name": "Two"}} | fields
    return _record(commands=json.dumps([entry]))


def _many_entries() -> str:
    return "[" + ",".join(['{"player":"p1","client":"","cid":0,"body":0}'] * 250_000) + "]"


def _last(change: Callable[[Saved], None]) -> Callable[[Past], Past]:
    """The last snapshot with other content, and its digest made anew."""

    def changed(past: Past) -> Past:
        *before, last = past.snapshots
        saved = read_saved(last.data)
        change(saved)
        data = msgspec.msgpack.encode(saved)
        return replace(past, snapshots=[*before, replace(last, data=data, digest=digest_of(data))])

    return changed


def _set(name: str, value: Any) -> Callable[[Past], Past]:
    return _last(lambda saved: setattr(saved, name, value))


def _blown_up(past: Past, count: int, size: int) -> Past:
    data = bytes(size)
    digest = digest_of(data)
    more = [StoredSnapshot(past.row.id, 20 + number, 2, digest, data, 1) for number in range(1, count + 1)]
    return replace(past, snapshots=[past.snapshots[0], *more], tick=20 + count)


def _far(past: Past, tick: int, *, record: bool = False, snapshot: bool = False) -> Past:
    """A game that comes to a tick that nothing leads to, whatever of it says so beside the clock."""
    here = _chained(past, tick=tick) if record else past
    last = [replace(past.snapshots[1], tick=tick)] if snapshot else []
    return replace(here, tick=tick, snapshots=[past.snapshots[0], *last])


#: What is changed before it is written, so that every checksum is right.
_PAST: dict[str, Any] = {
    "id that is a path": _id("../.."),
    "id with blanks": _id("a game"),
    "id that is too long": _id("g" * 65),
    "id that is empty": _id(""),
    "record at a tick before zero": _record(tick=-1),
    "record far in the future": _record(tick=2**62),
    "record and clock far in the future": lambda past: _far(past, 10**12, record=True),
    "record, snapshot and clock far in the future": lambda past: _far(past, 2**52, record=True, snapshot=True),
    "snapshot and clock far in the future": lambda past: _far(past, 2**52, snapshot=True),
    "record a month after the last snapshot": lambda past: _far(past, 25_920_000, record=True),
    "record of a run that has not begun": _record(epoch=99),
    "record with a number out of order": _record(seq=7),
    "record that is no JSON": _record(commands="["),
    "record that is no list": _record(commands='{"a": 1}'),
    "record nested deeply": _entry(body=json.loads("[" * 500 + "]" * 500)),
    "record nested very deeply": _record(commands="[" * 100_000 + "]" * 100_000),
    "record of somebody who is a path": _entry(player="../.."),
    "record of a client that is a path": _entry(client="a/b"),
    "record of ten megabytes": lambda past: _chained(past, commands=_many_entries()),
    "command of a megabyte": _entry(body={"type": "join", "name": "x", "more": [[]] * 300_000}),
    "answers without end": _set("answers", {"p1/c": [Answer(cid=1, tick=1, seq=1)] * 2_500_000}),
    "record with an impossible number": _entry(cid=2**60),
    "record of the owner that is no command of theirs": _entry(player="@admin"),
    "record of the owner at an impossible speed": _entry(player="@admin", body={"type": "set_speed", "speed": 1e300}),
    "owner among the players of a snapshot": _last(lambda saved: saved.players.update({PlayerId("@admin"): "Me"})),
    "path among the players of a snapshot": _last(lambda saved: saved.players.update({PlayerId("../.."): "Me"})),
    "player of a snapshot with an unseen name": _last(lambda saved: saved.players.update({PlayerId("p3"): "\x00"})),
    "speed of nothing": _set("speed", 0.0),
    "speed that is no number": _set("speed", float("nan")),
    "speed without end": _set("speed", float("inf")),
    "held before zero": _set("hold_at", -5),
    "held at the end of numbers": _set("hold_at", 2**62),
    "answers to a path": _last(lambda saved: saved.answers.update({"../../x": []})),
    "state that is none": _set("state", b"\x93\x01\x02"),
    "state of another format": _set("format", 99),
    "snapshot that expands to 300 MB": lambda past: _blown_up(past, 1, 300 * MB),
    "snapshots that expand to 240 MB": lambda past: _blown_up(past, 12, 20 * MB),
    "snapshots that expand to 400 MB": lambda past: _blown_up(past, 20, 20 * MB),
}


def _lying(base: bytes) -> bytes:
    """A snapshot that says it is small and expands to 300 MB."""
    return _patched(
        base, "UPDATE snapshots SET data = ?, plain_bytes = 100 WHERE seq = 2", zlib.compress(bytes(300 * MB))
    )


def _patched(base: bytes, sql: str, *values: Any) -> bytes:
    path = Path(tempfile.gettempdir()) / f"hostile-{os.getpid()}.db"
    path.write_bytes(base)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(sql, values)
    changed = path.read_bytes()
    path.unlink()
    return changed


def _in_circles(base: bytes) -> bytes:
    """Every page that is not the first points into others of itself: its first 100 bytes are those of page 2."""
    pages = [base[at : at + 4096] for at in range(0, len(base), 4096)]
    return b"".join([pages[0], *(pages[1][:100] + page[100:] for page in pages[1:])])


#: What is changed in the file itself.
_BYTES: dict[str, Any] = {
    "text": lambda base: b"no capsule " * 1000,
    "nothing": lambda base: b"",
    "half a file": lambda base: base[: len(base) // 2],
    "pages in circles": _in_circles,
    "zeros in the middle": lambda base: base[:8192] + bytes(len(base) - 16384) + base[-8192:],
    "snapshot that lies about its size": _lying,
}
