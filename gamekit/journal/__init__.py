"""The durable log of every game: the contract, a memory backend, and SQLite."""

from gamekit.journal.contract import (
    Append,
    Card,
    Clock,
    Completion,
    GameRow,
    Journal,
    JournalReader,
    LatencyRow,
    Past,
    PutLatency,
    PutPlayer,
    Record,
    Reserve,
    SaveSnapshot,
    StoredSnapshot,
    Write,
    chain_of,
    digest_of,
)
from gamekit.journal.health import Health
from gamekit.journal.memory import MemoryJournal
from gamekit.journal.reader import SqliteReader
from gamekit.journal.sqlite import SqliteJournal
from gamekit.journal.thinning import Retention
from gamekit.journal.transfer import back_up, write_past

__all__ = [
    "Append",
    "Card",
    "Clock",
    "Completion",
    "GameRow",
    "Health",
    "Journal",
    "JournalReader",
    "LatencyRow",
    "MemoryJournal",
    "Past",
    "PutLatency",
    "PutPlayer",
    "Record",
    "Reserve",
    "Retention",
    "SaveSnapshot",
    "SqliteJournal",
    "SqliteReader",
    "StoredSnapshot",
    "Write",
    "back_up",
    "chain_of",
    "digest_of",
    "write_past",
]
