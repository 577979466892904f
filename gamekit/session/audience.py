"""Who is connected, and what each connection is sent. Reads the session, never changes the game."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from gamekit.game import TICK_HZ, PlayerId
from gamekit.session.numbering import Numbering
from gamekit.session.records import client_key
from gamekit.session.stimuli import Action, Attached, ConnectionId, Send
from gamekit.session.stream import Happening, Stream
from gamekit.wire import MAX_PENDING_COMMANDS, Ack, Error, Heartbeat, Notice, Snapshot, ToClient, Welcome

if TYPE_CHECKING:
    from gamekit.session.answers import Answer
    from gamekit.session.core import Session

S = TypeVar("S")


class Viewer(msgspec.Struct):
    """One attached connection.

    Attributes:
        key: under which this client's commands are counted.
        behind: it gets no deltas because it does not read them.
        fresh: a delta went out since the last heartbeat.
    """

    connection: ConnectionId
    player: PlayerId | None
    client: str
    key: str
    behind: bool = False
    fresh: bool = False


class Audience(Generic[S]):
    """The connections of one session. Every method returns what is to be sent."""

    def __init__(self, session: Session[S]) -> None:
        self._session = session
        self.stream = Stream(session.game, Numbering() if session.game.secretive(session.state) else None)
        #: Everybody connected, for others to read.
        self.viewers: dict[ConnectionId, Viewer] = {}

    def viewer(self, connection: ConnectionId) -> Viewer | None:
        """An attached connection, if it still is."""
        return self.viewers.get(connection)

    def attach(self, hello: Attached) -> Iterator[Action]:
        """Welcome a connection: then what it missed, or a snapshot."""
        session = self._session
        key = client_key(hello.player, hello.client)
        viewer = Viewer(connection=hello.connection, player=hello.player, client=hello.client, key=key)
        known = self.viewers.get(hello.connection)
        missed = None
        if hello.resume is not None and hello.resume.epoch == session.epoch and not (known and known.behind):
            missed = self.stream.since(hello.resume.n, hello.player)
        if not any(one.key == key for one in self.viewers.values() if one.connection != hello.connection):
            # Nothing of this client is on its way any more: what it sends again it sends in order.
            session.intake.turned_away.forget(key)
        if known is not None and known.player not in (None, hello.player):
            # It plays another now, and will not resume as who it was.
            del self.viewers[hello.connection]
            if known.player is not None and all(one.player != known.player for one in self.viewers.values()):
                self.stream.unfollow(known.player)
        self.viewers[hello.connection] = viewer
        if hello.player is not None:
            self.stream.follow(hello.player)
        yield self._to(viewer, self._welcome(viewer))
        if missed is None:
            yield self._to(viewer, self._snapshot(viewer))
            return
        for moment in missed:
            if delta := moment.seen_by(viewer.player):
                yield self._to(viewer, delta)

    def detach(self, connection: ConnectionId) -> None:
        """Forget a connection."""
        gone = self.viewers.pop(connection, None)
        if gone is None or gone.player is None:
            return
        if all(viewer.player != gone.player for viewer in self.viewers.values()):
            self.stream.leave(gone.player)

    def catch_up(self, viewer: Viewer) -> Action:
        """A connection reads again: it goes on from a snapshot."""
        viewer.behind = False
        return self._to(viewer, self._snapshot(viewer))

    def show(self, happened: Sequence[Happening]) -> Iterator[Action]:
        """Make the delta of what happened once, and send it to everybody who may see it."""
        session = self._session
        moment = self.stream.add(session.state, happened, tick=session.tick, seq=session.seq)
        shared: list[ConnectionId] = []
        private: dict[PlayerId, list[ConnectionId]] = {}
        for viewer in self.viewers.values():
            delta = None if viewer.behind else moment.seen_by(viewer.player)
            if delta is None:
                continue
            viewer.fresh = True
            if delta is moment.public or viewer.player is None:
                shared.append(viewer.connection)
            else:
                private.setdefault(viewer.player, []).append(viewer.connection)
        if shared:
            yield Send(connections=tuple(shared), message=moment.public)
        for player, connections in private.items():
            yield Send(connections=tuple(connections), message=moment.private[player])

    def seats(self) -> tuple[Viewer, ...]:
        """Everybody connected, for a session that falls asleep under them."""
        return tuple(self.viewers.values())

    def reseat(self, seats: Sequence[Viewer], n: int, numbering: Numbering | None) -> None:
        """Take those who stayed connected while the session slept; all have seen delta `n`, as it was numbered."""
        self.stream.n, self.stream.numbering = n, numbering
        for viewer in seats:
            self.viewers[viewer.connection] = viewer
            if viewer.player is not None:
                self.stream.follow(viewer.player)

    def heartbeat(self, next_s: float) -> Iterator[Action]:
        """The clock for every connection that had no delta lately; the next comes within `next_s` seconds."""
        quiet = tuple(v.connection for v in self.viewers.values() if not v.fresh and not v.behind)
        for viewer in self.viewers.values():
            viewer.fresh = False
        if quiet:
            yield Send(connections=quiet, message=Heartbeat(tick=self._session.tick, next_s=next_s))

    def acknowledge(self, key: str, ack: Ack) -> Iterator[Action]:
        """An ack, to every connection of the client."""
        connections = self._of(key)
        if connections:
            yield Send(connections=connections, message=ack)

    def refuse(self, key: str, answer: Answer) -> Iterator[Action]:
        """A refusal by the rules, to every connection of the client; nothing for a success."""
        if answer.code is not None and (connections := self._of(key)):
            error = Error(code=answer.code, message=answer.message or answer.code, cid=answer.cid)
            yield Send(connections=connections, message=error)

    def notify(self, kind: str, text: str, late_ms: float = 0.0) -> Iterator[Action]:
        """News for everybody."""
        session = self._session
        if self.viewers:
            notice = Notice(
                kind=kind,
                message=text,
                tick=session.tick,
                speed=session.speed * session.pace,
                paused=session.paused,
                late_ms=late_ms,
                factor=session.pace,
            )
            yield Send(connections=tuple(self.viewers), message=notice)

    def _of(self, key: str) -> tuple[ConnectionId, ...]:
        return tuple([v.connection for v in self.viewers.values() if v.key == key])

    def _to(self, viewer: Viewer, message: ToClient) -> Action:
        return Send(connections=(viewer.connection,), message=message)

    def _welcome(self, viewer: Viewer) -> Welcome:
        session = self._session
        return Welcome(
            game=session.id,
            name=session.name,
            player=viewer.player,
            client=viewer.client,
            last_cid=max(session.intake.last_durable_cid(viewer.key), session.answers.last_cid(viewer.key)),
            epoch=session.epoch,
            tick=session.tick,
            tick_hz=TICK_HZ,
            speed=session.speed * session.pace,
            paused=session.paused,
            rules=session.game.rules(session.state),
            window=MAX_PENDING_COMMANDS,
        )

    def _snapshot(self, viewer: Viewer) -> Snapshot:
        session = self._session
        outcomes = tuple(answer.outcome() for answer in session.answers.of(viewer.key))
        view = session.game.view(session.state, viewer.player)
        return Snapshot(
            tick=session.tick, seq=session.seq, n=self.stream.position(viewer.player), view=view, outcomes=outcomes
        )
