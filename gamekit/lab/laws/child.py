"""`python -m gamekit.lab.laws.child`: play a stretch again in a process of its own, with another hash seed and time.

The clocks that Python code can read are a year and some hours ahead here, so that rules that ask for the day differ
too. Reads from standard input eight bytes of length, then what to do, pickled; writes what it noted to standard
output. It ends when standard input does, so not later than the process that started it. Whatever the rules print goes
to standard error.
"""

from __future__ import annotations

import datetime
import os
import pickle
import sys
import threading
import time
from typing import Any

import msgspec


def main() -> None:
    """Do it, and write `[error or None, notes]`."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        size = int.from_bytes(_read(8), "big")
        paths, work = pickle.loads(_read(size))
        threading.Thread(target=_end_with_parent, daemon=True).start()
        sys.path[:] = paths
        _set_clocks()
        out.write(msgspec.msgpack.encode(_done(work)))


def _done(work: bytes) -> tuple[str | None, bytes]:
    from gamekit.lab.laws.playback import notes_to_bytes, played

    notes: list[Any] = []
    try:
        game, playback, way = pickle.loads(work)
        for note in played(game, playback, way):
            if not note.repeats(notes):
                notes.append(note)
    except Exception as error:
        # Whatever rules raise: the one who asked tells it.
        return f"{type(error).__name__}: {error}", notes_to_bytes(notes)
    return None, notes_to_bytes(notes)


#: How far the clocks are ahead, in seconds: another year, month, weekday, hour, minute and second.
AHEAD_S = 400 * 86_400 + 7 * 3_600 + 11 * 60 + 13


def _set_clocks() -> None:
    """Set every clock of `time` and `datetime` ahead, before any rules are read."""
    clocks = ("time", "monotonic", "perf_counter", "process_time", "thread_time")
    for name, ahead in [*((name, AHEAD_S) for name in clocks), *((f"{name}_ns", AHEAD_S * 10**9) for name in clocks)]:
        setattr(time, name, _later(getattr(time, name), ahead))
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _at(getattr(time, name)))
    setattr(datetime, "datetime", _Datetime)  # noqa: B010 - mypy knows it as final
    setattr(datetime, "date", _Date)  # noqa: B010


def _later(clock: Any, ahead: int) -> Any:
    return lambda: clock() + ahead


def _at(told: Any) -> Any:
    return lambda seconds=None: told(time.time() if seconds is None else seconds)


class _Datetime(datetime.datetime):
    """Now is later."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return super().now(tz) + datetime.timedelta(seconds=AHEAD_S)

    @classmethod
    def today(cls) -> Any:
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(datetime.UTC).replace(tzinfo=None)


class _Date(datetime.date):
    """Today is later."""

    @classmethod
    def today(cls) -> Any:
        return _Datetime.now().date()


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


def _read(size: int) -> bytes:
    """So many bytes of standard input; without Python's buffer, whose lock the thread above would hold at the end."""
    got = bytearray()
    while len(got) < size and (more := os.read(0, min(size - len(got), 1 << 20))):
        got += more
    return bytes(got)


if __name__ == "__main__":
    main()
