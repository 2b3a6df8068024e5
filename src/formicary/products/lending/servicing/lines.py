"""What steps of loans move on the ledger: each line says from where to where, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.ledger import TRANSFER
from formicary.products.lending.servicing import joint
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.postings import (
    Line,
    LoanAccount,
    LoanTransfer,
    cash_line,
    house_account_id,
    packed,
)
from formicary.products.lending.servicing.steps import Parts

__all__ = [
    "accrual_lines",
    "accrual_transfers",
    "charge_off_lines",
    "charge_off_transfers",
    "payment_lines",
    "payment_transfers",
]

Numbers = npt.NDArray[np.int64]


def accrual_lines(currency: int, *, interest: int, fees: int) -> list[Line]:
    """Return what books interest and fees, in minor units, that the house is owed from now on."""
    receivable, income = (
        house_account_id(code, currency)
        for code in (LoanAccount.INTEREST_RECEIVABLE, LoanAccount.INTEREST_INCOME)
    )
    owed, earned = (
        house_account_id(code, currency) for code in (LoanAccount.FEES_RECEIVABLE, LoanAccount.FEE_INCOME)
    )
    return [
        Line(receivable, income, interest, LoanTransfer.INTEREST),
        Line(owed, earned, fees, LoanTransfer.FEE),
    ]


def payment_lines(payer: int, loan: int, currency: int, parts: Parts) -> list[Line]:
    """Return what one payment moves: from the payer's account to what of the loan is paid."""
    fees, interest, principal, unbooked, caught = (int(part[0]) for part in parts)
    receivable, income = (
        house_account_id(code, currency)
        for code in (LoanAccount.INTEREST_RECEIVABLE, LoanAccount.INTEREST_INCOME)
    )
    owed = house_account_id(LoanAccount.FEES_RECEIVABLE, currency)
    return [
        Line(payer, owed, fees, LoanTransfer.FEE_PAID),
        Line(payer, receivable, interest, LoanTransfer.INTEREST_PAID),
        Line(payer, income, unbooked, LoanTransfer.INTEREST_PAID),
        Line(payer, loan, principal, LoanTransfer.PRINCIPAL_PAID),
        Line(receivable, income, caught, LoanTransfer.INTEREST),
    ]


def charge_off_lines(loan: int, currency: int, owed: Rows, *, is_back: bool) -> list[Line]:
    """Return what takes a loss, or takes it back, of what is ``charged`` of a loan, shape ()."""
    losses, interest, fees = (
        house_account_id(code, currency)
        for code in (LoanAccount.LOSSES, LoanAccount.INTEREST_RECEIVABLE, LoanAccount.FEES_RECEIVABLE)
    )
    amounts = (
        (loan, int(owed["charged_principal"])),
        (interest, int(owed["charged_interest"])),
        (fees, int(owed["charged_fees"])),
    )
    if is_back:
        return [Line(account, losses, amount, LoanTransfer.WRITE_BACK) for account, amount in amounts]
    return [Line(losses, account, amount, LoanTransfer.CHARGE_OFF) for account, amount in amounts]


def charge_off_transfers(lost: Rows) -> Rows:
    """Return what takes the losses of loans (n,) that are charged off, three transfers each at most.

    A partner's share of them is one transfer a currency.
    """
    ids = np.column_stack([lost["id_high"], lost["id_low"]])
    losses, interest, fees = (
        _house(lost, code)
        for code in (LoanAccount.LOSSES, LoanAccount.INTEREST_RECEIVABLE, LoanAccount.FEES_RECEIVABLE)
    )
    flows = ((ids, "charged_principal"), (interest, "charged_interest"), (fees, "charged_fees"))
    return _together(
        [
            packed(
                losses,
                accounts,
                lost[name],
                loans=ids,
                currencies=lost["currency"],
                code=LoanTransfer.CHARGE_OFF,
            )
            for accounts, name in flows
        ]
        + _joint(joint.lost(lost))
    )


def accrual_transfers(loans: Rows, interest: Numbers, fees: Numbers) -> Rows:
    """Return what books interest and fees of many loans (n,): two transfers a currency at most."""
    made: list[Rows] = []
    for currency in np.unique(loans["currency"]).tolist():
        of_it = loans["currency"] == currency
        lines = accrual_lines(currency, interest=int(interest[of_it].sum()), fees=int(fees[of_it].sum()))
        made += [_of_line(line, currency) for line in lines]
    return _together([*made, *_joint(joint.earned(loans, interest + fees))])


def _of_line(line: Line, currency: int) -> Rows:
    """Return the transfer of a line that is of no loan of its own, (1,), or none of nothing."""
    return packed(
        _ids([line.debit]),
        _ids([line.credit]),
        np.array([line.amount]),
        loans=_ids([0]),
        currencies=np.array([currency]),
        code=line.code,
    )


def payment_transfers(loans: Rows, parts: Parts) -> Rows:
    """Return what the payments of many loans (n,) move from their wallets, five transfers each at most.

    What goes into the house's cash, and each kind of movement with a partner, is one transfer a currency.
    """
    ids, wallets = (
        np.column_stack([loans[f"{name}_high"], loans[f"{name}_low"]]) for name in ("id", "wallet")
    )
    receivable, income, owed = (
        _house(loans, code)
        for code in (
            LoanAccount.INTEREST_RECEIVABLE,
            LoanAccount.INTEREST_INCOME,
            LoanAccount.FEES_RECEIVABLE,
        )
    )
    flows: tuple[tuple[Any, Any, Any, LoanTransfer], ...] = (
        (wallets, owed, parts.fees, LoanTransfer.FEE_PAID),
        (wallets, receivable, parts.interest, LoanTransfer.INTEREST_PAID),
        (wallets, income, parts.unbooked, LoanTransfer.INTEREST_PAID),
        (wallets, ids, parts.principal, LoanTransfer.PRINCIPAL_PAID),
        (receivable, income, parts.caught, LoanTransfer.INTEREST),
    )
    return _together(
        [
            packed(debits, credits_, amounts, loans=ids, currencies=loans["currency"], code=code)
            for debits, credits_, amounts, code in flows
        ]
        + _into_cash(loans["currency"], parts)
        + _joint(joint.paid(loans, parts))
    )


def _joint(moves: joint.Moves) -> list[Rows]:
    return [_of_line(line, currency) for currency, line in moves]


def _into_cash(currencies: Rows, parts: Parts) -> list[Rows]:
    """Return what goes into the house's cash of payments (n,)."""
    taken = parts.fees + parts.interest + parts.unbooked + parts.principal
    return [
        _of_line(cash_line(currency, -int(taken[currencies == currency].sum())), currency)
        for currency in np.unique(currencies).tolist()
    ]


def _house(loans: Rows, code: LoanAccount) -> Rows:
    """Return the house's account of each loan's currency, ids (n, 2)."""
    currencies, places = np.unique(loans["currency"], return_inverse=True)
    accounts: Rows = _ids([house_account_id(code, currency) for currency in currencies.tolist()])[places]
    return accounts


def _ids(numbers: list[int]) -> Rows:
    word = 2**64 - 1
    return np.array([(number >> 64, number & word) for number in numbers], np.uint64).reshape(-1, 2)


def _together(made: list[Rows]) -> Rows:
    joined: Rows = np.concatenate([np.zeros(0, TRANSFER), *made])
    return joined
