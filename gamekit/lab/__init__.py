"""Designers' tools: run, measure and look at games from a notebook or a script."""

from gamekit.lab.doctor import doctor
from gamekit.lab.routes import trade_routes
from gamekit.lab.simulate import Simulation, simulate

__all__ = ["Simulation", "doctor", "simulate", "trade_routes"]
