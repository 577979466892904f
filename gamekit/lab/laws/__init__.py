"""Whether a designer's rules keep the laws that no single state shows: they are played again, in other ways."""

from gamekit.lab.laws.trials import Laws, try_on

__all__ = ["Laws", "try_on"]
