"""The frames of a game that runs here, headless: of everything, with nobody's eyes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gamekit.client.seen import Seen
from gamekit.game import Event, Game, Tick, merge
from gamekit.lab.frames.columns import COLUMNS
from gamekit.lab.frames.long import commands_frame, events_frame, is_trade, latency_frame, trades_frame
from gamekit.lab.frames.moment import MomentFrames
from gamekit.lab.frames.rows import frame, ledger_row
from gamekit.space import SpaceState, ledger, views

if TYPE_CHECKING:
    import pandas as pd


def everything(game: Game[Any], state: Any) -> Seen:
    """A state as one who sees what every player sees, and through any fog: nothing is missing in it."""
    look = views.view if isinstance(state, SpaceState) else game.view
    whole = look(state, None)
    for player in list(whole.get("players", {})):
        merge(whole, {name: rows for name, rows in look(state, player).items() if name in {"ships", "players"}})
    return Seen(epoch=0, n=0, tick=game.tick(state), seq=0, view=whole)


def account_rows(state: SpaceState) -> Iterator[tuple[str, str, str, int]]:
    """Every account of the books: (account, kind, asset, centi-credits or units); see `gamekit.space.ledger.rows`.

    Told apart more finely: what companies own is of kind "company", what lies in a station of kind "stock".
    """
    companies = {ledger.player_account(one.id) for one in state.players.values() if one.company}
    for account, kind, asset, balance in ledger.rows(state.ledger, state.stations.values(), state.ships.values()):
        stock = kind == "station" and asset != ledger.CREDITS
        yield account, "company" if account in companies else "stock" if stock else kind, asset, balance


class StateFrames(MomentFrames):
    """A state of the bundled game as pandas DataFrames, with the columns of `gamekit.lab.frames.COLUMNS`.

    Args:
        game: the rules.
        state: the state; each frame shows it as it is when the frame is asked for.
        events: what happened, each with its tick; for the frames `trades` and `events`.
    """

    def __init__(self, game: Game[Any], state: SpaceState, events: Sequence[tuple[Tick, Event]] = ()) -> None:
        self._looked_at = (game, state)
        self._recorded = events

    def _now(self) -> tuple[Game[Any], Any]:
        """The rules and the state."""
        return self._looked_at

    def _told(self) -> Sequence[tuple[Tick, Event]]:
        """What happened up to now."""
        return self._recorded

    def _picture(self) -> Seen:
        return everything(*self._now())

    @property
    def ledger(self) -> pd.DataFrame:
        """Every account of the books; the balances of each asset sum to zero."""
        return frame("ledger", (ledger_row(*row) for row in account_rows(self._now()[1])))

    @property
    def trades(self) -> pd.DataFrame:
        """Every purchase and sale that was recorded, in order."""
        traded = [(tick, event) for tick, event in self._told() if is_trade(event)]
        return trades_frame([tick for tick, _ in traded], [event for _, event in traded])

    @property
    def events(self) -> pd.DataFrame:
        """Every event that was recorded, in order."""
        told = self._told()
        return events_frame([tick for tick, _ in told], [event for _, event in told])

    @property
    def commands(self) -> pd.DataFrame:
        """Every command that was journaled; none in a simulation, which has no journal."""
        return commands_frame(())

    @property
    def latency(self) -> pd.DataFrame:
        """How late ticks began; empty, because headless nothing is ever late."""
        return latency_frame(())

    def __repr__(self) -> str:
        game, state = self._now()
        return f"<{type(self).__name__} at tick {game.tick(state):,}: {', '.join(self.__dir__())}>"

    def __dir__(self) -> list[str]:
        return [kind for kind in COLUMNS if hasattr(type(self), kind)]
