"""Many runs at once: over rules, scenarios and seeds, on any executor, resumable."""

from gamekit.lab.sweeps.jobs import derived_seeds
from gamekit.lab.sweeps.sweep import Sweep, sweep

__all__ = ["Sweep", "derived_seeds", "sweep"]
