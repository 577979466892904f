"""Designers' tools: run, measure and look at games from a notebook or a script."""

# Its types are looked at with the package, and not by the first thread that checks a run.
from gamekit.lab import laws as _laws  # noqa: F401
from gamekit.lab.branch import Branch, begin, fork
from gamekit.lab.compare import Comparison, compare
from gamekit.lab.database import Database, open
from gamekit.lab.diff import Difference, Divergence, diff
from gamekit.lab.doctor import doctor
from gamekit.lab.failures import Failure, check, failure_of
from gamekit.lab.gates import Gate, Verdict, gate
from gamekit.lab.optimise import Optimisation, optimise
from gamekit.lab.play import Played, play
from gamekit.lab.replay import Replay, replay
from gamekit.lab.rerun import rerun
from gamekit.lab.routes import trade_routes
from gamekit.lab.sensitivity import Sensitivity, sensitivity
from gamekit.lab.simulate import Simulation, simulate
from gamekit.lab.single_ticks import tick_percentiles
from gamekit.lab.spans import ship_spans
from gamekit.lab.sweeps import Sweep, derived_seeds, sweep

__all__ = [
    "Branch",
    "Comparison",
    "Database",
    "Difference",
    "Divergence",
    "Failure",
    "Gate",
    "Optimisation",
    "Played",
    "Replay",
    "Sensitivity",
    "Simulation",
    "Sweep",
    "Verdict",
    "begin",
    "check",
    "compare",
    "derived_seeds",
    "diff",
    "doctor",
    "failure_of",
    "fork",
    "gate",
    "open",
    "optimise",
    "play",
    "replay",
    "rerun",
    "sensitivity",
    "ship_spans",
    "simulate",
    "sweep",
    "tick_percentiles",
    "trade_routes",
]
