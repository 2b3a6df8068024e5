"""Looks at the engine's memory, asked for by name from another process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.factory.history.looks import (
    AccountsById,
    HeadOf,
    LatestEntries,
    MalformedLook,
    StepBack,
    TransfersById,
    decode_look,
    encode_look,
    pack_ids,
)
from formicary.factory.history.memory import compiled_filter
from formicary.factory.journal.access import Access
from formicary.factory.ledger import AccountFilter, id_column
from tests.factory.follower.house import House, open_house

EVERYTHING = compiled_filter(AccountFilter(account_id=1), expiries=True).tobytes()


@pytest.fixture
def house(access: Access, tmp_path: Path) -> Iterator[House]:
    """Give a house with some transfers between three accounts, of which the first have left memory."""
    with open_house(access, tmp_path) as house:
        house.pay(100, accounts=3)
        yield house


def parts(answer: Any) -> list[Any]:
    """Return an answer as plain values that can be compared."""
    if isinstance(answer, np.ndarray):
        return list(answer.tolist())
    if isinstance(answer, tuple):
        return [parts(part) for part in answer]
    if hasattr(answer, "rows"):
        return [answer.rows.tolist(), answer.cursor, answer.passed]
    return [answer]


def test_an_answer_that_was_sent_is_the_answer(house: House) -> None:
    """Whatever is asked, asking over the wire gives what asking in the same process does."""
    machine = house.engine.state.machine
    transfers = id_column(house.ledger.rows)[:2] + id_column(house.ledger.rows)[-2:]
    last = int(machine.accounts["last_entry"][0])
    for look in (
        AccountsById(pack_ids(3, 99, 1)),
        AccountsById(b""),
        TransfersById(pack_ids(*transfers, 12345)),
        HeadOf(pack_ids(1)),
        HeadOf(pack_ids(99)),
        StepBack(wanted=EVERYTHING, position=last, floor=0, limit=10),
        LatestEntries(ids=pack_ids(1), wanted=EVERYTHING, limit=5),
        LatestEntries(ids=pack_ids(99), wanted=EVERYTHING, limit=5),
    ):
        sent: Any = decode_look(encode_look(look))
        assert sent == look
        direct: Any = look(machine)
        assert parts(sent.decoded(sent.answer(machine))) == parts(direct)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no look",
        msgspec.msgpack.encode({"type": "DropEverything"}),
        encode_look(AccountsById(b"short")),
        encode_look(HeadOf(b"")),
        encode_look(HeadOf(pack_ids(1, 2))),
        encode_look(StepBack(wanted=b"", position=1, floor=0, limit=1)),
        encode_look(StepBack(wanted=EVERYTHING, position=-1, floor=0, limit=1)),
    ],
)
def test_what_is_no_look_is_refused(payload: bytes) -> None:
    """Bytes that name no look, or not its arguments, never reach the engine's memory."""
    with pytest.raises(MalformedLook):
        decode_look(payload)
