"""Accounts and transfers of lending.

Each loan has an account of its own, under its own id, that holds its principal. Interest and fees that are
owed lie on one account of the house a currency each, and equal the sums of what the loans keep of them.

What goes into wallets comes out of the house's cash, and what is taken from them goes into it: cash stands
against the account of clients' money, so that all other accounts balance by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.factory.engine.products import Context
from formicary.factory.engine.requests import derive_id
from formicary.factory.ledger import TRANSFER, Account, AccountFlags, Transfer

__all__ = [
    "HOUSE",
    "HOUSE_ACCOUNTS",
    "Line",
    "LoanAccount",
    "LoanTransfer",
    "account_words",
    "cash_line",
    "house_account",
    "house_account_id",
    "missing_accounts",
    "packed",
    "principal_account",
    "transfers",
]

HOUSE: Final = 1
"""The party that runs the deployment, as everywhere."""

_WORD: Final = 2**64 - 1


class LoanAccount(IntEnum):
    """What an account is: of one loan, or of the house."""

    PRINCIPAL = 201
    INTEREST_RECEIVABLE = 211
    FEES_RECEIVABLE = 212
    INTEREST_INCOME = 221
    FEE_INCOME = 222
    LOSSES = 231
    RECOVERIES = 232
    TAKEOVERS = 241
    ALLOWANCE_PERFORMING = 251
    ALLOWANCE_INCREASED = 252
    ALLOWANCE_IMPAIRED = 253
    IMPAIRMENT = 261
    CASH = 271
    CLIENT_MONEY = 272
    PAID_IN = 281
    BORROWED = 282
    FUNDING_PAYABLE = 283
    FUNDING_COST = 284
    PARTNER = 291
    PARTICIPATION = 292


class LoanTransfer(IntEnum):
    """Why money moves."""

    DRAW = 201
    DRAW_FEE = 202
    INTEREST = 203
    FEE = 204
    FEE_PAID = 205
    INTEREST_PAID = 206
    PRINCIPAL_PAID = 207
    CHARGE_OFF = 208
    RECOVERY = 209
    WRITE_BACK = 210
    TAKEOVER = 211
    PROVISION = 212
    RELEASE = 213
    PAID_OUT = 221
    TAKEN_IN = 222
    OWN_FUNDS_PAID_IN = 231
    OWN_FUNDS_TAKEN_OUT = 232
    BORROWING = 233
    BORROWING_PAID_BACK = 234
    FUNDING_COST = 235
    FUNDING_COST_PAID = 236
    TAKEOVER_PAID = 237
    PARTNER_PAID_IN = 241
    PARTNER_PAID = 242
    JOINT_DRAW = 243
    JOINT_INCOME = 244
    JOINT_PAID = 245
    JOINT_LOSS = 246
    JOINT_WRITE_BACK = 247
    JOINT_RECOVERY = 248


class Line(NamedTuple):
    """A transfer before it is one: from account to account, minor units, why."""

    debit: int
    credit: int
    amount: int
    code: LoanTransfer


HOUSE_ACCOUNTS: Final = tuple(code for code in LoanAccount if code != LoanAccount.PRINCIPAL)
"""The house's own, one a currency each."""

_FLOORED: Final = {
    # Nobody pays out what is not there, whatever was decided.
    LoanAccount.CASH: AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS,
    LoanAccount.BORROWED: AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS,
    LoanAccount.FUNDING_PAYABLE: AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS,
    LoanAccount.PARTNER: AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS,
}


@lru_cache(maxsize=4_096)
def house_account_id(code: LoanAccount, currency: int) -> int:
    """Return the id of the house's account for a purpose in a currency, by its ISO 4217 number."""
    return derive_id(HOUSE, code << 16 | currency)


@lru_cache(maxsize=1_024)
def account_words(codes: tuple[LoanAccount, ...], currency: int) -> npt.NDArray[np.uint64]:
    """Return the ids of the house's accounts in a currency, (n, 2), high word first."""
    numbers = [house_account_id(code, currency) for code in codes]
    words = np.array([(one >> 64, one & _WORD) for one in numbers], np.uint64)
    words.flags.writeable = False
    return words


def house_account(code: LoanAccount, currency: int) -> Account:
    """Return the house's account to open for a purpose in a currency."""
    return Account(
        id=house_account_id(code, currency),
        ledger=currency,
        code=code,
        flags=_FLOORED.get(code, AccountFlags(0)),
        user_data_128=HOUSE,
    )


def missing_accounts(context: Context, currency: int) -> list[Account]:
    """Return those of the house's accounts in a currency that are not open yet."""
    found = context.accounts(account_words(HOUSE_ACCOUNTS, currency))
    return [
        house_account(code, currency)
        for code, ledger in zip(HOUSE_ACCOUNTS, found["ledger"].tolist(), strict=True)
        if not ledger
    ]


def cash_line(currency: int, into_wallets: int) -> Line:
    """Return what moves the house's cash because of an amount that wallets get, or, below zero, give."""
    cash, clients = (
        house_account_id(code, currency) for code in (LoanAccount.CASH, LoanAccount.CLIENT_MONEY)
    )
    if into_wallets > 0:
        return Line(clients, cash, into_wallets, LoanTransfer.PAID_OUT)
    return Line(cash, clients, -into_wallets, LoanTransfer.TAKEN_IN)


def principal_account(loan: int, party: int, currency: int) -> Account:
    """Return the account of a loan: what is lent, which can never be paid back twice."""
    return Account(
        id=loan,
        ledger=currency,
        code=LoanAccount.PRINCIPAL,
        flags=AccountFlags.CREDITS_MUST_NOT_EXCEED_DEBITS,
        user_data_128=party,
    )


def transfers(lines: Iterable[Line], *, loan: int, currency: int) -> list[Transfer]:
    """Return the transfers of lines that move something, with the loan's id in ``user_data_128``."""
    return [
        Transfer(
            id=0,
            debit_account_id=line.debit,
            credit_account_id=line.credit,
            amount=line.amount,
            ledger=currency,
            code=line.code,
            user_data_128=loan,
        )
        for line in lines
        if line.amount
    ]


def packed(
    debits: npt.NDArray[Any],
    credits: npt.NDArray[Any],  # noqa: A002, the ledger's word
    amounts: npt.NDArray[np.int64],
    *,
    loans: npt.NDArray[Any],
    currencies: npt.NDArray[Any],
    code: LoanTransfer,
) -> npt.NDArray[Any]:
    """Return transfers of one kind, (n,) of ``TRANSFER``, those of nothing left out.

    Accounts and loans are ids (n, 2), high word first.
    """
    made = np.zeros(len(amounts), TRANSFER)
    for name, ids in (("debit_account_id", debits), ("credit_account_id", credits), ("user_data_128", loans)):
        made[f"{name}_high"], made[f"{name}_low"] = ids[:, 0], ids[:, 1]
    made["amount"], made["ledger"], made["code"] = amounts, currencies, code
    return made[amounts > 0]
