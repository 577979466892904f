"""What is wrong with an economy, why, and what would help: `doctor(...)` gives a frame with a row for each finding.

It looks at one moment: a simulation's end, a state, or a live game through the eyes of whoever asks. Who sees less,
finds less: another player's cargo is not seen in a live game.
"""

from gamekit.lab.doctor.findings import COLUMNS, Finding, doctor, examine

__all__ = ["COLUMNS", "Finding", "doctor", "examine"]
