"""`python -m gamekit.lab.laws.child`: play a stretch again in a process of its own, with another hash seed.

Reads from standard input eight bytes of length, then what to do, pickled; writes what it noted to standard output. It
ends when standard input does, so not later than the process that started it. Whatever the rules print goes to
standard error.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading

import msgspec


def main() -> None:
    """Do it, and write `[error or None, notes]`."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        size = int.from_bytes(_read(8), "big")
        paths, work = pickle.loads(_read(size))
        threading.Thread(target=_end_with_parent, daemon=True).start()
        sys.path[:] = paths
        out.write(msgspec.msgpack.encode(_done(work)))


def _done(work: bytes) -> tuple[str | None, bytes]:
    from gamekit.lab.laws.playback import notes_to_bytes, played

    notes = []
    try:
        game, playback, way = pickle.loads(work)
        for note in played(game, playback, way):
            notes.append(note)
    except Exception as error:
        # Whatever rules raise: the one who asked tells it.
        return f"{type(error).__name__}: {error}", notes_to_bytes(notes)
    return None, notes_to_bytes(notes)


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
