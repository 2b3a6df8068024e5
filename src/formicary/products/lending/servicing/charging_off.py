"""Taking the losses of loans that are late for too long, of as many as one command may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from formicary.factory.engine.products import Context
from formicary.products.lending.limits import CHARGE_OFFS_MAX, SKIPPED_SHOWN_MAX
from formicary.products.lending.servicing import schemas, steps
from formicary.products.lending.servicing.close_rules import CloseRules, CurrencyRules, rules_for
from formicary.products.lending.servicing.collecting import are_held
from formicary.products.lending.servicing.fields import LOST, Rows, id_of
from formicary.products.lending.servicing.layout import LoanKind, LoanState
from formicary.products.lending.servicing.lines import charge_off_transfers

__all__ = ["ChargeOffs", "charge_offs", "too_late"]


class ChargeOffs(NamedTuple):
    """What one command takes the losses of: up to before which loan, and those loans before and after it.

    ``skipped`` are loans whose losses could not be taken, of which the ids of the first are told.
    """

    after: int
    lost: Rows
    event: schemas.LoansChargedOff | None = None
    transfers: Rows | tuple[()] = ()
    skipped: int = 0
    skips: tuple[str, ...] = ()


def too_late(loans: Rows, day: int, rules: CloseRules, own: Sequence[CurrencyRules] = ()) -> Rows:
    """Return which loans (n,) are past due for so many days, at the end of one, that their losses are taken.

    Of a loan that was written back days are counted again: whoever took its loss back meant to wait.
    """
    since = np.maximum(loans["arrears_since"], loans["written_back"])
    taken_after = np.zeros(len(loans), np.int64)
    for currency in np.unique(loans["currency"]).tolist():
        told = rules_for(currency, own, rules)
        days = np.where(loans["kind"] == LoanKind.LINE, told.line_charge_off_days, told.charge_off_days)
        taken_after = np.where(loans["currency"] == currency, days, taken_after)
    is_late = (loans["state"] == LoanState.ACTIVE) & (loans["arrears_since"] > 0) & (taken_after > 0)
    are_too_late: Rows = is_late & (day - since >= taken_after)
    return are_too_late


def charge_offs(
    loans: Rows,
    first: int,
    is_lost: Rows,
    day: int,
    context: Context,
    *,
    most: int = CHARGE_OFFS_MAX,
    passes: bool = False,
) -> ChargeOffs:
    """Return the losses of the loans (n,) from ``first`` on, of the next (m,) of which some are ``is_lost``.

    A loan whose account is closed, or does not hold what the loan says, is skipped: the ledger would refuse
    it.

    Parameters
    ----------
    most, passes
        As in ``collection``.
    """
    end = first + len(is_lost)
    places = first + np.flatnonzero(is_lost)
    within = places[: 1 if passes else min(most, CHARGE_OFFS_MAX)]
    if len(within) < len(places):
        end = int(within[-1]) + 1
    asked = loans[within]
    is_held = are_held(asked, context) if len(asked) and not passes else np.zeros(len(asked), bool)
    refused = asked[~is_held]
    skips = tuple(f"{id_of(loan, 'id'):032x}" for loan in refused[:SKIPPED_SHOWN_MAX])
    made = ChargeOffs(end, asked[is_held], skipped=len(refused), skips=skips)
    if not is_held.any():
        return made
    taken = within[is_held]
    begin, stop = int(taken[0]), int(taken[-1]) + 1
    column = np.zeros(stop - begin, np.uint8)
    column[taken - begin] = 1
    lost = made.lost.copy()
    steps.charged_off(lost)
    event = schemas.LoansChargedOff(first=begin, after=stop, day=day, lost=LOST.pack(column))
    return made._replace(event=event, transfers=charge_off_transfers(lost))
