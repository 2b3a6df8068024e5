"""Deciding about loans: which command goes where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

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
    return _SERVED[type(command)](command, record, context)


_SERVED: Final[dict[type[Any], Callable[[Any, Rows, Context], Decision]]] = {
    schemas.Repay: lambda command, record, context: owing.repay(record, command.amount, context),
    schemas.AllowCollection: lambda _, record, __: owing.set_collection(record, is_on=True),
    schemas.RevokeCollection: lambda _, record, __: owing.set_collection(record, is_on=False),
    schemas.ChargeOff: lambda _, record, context: owing.charge_off(record, context),
    schemas.RecordRecovery: lambda command, record, context: owing.recover(record, command.amount, context),
    schemas.AssessRisk: lambda command, record, _: owing.assess(record, command),
    schemas.WriteBack: lambda _, record, context: owing.write_back(record, context),
}
"""Existing loans are served whatever is missing for new ones."""
