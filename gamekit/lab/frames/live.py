"""The frames of a live game: of what a connection has seen, and of what the server keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from gamekit.client.reading import Watching
from gamekit.client.seen import Seen
from gamekit.lab.frames.columns import COLUMNS
from gamekit.lab.frames.long import commands_frame, events_frame, is_trade, latency_frame, trades_frame
from gamekit.lab.frames.moment import MomentFrames
from gamekit.lab.frames.rows import frame, seen_ledger_rows

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.client.blocking import BaseGame
    from gamekit.client.link import Link


class Frames(MomentFrames):
    """The frames of one game, through one pair of eyes.

    Args:
        game: where commands and latency are asked for.
        eyes: whose picture it is: the game itself for a spectator, or a player.
        link: the connection whose events are shown.
    """

    def __init__(self, game: BaseGame[Any], eyes: Watching, link: Link) -> None:
        self._game = game
        self._eyes = eyes
        self._link = link

    def _picture(self) -> Seen:
        return self._eyes.seen

    @property
    def trades(self) -> pd.DataFrame:
        """What this player bought and sold, as far as this connection was told (see `events`); none for a spectator."""
        recent = self._game.io.call(lambda: list(self._link.recent))
        told = [event for event in recent if is_trade(event)]
        return trades_frame([event["tick"] for event in told], told)

    @property
    def ledger(self) -> pd.DataFrame:
        """The accounts that are seen: one's own credits and holds, and every station's stock.

        The whole books, which sum to zero, are those of a simulation: `simulate(...).frame.ledger`.
        """
        return frame("ledger", seen_ledger_rows(self._eyes.seen))

    @property
    def commands(self) -> pd.DataFrame:
        """The game's history: every command that was journaled, in order."""
        encode = msgspec.json.encode
        records = self._game.commands()
        return commands_frame(
            (one["seq"], one["tick"], one["epoch"], encode(one["commands"]).decode()) for one in records
        )

    @property
    def events(self) -> pd.DataFrame:
        """The latest events that this connection was told of (at most 10,000), oldest first."""
        recent = self._game.io.call(lambda: list(self._link.recent))
        return events_frame([event["tick"] for event in recent], recent)

    @property
    def latency(self) -> pd.DataFrame:
        """How late ticks began and how long they took, a row a second."""
        return latency_frame(self._game.latency_rows())

    def __repr__(self) -> str:
        return f"<Frames: {', '.join(COLUMNS)}>"

    def __dir__(self) -> list[str]:
        return list(COLUMNS)
