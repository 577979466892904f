"""How a journal's storage does: whether writes succeed, wait or fail, and how large the log has grown."""

from __future__ import annotations

import msgspec


class Health(msgspec.Struct, frozen=True):
    """How a journal does at this moment; all is well by default.

    Attributes:
        failing: why nothing can be written at present, and what to do; None when writes succeed.
        displaced: True when that is because the files at the journal's paths are not those that it has open: nothing
            that is written now would be found again, so no game of the journal can take a command.
        late: why writes wait at present; None when they do not. They are not lost, and their reports come later.
        log_bytes: size of the write-ahead log; 0 where there is none.
    """

    failing: str | None = None
    displaced: bool = False
    late: str | None = None
    log_bytes: int = 0
