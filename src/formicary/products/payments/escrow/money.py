"""An escrow's record as Python numbers, and the transfers of its money.

Money in escrow lies on one liability account of the house a currency, and each escrow keeps what is its
own of it; the account holds exactly their sum (docs/adr/0009).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy.typing as npt

from formicary.factory.ledger import Transfer
from formicary.products.payments.escrow.refusals import RefundOutOfRange
from formicary.products.payments.escrow.table import Money, Refund, Timing, Trade
from formicary.products.payments.postings import AccountCode, TransferCode, account_id, house_account_id
from formicary.products.payments.terms import fee_of

__all__ = ["Escrow", "Payment", "payments", "read", "transfers"]


class Escrow(NamedTuple):
    """One escrow: parties, minor units, states; see ``schemas.ESCROW``."""

    subject: int
    buyer: int
    seller: int
    amount: int
    held: int
    currency: int
    fee_points: int
    trade: Trade
    refund: Refund
    timer: Timing
    extended: bool
    due: int
    remaining: int
    refund_amount: int
    goods_received: bool
    goods_returned: bool


class Payment(NamedTuple):
    """What moves, in minor units: into escrow, out to the buyer, out to the seller, of that the fee."""

    into: int = 0
    to_buyer: int = 0
    to_seller: int = 0
    fee: int = 0


_NUMBERS: Final = ("amount", "held", "currency", "fee_points")


def read(record: npt.NDArray[Any]) -> Escrow:
    """Return a record of ``ESCROW`` as Python numbers."""
    return Escrow(
        subject=_id(record, "id"),
        buyer=_id(record, "buyer"),
        seller=_id(record, "seller"),
        amount=int(record["amount"]),
        held=int(record["held"]),
        currency=int(record["currency"]),
        fee_points=int(record["fee_points"]),
        trade=Trade(int(record["trade"])),
        refund=Refund(int(record["refund"])),
        timer=Timing(int(record["timer"])),
        extended=bool(record["extended"]),
        due=int(record["due"]),
        remaining=int(record["remaining"]),
        refund_amount=int(record["refund_amount"]),
        goods_received=bool(record["goods_received"]),
        goods_returned=bool(record["goods_returned"]),
    )


def _id(record: npt.NDArray[Any], name: str) -> int:
    return (int(record[f"{name}_high"]) << 64) | int(record[f"{name}_low"])


def payments(escrow: Escrow, money: Money, refund: int = 0) -> Payment:
    """Return what moves; ``refund`` is the part of what is held that goes to the buyer.

    Raises
    ------
    RefundOutOfRange
        More would leave escrow than is held.
    """
    held = escrow.held
    if not 0 <= refund <= held:
        raise RefundOutOfRange
    match money:
        case Money.PAY:
            return Payment(into=escrow.amount)
        case Money.RETURN:
            return Payment(to_buyer=held)
        case Money.REFUND:
            return Payment(to_buyer=refund)
        case Money.RELEASE | Money.SPLIT:
            to_seller = held - refund
            return Payment(to_buyer=refund, to_seller=to_seller, fee=fee_of(to_seller, escrow.fee_points))
    return Payment()


def transfers(escrow: Escrow, paid: Payment) -> list[Transfer]:
    """Return the transfers of a payment, each with the escrow's id in ``user_data_128``; none of nothing."""
    if not any(paid):
        # Most moves are words alone; ids of accounts are hashes and not for nothing.
        return []
    buyer, seller = (account_id(party, escrow.currency) for party in (escrow.buyer, escrow.seller))
    held, fees = (house_account_id(code, escrow.currency) for code in (AccountCode.ESCROW, AccountCode.FEES))
    moves = (
        (buyer, held, paid.into, TransferCode.ESCROW_PAY),
        (held, buyer, paid.to_buyer, TransferCode.ESCROW_REFUND),
        (held, seller, paid.to_seller, TransferCode.ESCROW_RELEASE),
        (seller, fees, paid.fee, TransferCode.ESCROW_FEE),
    )
    return [
        Transfer(
            id=0,
            debit_account_id=debit,
            credit_account_id=credit,
            amount=amount,
            ledger=escrow.currency,
            code=code,
            user_data_128=escrow.subject,
        )
        for debit, credit, amount, code in moves
        if amount
    ]
