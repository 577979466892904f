"""The check of a game from elsewhere before it is believed: its row, records, snapshots, players and clock.

Checksums say that a history is whole, not that it is honest: whoever writes a file can compute them. Everything that a
server would later act on (ids in URLs, players that get tokens, ticks that it would live through, texts that it would
decode) is looked at here first, in one place, for imports, `verify`, forks and notebooks. The rules of the game judge
their own state; they are no part of this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from gamekit.errors import GamekitError, JournalCorrupt
from gamekit.game import TICK_HZ, GameId, PlayerId, Tick
from gamekit.journal import GameRow, Past, Record, SqliteReader, StoredSnapshot
from gamekit.journal.rows import LARGEST, whole
from gamekit.names import taken_as_it_is
from gamekit.session import control
from gamekit.session.records import Entry, Saved, read_control, read_line, read_saved
from gamekit.wire import MAX_CID, MAX_CLIENT_CHARS, MAX_MESSAGE_BYTES

#: Most records, bytes of commands, snapshots and bytes of snapshots before compression of a game that is taken in; and
#: most bytes of its configuration.
MAX_RECORDS = 2_000_000
MAX_COMMANDS_BYTES = 512 << 20
MAX_RECORD_BYTES = 8 << 20
MAX_SNAPSHOTS = 20_000
MAX_SNAPSHOTS_BYTES = 256 << 20
#: Above so many bytes of snapshots, they may expand to this many times what is stored.
EXPANDING_BYTES = 128 << 20
MAX_EXPANSION = 100
MAX_CONFIG_BYTES = 8 << 20
#: The same of a game that is in a server's own database, which has taken it when it was made.
MAX_OWN_CONFIG_BYTES = 64 << 20
#: Most bytes of what a session remembers of its clients and players: small values take ten times that in memory.
MAX_ANSWERS_BYTES = 8 << 20
MAX_PLAYERS = 10_000
#: Largest command: some times what a server takes.
MAX_BODY_BYTES = 4 * MAX_MESSAGE_BYTES
#: Deepest nesting of the configuration.
MAX_DEPTH = 64
#: Longest display name of a game, of whatever version.
MAX_NAME_CHARS = 200
#: How far a clock may be after the last snapshot of a game. What lies between is lived through on opening: a week of a
#: game that is taken in, a year of a server's own, or of one that is cut at an earlier tick.
MAX_AHEAD = 7 * 24 * 3600 * TICK_HZ
MAX_OWN_AHEAD = 366 * 24 * 3600 * TICK_HZ
#: How far a record or snapshot may be after the one before it: a replay from the beginning lives through that. A fast
#: game of which few snapshots are kept comes far.
MAX_BETWEEN = 10 * MAX_OWN_AHEAD
#: Slowest and fastest game.
SPEEDS = (0.1, 1000.0)

_PLAYER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DIGEST = re.compile(r"[0-9a-f]{32}")


class _Outline(msgspec.Struct):
    """A session's snapshot, of which only sizes are looked at."""

    players: msgspec.Raw
    answers: msgspec.Raw


_outline = msgspec.msgpack.Decoder(_Outline)


def check_file(reader: SqliteReader, game: GameId) -> None:
    """Make sure that a game in a file is small enough to be loaded, before anything of it is.

    Raises:
        JournalCorrupt: there is too much of something.
    """
    sizes = reader.sizes(game)
    for what, found, most in (
        ("records", sizes.records, MAX_RECORDS),
        ("bytes of commands", sizes.commands_bytes, MAX_COMMANDS_BYTES),
        ("bytes in one record", sizes.largest_record_bytes, MAX_RECORD_BYTES),
        ("snapshots", sizes.snapshots, MAX_SNAPSHOTS),
        ("bytes of snapshots", sizes.plain_bytes, _expansion(sizes.stored_bytes)),
        ("players", sizes.players, MAX_PLAYERS),
    ):
        if not whole(found) or found > most:
            raise _bad(game, f"it says that it has {found} {what}, at most {most:,} are taken in")


def _expansion(stored_bytes: int) -> int:
    """How many bytes of snapshots are taken in that are stored in so many."""
    return min(MAX_SNAPSHOTS_BYTES, max(EXPANDING_BYTES, MAX_EXPANSION * stored_bytes))


def check_past(past: Past, *, own: bool = False, cut: bool = False) -> None:
    """Make sure that a whole past could have been written by a server.

    Args:
        past: the past.
        own: it is only looked at where it is, not taken in: its clock may be further ahead.
        cut: it was cut at a tick that was asked for, so its last snapshot may be long before.

    Raises:
        JournalCorrupt: something in it could not; the message says what.
    """
    row = past.row
    if not own:
        check_config_size(row)
    check_row(row)
    if not taken_as_it_is(row.name, MAX_NAME_CHARS):
        raise _bad(row.id, "its name has characters that cannot be shown; give it another with `gamekit fork --name`")
    ticks: list[Tick] = [0]
    epoch = 0
    for record in past.records:
        check_record(record)
        if record.epoch < epoch or record.epoch > row.epoch:
            raise _bad(row.id, f"record {record.seq} is of run {record.epoch}, which was over or had not begun")
        epoch = record.epoch
        ticks.append(record.tick)
    for snapshot in past.snapshots:
        check_snapshot(snapshot)
        # A snapshot is of a tick between the record before it and the one after it.
        after = ticks[snapshot.seq + 1] if snapshot.seq + 1 < len(ticks) else past.tick
        if not ticks[snapshot.seq] <= snapshot.tick <= after:
            raise _bad(row.id, f"a snapshot after record {snapshot.seq} is of tick {snapshot.tick}")
    check_players(row.id, past.players)
    kept = sorted(one.tick for one in past.snapshots)
    for before, after in pairwise(sorted({*ticks, *kept})):
        check_clock(row.id, after, before, MAX_BETWEEN)
    check_clock(row.id, past.tick, kept[-1], MAX_OWN_AHEAD if own or cut else MAX_AHEAD)


def check_row(row: GameRow) -> None:
    """Make sure that a game's row can be used.

    Raises:
        JournalCorrupt: it cannot.
    """
    if row.damaged is not None:
        raise _bad(row.id, row.damaged)
    if row.version > 2**31 or row.epoch > 2**31:
        raise _bad(row.id, f"its version {row.version} or epoch {row.epoch} is none")
    if configuration(row) is None:
        raise _bad(row.id, "its configuration is no JSON object, is nested too deeply or is too long")


def check_config_size(row: GameRow) -> None:
    """Make sure that a configuration from elsewhere is small enough to be read; before it is.

    Raises:
        JournalCorrupt: it is not.
    """
    if len(row.config) > MAX_CONFIG_BYTES:
        raise _bad(row.id, f"its configuration has {len(row.config):,} characters, at most {MAX_CONFIG_BYTES:,}")


def configuration(row: GameRow) -> dict[str, object] | None:
    """What a game was made from; None when that is no JSON object within limits."""
    if len(row.config) > MAX_OWN_CONFIG_BYTES:
        return None
    try:
        # Strictly: what Python's own module takes as well (half a surrogate, NaN) cannot be told to a browser.
        config = msgspec.json.decode(row.config)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if not isinstance(config, dict) or not isinstance(config.get("rules", {}), dict):
        return None
    if not isinstance(config.get("scenario", ""), str | dict):
        return None
    return config if _depth_within(config, MAX_DEPTH) else None


def check_record(record: Record) -> None:
    """Make sure that a record's commands can be read, and are of players and the owner.

    Raises:
        JournalCorrupt: they are not.
    """
    try:
        line = read_line(record.seq, record.tick, record.commands)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _bad(record.game, f"the commands of record {record.seq} cannot be read ({error})") from None
    for entry in line.entries:
        if entry.player != control.ADMIN and not _PLAYER.fullmatch(entry.player):
            raise _bad(record.game, f"record {record.seq} has a command of {entry.player[:64]!r}, who is no player")
        if not 0 <= entry.cid <= MAX_CID or len(entry.client) > MAX_CLIENT_CHARS or "/" in entry.client:
            raise _bad(record.game, f"record {record.seq} has a command with an impossible number or client")
        if wrong := _wrong_body(entry):
            raise _bad(record.game, f"record {record.seq} has a command that {wrong}")


def check_snapshot(snapshot: StoredSnapshot) -> None:
    """Make sure that what the session keeps in a snapshot is what a session keeps.

    Raises:
        JournalCorrupt: it is not.
    """
    try:
        outline = _outline.decode(snapshot.data)
        small = max(len(outline.answers), len(outline.players)) <= MAX_ANSWERS_BYTES
        saved = read_saved(snapshot.data) if small else None
    except (msgspec.MsgspecError, GamekitError, ValueError, RecursionError) as error:
        raise _bad(snapshot.game, f"the snapshot at tick {snapshot.tick} cannot be read ({error})") from None
    if wrong := "more is remembered of players than is" if saved is None else _wrong_in(saved):
        raise _bad(snapshot.game, f"in the snapshot at tick {snapshot.tick} {wrong}")
    if not _DIGEST.fullmatch(snapshot.digest) or snapshot.version > 2**31:
        raise _bad(snapshot.game, f"the snapshot at tick {snapshot.tick} has an impossible digest or version")


def check_players(game: GameId, players: dict[PlayerId, str]) -> None:
    """Make sure that players are players: one by the owner's id would get a token that gives the owner's commands.

    Raises:
        JournalCorrupt: one is not.
    """
    if len(players) > MAX_PLAYERS:
        raise _bad(game, f"it has {len(players)} players, at most {MAX_PLAYERS:,} are taken in")
    for player, name in players.items():
        if wrong := _wrong_player(player, name):
            raise _bad(game, wrong)


def check_clock(game: GameId, tick: Tick, known: Tick, most: int) -> None:
    """Make sure that a clock, or the next record or snapshot, is near the last thing that is known of a game.

    Args:
        game: whose.
        tick: what the clock shows, or where the record or snapshot is.
        known: the tick of the last record or snapshot before it.
        most: how far it may be ahead, in ticks.

    Raises:
        JournalCorrupt: it is not; living through the time between would take too long, or never end.
    """
    if not whole(tick) or tick - known > most:
        raise _bad(
            game,
            f"it comes to tick {tick}, and the last that is known of it before is of tick {known}; at most {most:,} "
            "ticks may lie between. If it slept for long, open it once where it was, and export it again",
        )


def _wrong_body(entry: Entry) -> str | None:
    """What is wrong with a command, as far as that can be said without the rules of its game."""
    if len(entry.body) > MAX_BODY_BYTES:
        return "is too long"
    try:
        if not _depth_within(msgspec.json.decode(entry.body), MAX_DEPTH):
            return "is nested too deeply"
        refused = control.check(read_control(entry.body)) if entry.player == control.ADMIN else None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return f"cannot be read ({error})"
    return None if refused is None else f"no owner could give: {refused.message}"


def _wrong_in(saved: Saved) -> str | None:
    if not SPEEDS[0] <= saved.speed <= SPEEDS[1]:
        return f"the speed is {saved.speed}"
    if saved.hold_at is not None and not whole(saved.hold_at):
        return f"time is held at tick {saved.hold_at}"
    if len(saved.players) > MAX_PLAYERS:
        return f"are {len(saved.players)} players"
    for player, name in saved.players.items():
        if wrong := _wrong_player(player, name):
            return wrong
    for key, answers in saved.answers.items():
        whose, _, client = key.partition("/")
        if whose != control.ADMIN and not _PLAYER.fullmatch(whose):
            return f"are answers to {key[:64]!r}, who is no player"
        if len(client) > MAX_CLIENT_CHARS or not all(_sane(one.cid, one.tick, one.seq) for one in answers):
            return f"are impossible answers to {key[:64]!r}"
    return None


def _sane(*numbers: int) -> bool:
    return all(0 <= number <= LARGEST for number in numbers)


def _wrong_player(player: PlayerId, name: str) -> str | None:
    if not _PLAYER.fullmatch(player):
        return f"the player {player[:64]!r} has an id that no player has"
    if not taken_as_it_is(name, MAX_NAME_CHARS):
        return f"the player {player} has a name that cannot be shown"
    return None


def _depth_within(value: object, most: int) -> bool:
    level = [value]
    for _ in range(most):
        following: list[object] = []
        for one in level:
            # Level by level, and of those inside only what can hold more: empty ones are most of a forged value.
            inner: Iterable[object] = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
            following.extend(deeper for deeper in inner if deeper and isinstance(deeper, dict | list))
        if not following:
            return True
        level = following
    return False


def _bad(game: GameId, what: str) -> JournalCorrupt:
    return JournalCorrupt(
        "check a game", f"game {game} is not as a server writes it: {what}", hint="take a file that gamekit has written"
    )
