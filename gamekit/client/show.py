"""How handles look in a notebook: small plain tables that are readable in light and dark."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from gamekit.game import TICK_HZ, Tick


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table; every cell is escaped, None is shown as a dash. Without rows it is its caption, in one line."""
    if not (rows := list(rows)):
        return (
            f"<table><caption style='text-align:left;white-space:nowrap'>{html.escape(caption)}</caption>"
            "<tbody></tbody></table>"
        )
    head = "".join(f"<th style='text-align:left'>{html.escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(_text(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        f"<table><caption style='text-align:left;white-space:nowrap'>{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def credits_text(centi_credits: int | None) -> str:
    """Money for people, e.g. "99,250.00 cr"; a dash when it is not known."""
    return "–" if centi_credits is None else f"{centi_credits / 100:,.2f} cr"


def time_text(tick: Tick) -> str:
    """Game time for people, e.g. "1:02:03.4" for tick 37234."""
    seconds, tenths = divmod(tick, TICK_HZ)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{tenths}"


def _text(cell: object) -> str:
    return "–" if cell is None else str(cell)
