"""What a recorded game is expected to do, kept beside its capsule as `NAME.expected.json`.

The numbers are plain JSON, so that a change of them is read in a pull request; the trace is packed, because nobody
reads it.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import time
import zlib
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec.structs import replace

from gamekit.errors import ConfigError
from gamekit.files import replace_text, replacing
from gamekit.game import Tick
from gamekit.history import first_session, stored
from gamekit.journal import Past, write_past
from gamekit.lab.gates.trace import Step, Trace, stepped
from gamekit.space import SpaceGame

FORMAT = 1
_steps = msgspec.msgpack.Decoder(list[Step])
_trace = msgspec.json.Decoder(Trace)


def path_of(capsule: Path) -> Path:
    """Where a capsule's expectation is."""
    return capsule.with_suffix(".expected.json")


def read_expected(capsule: Path) -> Trace | None:
    """What was recorded for a capsule; None when nothing was.

    Raises:
        ConfigError: the file is there and cannot be understood.
    """
    path = path_of(capsule)
    if not path.exists():
        return None
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.pop("format") != FORMAT:
            raise ConfigError(f"{path}: it is of another format; record it anew with `gamekit gate --accept`.")
        packed = zlib.decompress(base64.b85decode(plain.pop("trace")))
        steps = _steps.decode(packed)
        return replace(_trace.decode(msgspec.json.encode({**plain, "steps": []})), steps=steps)
    except (OSError, ValueError, KeyError, zlib.error, msgspec.MsgspecError) as error:
        if isinstance(error, ConfigError):
            raise
        text = f"{path}: {type(error).__name__}: {error}; record it anew with `gamekit gate --accept`."
        raise ConfigError(text) from None


def write_expected(capsule: Path, trace: Trace) -> None:
    """Keep what a capsule's game did as what it is expected to do."""
    packed = base64.b85encode(zlib.compress(msgspec.msgpack.encode(trace.steps), 9)).decode()
    plain = {"format": FORMAT, **{name: getattr(trace, name) for name in trace.__struct_fields__ if name != "steps"}}
    replace_text(path_of(capsule), json.dumps({**plain, "trace": packed}, indent=1) + "\n")


def rewrite_capsule(capsule: Path, past: Past, game: SpaceGame) -> None:
    """Write a past with its snapshots made anew, at the ticks at which they were, by the rules as they are now."""
    with replacing(capsule, private=False) as aside:
        write_past(aside, remade(past, game, [one.tick for one in past.snapshots]), time.time())
        with closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            # Small pages: a corpus is kept under version control, and most tables of a capsule hold next to nothing.
            connection.execute("PRAGMA page_size = 1024")
            connection.execute("VACUUM")


def remade(past: Past, game: SpaceGame, ticks: list[Tick]) -> Past:
    """A past with snapshots of its own code at these ticks, or where the game next stands after them; tick 0 always."""
    kept = []
    wanted = sorted(set(ticks) - {0})
    first = first_session(game, past.row)
    kept.append(stored(first, first.snapshot(), tick=0, seq=0))
    for session, _ in stepped(past, game):
        if wanted and session.tick >= wanted[0]:
            kept.append(stored(session, session.snapshot(), tick=session.tick, seq=session.seq))
            wanted = [tick for tick in wanted if tick > session.tick]
    return replace(past, snapshots=kept)
