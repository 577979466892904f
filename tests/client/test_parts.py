"""Large messages in parts, put together again without any socket."""

from __future__ import annotations

import zlib

import msgspec
import pytest

from gamekit import wire
from gamekit.client import parts
from gamekit.client.parts import Assembly
from gamekit.errors import RemoteProtocolError
from gamekit.wire import Part, ToClient
from tests.client.sketch import delta, snapshot

DECODER = msgspec.json.Decoder(ToClient)


def cut(message: ToClient, size: int = 30) -> list[Part]:
    """A message as the server cuts it."""
    packed = zlib.compress(wire.encode(message, binary=False), 1)
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    return [Part(i=number, of=len(pieces), data=piece) for number, piece in enumerate(pieces, 1)]


def test_a_message_in_parts_is_given_out_when_it_is_whole_and_tells_how_far_it_is() -> None:
    assembly = Assembly(DECODER.decode)
    pieces = cut(snapshot())
    assert len(pieces) > 2
    for number, piece in enumerate(pieces[:-1], 1):
        assert assembly.take(piece) == []
        assert assembly.received == (number, len(pieces))
    assert assembly.take(pieces[-1]) == [snapshot()]
    assert assembly.received is None


def test_a_delta_between_the_parts_comes_after_the_message_and_an_answer_does_not_wait() -> None:
    assembly = Assembly(DECODER.decode)
    pieces = cut(snapshot())
    assembly.take(pieces[0])
    between = delta(4, tick=20)
    assert assembly.take(between) == []
    ack = wire.Ack(cid=1, tick=2, seq=3)
    assert assembly.take(ack) == [ack]
    for piece in pieces[1:-1]:
        assert assembly.take(piece) == []
    assert assembly.take(pieces[-1]) == [snapshot(), between]
    assert assembly.take(between) == [between]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda p: [p[1]],
        lambda p: [p[0], p[0]],
        lambda p: [p[0], p[2]],
        lambda p: [p[0], msgspec.structs.replace(p[1], of=99)],
        lambda p: [msgspec.structs.replace(p[0], of=0)],
        lambda p: [Part(i=1, of=1, data=b"nonsense")],
        lambda p: [Part(i=1, of=1, data=b"".join(one.data for one in p)[:-5])],
        lambda p: [Part(i=1, of=1, data=zlib.compress(wire.encode(p[0], binary=False)))],
    ],
)
def test_parts_that_do_not_fit_together_are_the_servers_mistake(wrong: object) -> None:
    assembly = Assembly(DECODER.decode)
    *good, last = wrong(cut(snapshot()))  # type: ignore[operator]
    for piece in good:
        assert assembly.take(piece) == []
    with pytest.raises(RemoteProtocolError, match="could not be put together"):
        assembly.take(last)


def test_what_is_put_together_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MAX_MESSAGE_BYTES", 100)
    bomb = zlib.compress(b" " * 10_000)
    assert len(bomb) < 100
    with pytest.raises(RemoteProtocolError, match="larger than 100 bytes"):
        Assembly(DECODER.decode).take(Part(i=1, of=1, data=bomb))
    assembly = Assembly(DECODER.decode)
    assembly.take(Part(i=1, of=3, data=b"x" * 90))
    with pytest.raises(RemoteProtocolError, match="larger than 100 bytes"):
        assembly.take(Part(i=2, of=3, data=b"x" * 90))
