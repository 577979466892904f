"""Packages that only some tools need: imported when they are used, and asked for by name when they are not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from gamekit.errors import ConfigError


def needed(module: str, extra: str, purpose: str) -> Any:
    """A module of an optional package.

    Args:
        module: its full name.
        extra: the extra of gamekit that brings it.
        purpose: what needs it, as the beginning of a sentence.

    Raises:
        ConfigError: it is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or module).partition(".")[0]
        raise ConfigError(
            f"{purpose} needs the package {missing}, which is not installed: pip install 'gamekit[{extra}]', "
            "then restart the kernel."
        ) from error
