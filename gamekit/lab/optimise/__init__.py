"""Rules that bring a metric to a target, or as high or low as it goes, found by a search and checked on other seeds."""

from gamekit.lab.optimise.result import Optimisation
from gamekit.lab.optimise.search import optimise

__all__ = ["Optimisation", "optimise"]
