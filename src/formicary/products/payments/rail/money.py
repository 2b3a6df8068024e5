"""The two halves of an order's money: what the bank did, and what the wallet takes part in.

::

    top-up      nostro -> clearing -> wallet        returned: wallet -> clearing -> nostro
    cash-out    wallet -> clearing -> nostro        returned: nostro -> clearing -> wallet

The bank's half is a fact: it is booked whenever the bank says so. The wallet's half is booked with it if
the wallet can take part; else the amount stands on the clearing account, which is expected to be zero and
so shows it. A cash-out's wallet half is held from the request on, posted or voided later.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy.typing as npt

from formicary.factory.engine.products import Context
from formicary.factory.engine.requests import derive_id
from formicary.factory.ledger import AccountFlags, Transfer, TransferFlags
from formicary.products.payments.postings import AccountCode, TransferCode, account_id, house_account_id
from formicary.products.payments.rail.schemas import Direction, OrderState

__all__ = ["Order", "bank_half", "hold", "read", "void", "wallet_half"]

Rows = npt.NDArray[Any]


class Order(NamedTuple):
    """One order: minor units, states; see ``schemas.RAIL_ORDER``."""

    subject: int
    party: int
    currency: int
    amount: int
    open: int
    due: int
    direction: Direction
    state: OrderState


_CLEARING: Final = {
    Direction.TOP_UP: AccountCode.CLEARING_IN,
    Direction.CASH_OUT: AccountCode.CLEARING_OUT,
}
_BANK_CODES: Final = {
    (Direction.TOP_UP, False): TransferCode.TOP_UP_ARRIVED,
    (Direction.TOP_UP, True): TransferCode.TOP_UP_RETURNED,
    (Direction.CASH_OUT, False): TransferCode.CASH_OUT_PAID,
    (Direction.CASH_OUT, True): TransferCode.CASH_OUT_RETURNED,
}
_WALLET_CODES: Final = {
    (Direction.TOP_UP, False): TransferCode.TOP_UP_CREDITED,
    (Direction.TOP_UP, True): TransferCode.TOP_UP_DEBITED,
    (Direction.CASH_OUT, True): TransferCode.CASH_OUT_CREDITED,
}


def read(record: Rows) -> Order:
    """Return a record of ``RAIL_ORDER`` as Python numbers."""
    return Order(
        subject=_id(record, "id"),
        party=_id(record, "party"),
        currency=int(record["currency"]),
        amount=int(record["amount"]),
        open=int(record["open"]),
        due=int(record["due"]),
        direction=Direction(int(record["direction"])),
        state=OrderState(int(record["state"])),
    )


def _id(record: Rows, name: str) -> int:
    return (int(record[f"{name}_high"]) << 64) | int(record[f"{name}_low"])


def bank_half(order: Order, *, back: bool) -> Transfer:
    """Return what the bank did; ``back``: it undid what it had done."""
    nostro, clearing = _nostro(order), _clearing(order)
    into_house = (order.direction == Direction.TOP_UP) != back
    debit, credit = (nostro, clearing) if into_house else (clearing, nostro)
    return _transfer(order, debit, credit, code=_BANK_CODES[order.direction, back])


def wallet_half(order: Order, context: Context, *, back: bool) -> list[Transfer]:
    """Return what the wallet takes part with; nothing where it cannot."""
    wallet, clearing = account_id(order.party, order.currency), _clearing(order)
    account = context.account(wallet)
    if account is None or account["flags"] & AccountFlags.CLOSED:
        return []
    if order.direction == Direction.CASH_OUT and not back:
        post = int(TransferFlags.POST_PENDING_TRANSFER)
        return [_transfer(order, wallet, clearing, code=TransferCode.CASH_OUT_SENT, flags=post, pending=True)]
    code = _WALLET_CODES[order.direction, back]
    if order.direction == Direction.CASH_OUT or not back:
        return [_transfer(order, clearing, wallet, code=code)]
    free = int(account["credits_posted"]) - int(account["debits_posted"]) - int(account["debits_pending"])
    return [_transfer(order, wallet, clearing, code=code)] if free >= order.amount else []


def hold(order: Order) -> Transfer:
    """Return the hold of a cash-out."""
    wallet, clearing = account_id(order.party, order.currency), _clearing(order)
    held = _transfer(
        order, wallet, clearing, code=TransferCode.CASH_OUT_SENT, flags=int(TransferFlags.PENDING)
    )
    # The id follows from the order, so that the bank's word finds the hold.
    return replace(held, id=_hold_id(order))


def void(order: Order) -> Transfer:
    """Return the end of a cash-out's hold."""
    wallet, clearing = account_id(order.party, order.currency), _clearing(order)
    flags = int(TransferFlags.VOID_PENDING_TRANSFER)
    return _transfer(order, wallet, clearing, code=TransferCode.CASH_OUT_SENT, flags=flags, pending=True)


def _hold_id(order: Order) -> int:
    return derive_id(order.subject, 0)


def _nostro(order: Order) -> int:
    return house_account_id(AccountCode.NOSTRO, order.currency)


def _clearing(order: Order) -> int:
    return house_account_id(_CLEARING[order.direction], order.currency)


def _transfer(
    order: Order, debit: int, credit: int, *, code: TransferCode, flags: int = 0, pending: bool = False
) -> Transfer:
    return Transfer(
        id=0,
        debit_account_id=debit,
        credit_account_id=credit,
        amount=order.amount,
        pending_id=_hold_id(order) if pending else 0,
        ledger=order.currency,
        code=code,
        flags=flags,
        user_data_128=order.subject,
    )
