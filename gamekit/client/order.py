"""A command on its way: what became of it, to be awaited or waited for.

One `Order` serves both faces of the client. It is filled in by the I/O loop's thread and may be read from any other;
the two futures inside are `concurrent.futures` ones for that reason. Waiting never cancels the command itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from gamekit.client import show
from gamekit.client.actions import Abandoned, Acknowledged, Decided, Numbered, PutOff, Turned
from gamekit.client.iothread import check_may_wait
from gamekit.client.loops import Home
from gamekit.errors import CommandFailed, ConfigError, GamekitError, NotTaken
from gamekit.wire import Ack, Outcome

if TYPE_CHECKING:
    from gamekit.client.chain import Then
    from gamekit.client.reading import ShipReading

T = TypeVar("T")

logger = logging.getLogger("gamekit.client")

#: How long a refusal may stay unasked for before the log says it, in seconds.
UNASKED_S = 0.5

Status = Literal["waiting", "sent", "acknowledged", "done", "failed"]


class OrderState:
    """What both kinds of order know.

    Attributes:
        body: the command as it was given.
        cid: its number on the wire; None until it is first sent.
        ship: the ship's handle, when it was given to a ship.
        before: the order that it was chained to with `then`.
        number: the number under which the ship's queue has it; 0 when it put nothing there; None until it is known.
        put_off: why the server does not take it just now, in its words; it is sent again by itself. None if it does.
        home: the loop that its answers come on; None until it is submitted.
    """

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.cid: int | None = None
        self.ship: ShipReading[Any] | None = None
        self.before: OrderState | None = None
        self.number: int | None = None
        self.put_off: str | None = None
        self.home: Home | None = None
        #: True once somebody has asked how it ends; a refusal that nobody asked about is logged instead.
        self.asked = False
        self._acked: Future[Ack] = Future()
        self._outcome: Future[Outcome] = Future()
        # A running future cannot be cancelled: whoever stops waiting does not take the answer from others.
        self._acked.set_running_or_notify_cancel()
        self._outcome.set_running_or_notify_cancel()

    def then(self) -> Then[Self]:
        """What the ship shall do after this: `ship.go("Sirius").then().sell("ore", 100)`.

        Raises:
            ConfigError: this order was not given to a ship.
        """
        if self.ship is None:
            raise ConfigError("Only an order that was given to a ship has a `then`, e.g. ship.go('Sol').then().")
        from gamekit.client.chain import Then

        return Then(self.ship, self)

    @property
    def steps(self) -> list[OrderState]:
        """The chain that this order ends, from its first order on."""
        steps: list[OrderState] = [self]
        while (earlier := steps[-1].before) is not None:
            steps.append(earlier)
        return steps[::-1]

    @property
    def text(self) -> str:
        """The order in a few words, e.g. "sell 100 ore"."""
        body = self.body
        match body.get("type"):
            case "buy" | "sell":
                return f"{body['type']} {body.get('units')} {body.get('ware')}"
            case "move":
                to = body.get("to", {})
                return f"go to {to.get('station') or to.get('gate') or to.get('sector')}"
            case kind:
                return str(kind)

    @property
    def status(self) -> Status:
        """How far the command is: waiting, sent, acknowledged (durable), done or failed."""
        if self._outcome.done():
            return "done" if self._outcome.exception() is None else "failed"
        if self._acked.done():
            return "acknowledged"
        return "waiting" if self.cid is None else "sent"

    @property
    def error(self) -> GamekitError | None:
        """Why the command failed, once it has."""
        error = self._outcome.exception() if self._outcome.done() else None
        return error if isinstance(error, GamekitError) else None

    async def outcome(self) -> Outcome:
        """Wait on whatever loop runs until the command is decided; see `AsyncOrder.result`."""
        return await self._on_its_way(self._outcome)

    async def _on_its_way(self, future: Future[T]) -> T:
        if self.home is not None and not future.done():
            self.home.check_goes_on()
        return await _awaited(future)

    def when_failed(self, callback: Callable[[GamekitError], object]) -> None:
        """Have `callback` called on the I/O loop's thread if the command fails; this counts as asking."""
        self.asked = True
        self._outcome.add_done_callback(lambda _: self.error and callback(self.error))

    @property
    def settled(self) -> bool:
        """True once nothing more can become of the command."""
        return self._acked.done() and self._outcome.done()

    def take(self, action: Numbered | Acknowledged | Decided | Turned | PutOff | Abandoned) -> None:
        """What the core says about this command. Called on the I/O loop's thread only."""
        self.put_off = action.message if isinstance(action, PutOff) else None
        match action:
            case Numbered():
                self.cid = action.cid
            case Acknowledged():
                _resolve(self._acked, action.ack)
            case Decided(outcome=outcome) if outcome.code is None:
                _resolve(self._outcome, outcome)
            case Decided(outcome=outcome):
                code = outcome.code or ""
                _fail(self._outcome, CommandFailed(code, outcome.message or code, outcome.cid))
                self._log_refusal()
            case Turned():
                error = CommandFailed(action.code, action.message, action.cid)
                _fail(self._acked, error)
                _fail(self._outcome, error)
                self._log_refusal()
            case Abandoned():
                _fail(self._acked, action.error)
                _fail(self._outcome, action.error)

    def _log_refusal(self) -> None:
        """Say the refusal in the log, unless it is asked for; who waits for an order does so just after giving it."""
        asyncio.get_running_loop().call_later(UNASKED_S, self._log_unless_asked)

    def _log_unless_asked(self) -> None:
        if not self.asked:
            logger.warning("%r", self)

    def __repr__(self) -> str:
        words = " ".join(f"{key}={value!r}" for key, value in self.body.items() if key != "type")
        number = "" if self.cid is None else f" #{self.cid}"
        reason = f": {self.error or self.put_off}" if self.error or self.put_off else ""
        return f"<Order{number} {self.body.get('type', '?')} {words}, {self.status}{reason}>"

    def _repr_html_(self) -> str:
        rows = []
        for number, step in enumerate(self.steps, 1):
            reason = "" if step.error is None else str(step.error)
            rows.append([number, step.text, step.status, step.cid, reason])
        ship = "" if self.ship is None else f" for {self.ship.id}"
        return show.table(f"Order{ship}", ["", "step", "status", "cid", ""], rows)


class AsyncOrder(OrderState):
    """A command on its way; `await order` gives its outcome."""

    async def ack(self) -> Ack:
        """Wait until the command is on the server's disk.

        Returns:
            The tick at which it takes effect and the journal record that holds it.

        Raises:
            CommandFailed: it was turned away before it became part of the history.
            GamekitError: the client gave up first, or its loop does not run any more.
        """
        self.asked = True
        return await self._on_its_way(self._acked)

    async def result(self) -> Outcome:
        """Wait until the command is decided.

        Returns:
            When it was carried out.

        Raises:
            CommandFailed: the rules refused it.
            GamekitError: the client gave up first, or its loop does not run any more.
        """
        self.asked = True
        return await self.outcome()

    async def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the ship has carried this order out, and with it all that it is chained to.

        Raises:
            CommandFailed: a step was refused or failed, other orders took its place ("dropped"), or the ship holds; the
                message says which step, and why.
            ConfigError: the order was not given to a ship.
            UnknownName: the ship is gone.
            TimeoutError: not within `timeout_s` seconds of real time; the message says what the ship is doing.
        """
        await carried_out(self, timeout_s)

    def __await__(self) -> Generator[Any, None, Outcome]:
        return self.result().__await__()


class Order(OrderState):
    """A command on its way. In a cell or a coroutine `await order` gives its outcome as well, on any loop."""

    def _waited(self, future: Future[T], timeout_s: float | None) -> T:
        check_may_wait()
        self.asked = True
        try:
            return future.result(timeout_s)
        except TimeoutError:
            if future.done():
                raise
            said = f"{self!r} has no answer within {timeout_s:g} s"
            if self.put_off is None:
                raise TimeoutError(f"{said}; it stays on its way") from None
            raise NotTaken(f"{said}; it is sent again by itself") from None

    def ack(self, timeout_s: float | None = None) -> Ack:
        """Wait until the command is on the server's disk; see `AsyncOrder.ack`.

        Raises:
            SessionError: called in a callback, which would wait for itself.
            NotTaken: not within `timeout_s` seconds, because the server does not take it just now.
            TimeoutError: not within `timeout_s` seconds; the command stays on its way.
        """
        return self._waited(self._acked, timeout_s)

    def result(self, timeout_s: float | None = None) -> Outcome:
        """Wait until the command is decided; see `AsyncOrder.result`.

        Raises:
            SessionError: called in a callback, which would wait for itself.
            NotTaken: not within `timeout_s` seconds, because the server does not take it just now.
            TimeoutError: not within `timeout_s` seconds; the command stays on its way.
        """
        return self._waited(self._outcome, timeout_s)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until the ship has carried this order out, and with it all that it is chained to; see `AsyncOrder.wait`.

        Raises:
            CommandFailed: a step was refused or failed, other orders took its place, or the ship holds.
            UnknownName: the ship is gone.
            TimeoutError: not within `timeout_s` seconds of real time; the message says what the ship is doing.
        """
        player: Any = _ship_of(self).player
        player.io.run(carried_out(self, timeout_s))

    def __await__(self) -> Generator[Any, None, Outcome]:
        self.asked = True
        return self.outcome().__await__()


async def carried_out(order: OrderState, timeout_s: float | None) -> None:
    """Wait on the client's loop until an order of a ship is carried out; see `AsyncOrder.wait`."""
    ship = _ship_of(order)
    player: Any = getattr(ship.player, "inner", ship.player)
    try:
        async with asyncio.timeout(timeout_s):
            await player.order_carried_out(order)
    except TimeoutError:
        raise TimeoutError(f"{ship.name} has not done {order.text!r} within {timeout_s:g} s: {ship.doing}") from None


def _ship_of(order: OrderState) -> ShipReading[Any]:
    if order.ship is None:
        raise ConfigError(
            "Only an order that was given to a ship can be waited for; `result()` tells what became of it."
        )
    return order.ship


async def _awaited(future: Future[T]) -> T:
    waiting = asyncio.wrap_future(future)
    # Whoever has stopped waiting is not told of the failure by asyncio, as something that nobody looked at.
    waiting.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return await asyncio.shield(waiting)


def _resolve(future: Future[T], value: T) -> None:
    if not future.done():
        future.set_result(value)


def _fail(future: Future[T], error: GamekitError) -> None:
    if not future.done():
        future.set_exception(error)
