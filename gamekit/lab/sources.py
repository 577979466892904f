"""Where a past comes from: a live game, a capsule, a database, or somebody who has it in hand already."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from gamekit.capsule import past_of, read_capsule, read_game
from gamekit.errors import ConfigError, JournalError
from gamekit.game import Command, Game, GameId, Join, PlayerId, Tick
from gamekit.history import first_session, stored
from gamekit.journal import GameRow, Past, Record, SqliteJournal, back_up, chain_of
from gamekit.lab.own import Own, rules_of
from gamekit.lab.ticks import whole
from gamekit.space import SpaceGame


def past_from(source: Any, *, game: str | None = None, tick: Tick | None = None) -> Past:
    """The past that a source means, cut after `tick`.

    Args:
        source: a live game (a handle of `gamekit.Client` with the admin token), the path of a capsule or database, a
            `Past`, or anything with a `past` of its own (a `Replay`, a `Branch`).
        game: which game, when the source is a database of several.
        tick: cut after it; by default all there is, and of a live game all up to now.

    Raises:
        ConfigError: it is none of these.
        JournalError: the past is damaged, or has not come to the tick.
        RequestRefused: the server does not hand the game out.
    """
    tick = None if tick is None else whole(tick)
    if isinstance(source, Past):
        from gamekit.capsule import reader_of

        return past_of(reader_of(source), source.row.id, tick)
    if isinstance(source, str | Path):
        return read_past(Path(source), game=game, tick=tick)
    from gamekit.client.blocking import BaseGame

    if isinstance(source, BaseGame):
        with tempfile.TemporaryDirectory(prefix="gamekit-past-") as directory:
            return read_capsule(source.export(Path(directory) / "game.capsule", tick=tick))
    own = getattr(source, "past", None)
    if isinstance(own, Past):
        return past_from(own, tick=tick)
    raise ConfigError(
        f"A past comes from a live game, the path of a capsule or database, a replay or a branch, not from {source!r}."
    )


def read_past(path: Path, *, game: str | None = None, tick: Tick | None = None) -> Past:
    """The past in a capsule or a database, also in one of an older gamekit, of which a copy is brought up to date.

    Raises:
        JournalError: it is none, or is damaged.
    """
    try:
        return _read(path, game, tick)
    except JournalError as error:
        if "by an older gamekit" not in error.message:
            raise
    with tempfile.TemporaryDirectory(prefix="gamekit-past-") as directory:
        copy = Path(directory) / "copy.capsule"
        # With what is in its log: the latest of a server that runs or was killed.
        try:
            back_up(path, copy)
        except sqlite3.Error as error:
            raise JournalError("read a game's past", f"{path}: {error}", hint="check the file") from None
        journal = SqliteJournal(copy)
        try:
            journal.start(lambda _: None)
        finally:
            journal.close()
        return _read(copy, game, tick)


def _read(path: Path, game: str | None, tick: Tick | None) -> Past:
    return read_game(path, GameId(game) if game else None, tick)


def new_past(
    scenario: Any = None,
    rules: Mapping[str, Any] | None = None,
    seed: int = 1,
    *,
    game: Game[Any] | None = None,
    name: str = "Played here",
) -> Past:
    """The past of a game that is just being made, of which nothing has happened yet.

    Raises:
        ConfigError: scenario, rules or seed are wrong.
    """
    played = SpaceGame() if game is None else game
    settings = {"rules": dict(rules or {})} | ({} if scenario is None else {"scenario": scenario})
    try:
        config = json.dumps(settings, sort_keys=True)
    except (TypeError, ValueError) as error:
        text = f"scenario and rules must be plain values (text, numbers, lists, mappings): {error}."
        raise ConfigError(text) from None
    # The id is decided by what the game is made from, so that the same game made twice is the same capsule.
    told = hashlib.blake2b(f"{played.name}/{seed}/{config}".encode(), digest_size=5).hexdigest()
    row = GameRow(GameId(told), played.name, played.version, name, config, seed, 0.0, 1)
    first = first_session(played, row)
    return Past(row=row, records=[], snapshots=[stored(first, first.snapshot(), tick=0, seq=0)], tick=0)


def made_anew(past: Past, game: Game[Any], rules: Mapping[str, Any]) -> Past:
    """The same commands in a game that is made with other rules, to be played from its beginning.

    Raises:
        ConfigError: a rule is wrong.
    """
    made = configured(past, game, rules)
    first = first_session(game, made.row)
    return replace(made, snapshots=[stored(first, first.snapshot(), tick=0, seq=0)])


def configured(past: Past, game: Game[Any], rules: Mapping[str, Any] | None) -> Past:
    """The same past, made with other rules by other code; its snapshots are still those of before."""
    config = json.loads(past.row.config)
    config["rules"] = {**config.get("rules", {}), **(rules or {})}
    return replace(past, row=replace(past.row, config=json.dumps(config), version=game.version, game=game.name))


def with_commands(past: Past, asked: Sequence[tuple[Tick, PlayerId, Command]], tick: Tick) -> Past:
    """The past of a new game with these commands in it, in order, and its end at a tick."""
    row, chain = past.row, ""
    records: list[Record] = []
    players: dict[PlayerId, str] = {}
    for at, group in groupby(asked, key=lambda one: one[0]):
        entries = []
        for _, player, command in group:
            entries.append({"player": player, "client": "lab", "cid": 0, "body": msgspec.to_builtins(command)})
            if isinstance(command, Join):
                players[player] = command.name
        text, seq = json.dumps(entries, ensure_ascii=False), len(records) + 1
        chain = chain_of(chain, row.id, row.epoch, seq, at, text)
        records.append(Record(row.id, row.epoch, seq, at, text, chain))
    return replace(past, records=records, players=players, tick=tick)


def rules_for(past: Past, rules: Own = None, source: Any = None) -> Game[Any]:
    """The rules to replay a past by.

    Args:
        past: the past.
        rules: what was asked for.
        source: where the past came from; a replay, a branch or a stored game brings its rules along.

    Raises:
        ConfigError: the bundled game is not the one, and no other was given.
    """
    if rules is not None:
        return rules_of(rules)
    # Those of a live game are a question to its server, which would wake it.
    brought: Any = source.rules if isinstance(getattr(source, "past", None), Past) else None
    if hasattr(brought, "command_type"):
        unchecked: Game[Any] = getattr(brought, "unchecked", brought)
        return unchecked
    if past.row.game != SpaceGame.name:
        raise ConfigError(f"Game {past.row.id} is a {past.row.game!r}; give its rules with rules=.")
    return SpaceGame()
