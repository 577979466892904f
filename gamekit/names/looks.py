"""Names that look the same, and a number behind the later one.

A skeleton stands for what is seen: full width and half width letters, letters of other scripts with the same shape,
marks in another order, joiners, upper and lower case. Two names with one skeleton look alike. It is used where a name
is given, never by a rule of a game; so its tables may grow.

Source: the idea and the pairs of letters are those of Unicode's UTS 39 (confusables), for Latin, Greek and Cyrillic.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from gamekit.names.visible import as_typed

#: Letters of Greek, Cyrillic and Armenian, and signs, by the Latin letter with their shape.
_ALIKE = {
    "A": "\u0391\u0410",
    "B": "\u0392\u0412",
    "C": "\u03f9\u0421",
    "E": "\u0395\u0415",
    "H": "\u0397\u041d",
    "I": "\u0399\u0406\u04c0\u01c0",
    "J": "\u037f\u0408",
    "K": "\u039a\u041a",
    "M": "\u039c\u041c",
    "N": "\u039d",
    "O": "\u039f\u041e\u0555",
    "P": "\u03a1\u0420",
    "Q": "\u051a",
    "S": "\u0405\u054f",
    "T": "\u03a4\u0422",
    "W": "\u051c",
    "X": "\u03a7\u0425",
    "Y": "\u03a5\u0423\u04ae",
    "Z": "\u0396",
    "L": "\u053c",
    "3": "\u0417\u0437\u04e0",
    "a": "\u03b1\u0430\u0251",
    "b": "\u044c",
    "c": "\u03f2\u0441",
    "d": "\u0501",
    "e": "\u0435",
    "g": "\u0261\u0581",
    "h": "\u04bb\u04ba\u0570",
    "i": "\u03b9\u0456\u0131\u0269",
    "j": "\u03f3\u0458\u0237",
    "k": "\u03ba\u043a",
    "l": "\u04cf\u2113\u2223",
    "n": "\u0578\u057c",
    "o": "\u03bf\u043e\u0585",
    "p": "\u03c1\u0440",
    "q": "\u051b\u0566",
    "s": "\u0455",
    "t": "\u03c4",
    "u": "\u03c5\u03bc\u057d",
    "v": "\u03bd\u0475",
    "w": "\u051d",
    "x": "\u03c7\u0445",
    "y": "\u03b3\u0443\u04af\u028f",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2212",
    "'": "\u2019\u2018\u02bc\u055d\u00b4\u0060",
}
_SAME = {ord(one): plain for plain, alike in _ALIKE.items() for one in alike}
#: Shapes that a reader takes for one another in many typefaces.
_SHAPES = str.maketrans({"I": "l", "1": "l", "|": "l", "0": "O", "m": "rn"})
_DROPPED = dict.fromkeys((0x200C, 0x200D, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))


def skeletons(name: str) -> tuple[str, str]:
    """What is seen of a name: its shapes, and its letters without upper and lower case."""
    plain = unicodedata.normalize("NFKD", as_typed(name)).translate(_DROPPED)
    plain = unicodedata.normalize("NFD", plain.translate(_SAME))
    return plain.translate(_SHAPES), plain.casefold()


class Looks:
    """The names that are in use, by what is seen of them.

    Args:
        names: those in use.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._seen: set[str] = set()
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """A name is in use from now on."""
        self._seen.update(skeletons(name))

    def __contains__(self, name: str) -> bool:
        """Whether a name looks like one in use."""
        return not self._seen.isdisjoint(skeletons(name))


def told_apart(name: str, used: Iterable[str], longest: int) -> str:
    """A name, with a number behind it when one of those in use looks the same: "Ada", then "Ada 2", then "Ada 3".

    Args:
        name: the name that is wanted.
        used: those in use.
        longest: how many characters it may have; a long one is cut to make room for the number.
    """
    looks = used if isinstance(used, Looks) else Looks(used)
    number, wanted = 1, name
    while name in looks:
        number += 1
        name = f"{wanted[: longest - len(str(number)) - 1].rstrip()} {number}"
    return name


def look_alikes(names: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of things with names, `(what, name)`, those that look like an earlier one by name: `(what, the earlier one)`."""
    first: dict[str, str] = {}
    found = []
    for what, name in names:
        seen = skeletons(name)
        earlier = next((first[one] for one in seen if one in first), None)
        if earlier is not None:
            found.append((what, earlier))
        for one in seen:
            first.setdefault(one, what)
    return found
