"""The house's own money: owners pay in and take out, money is borrowed and paid back.

Of each currency there is one aggregate, under the currency's number: what is borrowed at which rate. All sums
are on the ledger. Every command first books what borrowed money cost up to its day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from formicary.base.currencies import currency_of_ledger
from formicary.factory.engine.products import Command, Context, Decision, DomainEvent, Product, TimerFired
from formicary.factory.engine.requests import require_well_formed
from formicary.products.lending.funding import refusals, schemas
from formicary.products.lending.funding.cost import accrual
from formicary.products.lending.funding.funds import Funds, funds_of, held
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


def decide(command: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide how the house's own money moves."""
    require_well_formed(command)
    currency = command.subject
    currency_of_ledger(currency)
    funding: Rows = np.zeros(1, schemas.FUNDING)[0] if record is None else record
    day = max(day_at(context.now), int(funding["until"]))
    booked = accrual(funding, day)
    cost = 0 if booked is None else booked.event.cost
    events: list[DomainEvent] = [] if booked is None else [booked.event]
    lines = [] if booked is None else [booked.line]
    event, line = _moved(command, funding, context, day, cost)
    return Decision(
        events=[*events, event],
        accounts=missing_accounts(context, currency),
        transfers=transfers([*lines, line], loan=0, currency=currency),
        answer={"amount": line.amount},
    )


def _moved(
    command: Command | TimerFired, funding: Rows, context: Context, day: int, cost: int
) -> tuple[DomainEvent, Line]:
    """Return what happens and what moves; ``cost`` is booked beside it."""
    currency = command.subject
    funds = funds_of(context, currency)
    match command:
        case schemas.PayInOwnFunds(amount=amount):
            event: DomainEvent = schemas.OwnFundsPaidIn(day=day, amount=amount)
            return event, _line(currency, LoanAccount.PAID_IN, amount, LoanTransfer.OWN_FUNDS_PAID_IN)
        case schemas.TakeOutOwnFunds(amount=amount):
            _require(amount, funds.own - cost, funds)
            event = schemas.OwnFundsTakenOut(day=day, amount=amount)
            return event, _line(currency, LoanAccount.PAID_IN, -amount, LoanTransfer.OWN_FUNDS_TAKEN_OUT)
        case schemas.Borrow(amount=amount, rate=rate):
            _require_room(funding, amount, rate)
            event = schemas.FundsBorrowed(day=day, amount=amount, rate=rate)
            return event, _line(currency, LoanAccount.BORROWED, amount, LoanTransfer.BORROWING)
        case schemas.PayBack(amount=amount, rate=rate):
            at_rate = int(funding["balances"][funding["rates"] == rate].sum())
            _require(amount, at_rate, funds)
            event = schemas.FundsPaidBack(day=day, amount=amount, rate=rate)
            return event, _line(currency, LoanAccount.BORROWED, -amount, LoanTransfer.BORROWING_PAID_BACK)
        case schemas.PayFundingCost(amount=amount):
            _require(amount, cost - held(context, currency, LoanAccount.FUNDING_PAYABLE), funds)
            event = schemas.FundingCostPaid(day=day, amount=amount)
            return event, _line(
                currency, LoanAccount.FUNDING_PAYABLE, -amount, LoanTransfer.FUNDING_COST_PAID
            )
    assert isinstance(command, schemas.PaySellers)  # noqa: S101, as the manifest says
    _require(command.amount, -held(context, currency, LoanAccount.TAKEOVERS), funds)
    event = schemas.SellersPaid(day=day, amount=command.amount)
    return event, _line(currency, LoanAccount.TAKEOVERS, -command.amount, LoanTransfer.TAKEOVER_PAID)


def _require(amount: int, there_is: int, funds: Funds) -> None:
    if amount > min(there_is, funds.cash):
        raise refusals.FundingExceeded


def _require_room(funding: Rows, amount: int, rate: int) -> None:
    if int(funding["balances"].sum()) + amount > BORROWED_MAX:
        raise refusals.FundingExceeded
    if not _places(funding, rate).any():
        raise refusals.FundingRatesExhausted


def _line(currency: int, code: LoanAccount, into_cash: int, why: LoanTransfer) -> Line:
    """Return what comes into cash from an account, or, below zero, goes out of it."""
    cash, other = house_account_id(LoanAccount.CASH, currency), house_account_id(code, currency)
    return Line(cash, other, into_cash, why) if into_cash > 0 else Line(other, cash, -into_cash, why)


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
