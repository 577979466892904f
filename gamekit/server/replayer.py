"""A process that rebuilds games for a server: orders come in on standard input, whole sessions go out.

It only reads the database. It ends when its standard input does, whatever it is at, so it never outlives the server.
What goes wrong is no more than said: the server then does the same work itself, and finds the error where it must be
handled. So it is with games that it does not have: those of a notebook's cells are in a file that is soon gone.

    python -m gamekit.server.replayer DATABASE [MODULE:CLASS ...]
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import struct
import sys
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

import msgspec

from gamekit.errors import GamekitError, ServerBusy
from gamekit.game import Game, GameId, Tick
from gamekit.games import hosted
from gamekit.history import rebuild
from gamekit.journal import Clock, SqliteReader
from gamekit.server.guard import FAULTS

#: What one order may take, in CPU seconds: a game that takes longer is left to the server, where it takes turns with
#: others, so that no other order waits for it.
MOST_S = 1.0
#: How much this process gives way to others, in the sense of nice(1): a server answers beside it.
NICE = 5
#: Before each message stands its length in bytes.
LENGTH = struct.Struct("<I")


class Order(msgspec.Struct, frozen=True):
    """Rebuild this game, which was taken over under this epoch."""

    game: GameId
    epoch: int


class Rebuilt(msgspec.Struct, frozen=True):
    """A session brought back.

    Attributes:
        session: its snapshot as of now, which need not be in the journal; empty when it could not be rebuilt.
        seq: number of the last record in it.
        chain: that record's chain.
        clock: the journal's clock.
        kept: tick of the latest snapshot in the journal, and how many commands came since.
    """

    session: bytes = b""
    seq: int = 0
    chain: str = ""
    clock: Clock | None = None
    kept: tuple[Tick, int] = (0, 0)


def carried_out(order: Order, reader: SqliteReader, games: dict[str, Game[Any]]) -> Rebuilt:
    """What an order asks for, or an empty answer."""
    row = reader.game(order.game)
    if row is None or row.epoch != order.epoch or row.game not in games:
        return Rebuilt()
    until_s = time.process_time() + MOST_S

    def pause() -> bool:
        if time.process_time() > until_s:
            raise ServerBusy(f"game {row.id} takes more than {MOST_S} s")
        return False

    session = rebuild(reader, row, games[row.game], pause=pause)
    return Rebuilt(
        session=session.snapshot(),
        seq=session.seq,
        chain=reader.chain(row.id, session.seq),
        clock=reader.clock(row.id),
        kept=session.kept,
    )


def serve(orders: BinaryIO, answers: BinaryIO, database: Path, games: dict[str, Game[Any]]) -> None:
    """Carry out orders until there are no more."""
    read, write = msgspec.msgpack.Decoder(Order), msgspec.msgpack.Encoder()
    queue: SimpleQueue[bytes] = SimpleQueue()

    def receive() -> None:
        while len(head := orders.read(LENGTH.size)) == LENGTH.size:
            queue.put(orders.read(*LENGTH.unpack(head)))
        # Nobody waits for an answer any more, however long it would still take.
        os._exit(0)

    with SqliteReader(database) as reader:
        threading.Thread(target=receive, name="gamekit-orders", daemon=True).start()
        while True:
            order = read.decode(queue.get())
            try:
                answer = write.encode(carried_out(order, reader, games))
            except FAULTS:
                answer = write.encode(Rebuilt())
            answers.write(LENGTH.pack(len(answer)) + answer)
            answers.flush()


def _known(paths: list[str]) -> dict[str, Game[Any]]:
    """The games that this process has; the server has the others."""
    games = hosted()
    for path in paths:
        with contextlib.suppress(GamekitError):
            games |= hosted([path])
    return games


def main() -> None:
    """Work for the server that started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICE)
    logging.disable()
    # What somebody's rules print must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    database, *paths = sys.argv[1:]
    games = _known(paths)
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    with contextlib.suppress(OSError):
        serve(sys.stdin.buffer, answers, Path(database), games)


if __name__ == "__main__":
    main()
