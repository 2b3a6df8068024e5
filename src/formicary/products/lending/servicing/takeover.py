"""Taking instalment loans over from another lender's books, many of the same terms at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from formicary.base.currencies import currency_of_ledger
from formicary.factory.engine.columns import IDS
from formicary.factory.engine.products import Context, Decision
from formicary.products.lending.limits import SCHEDULE_AMOUNT_MAX
from formicary.products.lending.servicing import refusals, schemas, steps
from formicary.products.lending.servicing.fields import AMOUNTS, Rows
from formicary.products.lending.servicing.layout import LOAN, LoanKind
from formicary.products.lending.servicing.postings import (
    LoanAccount,
    LoanTransfer,
    house_account_id,
    missing_accounts,
    packed,
    principal_account,
)
from formicary.products.lending.servicing.terms import day_at, terms_of

__all__ = ["take_over"]

_LOANS = "loan"
_WORD = 2**64 - 1


def take_over(command: schemas.TakeOverLoans, context: Context) -> Decision:
    """Decide that loans come from another lender's books: paid for by the house, owed to it from now on."""
    currency_of_ledger(command.currency)
    ids, parties, wallets = (_ids(text) for text in (command.ids, command.parties, command.wallets))
    balances, instalments = (_amounts(text) for text in (command.balances, command.instalments))
    _require_sound(command, ids, [parties, wallets, balances, instalments], context)
    _require_wallets(command.currency, parties, wallets, context)
    first = len(context.columns(_LOANS))
    fields = {name: getattr(command, name) for name in _SHARED}
    taken = schemas.LoansTakenOver(first=first, after=first + len(ids), **fields)
    owners = zip(_numbers(ids), _numbers(parties), strict=True)
    accounts = [principal_account(loan, party, command.currency) for loan, party in owners]
    return Decision(
        events=[taken],
        accounts=[*accounts, *missing_accounts(context, command.currency)],
        transfers=_transfers(ids, balances, command.currency),
        answer={"loans": len(ids), "balance": int(balances.sum())},
    )


_SHARED = (
    "ids",
    "parties",
    "wallets",
    "balances",
    "instalments",
    "currency",
    "terms",
    "day",
    "next_due",
)


def _ids(text: str) -> Rows:
    try:
        return IDS.unpack(text)
    except ValueError as error:
        raise refusals.TakeoverMalformed from error


def _amounts(text: str) -> Rows:
    try:
        return AMOUNTS.unpack(text)
    except ValueError as error:
        raise refusals.TakeoverMalformed from error


def _require_sound(command: schemas.TakeOverLoans, ids: Rows, beside: list[Rows], context: Context) -> None:
    terms, (_, _, balances, instalments) = command.terms, beside
    told = np.zeros(1, LOAN)
    terms.put(told)
    # The last instalment takes all that is left: only what is absurd in itself is refused.
    is_sound = (
        terms.kind == LoanKind.INSTALMENT
        and terms.instalments > 0
        and len(ids) > 0
        and {len(column) for column in beside} == {len(ids)}
        and int(balances.min(initial=1)) > 0
        and int(instalments.min(initial=0)) >= 0
        and int(max(balances.max(initial=0), instalments.max(initial=0))) <= SCHEDULE_AMOUNT_MAX
        and command.day <= day_at(context.now)
    )
    if not is_sound or not steps.is_within_period(told, command.day, command.next_due):
        raise refusals.TakeoverMalformed
    terms_of(told[0])


def _require_wallets(currency: int, parties: Rows, wallets: Rows, context: Context) -> None:
    accounts = context.accounts(np.array(wallets))
    owners = np.column_stack([accounts["user_data_128_high"], accounts["user_data_128_low"]])
    if (accounts["ledger"] != currency).any() or (owners != parties).any():
        raise refusals.LoanWalletUnusable


def _transfers(ids: Rows, balances: Rows, currency: int) -> Rows:
    takeovers = house_account_id(LoanAccount.TAKEOVERS, currency)
    seller = np.array([[takeovers >> 64, takeovers & _WORD]], np.uint64).repeat(len(ids), axis=0)
    currencies = np.full(len(ids), currency)
    code = LoanTransfer.TAKEOVER
    return packed(ids, seller, np.array(balances), loans=ids, currencies=currencies, code=code)


def _numbers(ids: npt.NDArray[np.uint64]) -> list[int]:
    return [(high << 64) | low for high, low in ids.tolist()]
