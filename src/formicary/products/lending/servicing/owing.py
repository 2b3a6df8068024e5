"""Owing: paying back, consent to collection, and the loss where nobody pays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formicary.factory.engine.products import Consequence, Context, Decision
from formicary.products.lending.servicing import joint, refusals, schemas, steps
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.layout import Bucket, LoanState
from formicary.products.lending.servicing.lines import charge_off_lines
from formicary.products.lending.servicing.outcomes import came_out
from formicary.products.lending.servicing.postings import Line, LoanAccount, LoanTransfer, house_account_id
from formicary.products.lending.servicing.today import Today

__all__ = ["assess", "charge_off", "recover", "repay", "set_collection", "write_back"]


def repay(record: Rows, amount: int, context: Context) -> Decision:
    """Decide a payment from the wallet, of no more than is owed."""
    if amount < 1:
        raise refusals.RepaymentOutOfRange
    today = _active(record, context)
    owed = steps.owed(today.loan)
    if not owed:
        raise refusals.NothingOwed
    taken = min(amount, owed)
    today.pays(taken, today.wallet)
    return today.decision(
        schemas.LoanRepaid(day=today.day, amount=taken),
        amount=taken,
        owed=steps.owed(today.loan),
        balance=int(today.record["balance"]),
    )


def set_collection(record: Rows, *, is_on: bool) -> Decision:
    """Decide whether what falls due may be taken from the wallet."""
    if bool(record["is_collected"]) == is_on:
        raise refusals.CollectionUnchanged
    return Decision(events=[schemas.CollectionAllowed() if is_on else schemas.CollectionRevoked()])


def assess(record: Rows, command: schemas.AssessRisk) -> Decision:
    """Decide that the chance of default of a loan on the book is another one now."""
    if record["state"] not in (LoanState.ACCEPTED, LoanState.ACTIVE):
        raise refusals.LoanNotOpen
    assessed = schemas.RiskAssessed(default=command.default, is_impaired=command.is_impaired)
    return Decision(events=[assessed])


def charge_off(record: Rows, context: Context) -> Decision:
    """Decide that the house takes the loss of a loan in arrears."""
    today = _active(record, context)
    if today.record["bucket"] == Bucket.CURRENT:
        raise refusals.LoanNotInArrears
    lost = today.loan.copy()
    steps.charged_off(lost)
    today.lines += charge_off_lines(today.id, today.currency, lost[0], is_back=False)
    today.shares(joint.lost(lost))
    decided = today.decision(schemas.LoanChargedOff(day=today.day), **_charged(lost))
    return _with(decided, came_out(today.loan, context.now, "charged_off"))


def recover(record: Rows, amount: int, context: Context) -> Decision:
    """Decide what comes of a loan that was charged off, out of the wallet."""
    if amount < 1:
        raise refusals.RepaymentOutOfRange
    today = _lost(record, context)
    taken = min(amount, sum(_charged(today.loan).values()))
    to = house_account_id(LoanAccount.RECOVERIES, today.currency)
    today.lines.append(Line(today.wallet, to, taken, LoanTransfer.RECOVERY))
    steps.recovered(today.loan, np.array([taken], np.int64))
    today.shares(joint.recovered(today.loan, np.array([taken], np.int64)))
    return today.decision(schemas.LoanRecovered(amount=taken), amount=taken, **_charged(today.loan))


def write_back(record: Rows, context: Context) -> Decision:
    """Decide that a loss is taken back."""
    today = _lost(record, context)
    today.lines += charge_off_lines(today.id, today.currency, today.record, is_back=True)
    today.shares(joint.lost(today.loan, is_back=True))
    decided = today.decision(schemas.LoanWrittenBack(day=today.day), **_charged(today.loan))
    if today.record["bucket"] == Bucket.DAYS_90:
        # Whoever was 90 days late defaulted, whatever the house did about it.
        return decided
    return _with(decided, came_out(today.loan, context.now, "written_back"))


def _with(decided: Decision, told: Consequence) -> Decision:
    return replace(decided, consequences=[*decided.consequences, told])


def _active(record: Rows, context: Context) -> Today:
    if record["state"] != LoanState.ACTIVE:
        raise refusals.LoanNotOpen
    return Today(record, context)


def _lost(record: Rows, context: Context) -> Today:
    if record["state"] != LoanState.CHARGED_OFF:
        raise refusals.LoanNotOpen
    return Today(record, context)


def _charged(loan: Rows) -> dict[str, int]:
    names = ("charged_fees", "charged_interest", "charged_principal")
    return {name.removeprefix("charged_"): int(loan[name][0]) for name in names}
