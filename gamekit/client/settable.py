"""Handles on which a typing mistake is an error: `game.spede = 20` would be kept in silence, and do nothing."""

from __future__ import annotations

from difflib import get_close_matches

#: What is read as an attribute and changed by a call.
_CALLS = {
    "paused": "pause() and resume()",
    "speed": "set_speed(20)",
    "rules": "set_rules(field=value)",
    "tick": "step(ticks)",
}


class Settable:
    """Takes values for what its class declares, and for what has a setter."""

    def __setattr__(self, name: str, value: object) -> None:
        kind = type(self)
        declared = any(name in getattr(one, "__annotations__", ()) for one in kind.__mro__)
        if not (declared or name.startswith("_") or _has_setter(kind, name)):
            raise AttributeError(f"A game has no {name!r} that can be set.{_hint(kind, name)}")
        super().__setattr__(name, value)


def _has_setter(kind: type, name: str) -> bool:
    known = getattr(kind, name, None)
    return isinstance(known, property) and known.fset is not None


def _hint(kind: type, name: str) -> str:
    settable = [key for key in dir(kind) if _has_setter(kind, key)]
    for close in get_close_matches(name, [*settable, *_CALLS], 1):
        return f" Did you mean {close}?" if close in settable else f" Call {_CALLS[close]}."
    return ""
