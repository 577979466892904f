"""Whether a name can be seen, and what is wrong with it if not."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

from gamekit.names.tables import (
    BLANKS,
    EMOJI,
    HAN,
    HAN_VARIANTS,
    JOIN_NEXT,
    JOIN_PREVIOUS,
    MARKS,
    SPACING_MARKS,
    TURNS,
    UNSEEN,
    VARIANTS,
    VIRAMAS,
)

#: Longest name of a player, or of a ship, in characters.
PLAYER_CHARS = 40
#: Longer text is not composed.
_LONGEST = 1_000
#: Marks that one character may carry: Vietnamese has two, Hebrew three, Tibetan stacks four.
MOST_MARKS = 4

_ZWNJ, _ZWJ = 0x200C, 0x200D
_SKIN = range(0x1F3FB, 0x1F400)
_KEYS = frozenset(map(ord, "0123456789#*"))
_KEYCAP = 0x20E3
_BLANKS = re.compile("[" + "".join(map(chr, sorted(BLANKS))) + "]+")
#: A flag of a part of a country: a black flag, its letters as tags, and the end of them.
_TAGGED_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")


def tidied(name: str) -> str:
    """A name as it is kept: composed (NFC), without blanks around it, and with plain single ones inside.

    The same on every Python: only characters of Unicode 3.2 are composed here, whose tables every Python has.
    """
    # Composing takes the square of the time for a long run of marks; what is as long as that is no name.
    if len(name) <= _LONGEST and not name.isascii():
        name = "".join(_composed("".join(run)) if old else "".join(run) for old, run in groupby(name, _is_old))
    return _BLANKS.sub(" ", name).strip(" ")


def _is_old(one: str) -> bool:
    return one.isascii() or unicodedata.ucd_3_2_0.category(one) != "Cn"


def _composed(text: str) -> str:
    return unicodedata.ucd_3_2_0.normalize("NFC", text)


def as_typed(name: str) -> str:
    """What a person typed, tidied, with the newest characters composed too. For the doors; see `tidied`."""
    return tidied(unicodedata.normalize("NFC", name) if len(name) <= _LONGEST else name)


def unfit(name: str, longest: int) -> str | None:
    """What is wrong with a name, as a sentence that says what to do; None when nothing is.

    Args:
        name: the name; blanks around it do not count.
        longest: how many characters it may have.
    """
    text = tidied(name)
    wrong = "there is nothing to see" if not text else f"this one has {len(text)}" if len(text) > longest else None
    wrong = wrong or _unseen(text)
    return None if wrong is None else f"Choose a name of 1 to {longest} printable characters; {wrong}."


def in_ascii(text: str) -> str:
    """What of a text is in ASCII when its letters are taken apart from their marks."""
    return unicodedata.ucd_3_2_0.normalize("NFKD", text).encode("ascii", "ignore").decode()


def taken_as_it_is(name: str, longest: int) -> bool:
    """Whether a name that a door has let in may stand: everything but what breaks lines, pictures and terminals.

    The doors of older versions let in what `unfit` refuses today; their games must live on unchanged.
    """
    return 1 <= len(name) <= longest and bool(name.strip(" ")) and not any(map(_breaks, map(ord, name)))


def _breaks(code: int) -> bool:
    return code < 0x20 or 0x7F <= code < 0xA0 or code in (0x2028, 0x2029) or code in TURNS or 0xD800 <= code < 0xE000


def _unseen(text: str) -> str | None:
    """The first character that cannot be seen where it stands."""
    if text.isascii() and text.isprintable():
        return None
    text = _TAGGED_FLAG.sub("\U0001f3f4", text)
    codes = [ord(one) for one in text]
    marks, seen = 0, False
    for at, code in enumerate(codes):
        if code in MARKS or code in SPACING_MARKS:
            if not at or codes[at - 1] in BLANKS:
                return f"the mark {_code(code)} at place {at + 1} has no character to stand on"
            marks += code in MARKS
            if marks > MOST_MARKS:
                return f"the character before place {at + 1} carries more than {MOST_MARKS} marks"
        elif wrong := _misplaced(codes, at):
            return f"{_code(code)} at place {at + 1} {wrong}"
        elif code in (_ZWNJ, _ZWJ) or code in VARIANTS or code in HAN_VARIANTS:
            continue
        else:
            marks, seen = 0, seen or code not in BLANKS
    return None if seen else "there is nothing to see"


def _misplaced(codes: list[int], at: int) -> str | None:
    """Why a character cannot stand where it stands, or None."""
    code = codes[at]
    if code < 0x20 or 0x7F <= code < 0xA0 or code in (0x2028, 0x2029):
        return "is a line break" if code in (0x0A, 0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029) else "is a control character"
    if code in TURNS:
        return "turns the direction of writing"
    if code in UNSEEN:
        return "cannot be seen"
    if 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return "is no character"
    if 0xE000 <= code < 0xF900 or code >= 0xF0000:
        return "is for private use, so it looks different everywhere"
    if code in (_ZWNJ, _ZWJ):
        return None if _joins(codes, at) else "joins nothing here, so it cannot be seen"
    if code in VARIANTS or code in HAN_VARIANTS:
        return None if _varies(codes, at) else "changes nothing here, so it cannot be seen"
    return None


def _varies(codes: list[int], at: int) -> bool:
    """Whether a variation selector has a character that it can change."""
    before = codes[at - 1] if at else 0
    if codes[at] in (0xFE0E, 0xFE0F):
        return before in EMOJI or (before in _KEYS and codes[at + 1 : at + 2] == [_KEYCAP])
    return before in HAN and codes[at] in HAN_VARIANTS


def _joins(codes: list[int], at: int) -> bool:
    """Whether a joiner changes what is drawn (after RFC 5892, appendix A, UAX 31 and UTS 51).

    It does after a virama; between letters that would join (the non-joiner), or after one at the end of a word (the
    joiner); and between emoji (the joiner).
    """
    if at and codes[at - 1] in VIRAMAS:
        return True
    before = next((code for code in reversed(codes[:at]) if code not in MARKS), 0)
    after = next((code for code in codes[at + 1 :] if code not in MARKS), 0)
    if codes[at] == _ZWNJ:
        return before in JOIN_NEXT and after in JOIN_PREVIOUS
    if before in JOIN_NEXT and after not in JOIN_PREVIOUS and after not in (_ZWNJ, _ZWJ):
        return True
    left = [code for code in codes[max(0, at - 3) : at] if code not in VARIANTS and code not in _SKIN][-1:]
    return bool(left) and left[0] in EMOJI and after in EMOJI and after not in _SKIN


def _code(code: int) -> str:
    return f"U+{code:04X}"
