"""The client's side of the protocol, sans-IO: what happened goes in, what to do comes out.

Owns: the numbering of commands, which of them are under way, resends, the picture of the game, when to give up.
Does not own: sockets, time (`now_s` comes with each message), futures, reconnection delays.

The life of a command: *waiting* (no connection, or the window is full) -> *sent* (numbered; resent with the same
number after every reconnection) -> *acknowledged* (on the server's disk) -> *decided* (done, or refused by the rules).

Invariants:

- Commands are numbered in the order in which they were given, when they are first sent and not before: only the
  welcome tells at which number a client that came back goes on.
- At most as many are sent and undecided as the welcome's window says, so the server still remembers each answer.
- A command that is refused for a reason that passes is *put off*: it goes out again under its number, before any later
  one, and not before all that was sent after it is answered, so that nothing overtakes it.
- Every command is decided exactly once, or abandoned when the client gives up.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec

from gamekit.client.actions import (
    Abandoned,
    Acknowledged,
    Action,
    Complained,
    Connected,
    Decided,
    Happened,
    Noticed,
    Numbered,
    PutOff,
    Redrawn,
    Stopped,
    Ticked,
    Transmit,
    Turned,
)
from gamekit.client.bodies import checked_body
from gamekit.client.seen import SILENCE_S, Clock, Seen
from gamekit.errors import GamekitError, RemoteProtocolError, RequestRefused
from gamekit.game import Tick
from gamekit.wire import (
    ANSWERS_KEPT,
    MAX_PENDING_COMMANDS,
    PASSING_REFUSALS,
    Ack,
    Command,
    Delta,
    Error,
    Heartbeat,
    Hello,
    Notice,
    Outcome,
    Pong,
    Resume,
    Snapshot,
    Welcome,
    Whole,
)

#: WebSocket close codes after which it is no use to try again: {close code: error code}.
FATAL_CLOSE_CODES = {1002: "protocol_error", 1008: "refused", 1009: "too_large", 4404: "unknown_game"}


class Phase(Enum):
    """How far the conversation is."""

    OFFLINE = "offline"
    GREETING = "greeting"
    ATTACHED = "attached"
    STOPPED = "stopped"


class _Entry(msgspec.Struct):
    """One command between being given and being decided."""

    ticket: int
    body: dict[str, Any]
    ack: Ack | None = None
    outcome: Outcome | None = None

    @property
    def answered(self) -> bool:
        """True once the server has said anything about it."""
        return self.ack is not None or self.outcome is not None


class Core:
    """One client's conversation about one game.

    Args:
        token: the player's token; empty to watch as a spectator.
        client: the client id under which commands are numbered; at most 64 characters.
    """

    def __init__(self, token: str, client: str) -> None:
        self.phase = Phase.OFFLINE
        self.seen: Seen | None = None
        self.clock = Clock()
        self.welcome: Welcome | None = None
        self.error: GamekitError | None = None
        self._token = token
        self._client = client
        self._last_cid = 0
        self._tickets = 0
        self._waiting: deque[_Entry] = deque()
        #: {cid: entry} sent and not both acknowledged and decided, in order of cid
        self._sent: dict[int, _Entry] = {}
        #: Those of them that must go out again, because they were refused for a reason that passes.
        self._put_off: set[int] = set()
        self._window = MAX_PENDING_COMMANDS
        #: The latest error that was about no command, in this connection.
        self.complaint: Error | None = None
        #: Within how many seconds after any word the server promised the next one.
        self.promised_s = 1.0

    @property
    def pending(self) -> int:
        """How many commands are given and not decided yet."""
        return len(self._waiting) + len(self._sent)

    # --- what the caller wants --------------------------------------------------------------------------------

    def submit(self, body: Mapping[str, Any]) -> tuple[int, list[Action]]:
        """Take a command.

        Args:
            body: the command as plain values, with its `type`.

        Returns:
            The ticket that later actions about this command carry, and what to do now.

        Raises:
            LocalProtocolError: the command cannot be sent, ever: "too_large" or "bad_message".
            GamekitError: the conversation is over; the same error as then.
        """
        if self.error is not None:
            raise self.error
        plain = checked_body(body)
        self._tickets += 1
        self._waiting.append(_Entry(ticket=self._tickets, body=plain))
        return self._tickets, self._pump()

    def stop(self, error: GamekitError) -> list[Action]:
        """Give up: nothing is sent any more, and every undecided command is abandoned with `error`."""
        if self.phase is Phase.STOPPED:
            return []
        self.phase = Phase.STOPPED
        self.error = error
        entries = [*self._sent.values(), *self._waiting]
        self._sent.clear()
        self._put_off.clear()
        self._waiting.clear()
        abandoned: list[Action] = [Abandoned(entry.ticket, error) for entry in entries]
        return [*abandoned, Stopped(error)]

    # --- what the socket says ---------------------------------------------------------------------------------

    def connected(self) -> list[Action]:
        """A socket is open: say hello, and where the picture stopped."""
        self.phase = Phase.GREETING
        self.complaint = None
        self.promised_s = 1.0
        resume = Resume(epoch=self.seen.epoch, n=self.seen.n) if self.seen else None
        return [Transmit(Hello(token=self._token, client=self._client, resume=resume))]

    def disconnected(self, code: int | None = None, reason: str | None = None) -> list[Action]:
        """The socket is gone: try again later, unless the server said that this is no use.

        Args:
            code: the WebSocket close code, or None when the connection broke.
            reason: the server's words with it.
        """
        if self.phase is Phase.STOPPED:
            return []
        parted: list[Action] = [Connected(False)] if self.phase is Phase.ATTACHED else []
        self.phase = Phase.OFFLINE
        if code not in FATAL_CLOSE_CODES:
            return parted
        complaint = self.complaint
        error_code = complaint.code if complaint else FATAL_CLOSE_CODES[code]
        text = complaint.message if complaint else reason or "The server closed the connection."
        error = RequestRefused(error_code, f"{text} (connection closed with {code})", status=code)
        return [*parted, *self.stop(error)]

    def received(self, message: Whole, now_s: float) -> list[Action]:
        """A message came in at local monotonic time `now_s`."""
        if isinstance(message, Welcome):
            return self._welcomed(message, now_s)
        if isinstance(message, Error):
            return self._refused(message)
        if isinstance(message, Notice) and message.kind == "waking":
            # Before the welcome: the game is being brought back, and has no clock yet.
            return [Noticed(message)]
        if self.phase is not Phase.ATTACHED:
            return self._broken(f"{type(message).__name__} came before a welcome")
        match message:
            case Ack():
                return self._acknowledged(message)
            case Delta():
                return self._moved(message, now_s)
            case Snapshot():
                return self._redrawn(message, now_s)
            case Heartbeat():
                return self._reassured(message, now_s)
            case Pong():
                self._hear(message.tick, now_s)
                self._stand_still(message.tick)
                return [Ticked(message.tick)]
            case Notice():
                self._hear(message.tick, now_s, speed=message.speed, paused=message.paused)
                self._stand_still(message.tick)
                return [Noticed(message)]

    # --- the conversation -------------------------------------------------------------------------------------

    def _welcomed(self, welcome: Welcome, now_s: float) -> list[Action]:
        if self.phase is not Phase.GREETING:
            return self._broken("a second welcome came")
        self.phase = Phase.ATTACHED
        self.welcome = welcome
        self._last_cid = max(self._last_cid, welcome.last_cid)
        self._window = max(1, min(welcome.window, ANSWERS_KEPT))
        self._put_off.clear()
        self.clock = Clock(
            tick=welcome.tick, at_s=now_s, speed=welcome.speed, paused=welcome.paused, tick_hz=welcome.tick_hz
        )
        resent = [Transmit(Command(cid=cid, body=e.body)) for cid, e in self._sent.items() if e.ack is None]
        return [Connected(True), *resent, *self._pump()]

    def _pump(self) -> list[Action]:
        """Send what waits, as far as the window allows."""
        actions: list[Action] = []
        while self._waiting and self._room > 0:
            entry = self._waiting.popleft()
            self._last_cid += 1
            self._sent[self._last_cid] = entry
            actions.append(Numbered(ticket=entry.ticket, cid=self._last_cid))
            actions.append(Transmit(Command(cid=self._last_cid, body=entry.body)))
        return actions

    @property
    def _room(self) -> int:
        """How many new commands may go out now; none while others must go out again first."""
        if self.phase is not Phase.ATTACHED or self._put_off:
            return 0
        return self._window - len(self._sent)

    @property
    def put_off(self) -> bool:
        """True while commands wait to go out again; see `try_again`."""
        return bool(self._put_off)

    def try_again(self) -> list[Action]:
        """Send again what was refused for a reason that passes, in order, and then what waits.

        To be called now and then while `put_off`; an outcome, which makes room, does it by itself.
        """
        if self.phase is not Phase.ATTACHED or not self._put_off:
            return []
        first = min(self._put_off)
        if any(cid > first and cid not in self._put_off and not one.answered for cid, one in self._sent.items()):
            # Answers to what was sent after it are still to come; what goes out now would be mixed up with them.
            return []
        again = sorted(self._put_off)[: max(1, self._window - len(self._sent) + len(self._put_off))]
        self._put_off.difference_update(again)
        resent: list[Action] = [Transmit(Command(cid=cid, body=self._sent[cid].body)) for cid in again]
        return [*resent, *self._pump()]

    def _redrawn(self, snapshot: Snapshot, now_s: float) -> list[Action]:
        assert self.welcome is not None
        self.seen = Seen.from_snapshot(snapshot, self.welcome.epoch)
        self._hear(snapshot.tick, now_s)
        actions: list[Action] = []
        for outcome in snapshot.outcomes:
            if outcome.cid in self._sent:
                # The answer says where the command stands in the history, so it is the acknowledgement as well.
                actions += self._acknowledged(Ack(cid=outcome.cid, tick=outcome.tick, seq=outcome.seq))
                actions += self._decided(outcome)
        return [*actions, Redrawn(tick=snapshot.tick, view=snapshot.view)]

    def _moved(self, delta: Delta, now_s: float) -> list[Action]:
        if self.seen is None:
            return self._broken("a delta came before any snapshot")
        if delta.n <= self.seen.n:
            return []
        self.seen = self.seen.after(delta)
        if delta.tick >= self.clock.tick:
            # Missed deltas tell of the past: the welcome before them knew the time better.
            self._hear(delta.tick, now_s)
        actions: list[Action] = []
        for event in delta.events:
            if self._is_own_outcome(event):
                entry = self._sent.get(event["cid"])
                # The delta may show many ticks; the ack says at which of them the command took effect.
                at = entry.ack if entry and entry.ack else delta
                outcome = Outcome(
                    cid=event["cid"], tick=at.tick, seq=at.seq, code=event.get("code"), message=event.get("message")
                )
                actions += self._decided(outcome)
        events = tuple({"tick": tick, **event} for tick, event in zip(delta.at, delta.events, strict=True))
        return [*actions, Happened(tick=delta.tick, events=events, changes=delta.changes)]

    def _is_own_outcome(self, event: dict[str, Any]) -> bool:
        if event.get("type") not in {"CommandDone", "CommandFailed"} or self.welcome is None:
            return False
        return event.get("client") == self.welcome.client and event.get("player") == self.welcome.player

    def _acknowledged(self, ack: Ack) -> list[Action]:
        entry = self._sent.get(ack.cid)
        if entry is None or entry.ack is not None:
            return []
        entry.ack = ack
        return [Acknowledged(entry.ticket, ack), *self._settle(ack.cid, entry)]

    def _decided(self, outcome: Outcome) -> list[Action]:
        entry = self._sent.get(outcome.cid)
        if entry is None or entry.outcome is not None:
            return []
        entry.outcome = outcome
        return [Decided(entry.ticket, outcome), *self._settle(outcome.cid, entry)]

    def _refused(self, error: Error) -> list[Action]:
        if error.cid is None:
            self.complaint = error
            # Before the welcome it is the reason why the connection will be closed, and told then.
            return [Complained(error)] if self.phase is Phase.ATTACHED else []
        entry = self._sent.get(error.cid)
        if entry is None:
            return []
        if error.code in PASSING_REFUSALS and not entry.answered:
            self._put_off.add(error.cid)
            return [PutOff(entry.ticket, error.cid, error.code, error.message)]
        durable = self.welcome is not None and error.cid <= self.welcome.last_cid
        if entry.ack is not None or durable:
            # It is part of the history, so it was the rules that refused it. Its ack follows when it was only resent.
            tick, seq = (entry.ack.tick, entry.ack.seq) if entry.ack else (self.clock.tick, 0)
            outcome = Outcome(cid=error.cid, tick=tick, seq=seq, code=error.code, message=error.message)
            return self._decided(outcome)
        self._forget(error.cid)
        if entry.outcome is not None:
            return self._go_on()
        return [Turned(entry.ticket, error.cid, error.code, error.message), *self._go_on()]

    def _settle(self, cid: int, entry: _Entry) -> list[Action]:
        """Forget a command that is both acknowledged and decided, and let the next one go."""
        if entry.ack is None or entry.outcome is None:
            return []
        self._forget(cid)
        return self._go_on()

    def _forget(self, cid: int) -> None:
        del self._sent[cid]
        self._put_off.discard(cid)

    def _go_on(self) -> list[Action]:
        """There is room for one more."""
        return self.try_again() if self._put_off else self._pump()

    def _hear(self, tick: Tick, now_s: float, *, speed: float | None = None, paused: bool | None = None) -> None:
        clock = self.clock
        self.clock = Clock(
            tick=tick,
            at_s=now_s,
            speed=clock.speed if speed is None else speed,
            paused=clock.paused if paused is None else paused,
            tick_hz=clock.tick_hz,
            trusted_s=max(self.promised_s - 1.0, 0.0) + SILENCE_S,
        )

    def _reassured(self, beat: Heartbeat, now_s: float) -> list[Action]:
        self.promised_s = beat.next_s
        if beat.tick is None:
            # The game sleeps: nothing has changed, and the clock is right as it runs.
            age_s = max(now_s - self.clock.at_s, 0.0)
            self.clock = msgspec.structs.replace(self.clock, trusted_s=age_s + beat.next_s + SILENCE_S)
            return []
        self._hear(beat.tick, now_s)
        self._stand_still(beat.tick)
        return [Ticked(beat.tick)]

    def _stand_still(self, tick: Tick) -> None:
        """Messages come in order: what did not arrive before this one did not happen before its tick."""
        if self.seen is not None:
            self.seen = self.seen.still(tick)

    def _broken(self, what: str) -> list[Action]:
        text = f"The server broke the protocol: {what}. Use the same version of gamekit on both sides."
        return self.stop(RemoteProtocolError("protocol_error", text))
