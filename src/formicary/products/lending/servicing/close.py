"""The close of business: one business date after the other, all loans part by part.

A date is begun, brings every loan to its end, collects what is due, and is closed. Each command of it is one
part, knows where the one before ended, and is all or nothing: a close that was killed goes on with the next
command, and one that is repeated does nothing twice. Loans that are opened meanwhile begin after the date, so
that nothing is locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.facts import FACTS_PRODUCT
from formicary.products.lending.limits import CLOSE_LOANS_MAX
from formicary.products.lending.servicing import refusals, schemas, steps
from formicary.products.lending.servicing.collecting import collection
from formicary.products.lending.servicing.fields import Number, Rows
from formicary.products.lending.servicing.lines import accrual_transfers
from formicary.products.lending.servicing.outcomes import late_loans
from formicary.products.lending.servicing.terms import day_at

__all__ = [
    "BUSINESS_DATE",
    "CloseBusinessDate",
    "DateAccrued",
    "DateBegun",
    "DateCollected",
    "business_dates",
]

BUSINESS_DATE: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("is_begun", "<u4"),
        ("loans", "<i8"),
        ("accrued", "<i8"),
        ("collected", "<i8"),
        ("payments", "<i8"),
    ]
)
"""A business date, whose id is its day: how many loans it goes over, how far it came, how many paid.

It is closed when all are collected.
"""

NAME: Final = "business_date"


class CloseBusinessDate(Command, frozen=True):
    """Go on with the close of a business date, days since 1970-01-01, by one part; begin it, if need be."""


class DateBegun(DomainEvent, frozen=True):
    """A close began; it goes over so many loans."""

    loans: Number


class DateAccrued(DomainEvent, frozen=True):
    """Loans up to before this one are at the end of the date."""

    accrued: Number


class DateCollected(DomainEvent, frozen=True):
    """Of loans up to before this one what is due was collected; so many paid."""

    collected: Number
    payments: Number


def decide(command: Command | TimerFired, date: Rows | None, context: Context, *, loans: str) -> Decision:
    """Decide the next part of a close, of the loans of the product ``loans``."""
    day = command.subject
    if not 1 <= day <= day_at(context.now):
        raise refusals.BusinessDateNotOver
    if date is None or not date["is_begun"]:
        return _begin(day, context, loans)
    count, accrued, collected = (int(date[name]) for name in ("loans", "accrued", "collected"))
    if collected >= count:
        raise refusals.BusinessDateClosed
    if accrued < count:
        return _accrue(day, accrued, count, context, loans)
    return _collect(day, collected, count, context, loans)


def _begin(day: int, context: Context, loans: str) -> Decision:
    dates = context.columns(NAME)
    if len(dates):
        last = dates[-1]
        if last["id_high"] or day != int(last["id_low"]) + 1 or last["collected"] < last["loans"]:
            raise refusals.BusinessDateOutOfOrder
    count = len(context.columns(loans))
    return Decision(events=[DateBegun(loans=count)], answer=_answer(count, 0, 0))


def _accrue(day: int, first: int, count: int, context: Context, loans: str) -> Decision:
    after = min(first + CLOSE_LOANS_MAX, count)
    part = context.columns(loans)[first:after].copy()
    interest, fees = steps.advanced(part, np.full(len(part), day, np.int64))
    event = schemas.LoansAccrued(first=first, after=after, day=day)
    return Decision(
        events=[DateAccrued(accrued=after)],
        consequences=[
            Consequence(product=loans, subject=day, event=event),
            *late_loans(part, day, context.now),
        ],
        transfers=accrual_transfers(part, interest, fees),
        answer=_answer(count, after, 0),
    )


def _collect(day: int, first: int, after: int, context: Context, loans: str) -> Decision:
    made = collection(context.columns(loans), first, after, context)
    event = made.event
    return Decision(
        events=[DateCollected(collected=made.after, payments=made.paid)],
        consequences=[] if event is None else [Consequence(product=loans, subject=day, event=event)],
        transfers=made.transfers,
        answer=_answer(after, after, made.after) | {"payments": made.paid},
    )


def _answer(loans: int, accrued: int, collected: int) -> dict[str, Any]:
    return {"loans": loans, "accrued": accrued, "collected": collected, "is_closed": collected >= loans}


def evolve(kind: str, dates: Rows, events: Sequence[Any]) -> None:
    """Change business dates (n,) as events (n,) of one kind say."""
    match kind:
        case "DateBegun":
            dates["is_begun"] = 1
            dates["loans"] = [event.loans for event in events]
        case "DateAccrued":
            dates["accrued"] = [event.accrued for event in events]
        case _:
            dates["collected"] = [event.collected for event in events]
            dates["payments"] += [event.payments for event in events]


def business_dates(loans: Product) -> Product:
    """Return the product that closes business dates over a product of loans."""

    def decide_date(command: Command | TimerFired, date: Rows | None, context: Context) -> Decision:
        return decide(command, date, context, loans=loans.name)

    return Product(
        name=NAME,
        aggregate=BUSINESS_DATE,
        commands=(CloseBusinessDate,),
        events=(DateBegun, DateAccrued, DateCollected),
        decide=decide_date,
        evolve=evolve,
        neighbours=(loans, FACTS_PRODUCT),
    )
