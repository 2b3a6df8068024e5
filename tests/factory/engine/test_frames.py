"""Frames on the wire."""

from __future__ import annotations

import msgspec
import pytest

from formicary.base.limits import FRAME_BYTES_MAX
from formicary.factory.engine.frames import (
    HEADER_BYTES,
    ErrorBody,
    Frame,
    MalformedFrame,
    Operation,
    error_body,
    pack,
    unpack_all,
)
from formicary.factory.engine.requests import EngineBusy, KeyReused


def test_frames_survive_any_cut() -> None:
    """Two frames come out whole however the bytes arrive, and nothing stays behind."""
    whole = pack(Operation.STATUS, 7, b"abc") + pack(Operation.CREATE_TRANSFERS, 8, b"")
    for cut in range(len(whole) + 1):
        buffer = bytearray(whole[:cut])
        frames = list(unpack_all(buffer))
        buffer += whole[cut:]
        frames += unpack_all(buffer)
        assert frames == [Frame(6, 7, b"abc"), Frame(2, 8, b"")]
        assert not buffer


def test_a_frame_that_is_taken_alone_leaves_the_rest() -> None:
    """Who stops after the first frame finds the second one next time."""
    buffer = bytearray(pack(Operation.STATUS, 1, b"x") + pack(Operation.STATUS, 2, b"y"))
    assert next(unpack_all(buffer)).correlation == 1
    assert [frame.correlation for frame in unpack_all(buffer)] == [2]


@pytest.mark.parametrize(
    "spoilt",
    [
        b"HTTP" + pack(0, 0, b"")[4:],
        pack(0, 0, b"")[:4] + b"\xff\xff" + pack(0, 0, b"")[6:],
        pack(0, 0, b"")[:16] + (FRAME_BYTES_MAX + 1).to_bytes(4, "little") + bytes(HEADER_BYTES - 20),
    ],
    ids=["another protocol", "another version", "too large"],
)
def test_what_is_no_frame_is_refused(spoilt: bytes) -> None:
    """Another protocol, another version and an oversized frame are malformed."""
    with pytest.raises(MalformedFrame):
        list(unpack_all(bytearray(spoilt)))


def test_errors_carry_their_codes() -> None:
    """A refusal is named by its code, a fault by its class; a fault may leave the outcome unknown."""
    refused = msgspec.json.decode(error_body(KeyReused()), type=ErrorBody)
    assert (refused.code, refused.unknown) == ("idempotency_key_reused", False)
    busy = msgspec.json.decode(error_body(EngineBusy(), unknown=True), type=ErrorBody)
    assert (busy.code, busy.unknown) == ("engine_busy", True)
    assert busy.message.startswith("The engine's queue is full")
