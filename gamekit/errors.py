"""The errors that gamekit raises, as one tree.

GamekitError
├── ConfigError                 a scenario, rules or settings value is wrong; names file, key and allowed values
├── ProtocolError
│   ├── LocalProtocolError      this side is about to break the protocol
│   └── RemoteProtocolError     the other side broke it; carries the wire code to answer with
├── JournalError                a journal operation failed; says whether trying again can help
│   ├── JournalGap              a record is missing or out of order
│   ├── JournalCorrupt          a record or snapshot does not match its checksum
│   ├── JournalFenced           another host owns the game now
│   └── JournalFull             the disk has no room
├── SessionError                a session was asked for something impossible in its state, or is out of order
│   └── NoSuchGame              there is no game with this id
├── InvariantViolated           the rules broke their own law; carries the story of how
├── HookFailed                  a designer's own rule raised, or returned nonsense; names game and hook
├── ServerError                 the server could not be started or reached
│   ├── ServerBusy              it has too much to do just now; carries when to try again
│   │   └── TooOften            one address asks for more in a minute than it may
│   ├── TooCostly               what was asked for is more than may be made without permission; names the limit
│   ├── ClientClosed            this side ended the conversation
│   └── RequestRefused          it was reached and said no: wrong token, no such game, ...; carries code and status
├── UnknownName                 no ship, sector or ware has this name; lists the closest ones
├── CommandFailed               a command was refused by the rules (raised to the *caller* of a client only)
└── NotTaken                    a command has no answer in time, because the server does not take it for now

A refusal by the rules inside the engine is a value, `gamekit.game.Rejected`, never an exception.
Every message says what to do next.
"""

from __future__ import annotations


class GamekitError(Exception):
    """Base of every error that gamekit raises on purpose."""


class ConfigError(GamekitError, ValueError):
    """A scenario, rules or settings value is wrong. The message names the key and what is allowed."""


class ProtocolError(GamekitError):
    """The wire protocol was broken.

    Attributes:
        code: the wire error code, as documented in `docs/protocol.md`.
        cid: the command id that the error belongs to, if any.
    """

    def __init__(self, code: str, message: str, cid: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.cid = cid


class LocalProtocolError(ProtocolError):
    """This side is about to break the protocol; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The other side broke the protocol."""


class JournalError(GamekitError):
    """A journal operation failed.

    Attributes:
        op: what was being done, e.g. "append".
        hint: what to do about it.
        recoverable: True when trying the same operation again can succeed.
    """

    def __init__(self, op: str, message: str, *, hint: str, recoverable: bool = False) -> None:
        super().__init__(f"{op}: {message} ({hint})")
        self.op = op
        self.message = message
        self.hint = hint
        self.recoverable = recoverable


class JournalGap(JournalError):
    """A record is missing or out of order."""


class JournalCorrupt(JournalError):
    """A record or snapshot does not match its checksum."""


class JournalFenced(JournalError):
    """Another host owns the game now; this one must stop writing it."""


class JournalFull(JournalError):
    """The disk has no room for the write."""


class SessionError(GamekitError):
    """A session was asked for something that its state does not allow; the message tells its recent story."""


class NoSuchGame(SessionError):
    """There is no game with this id."""


class InvariantViolated(GamekitError):
    """The rules broke their own law.

    Attributes:
        story: the recent events that led here, oldest first.
    """

    def __init__(self, message: str, story: tuple[str, ...] = ()) -> None:
        super().__init__(message if not story else message + "\n  " + "\n  ".join(story))
        self.story = story


class ServerError(GamekitError):
    """The server could not be started or reached."""


class ServerBusy(ServerError):
    """The server has too much to do just now; the same request succeeds later.

    Attributes:
        retry_s: when to try again, in seconds.
    """

    def __init__(self, message: str, retry_s: float = 5.0) -> None:
        super().__init__(message)
        self.retry_s = retry_s


class TooOften(ServerBusy):
    """One address asked for more in a minute than it may, or all of them together did."""


class TooCostly(ServerError):
    """What was asked for is more than a server lets strangers make. The message names the limit and its option."""


class ClientClosed(ServerError):
    """The client was closed by its own program, by `close()` or the end of a `with` block."""


class RequestRefused(ServerError):
    """The server answered, and the answer was no; asking again will not help.

    Attributes:
        code: stable word for programs, e.g. "unknown_game".
        message: what to do instead.
        status: the HTTP status, or the WebSocket close code.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class HookFailed(GamekitError):
    """A rule of a designer's own raised, or returned what it must not.

    Attributes:
        game: the name of the game whose class has it.
        hook: which one, e.g. "price" or "commands[donate]".
    """

    def __init__(self, game: str, hook: str, what: str) -> None:
        super().__init__(f"the hook {hook!r} of the game {game!r} {what}; mend it, then start again")
        self.game = game
        self.hook = hook


class UnknownName(GamekitError, KeyError):
    """Nothing in the game has this name; the message lists the closest ones."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument, which would put the sentence in quotation marks.
        return str(self.args[0])


class CommandFailed(GamekitError):
    """A command was refused; raised to whoever awaits its outcome on a client.

    Attributes:
        code: the refusal's code, e.g. "unknown_ship".
        cid: the command's id.
    """

    def __init__(self, code: str, message: str, cid: int | None = None) -> None:
        super().__init__(f"{message} [{code}]")
        self.code = code
        self.message = message
        self.cid = cid


class NotTaken(GamekitError, TimeoutError):
    """A command has no answer in time, because the server does not take it for now; the message says why.

    The command stays on its way, and is sent again by itself.
    """
