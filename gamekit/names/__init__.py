"""What players, ships, games, sectors, stations, wares and companies may be called: one rule, for all of them.

A name must be seen, and seen as what it is. So whether it can be seen decides, and not what Python calls printable:
nothing invisible, no line breaks, nothing that turns the direction of writing, a few marks on a character at most, and
joiners only where they change what is drawn. `tables` pins the characters, so that the same name is taken everywhere.

`tidied` and `unfit` are for the doors and for new games. What a journal holds was let in by the doors of its time, and
`taken_as_it_is` lets it live again. `Looks` tells names apart that look the same.
"""

from gamekit.names.looks import Looks, look_alikes, told_apart
from gamekit.names.visible import PLAYER_CHARS, as_typed, in_ascii, taken_as_it_is, tidied, unfit

__all__ = [
    "PLAYER_CHARS",
    "Looks",
    "as_typed",
    "in_ascii",
    "look_alikes",
    "taken_as_it_is",
    "tidied",
    "told_apart",
    "unfit",
]
