"""Which rule matters for which metric: a design of points, the runs at each, and what follows from them."""

from gamekit.lab.sensitivity.study import Sensitivity, sensitivity

__all__ = ["Sensitivity", "sensitivity"]
