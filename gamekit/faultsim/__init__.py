"""A world in which faults are injected: one seed runs hosts, clients, network and disk in one process, in virtual time.

What runs is the production's session, host, runner, history and journal admission; what is simulated is what they
stand on (`loop`, `disk`, `store`, `network`) and who uses them (`clients`, `machine`). An `auditor` with a model of its
own checks the promises at every step. The same seed gives the same trace, bit for bit.

Knows nothing of sockets, files, threads or real time.
"""

from gamekit.faultsim.ratios import CALM, Ratios, parse_ratios
from gamekit.faultsim.simulation import Simulation, Verdict, simulate_faults
from gamekit.faultsim.world import PromiseBroken

__all__ = ["CALM", "PromiseBroken", "Ratios", "Simulation", "Verdict", "parse_ratios", "simulate_faults"]
