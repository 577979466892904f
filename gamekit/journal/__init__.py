"""The durable log of every game: the contract, a memory backend, and SQLite."""

from gamekit.journal.contract import (
    Append,
    Clock,
    Completion,
    GameRow,
    Journal,
    LatencyRow,
    PutLatency,
    PutPlayer,
    Record,
    Reserve,
    SaveSnapshot,
    StoredSnapshot,
    Write,
    chain_of,
)

__all__ = [
    "Append",
    "Clock",
    "Completion",
    "GameRow",
    "Journal",
    "LatencyRow",
    "PutLatency",
    "PutPlayer",
    "Record",
    "Reserve",
    "SaveSnapshot",
    "StoredSnapshot",
    "Write",
    "chain_of",
]
