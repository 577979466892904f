"""What may be made on a server without its owner's permission: one table of numbers, and who has used how much.

The server's own limits are here; a game says with `weight_table` and `weigh` what of it costs (`gamekit.game.Weight`),
and its limits stand in the same table. `gamekit serve --limit NAME=VALUE` changes any of them, and the admin token
lifts them. The numbers come from measurement: `docs/operations.md` has the table.

Owns no game. Counts attempts, not successes, for refusing costs something too.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gamekit.errors import ConfigError, ServerBusy, TooCostly, TooOften
from gamekit.game import Game, Weight

#: The server's own.
OWN = (
    Weight("definition_bytes", 2_000_000, "bytes", "A scenario of one's own, as it is sent."),
    Weight("games", 100_000, "games", "Games in the database."),
    Weight("games_a_minute", 30, "games", "What one address makes in a minute; this machine itself is not counted."),
    Weight("large_games_a_minute", 4, "games", "Those of them that are large."),
    Weight("games_a_minute_in_all", 6_000, "games", "What all addresses make in a minute."),
    Weight("large_games_a_minute_in_all", 20, "games", "Those of them that are large."),
    Weight("players", 250, "players", "Players of one game."),
    Weight("joins_a_minute", 120, "joins", "What one address joins in a minute; this machine itself is not counted."),
    Weight("costly_at_once", 256, "requests", "Games that are made, forked, exported and imported at one time."),
)
#: What a rate counts over, in seconds.
MINUTE_S = 60.0
#: Addresses whose rates are remembered; beyond that the oldest are forgotten.
MOST_ADDRESSES = 10_000
#: The value of a limit that does not hold anybody back.
NONE = 2**62


def read_limits(texts: Sequence[str], known: Sequence[Weight]) -> dict[str, int]:
    """`("ships=20000", "games=none")` as `{name: most}`.

    Args:
        texts: as they were given.
        known: what can be limited.

    Raises:
        ConfigError: one of them is not NAME=VALUE with a known name and a whole number, or `none`.
    """
    names = {weight.name for weight in known}
    limits = {}
    for text in texts:
        name, _, value = text.partition("=")
        name, value = name.strip(), value.strip().replace("_", "")
        if name not in names:
            raise ConfigError(f"--limit {text!r}: there is no such limit; there are {', '.join(sorted(names))}.")
        if value != "none" and not (value.isascii() and value.isdigit() and len(value) <= 18):
            raise ConfigError(f"--limit {text!r}: expected {name}=N with a whole number, or {name}=none.")
        limits[name] = NONE if value == "none" else int(value)
    return limits


class Limits:
    """The limits of one server, and what has been used of them.

    Args:
        texts: those that its owner set, `NAME=VALUE`.
        games: the rules that it hosts, by name.
        clock_s: monotonic, in seconds.

    Raises:
        ConfigError: one of the texts is no limit.
    """

    def __init__(self, texts: Sequence[str], games: Mapping[str, Game[Any]], clock_s: Callable[[], float]) -> None:
        self.table = tuple(_all_weights(games))
        self._set = read_limits(texts, self.table)
        self._most = {weight.name: weight.most for weight in self.table} | self._set
        self._large = {weight.name: weight.large for weight in self.table if weight.large is not None}
        self._clock_s = clock_s
        #: {(what, address): when each of the latest minute was asked for, in seconds}
        self._asked: dict[tuple[str, str], deque[float]] = {}
        self._under_way = 0
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> int:
        return self._most[name]

    def allow(self, game: Game[Any], state: Any) -> None:
        """Let states like this one be made: a limit that the owner did not set is raised to what it weighs."""
        for name, value in _weights_of(game, state).items():
            if name not in self._set:
                self._most[name] = max(self._most[name], value)

    def check_state(self, game: Game[Any], state: Any, address: str = "") -> None:
        """Refuse a game that is too much work; from any thread.

        Args:
            game, state: what is about to be made.
            address: for whom.

        Raises:
            TooCostly: it weighs more than a limit allows.
            TooOften: it is large, and one too many of those in a minute.
        """
        weights = _weights_of(game, state)
        for name, value in weights.items():
            self.check(name, value, "The game")
        if any(value > self._large.get(name, value) for name, value in weights.items()):
            self.count("large_games_a_minute", address)
            self.count("large_games_a_minute_in_all", "")

    def check(self, name: str, value: int, what: str) -> None:
        """Refuse what is more than a limit allows.

        Args:
            name: the limit's.
            value: how much it is.
            what: the sentence's subject, e.g. "The game".

        Raises:
            TooCostly: it is more.
        """
        most = self._most[name]
        if value > most:
            unit = next(weight.unit for weight in self.table if weight.name == name)
            raise TooCostly(
                f"{what} would have {name} {value} ({unit}), and without the admin token {most} are allowed here; make "
                f"it smaller, or ask the server's owner, who can raise this with `gamekit serve --limit {name}=N`."
            )

    def count(self, name: str, address: str) -> None:
        """Count one more of something that a rate holds back; from any thread.

        Args:
            name: the rate's.
            address: who asks; "" for all together. This machine itself is not counted.

        Raises:
            TooOften: it is one too many for now; the error says when to ask again.
        """
        counted = _counted_as(address) if address else ""
        if counted is None:
            return
        with self._lock:
            self._count(name, counted)

    def _count(self, name: str, address: str) -> None:
        now_s = self._clock_s()
        asked = self._asked.setdefault((name, address), deque())
        while asked and asked[0] <= now_s - MINUTE_S:
            asked.popleft()
        if len(asked) >= self._most[name]:
            wait_s = max(asked[0] + MINUTE_S - now_s, 1.0) if asked else MINUTE_S
            raise TooOften(
                f"That is more than {self._most[name]} in a minute ({name}); ask again in {wait_s:.0f} s. The server's "
                f"owner can raise this with `gamekit serve --limit {name}=N`.",
                wait_s,
            )
        asked.append(now_s)
        # In the order in which they last asked, so that those who stay away are forgotten first.
        self._asked[name, address] = self._asked.pop((name, address))
        while len(self._asked) > MOST_ADDRESSES:
            del self._asked[next(iter(self._asked))]

    @contextmanager
    def costly(self, *, free: bool = False) -> Iterator[None]:
        """Something costly is under way within this block.

        Args:
            free: count it, but do not refuse it.

        Raises:
            ServerBusy: too much of that is under way already.
        """
        if self._under_way >= self._most["costly_at_once"] and not free:
            raise ServerBusy(
                f"{self._under_way} costly requests are under way (costly_at_once); ask again in a moment.", 2.0
            )
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1


def _all_weights(games: Mapping[str, Game[Any]]) -> Iterator[Weight]:
    """The server's own and each game's; of two games' of one name the higher."""
    found = {weight.name: weight for weight in OWN}
    for game in games.values():
        table = getattr(game, "weight_table", None)
        for weight in table() if table is not None else ():
            known = found.get(weight.name)
            if known is None or (known not in OWN and known.most < weight.most):
                found[weight.name] = weight
    yield from found.values()


def _weights_of(game: Game[Any], state: Any) -> Mapping[str, int]:
    weigh = getattr(game, "weigh", None)
    weights: Mapping[str, int] = {} if weigh is None else weigh(state)
    return weights


def _counted_as(address: str) -> str | None:
    """What an address is counted as: itself, or its network of 64 bits, which is what one household or host has.

    None for this machine's own; what is no address comes from this machine as well, over a Unix socket.
    """
    try:
        place = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped is not None:
        place = place.ipv4_mapped
    if place.is_loopback:
        return None
    return str(place) if place.version == 4 else str(ipaddress.ip_network((int(place), 64), strict=False))
