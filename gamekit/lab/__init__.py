"""Designers' tools: run, measure and look at games from a notebook or a script."""

from gamekit.lab.simulate import Simulation, simulate

__all__ = ["Simulation", "simulate"]
