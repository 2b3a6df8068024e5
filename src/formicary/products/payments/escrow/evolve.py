"""What events make of escrows, in columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.products.payments.escrow import schemas

__all__ = ["evolve"]

Rows = npt.NDArray[Any]

_WORD: Final = 2**64 - 1
_MOVED: Final = ("trade", "refund", "timer", "due", "remaining")


def evolve(kind: str, escrows: Rows, events: Sequence[Any]) -> None:
    """Change escrows (n,) as events (n,) of one kind say."""
    for name in _MOVED:
        escrows[name] = [getattr(event, name) for event in events]
    if kind in _MORE:
        _MORE[kind](escrows, events)


def _opened(escrows: Rows, events: Sequence[schemas.EscrowOpened]) -> None:
    for name in ("currency", "amount", "fee_points"):
        escrows[name] = [getattr(event, name) for event in events]
    for side in ("buyer", "seller"):
        ids = [int(getattr(event, side), 16) for event in events]
        escrows[f"{side}_high"] = [value >> 64 for value in ids]
        escrows[f"{side}_low"] = [value & _WORD for value in ids]


def _paid(escrows: Rows, _: Sequence[schemas.EscrowPaid]) -> None:
    escrows["held"] = escrows["amount"]


def _extended(escrows: Rows, _: Sequence[schemas.EscrowExtended]) -> None:
    escrows["extended"] = 1


def _claimed(escrows: Rows, events: Sequence[schemas.RefundClaimed]) -> None:
    escrows["refund_amount"] = [event.amount for event in events]
    escrows["goods_received"] = [event.goods_received for event in events]
    escrows["goods_returned"] = [event.goods_returned for event in events]


def _settled(escrows: Rows, events: Sequence[schemas.EscrowSettled]) -> None:
    to_buyer = np.array([event.to_buyer for event in events], np.int64)
    to_seller = np.array([event.to_seller for event in events], np.int64)
    escrows["held"] -= to_buyer + to_seller
    escrows["refunded"] += to_buyer
    escrows["released"] += to_seller


_MORE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "EscrowOpened": _opened,
    "EscrowPaid": _paid,
    "EscrowExtended": _extended,
    "RefundRequested": _claimed,
    "RefundRevised": _claimed,
    "EscrowFinished": _settled,
    "EscrowClosed": _settled,
    "RefundPaid": _settled,
}
