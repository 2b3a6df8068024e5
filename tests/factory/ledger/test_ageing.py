"""Ageing: what is open on an account that is expected to be zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.ledger import TRANSFER, Transfer, TransferFlags, transfer_array
from formicary.factory.ledger.ageing import OpenItem, age_buckets, open_items

CLEARING, OTHER = 5, 6
DAY = 86_400 * 10**9
PENDING, POST, VOID = (
    TransferFlags.PENDING,
    TransferFlags.POST_PENDING_TRANSFER,
    TransferFlags.VOID_PENDING_TRANSFER,
)


def entries(*moves: tuple[int, int, dict[str, Any]]) -> npt.NDArray[Any]:
    """Return transfers of (reference, amount into clearing, more), a day apart."""
    transfers = []
    for number, (reference, amount, more) in enumerate(moves, start=1):
        debit, credit = (OTHER, CLEARING) if amount >= 0 else (CLEARING, OTHER)
        fields = {
            "id": number,
            "debit_account_id": debit,
            "credit_account_id": credit,
            "ledger": 1,
            "code": 1,
        }
        fields |= {"amount": abs(amount), "user_data_128": reference, "timestamp": number * DAY}
        transfers.append(Transfer(**(fields | more)))
    return transfer_array(transfers)


def test_what_comes_back_to_zero_is_closed() -> None:
    """In any number of entries; what does not is open since it left zero, the oldest first."""
    found = open_items(CLEARING, entries((1, 5, {}), (2, 7, {}), (1, -5, {}), (2, -3, {}), (1, -2, {})))
    assert found == [
        OpenItem(reference=2, booked=4, held=0, since=2 * DAY),
        OpenItem(reference=1, booked=-2, held=0, since=5 * DAY),
    ]


def test_holds_count_apart_until_they_end() -> None:
    """A hold that is posted is booked, one that is voided is gone."""
    held = entries((1, 5, {"flags": PENDING}), (2, 7, {"flags": PENDING}), (3, 9, {"flags": PENDING}))
    assert [(item.booked, item.held) for item in open_items(CLEARING, held)] == [(0, 5), (0, 7), (0, 9)]
    ended = entries((1, 5, {"flags": POST, "pending_id": 1}), (2, 7, {"flags": VOID, "pending_id": 2}))
    found = open_items(CLEARING, np.concatenate([held, ended]))
    assert [(item.reference, item.booked, item.held) for item in found] == [(1, 5, 0), (3, 0, 9)]


def test_buckets() -> None:
    """Each matter is in one bucket, at a bound in the younger one."""
    items = open_items(CLEARING, entries((1, 5, {}), (2, 7, {"flags": PENDING}), (3, -9, {}), (4, 1, {})))
    buckets = age_buckets(items, now=4 * DAY)
    references = [[item.reference for item in bucket.items] for bucket in buckets]
    assert references == [[3, 4], [1, 2], [], [], []]
    assert [(bucket.booked, bucket.held) for bucket in buckets][:2] == [(-8, 0), (5, 7)]
    old = age_buckets(items, now=100 * DAY)
    assert (len(old[-1].items), old[-1].until) == (4, None)


def test_nothing_is_open() -> None:
    """An account without entries is zero."""
    assert open_items(CLEARING, np.empty(0, TRANSFER)) == []
