"""Names for ships and for generated sectors."""

from __future__ import annotations

from gamekit.space.rng import Stream

# fmt: off
_SHIPS = (
    "Mercury", "Venus", "Terra", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune", "Ceres", "Pallas", "Juno",
    "Vesta", "Astraea", "Hebe", "Iris", "Flora", "Metis", "Hygiea", "Parthenope", "Victoria", "Egeria", "Irene",
    "Eunomia", "Psyche", "Thetis", "Melpomene", "Fortuna", "Massalia", "Lutetia", "Kalliope", "Thalia", "Themis",
    "Phocaea", "Proserpina", "Euterpe", "Bellona", "Amphitrite", "Urania", "Euphrosyne", "Pomona", "Polyhymnia",
    "Circe", "Leukothea", "Atalante", "Fides", "Leda", "Laetitia", "Harmonia", "Daphne", "Isis", "Ariadne", "Nysa",
    "Eugenia", "Hestia", "Aglaja", "Doris", "Pales", "Virginia", "Nemausa", "Europa",
)
_NUMERALS = ("", " II", " III", " IV", " V", " VI", " VII", " VIII", " IX", " X")

_FIRST = (
    "Ar", "Bel", "Cor", "Da", "El", "Fen", "Gal", "Hes", "Il", "Jor", "Kel", "Lo", "Mar", "Ny", "Or", "Pel", "Qua",
    "Ras", "Sel", "Tor", "Ul", "Ves", "Wen", "Yl", "Zan",
)
_MIDDLE = (
    "a", "e", "i", "o", "u", "ae", "ia", "or", "en", "al", "ir", "un",
)
_LAST = (
    "bris", "da", "dan", "gor", "kara", "lis", "mond", "nar", "phos", "ra", "ris", "sa", "seth", "tara", "thys",
    "via", "vos", "xis", "yra", "zen",
)
# fmt: on


def ship_name(number: int) -> str:
    """The name of the `number`-th ship of a game, counted from 0; no two ships of a game share one."""
    cycle, index = divmod(number, len(_SHIPS))
    suffix = _NUMERALS[cycle] if cycle < len(_NUMERALS) else f" {cycle + 1}"
    return _SHIPS[index] + suffix


def sector_names(count: int, stream: Stream) -> list[str]:
    """`count` different names of letters only."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[stream.pick(_FIRST) + stream.pick(_MIDDLE) + stream.pick(_LAST)] = None
    return list(names)
