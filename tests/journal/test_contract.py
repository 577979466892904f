"""The contract over every backend."""

from __future__ import annotations

from .contract import JournalContract


class TestContract(JournalContract):
    """Run for each parameter of the `stage` fixture."""
