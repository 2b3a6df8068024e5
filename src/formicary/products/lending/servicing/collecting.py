"""Collecting what is due from wallets, of as many loans as one command may."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from formicary.factory.engine.products import Context
from formicary.factory.ledger import AccountFlags
from formicary.products.lending.limits import (
    CLOSE_LOANS_MAX,
    COLLECT_LOANS_MAX,
    COLLECTIONS_MAX,
    SKIPPED_SHOWN_MAX,
)
from formicary.products.lending.servicing import schemas, steps
from formicary.products.lending.servicing.fields import AMOUNTS, Rows, id_of
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.lines import payment_transfers

__all__ = ["Collection", "are_held", "collection"]

_DUE: Final = ("fees_due", "interest_due", "principal_due")


class Collection(NamedTuple):
    """What one command collects: up to before which loan, the event and the transfers, if any, who paid.

    ``skipped`` are loans that asked and could not be served, of which the ids of the first are told.
    """

    after: int
    event: schemas.LoansCollected | None = None
    transfers: Rows | tuple[()] = ()
    paid: int = 0
    skipped: int = 0
    skips: tuple[str, ...] = ()


def collection(
    loans: Rows,
    first: int,
    after: int,
    context: Context,
    *,
    most: int = COLLECTIONS_MAX,
    passes: bool = False,
) -> Collection:
    """Return what is taken of wallets for the loans (n,) from ``first`` on, as far as one command goes.

    Only parties that agree to it are asked, only for what is due, and only for what they have: holds are
    left alone, and no wallet is overdrawn for it. What the ledger would refuse is skipped: a closed wallet,
    a loan's account that is closed or does not hold what the loan says.

    Parameters
    ----------
    most
        Of so many loans at most: where the ledger refused a part for a reason that is not known here,
        smaller ones are tried.
    passes
        Skip the first loan that asks.
    """
    end = min(first + CLOSE_LOANS_MAX, after)
    places = first + np.flatnonzero(_asks(loans[first:end]))
    if not len(places):
        return Collection(end)
    within = places[places < places[0] + COLLECT_LOANS_MAX][: 1 if passes else min(most, COLLECTIONS_MAX)]
    if len(within) < len(places):
        end = int(within[-1]) + 1
    asked = loans[within]
    if passes:
        return _skipping(Collection(end), asked)
    amounts, is_open = _amounts(asked, context)
    takes = amounts > 0
    if not takes.any():
        return _skipping(Collection(end), asked[~is_open])
    paying, paid = asked[takes], amounts[takes]
    parts = steps.paid(paying, paid, goes_on=False)
    begin, stop = int(within[takes][0]), int(within[takes][-1]) + 1
    column = np.zeros(stop - begin, np.int64)
    column[within[takes] - begin] = paid
    event = schemas.LoansCollected(first=begin, after=stop, amounts=AMOUNTS.pack(column))
    made = Collection(end, event, payment_transfers(paying, parts), len(paid))
    return _skipping(made, asked[~is_open])


def _skipping(made: Collection, loans: Rows) -> Collection:
    """Return a collection that says which loans (n,) it skips."""
    skips = tuple(f"{id_of(loan, 'id'):032x}" for loan in loans[:SKIPPED_SHOWN_MAX])
    return made._replace(skipped=len(loans), skips=skips)


def _asks(loans: Rows) -> Rows:
    due = sum(loans[name] for name in _DUE)
    asks: Rows = (loans["state"] == LoanState.ACTIVE) & (loans["is_collected"] == 1) & (due > 0)
    return asks


def _amounts(loans: Rows, context: Context) -> tuple[Rows, Rows]:
    """Return what each loan (n,) takes, and whether the ledger lets it.

    Loans of one wallet take in their order, as long as there is something.
    """
    ids = np.column_stack([loans["wallet_high"], loans["wallet_low"]])
    wallets, places = np.unique(ids, axis=0, return_inverse=True)
    accounts = context.accounts(wallets)
    available = accounts["credits_posted"] - accounts["debits_posted"] - accounts["debits_pending"]
    wallet = places.reshape(-1).astype(np.int64)
    is_open = (accounts["flags"] & AccountFlags.CLOSED == 0)[wallet] & are_held(loans, context)
    # Those that may not take leave what there is to others of the same wallet.
    amounts = np.zeros(len(loans), np.int64)
    amounts[is_open] = steps.collected(loans[is_open], wallet[is_open], available)
    return amounts, is_open


def are_held(loans: Rows, context: Context) -> Rows:
    """Return of which loans (n,) the own account is open and holds their principal."""
    accounts = context.accounts(np.column_stack([loans["id_high"], loans["id_low"]]))
    held = accounts["debits_posted"] - accounts["credits_posted"] - accounts["credits_pending"]
    are_held: Rows = (accounts["flags"] & AccountFlags.CLOSED == 0) & (held >= loans["balance"])
    return are_held
