"""Names: taken when they can be seen, refused when not, and kept in one form; the same on every Python."""

from __future__ import annotations

import hashlib
import random
import unicodedata

import pytest

from gamekit.names import as_typed, taken_as_it_is, tidied, unfit
from gamekit.names.tables import MARKS, SPACING_MARKS, VIRAMAS

#: {name: what it is}
TAKEN = {
    "Ada": "plain",
    "\u0646\u06cc\u06a9\u200c\u0646\u0627\u0645": "Persian with a non-joiner between letters",
    "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627": "Persian plural",
    "\u0647\u200d": "a letter of Arabic that a joiner keeps in its joining form",
    "\u0915\u094d\u200d\u0937": "Devanagari with a joiner after a virama",
    "\u0dc1\u0dca\u200d\u0dbb\u0dd3": "Sinhala",
    "\U0001f469\u200d\U0001f680": "joined emoji",
    "\U0001f469\U0001f3fd\u200d\U0001f680": "joined emoji with a colour of skin",
    "\U0001f3f3\ufe0f\u200d\U0001f308": "joined emoji with a variation selector",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467": "a family",
    "\u2764\ufe0f": "a symbol as emoji",
    "1\ufe0f\u20e3": "a keycap",
    "\U0001f1e9\U0001f1ea": "a flag",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f": "a flag of a part of a country",
    "\u845b\U000e0100": "a variant of a Han character",
    "\u0645\u062d\u0645\u062f": "Arabic",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd": "pointed Hebrew",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35": "Thai",
    "\u0f63\u0fb7\u0f0b\u0f66": "Tibetan",
    "Vi\u1ec7t": "Vietnamese",
    "Zoe\u0308": "decomposed",
    "\u6f22\u6f22\u6f22\u6f22": "wide",
    "\u5c71\u7530\u3000\u592a\u90ce": "an ideographic blank between two names",
    "...": "marks of punctuation",
    "x" * 40: "as long as may be",
}
REFUSED = {
    "": "nothing",
    "   ": "blanks",
    "\u00a0\u2003": "wide blanks",
    "\u2800": "Braille blank",
    "Ada\u2800": "Braille blank behind a name",
    "\u3164": "Hangul filler",
    "\uffa0": "half-width Hangul filler",
    "\u115f\u1160": "fillers for initial and medial",
    "\ufe0f": "a variation selector alone",
    "Ada\ufe0f": "a variation selector that changes nothing",
    "\u034f": "grapheme joiner",
    "\u180b": "Mongolian variation selector",
    "\u17b4": "Khmer inherent vowel",
    "\u0301" * 5: "marks without a base",
    "Ada \u0301": "a mark on a blank",
    "Z" + "\u0335" * 39: "more marks than a character carries",
    "Z" + "\u0335\u0336\u0337\u0338\u0334": "five marks",
    "A\u200bda": "zero-width space",
    "A\u00adda": "soft hyphen",
    "\ufeffAda": "byte order mark",
    "A\u2060da": "word joiner",
    "Ada\u200d": "a joiner that joins nothing",
    "A\u200dda": "a joiner between Latin letters",
    "A\u200cda": "a non-joiner between Latin letters",
    "\u062f\u200c\u0631": "a non-joiner where nothing would join",
    "\u0915\u094d\u200d\u200d\u0937": "two joiners",
    "\U0001f469\u200d": "a joiner behind an emoji",
    "Ada \u202eresu": "override of direction",
    "\u2067Ada\u2069": "isolate",
    "\u200fAda": "a mark of direction",
    "a\u0000b": "NUL",
    "For\u0007ge": "bell",
    "b\u001b[2J": "an escape sequence",
    "Two\nlines": "line break",
    "Two\u2028lines": "line separator",
    "Two\u0085lines": "next line",
    "\ud800": "half a surrogate pair",
    "\ufffe": "no character",
    "\ue000": "private use",
    "\U000e0041\U000e0042": "tags",
    "x" * 41: "too long",
}


@pytest.mark.parametrize("name", TAKEN, ids=TAKEN.values())
def test_what_can_be_seen_is_a_name(name: str) -> None:
    assert unfit(name, 40) is None
    assert unfit(tidied(name), 40) is None, "what is kept would be taken again"


@pytest.mark.parametrize("name", REFUSED, ids=REFUSED.values())
def test_what_cannot_be_seen_is_refused_with_a_sentence(name: str) -> None:
    wrong = unfit(name, 40)
    assert wrong is not None
    assert wrong.startswith("Choose a name of 1 to 40 printable characters; ")
    assert wrong.isprintable()


def test_a_refusal_names_the_character_and_its_place() -> None:
    assert "U+0007 at place 4 is a control character" in str(unfit("For\u0007ge", 40))
    assert "U+000A at place 4 is a line break" in str(unfit("Two\nlines", 40))
    assert "U+202E at place 5 turns the direction of writing" in str(unfit("Ada \u202eresu", 40))


def test_a_name_is_kept_composed_with_plain_single_blanks() -> None:
    assert tidied("  Zoe\u0308\u00a0 \u3000of  Mars ") == "Zo\u00eb of Mars"
    assert tidied("\u1112\u1161\u11ab") == "\ud55c"
    # Composed since Unicode 5: a door does it with the tables at hand, a rule of a game does not.
    assert as_typed("\u1b05\u1b35") == "\u1b06"
    assert tidied("\u1b05\u1b35") == "\u1b05\u1b35"


def test_the_tables_are_those_of_one_version_of_unicode() -> None:
    """A Python with older or newer tables must come to the same: only what is in all of them is compared here."""
    for code in range(0x11_0000):
        category = unicodedata.ucd_3_2_0.category(chr(code))
        if (
            category in {"Mn", "Me"}
            and unicodedata.category(chr(code)) == category
            and unfit("a" + chr(code), 9) is None
        ):
            assert code in MARKS, hex(code)
        if category in {"Lu", "Ll", "Lo", "Nd"} and unicodedata.category(chr(code)) == category:
            assert code not in MARKS | SPACING_MARKS, hex(code)
        if unicodedata.ucd_3_2_0.combining(chr(code)) == 9:
            assert code in VIRAMAS, hex(code)


def test_what_a_journal_holds_is_taken_unless_it_breaks_lines_or_pictures() -> None:
    """Doors of older versions let it in, and its game must replay the same."""
    for name in ("\u2800", "\u3164", "Ada\ufe0f", "\u0301" * 5, " Ada", "x" * 40):
        assert taken_as_it_is(name, 40)
    for name in ("", "  ", "x" * 41, "a\nb", "a\u0000b", "\u202eAda", "a\u2028b", "\ud800"):
        assert not taken_as_it_is(name, 40)


def test_a_long_run_of_marks_is_refused_at_once() -> None:
    calls = 0

    class Counted(str):
        def __iter__(self) -> object:  # type: ignore[override]
            nonlocal calls
            calls += 1
            return super().__iter__()

    assert "this one has" in str(unfit(Counted("a" + "\u0301\u0316" * 100_000), 40))
    assert calls == 0


def test_what_is_kept_of_a_name_stays_what_it_is() -> None:
    chance = random.Random(3)
    odd = (0xFE0F, 0x200C, 0x200D, 0x1F469, 0x1F680, 0x2800, 0x3164, 0x115F, 0x1F3FD, 0x20E3)
    spans = (range(0x370), range(0x600, 0x700), range(0x900, 0x980), range(0x2000, 0x2070), odd)
    pool = [chr(code) for span in spans for code in span]
    taken = 0
    for _ in range(20_000):
        name = "".join(chance.choice(pool) for _ in range(chance.randint(1, 8)))
        kept = as_typed(name)
        assert as_typed(kept) == kept, ascii(name)
        assert (unfit(name, 40) is None) == (unfit(kept, 40) is None), ascii(name)
        if unfit(kept, 40) is None:
            taken += 1
            assert taken_as_it_is(kept, 40), ascii(name)
            assert unicodedata.is_normalized("NFC", kept), ascii(name)
    assert 1_000 < taken < 19_000


def test_every_python_comes_to_the_same() -> None:
    """Written down under Python 3.11, 3.12 and 3.13, whose Unicode is 14, 15 and 15.1."""
    told = hashlib.sha256()
    for code in (*range(0x20000), *range(0xE0000, 0xE0200)):
        for name in (chr(code), f"a{chr(code)}", f"{chr(code)}\u0301"):
            told.update(ascii((tidied(name), unfit(name, 40), taken_as_it_is(name, 40))).encode())
    assert told.hexdigest()[:16] == "092d6cf821e4b035"
