"""The house's own money: owners pay in and take out, money is borrowed and paid back.

Of each currency there is one aggregate, under the currency's number: what is borrowed at which rate. All sums
are on the ledger. Every command first books what borrowed money cost up to its day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from formicary.base.currencies import currency_of_ledger
from formicary.factory.engine.products import Command, Context, Decision, DomainEvent, Product, TimerFired
from formicary.factory.engine.requests import require_well_formed
from formicary.products.lending.funding import refusals, schemas
from formicary.products.lending.funding.cost import accrual
from formicary.products.lending.funding.funds import funds_of, held
from formicary.products.lending.limits import BORROWED_MAX
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.postings import (
    Line,
    LoanAccount,
    LoanTransfer,
    house_account_id,
    missing_accounts,
    transfers,
)
from formicary.products.lending.servicing.terms import day_at

__all__ = ["FUNDING_PRODUCT", "decide", "evolve"]


class _Move(NamedTuple):
    """What a command comes to: the event, the account beside cash, and why money moves."""

    event: type[DomainEvent]
    account: LoanAccount
    why: LoanTransfer


_IN: Final[dict[type[Any], _Move]] = {
    schemas.PayInOwnFunds: _Move(schemas.OwnFundsPaidIn, LoanAccount.PAID_IN, LoanTransfer.OWN_FUNDS_PAID_IN),
    schemas.Borrow: _Move(schemas.FundsBorrowed, LoanAccount.BORROWED, LoanTransfer.BORROWING),
    schemas.PayInPartner: _Move(schemas.PartnerPaidIn, LoanAccount.PARTNER, LoanTransfer.PARTNER_PAID_IN),
}
_OUT: Final[dict[type[Any], _Move]] = {
    schemas.TakeOutOwnFunds: _Move(
        schemas.OwnFundsTakenOut, LoanAccount.PAID_IN, LoanTransfer.OWN_FUNDS_TAKEN_OUT
    ),
    schemas.PayBack: _Move(schemas.FundsPaidBack, LoanAccount.BORROWED, LoanTransfer.BORROWING_PAID_BACK),
    schemas.PayFundingCost: _Move(
        schemas.FundingCostPaid, LoanAccount.FUNDING_PAYABLE, LoanTransfer.FUNDING_COST_PAID
    ),
    schemas.PaySellers: _Move(schemas.SellersPaid, LoanAccount.TAKEOVERS, LoanTransfer.TAKEOVER_PAID),
    schemas.PayPartner: _Move(schemas.PartnerPaid, LoanAccount.PARTNER, LoanTransfer.PARTNER_PAID),
}


def decide(command: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide how the house's own money moves."""
    require_well_formed(command)
    currency, is_in = command.subject, type(command) in _IN
    move = (_IN if is_in else _OUT)[type(command)]
    fields = {name: getattr(command, name) for name in ("amount", "rate") if hasattr(command, name)}
    currency_of_ledger(currency)
    funding: Rows = np.zeros(1, schemas.FUNDING)[0] if record is None else record
    day = max(day_at(context.now), int(funding["until"]))
    booked = accrual(funding, day)
    amount, cost = fields["amount"], 0 if booked is None else booked.event.cost
    if not is_in and amount > _there_is(command, funding, context, cost):
        raise refusals.FundingExceeded
    if isinstance(command, schemas.Borrow):
        _require_room(funding, amount, command.rate)
    cash, beside = (house_account_id(code, currency) for code in (LoanAccount.CASH, move.account))
    ends = (cash, beside) if is_in else (beside, cash)
    lines = [*(() if booked is None else (booked.line,)), Line(*ends, amount, move.why)]
    return Decision(
        events=[*(() if booked is None else (booked.event,)), move.event(day=day, **fields)],
        accounts=missing_accounts(context, currency),
        transfers=transfers(lines, loan=0, currency=currency),
        answer={"amount": amount},
    )


def _there_is(command: Command | TimerFired, funding: Rows, context: Context, cost: int) -> int:
    """Return how much may go out at most; ``cost`` is booked beside it."""
    currency, funds = command.subject, funds_of(context, command.subject)
    match command:
        case schemas.TakeOutOwnFunds():
            return min(funds.own - cost, funds.cash)
        case schemas.PayBack(rate=rate):
            return min(int(funding["balances"][funding["rates"] == rate].sum()), funds.cash)
        case schemas.PayPartner():
            # Its money lies in cash beside the house's own, and is there.
            return -held(context, currency, LoanAccount.PARTNER)
        case schemas.PayFundingCost():
            return min(cost - held(context, currency, LoanAccount.FUNDING_PAYABLE), funds.cash)
    return min(-held(context, currency, LoanAccount.TAKEOVERS), funds.cash)


def _require_room(funding: Rows, amount: int, rate: int) -> None:
    if int(funding["balances"].sum()) + amount > BORROWED_MAX:
        raise refusals.FundingExceeded
    if not _places(funding, rate).any():
        raise refusals.FundingRatesExhausted


def _places(funding: Rows, rate: int) -> Rows:
    """Return which places (n,) may hold what is borrowed at a rate: its own, or else those that are free."""
    is_taken = funding["balances"] > 0
    own: Rows = is_taken & (funding["rates"] == rate)
    return own if own.any() else ~is_taken


def evolve(kind: str, fundings: Rows, events: Sequence[Any]) -> None:
    """Change what is borrowed (n,) as events (n,) of one kind say."""
    for funding, event in zip(fundings, events, strict=True):
        funding["until"] = max(int(funding["until"]), event.day)
        if kind == "FundingCostAccrued":
            funding["rest"] = event.rest
        elif kind in ("FundsBorrowed", "FundsPaidBack"):
            place = int(_places(funding, event.rate).argmax())
            sign = 1 if kind == "FundsBorrowed" else -1
            funding["rates"][place] = event.rate
            funding["balances"][place] = max(int(funding["balances"][place]) + sign * event.amount, 0)


FUNDING_PRODUCT: Final = Product(
    name=schemas.NAME,
    aggregate=schemas.FUNDING,
    commands=schemas.COMMANDS,
    events=schemas.EVENTS,
    decide=decide,
    evolve=evolve,
)
"""Own funds and borrowed money, by currency."""
