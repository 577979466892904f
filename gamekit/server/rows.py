"""Pages of rows: a game's records and its measured tick times, so many at a time, read and encoded on a thread.

A game's history and a week of its seconds are large (100,000 records, 600,000 rows), and one answer that held them all
kept the loop from everybody else for seconds. A page ends after `limit` rows or `PAGE_BYTES`, and `next` leads on.
Everything here runs on a thread; nothing of it touches a session.
"""

from __future__ import annotations

import math

import msgspec

from gamekit.game import GameId
from gamekit.journal import JournalReader

#: Rows of a page when nothing else is asked, and at most.
DEFAULT_ROWS = 1_000
MOST_ROWS = 5_000
#: After so many bytes of commands a page ends, in bytes; its last record may go beyond.
PAGE_BYTES = 512 * 1024


def records_page(journal: JournalReader, game: GameId, after_seq: int, limit: int) -> bytes:
    """Records of a game after record `after_seq`, as the JSON `{records, next}`.

    Args:
        journal: where they are.
        game: whose.
        after_seq: number of the last record that is known.
        limit: at most so many.

    Returns:
        JSON; `next` is the `after_seq` of the next page, or null after the last record.

    Raises:
        JournalError: they cannot be read, or do not fit together.
    """
    page: list[dict[str, object]] = []
    size, more = 0, False
    for record in journal.records(game, after_seq=after_seq):
        if len(page) >= limit or size >= PAGE_BYTES:
            more = True
            break
        commands = record.commands.encode()
        size += len(commands)
        head = {"seq": record.seq, "epoch": record.epoch, "tick": record.tick, "chain": record.chain}
        page.append({**head, "commands": msgspec.Raw(commands)})
    return msgspec.json.encode({"records": page, "next": page[-1]["seq"] if more else None})


def latency_page(journal: JournalReader, game: GameId, since_s: float, after_s: float | None, limit: int) -> bytes:
    """Measured tick times of a game, as the JSON `{rows, next}`.

    Args:
        journal: where they are.
        game: whose.
        since_s: from this Unix time in seconds on.
        after_s: only those later than this time, which is the `next` of the page before.
        limit: at most so many.

    Returns:
        JSON; `next` is the `after_s` of the next page, or null after the last row.

    Raises:
        JournalError: they cannot be read.
    """
    if after_s is not None:
        since_s = max(since_s, math.nextafter(after_s, math.inf))
    found = journal.latency(game, since_s, limit + 1)
    if len(found) <= limit:
        return msgspec.json.encode({"rows": found, "next": None})
    # The next page begins after a time, so rows of one time stay together; where all are of one, they are all there is.
    page = [one for one in found[:limit] if one.at_s != found[limit].at_s] or found[:limit]
    return msgspec.json.encode({"rows": page, "next": page[-1].at_s})
