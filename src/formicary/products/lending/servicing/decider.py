"""Deciding about loans: which command goes where."""

from __future__ import annotations

from formicary.factory.engine.products import Command, Context, Decision, TimerFired
from formicary.factory.engine.requests import require_well_formed
from formicary.products.lending.servicing import owing, refusals, schemas
from formicary.products.lending.servicing.drawing import MayLend, accept, draw, refinance
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.takeover import take_over

__all__ = ["decide_loan"]


def decide_loan(
    command: Command | TimerFired, record: Rows | None, context: Context, may_lend: MayLend
) -> Decision:
    """Decide a command about a loan; ``may_lend`` is asked before anything new is lent."""
    require_well_formed(command)
    match command:
        case schemas.AcceptOffer():
            return accept(command, record, context, may_lend)
        case schemas.TakeOverLoans():
            return take_over(command, context)
    if record is None or not record["state"]:
        raise refusals.LoanNotFound
    match command:
        case schemas.Draw(amount=amount):
            return draw(record, amount, context, may_lend)
        case schemas.RefinanceLoan(loan=loan):
            return refinance(record, int(loan, 16), context, may_lend)
        case schemas.Repay(amount=amount):
            return owing.repay(record, amount, context)
        case schemas.ChargeOff():
            return owing.charge_off(record, context)
        case schemas.RecordRecovery(amount=amount):
            return owing.recover(record, amount, context)
        case schemas.WriteBack():
            return owing.write_back(record, context)
    return owing.set_collection(record, is_on=isinstance(command, schemas.AllowCollection))
