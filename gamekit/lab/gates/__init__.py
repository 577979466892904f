"""Recorded games as a gate: changed rules or code must reproduce them, or the difference is explained."""

from gamekit.lab.gates.gate import Gate, gate
from gamekit.lab.gates.verdict import Verdict

__all__ = ["Gate", "Verdict", "gate"]
