"""Collecting what is due from wallets, of as many loans as one command may."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from formicary.factory.engine.products import Context
from formicary.factory.ledger import AccountFlags
from formicary.products.lending.limits import CLOSE_LOANS_MAX, COLLECT_LOANS_MAX, COLLECTIONS_MAX
from formicary.products.lending.servicing import schemas, steps
from formicary.products.lending.servicing.fields import AMOUNTS, Rows
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.lines import payment_transfers

__all__ = ["Collection", "collection"]

_DUE: Final = ("fees_due", "interest_due", "principal_due")


class Collection(NamedTuple):
    """What one command collects: up to before which loan, the event and the transfers, if any, who paid."""

    after: int
    event: schemas.LoansCollected | None
    transfers: Rows | tuple[()]
    paid: int


def collection(loans: Rows, first: int, after: int, context: Context) -> Collection:
    """Return what is taken of wallets for the loans (n,) from ``first`` on, as far as one command goes.

    Only parties that agree to it are asked, only for what is due, and only for what they have: holds are
    left alone, and no wallet is overdrawn for it.
    """
    end = min(first + CLOSE_LOANS_MAX, after)
    places = first + np.flatnonzero(_asks(loans[first:end]))
    within = places[places < places[0] + COLLECT_LOANS_MAX][:COLLECTIONS_MAX] if len(places) else places
    if len(within) < len(places):
        end = int(within[-1]) + 1
    if not len(within):
        return Collection(end, None, (), 0)
    asked = loans[within]
    amounts = _amounts(asked, context)
    takes = amounts > 0
    if not takes.any():
        return Collection(end, None, (), 0)
    paying, paid = asked[takes], amounts[takes]
    parts = steps.paid(paying, paid, goes_on=False)
    begin, stop = int(within[takes][0]), int(within[takes][-1]) + 1
    column = np.zeros(stop - begin, np.int64)
    column[within[takes] - begin] = paid
    event = schemas.LoansCollected(first=begin, after=stop, amounts=AMOUNTS.pack(column))
    return Collection(end, event, payment_transfers(paying, parts), len(paid))


def _asks(loans: Rows) -> Rows:
    due = sum(loans[name] for name in _DUE)
    asks: Rows = (loans["state"] == LoanState.ACTIVE) & (loans["is_collected"] == 1) & (due > 0)
    return asks


def _amounts(loans: Rows, context: Context) -> Rows:
    """Return what each loan (n,) takes; those of one wallet in their order, as long as there is something."""
    ids = np.column_stack([loans["wallet_high"], loans["wallet_low"]])
    wallets, places = np.unique(ids, axis=0, return_inverse=True)
    accounts = context.accounts(wallets)
    available = accounts["credits_posted"] - accounts["debits_posted"] - accounts["debits_pending"]
    available[accounts["flags"] & AccountFlags.CLOSED > 0] = 0
    return steps.collected(loans, places.reshape(-1).astype(np.int64), available)
