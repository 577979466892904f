"""The bodies of commands, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gamekit.errors import LocalProtocolError
from gamekit.wire import MAX_CID, MAX_MESSAGE_BYTES, Command


def checked_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of a command's body as plain values.

    Raises:
        LocalProtocolError: it is not made of plain values ("bad_message") or too large to be sent ("too_large").
    """
    try:
        plain: dict[str, Any] = msgspec.to_builtins(dict(body), str_keys=True)
        size = len(msgspec.json.encode(Command(cid=MAX_CID, body=plain)))
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError) as error:
        text = f"The command is not made of plain values (text, numbers, lists, mappings): {error}."
        raise LocalProtocolError("bad_message", text) from None
    if size > MAX_MESSAGE_BYTES:
        text = f"The command has {size} bytes; the limit is {MAX_MESSAGE_BYTES}. Nothing was sent; make it smaller."
        raise LocalProtocolError("too_large", text)
    return plain
