"""Joint loans: a partner carries a share of each, and has that share of what it brings and of what it loses.

The borrower has one lender and one account; who carries what is between house and partner. Of what the books
hold of a loan, principal, booked interest and fees, the partner has its share, rounded down: that is its
*participation*. Whatever changes what the books hold changes it to the unit, so that all participations are a
function of the loans as they are, and nothing of a loan is left when nothing is owed.

==============  ===================================  ==========================================
what happens    participation                        against
==============  ===================================  ==========================================
drawn           grows                                the partner's money, which is there before
earned          grows                                interest income
paid            shrinks                              the partner's money
lost            shrinks                              losses
recovered       stays: nothing is held of the loan   recoveries, into the partner's money
==============  ===================================  ==========================================

Fees of a draw are the house's, for its work. Movements are sums of many loans, one of each kind a currency.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.products.lending.millionths import MILLION
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.postings import Line, LoanAccount, LoanTransfer, house_account_id
from formicary.products.lending.servicing.steps import Parts

__all__ = ["drawn", "earned", "lost", "own_part", "paid", "participations", "partner_part", "recovered"]

Numbers: TypeAlias = npt.NDArray[np.int64]
Moves: TypeAlias = Iterator[tuple[int, Line]]
"""Lines by the number of their currency."""


def partner_part(amounts: npt.ArrayLike, shares: npt.ArrayLike) -> Numbers:
    """Return a partner's shares, in millionths, of amounts (n,) of any size, rounded down."""
    of_each, whole = np.asarray(shares, np.int64), np.asarray(amounts, np.int64)
    if not of_each.any():
        # Of a million loans without a partner nothing is divided.
        return np.zeros_like(whole)
    millions, rest = np.divmod(whole, MILLION)
    return np.asarray(millions * of_each + rest * of_each // MILLION, np.int64)


def own_part(amounts: npt.ArrayLike, shares: npt.ArrayLike) -> Numbers:
    """Return what the house retains of amounts (n,), beside a partner's shares: rounded up."""
    return np.asarray(amounts, np.int64) - partner_part(amounts, shares)


def participations(loans: Rows) -> Numbers:
    """Return what of each loan (n,) is the partner's, in minor units."""
    return partner_part(_held(loans), loans["partner_share"])


def _held(loans: Rows) -> Numbers:
    """Return what the books hold of loans (n,): charged off, nothing."""
    booked = loans["interest_due"] + loans["accrued"] - loans["unbooked"]
    held: Numbers = loans["balance"] + booked + loans["fees_due"]
    return held


def drawn(loans: Rows, amounts: Numbers) -> Moves:
    """Yield what moves as loans (n,), as they are now, have paid amounts (n,) out."""
    grown = _grown(loans, _held(loans) - amounts, _held(loans))
    yield from _moves(loans, grown, LoanAccount.PARTNER, LoanAccount.PARTICIPATION, LoanTransfer.JOINT_DRAW)


def earned(loans: Rows, amounts: Numbers) -> Moves:
    """Yield what moves as amounts (n,) of interest and fees were booked of loans (n,)."""
    grown = _grown(loans, _held(loans) - amounts, _held(loans))
    income, joint = LoanAccount.INTEREST_INCOME, LoanAccount.PARTICIPATION
    yield from _moves(loans, grown, income, joint, LoanTransfer.JOINT_INCOME)


def paid(loans: Rows, parts: Parts) -> Moves:
    """Yield what moves as loans (n,), as they are now, were paid parts (n,)."""
    after = _held(loans)
    middle = after - parts.caught
    before = middle + parts.fees + parts.interest + parts.principal
    joint, partner, income = LoanAccount.PARTICIPATION, LoanAccount.PARTNER, LoanAccount.INTEREST_INCOME
    yield from _moves(loans, _grown(loans, middle, before), joint, partner, LoanTransfer.JOINT_PAID)
    yield from _moves(loans, _grown(loans, middle, after), income, joint, LoanTransfer.JOINT_INCOME)
    # Interest that no account held until it came.
    direct = partner_part(parts.unbooked, loans["partner_share"])
    yield from _moves(loans, direct, income, partner, LoanTransfer.JOINT_INCOME)


def lost(loans: Rows, *, is_back: bool = False) -> Moves:
    """Yield what moves as what is ``charged`` of loans (n,) is lost, or owed again."""
    charged = loans["charged_principal"] + loans["charged_interest"] + loans["charged_fees"]
    shares = partner_part(charged, loans["partner_share"])
    joint, losses = LoanAccount.PARTICIPATION, LoanAccount.LOSSES
    if is_back:
        yield from _moves(loans, shares, losses, joint, LoanTransfer.JOINT_WRITE_BACK)
    else:
        yield from _moves(loans, shares, joint, losses, LoanTransfer.JOINT_LOSS)


def recovered(loans: Rows, amounts: Numbers) -> Moves:
    """Yield what moves as amounts (n,) came of loans (n,) that were lost."""
    shares = partner_part(amounts, loans["partner_share"])
    recoveries, partner = LoanAccount.RECOVERIES, LoanAccount.PARTNER
    yield from _moves(loans, shares, recoveries, partner, LoanTransfer.JOINT_RECOVERY)


def _grown(loans: Rows, before: Numbers, after: Numbers) -> Numbers:
    """Return by how much participations grew as the books held (n,) before and after."""
    shares = loans["partner_share"]
    grown: Numbers = partner_part(after, shares) - partner_part(before, shares)
    return grown


def _moves(
    loans: Rows, amounts: Numbers, debit: LoanAccount, credit: LoanAccount, code: LoanTransfer
) -> Moves:
    if not amounts.any():
        return
    for currency in np.unique(loans["currency"]).tolist():
        amount = int(amounts[loans["currency"] == currency].sum())
        ends = (house_account_id(debit, currency), house_account_id(credit, currency))
        yield currency, Line(*ends, amount, code)
