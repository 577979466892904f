"""What connections are shown: deltas made once, kept for a while, and given to whoever missed them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from gamekit.game import Changes, Event, Game, PlayerId, Tick
from gamekit.session.control import CommandDone, CommandFailed
from gamekit.session.numbering import Numbering
from gamekit.wire import Delta

S = TypeVar("S")

#: Players who left and for whom deltas are still made, so that they can resume; who left first is dropped first.
LEAVERS_KEPT = 32

#: The session's own events, which the game does not know.
_OWN = (CommandDone, CommandFailed)

#: Deltas kept for clients that reconnect: at 10 a second, at least 50 seconds.
DELTAS_KEPT = 512
#: Events kept in all of them together; a burst does not hold memory for long.
EVENTS_KEPT = 8192


class Happening(NamedTuple):
    """One event: the tick at which it fell, and who might see it then; None is everybody."""

    tick: Tick
    event: Event
    audience: tuple[PlayerId, ...] | None


def told(game: Game[S], state: S, tick: Tick, events: Sequence[Event]) -> list[Happening]:
    """Events that have just fallen, each with its audience as of now."""
    return [
        Happening(tick, event, (event.player,) if isinstance(event, _OWN) else game.audience(state, event))
        for event in events
    ]


def untold(game: Game[S], state: S, tick: Tick, events: Sequence[Event]) -> list[Happening]:
    """The same where nobody is there who could see them, so that nobody is asked who may."""
    return [Happening(tick, event, ()) for event in events]


class Moment(msgspec.Struct, frozen=True):
    """One delta as everybody sees it, and as the players see it who see more."""

    public: Delta
    private: dict[PlayerId, Delta]
    size: int

    def seen_by(self, player: PlayerId | None) -> Delta | None:
        """The delta for one player; None when there is nothing in it for them."""
        if player is not None and player in self.private:
            return self.private[player]
        return self.public if self.public.events or self.public.changes else None


_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(Moment)


class Stream(Generic[S]):
    """The numbered deltas of one epoch.

    Args:
        game: the rules.
        numbering: numbers of deltas that tell nothing of what is kept from a viewer; by default they are counted.
    """

    def __init__(self, game: Game[S], numbering: Numbering | None = None) -> None:
        self.game = game
        #: The number of the latest delta.
        self.n = 0
        self.numbering = numbering
        #: The latest moments, packed, up to `n` without a gap: objects would be a burden to memory and to the garbage
        #: collector, and hardly one is ever asked for again.
        self._kept: deque[bytes] = deque()
        #: How many events each of them has, and all together.
        self._sizes: deque[int] = deque()
        self._events_kept = 0
        #: {player: the number since which every delta was made for that player too}
        self._followed_since: dict[PlayerId, int] = {}
        #: {player who is gone: the n at which they left}, in order of leaving
        self._left: dict[PlayerId, int] = {}

    def position(self, player: PlayerId | None) -> int:
        """The number of the latest delta, as a viewer counts them."""
        return self.n if self.numbering is None else self.numbering.latest(player)

    def follow(self, player: PlayerId) -> None:
        """Make deltas for this player from now on; players who left stay followed so that they can resume."""
        self._followed_since.setdefault(player, self.position(player))
        self._left.pop(player, None)

    def leave(self, player: PlayerId) -> None:
        """The player's last connection is gone; deltas are made for a while yet."""
        self._left[player] = self.n
        if len(self._left) > LEAVERS_KEPT:
            self.unfollow(next(iter(self._left)))

    def unfollow(self, player: PlayerId) -> None:
        """Make no deltas for this player any more."""
        self._left.pop(player, None)
        if self._followed_since.pop(player, None) is not None and self.numbering is not None:
            # The number that the player holds is no place to go on from.
            self.numbering.for_one(player)

    def add(self, state: S, happened: Sequence[Happening], *, tick: Tick, seq: int) -> Moment:
        """Make the next delta, for spectators and for each followed player.

        Args:
            state: as it is after the events.
            happened: each event with its tick and its audience, in order.
            tick, seq: where the state stands.
        """
        self.n += 1
        while self._left and self.n - next(iter(self._left.values())) > DELTAS_KEPT:
            self.unfollow(next(iter(self._left)))
        game = self.game
        of_game = [one.event for one in happened if not isinstance(one.event, _OWN)]
        # Those that are not for everybody.
        some = [one.audience for one in happened if one.audience is not None]
        addressed = set().union(*some)

        def delta(player: PlayerId | None, changes: Changes, n: int) -> Delta:
            chosen = [one for one in happened if one.audience is None or player in one.audience] if some else happened
            at, shown = tuple([one.tick for one in chosen]), tuple([one.event for one in chosen])
            return Delta(tick=tick, seq=seq, n=n, events=shown, at=at, changes=changes)

        changes = game.changes(state, None, of_game) if of_game else {}
        numbering = self.numbering
        for_all = bool(changes) or any(one.audience is None for one in happened)
        n = self.n if numbering is None else numbering.for_all() if for_all else 0
        private: dict[PlayerId, Delta] = {}
        for player in self._followed_since:
            extra = game.changes(state, player, of_game) if of_game else {}
            if extra or player in addressed:
                own = n if numbering is None or for_all else numbering.for_one(player)
                private[player] = delta(player, _joined(changes, extra), own)
        moment = Moment(public=delta(None, changes, n), private=private, size=len(happened))
        self._keep(moment)
        return moment

    def since(self, n: int, player: PlayerId | None) -> list[Moment] | None:
        """The moments after delta `n` as `player` may see them, or None when they are no longer all kept."""
        if player is not None and self._followed_since.get(player, n + 1) > n:
            return None
        if n == self.position(player):
            return []
        if self.numbering is not None:
            return self._shown_since(n, player)
        missed = self.n - n
        if not 0 < missed <= len(self._kept):
            return None
        return [_unpacker.decode(packed) for packed in islice(self._kept, len(self._kept) - missed, None)]

    def _shown_since(self, n: int, player: PlayerId | None) -> list[Moment] | None:
        """`since`, where numbers do not say how many deltas lie between two."""
        found: list[Moment] = []
        for packed in reversed(self._kept):
            moment = _unpacker.decode(packed)
            delta = moment.seen_by(player)
            if delta is None:
                continue
            if delta.n <= n:
                return found[::-1] if delta.n == n else None
            found.append(moment)
        return None

    def skip(self) -> None:
        """Let a delta go by that nobody is there to see; whoever comes back gets a snapshot."""
        self.n += 1
        self._kept.clear()
        self._sizes.clear()
        self._events_kept = 0
        if self.numbering is not None:
            self.numbering.miss()
        self._followed_since.clear()
        self._left.clear()

    def _keep(self, moment: Moment) -> None:
        self._kept.append(_packer.encode(moment))
        self._sizes.append(moment.size)
        self._events_kept += moment.size
        while len(self._kept) > DELTAS_KEPT or (self._events_kept > EVENTS_KEPT and len(self._kept) > 1):
            self._kept.popleft()
            self._events_kept -= self._sizes.popleft()


def _joined(public: Changes, private: Changes) -> Changes:
    """Both patches as one, without touching either."""
    if not private:
        return public
    joined: dict[str, Any] = dict(public)
    for table, entities in private.items():
        held = joined.get(table)
        if not isinstance(held, dict) or not isinstance(entities, dict):
            joined[table] = entities
            continue
        merged = dict(held)
        for key, fields in entities.items():
            before = merged.get(key)
            merged[key] = {**before, **fields} if isinstance(before, dict) and isinstance(fields, dict) else fields
        joined[table] = merged
    return joined
