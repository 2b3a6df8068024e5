"""The close of business: one business date after the other, all loans part by part.

A date is begun, with what borrowed money cost on it; it brings every loan to its end, collects what is due,
takes the losses of what is late for too long, puts aside for what may be lost, tells who is late, and is
closed. Each command of it is one part, knows where the one before ended, and is all or nothing: a close that
was killed goes on with the next command, and one that is repeated does nothing twice. Loans that are opened
meanwhile begin after the date, so that nothing is locked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
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
from formicary.factory.engine.requests import require_well_formed
from formicary.factory.facts import FACTS_PRODUCT
from formicary.products.lending.funding.cost import accruals
from formicary.products.lending.funding.product import FUNDING_PRODUCT
from formicary.products.lending.limits import (
    CLOSE_LOANS_MAX,
    COLLECTIONS_MAX,
    CURRENCIES_MAX,
    MOVED_MAX,
    PROVIDE_LOANS_MAX,
    SKIPPED_SHOWN_MAX,
)
from formicary.products.lending.servicing import refusals, schemas, steps
from formicary.products.lending.servicing.books import Books, books_of
from formicary.products.lending.servicing.charging_off import charge_offs, too_late
from formicary.products.lending.servicing.close_rules import (
    CloseRules,
    CurrencyRules,
    OwnRules,
    RulesOf,
    defaults,
)
from formicary.products.lending.servicing.collecting import collection
from formicary.products.lending.servicing.exposure import currency_of
from formicary.products.lending.servicing.fields import AmountColumn, HexId, IdColumn, Number, Rows
from formicary.products.lending.servicing.lines import accrual_transfers
from formicary.products.lending.servicing.outcomes import late_loans, lost_loans
from formicary.products.lending.servicing.postings import missing_accounts, transfers
from formicary.products.lending.servicing.providing import (
    Moved,
    moved_between,
    provide,
    provision_transfers,
)
from formicary.products.lending.servicing.telling import DAYS, reminders
from formicary.products.lending.servicing.terms import day_at

__all__ = [
    "BUSINESS_DATE",
    "NAME",
    "BooksClosed",
    "CloseBusinessDate",
    "DateAccrued",
    "DateBegun",
    "DateChargedOff",
    "DateCollected",
    "DateProvided",
    "DateTold",
    "LoansLate",
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
        ("provided", "<i8"),
        ("told", "<i8"),
        ("skipped", "<i8"),
        ("reminders", "<i8"),
        ("charged_off", "<i8"),
        ("losses", "<i8"),
    ]
)
"""A business date, whose id is its day: how many loans it goes over, and how far each step of it came; how
many paid, could not be collected of or charged off, are late so that they are told, and were lost.

It is closed when all are told.
"""

_STEPS: Final = ("accrued", "collected", "charged_off", "provided", "told")

NAME: Final = "business_date"


class CloseBusinessDate(Command, frozen=True):
    """Go on with the close of a business date, days since 1970-01-01, by one part; begin it, if need be.

    Where the ledger refused a part that collects or charges off, ``most`` asks for one of fewer loans, and
    ``passes`` for one that skips the next loan, which is told.
    """

    most: Annotated[int, msgspec.Meta(ge=1, le=COLLECTIONS_MAX)] = COLLECTIONS_MAX
    passes: bool = False


class DateBegun(DomainEvent, frozen=True):
    """A close began; it goes over so many loans."""

    loans: Number


class DateAccrued(DomainEvent, frozen=True):
    """Loans up to before this one are at the end of the date."""

    accrued: Number


class DateCollected(DomainEvent, frozen=True):
    """Of loans up to before this one what is due was collected; so many paid.

    So many were skipped, of which the ids of the first are told: the ledger would not have moved it.
    """

    collected: Number
    payments: Number
    skipped: Number = 0
    skips: Annotated[tuple[HexId, ...], msgspec.Meta(max_length=SKIPPED_SHOWN_MAX)] = ()


class DateChargedOff(DomainEvent, frozen=True, kw_only=True):
    """Of loans up to before this one the losses were taken of so many that were late for too long.

    Skipped as in ``DateCollected``. ``rules`` are those of all currencies without rules of their ``own``.
    """

    charged_off: Number
    losses: Number
    rules: CloseRules
    own: OwnRules = ()
    skipped: Number = 0
    skips: Annotated[tuple[HexId, ...], msgspec.Meta(max_length=SKIPPED_SHOWN_MAX)] = ()


class DateProvided(DomainEvent, frozen=True):
    """For loans up to before this one was put aside, which moved allowances so."""

    provided: Number
    moved: Annotated[tuple[Moved, ...], msgspec.Meta(max_length=MOVED_MAX)] = ()


class DateTold(DomainEvent, frozen=True):
    """Loans up to before this one were looked at; of so many it is told that they are late."""

    told: Number
    reminders: Number


class BooksClosed(DomainEvent, frozen=True):
    """The date is closed, and the accounts of lending hold this."""

    books: Annotated[tuple[Books, ...], msgspec.Meta(max_length=CURRENCIES_MAX)]


class LoansLate(DomainEvent, frozen=True):
    """Loans of which something is unpaid since 0, 1, 30, 60 or 90 days, to the day.

    Columns: ids, days late, and what is due in minor units, one of each loan.
    """

    loans: IdColumn
    days: Annotated[str, DAYS.meta]
    amounts: AmountColumn


def decide(
    command: Command | TimerFired, date: Rows | None, context: Context, *, loans: str, rules_of: RulesOf
) -> Decision:
    """Decide the next part of a close, of the loans of the product ``loans``."""
    require_well_formed(command)
    assert isinstance(command, CloseBusinessDate)  # noqa: S101, there are no others, and no timers
    day = command.subject
    if not 1 <= day <= day_at(context.now):
        raise refusals.BusinessDateNotOver
    if date is None or not date["is_begun"]:
        return _begin(day, context, loans)
    count = int(date["loans"])
    accrued, collected, charged_off, provided, told = (int(date[name]) for name in _STEPS)
    if told >= count:
        raise refusals.BusinessDateClosed
    if accrued < count:
        return _accrue(day, accrued, count, context, loans)
    if collected < count:
        return _collect(command, collected, count, context, loans)
    if charged_off < count:
        return _charge_off(command, charged_off, count, context, (loans, rules_of))
    if provided < count:
        return _provide(day, provided, count, context, (loans, rules_of))
    return _tell(day, told, count, context, loans)


def _begin(day: int, context: Context, loans: str) -> Decision:
    dates = context.columns(NAME)
    if len(dates):
        last = dates[-1]
        if last["id_high"] or day != int(last["id_low"]) + 1 or last["told"] < last["loans"]:
            raise refusals.BusinessDateOutOfOrder
    count = len(context.columns(loans))
    costs = list(accruals(context.columns(FUNDING_PRODUCT.name), day))
    lent_in = {currency_of(key) for key in context.totals(loans)}
    return Decision(
        events=[DateBegun(loans=count)],
        consequences=[
            Consequence(product=FUNDING_PRODUCT.name, subject=cost.currency, event=cost.event)
            for cost in costs
        ],
        # A journal that is older than an account has none of it yet.
        accounts=[one for currency in sorted(lent_in) for one in missing_accounts(context, currency)],
        transfers=[one for cost in costs for one in transfers([cost.line], loan=0, currency=cost.currency)],
        answer=_answer(count),
    )


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
        answer=_answer(count, after),
    )


def _collect(command: CloseBusinessDate, first: int, count: int, context: Context, loans: str) -> Decision:
    made = collection(context.columns(loans), first, count, context, most=command.most, passes=command.passes)
    event = made.event
    collected = DateCollected(
        collected=made.after, payments=made.paid, skipped=made.skipped, skips=made.skips
    )
    return Decision(
        events=[collected],
        consequences=[]
        if event is None
        else [Consequence(product=loans, subject=command.subject, event=event)],
        transfers=made.transfers,
        answer=_answer(count, count, made.after) | {"payments": made.paid, "skipped": made.skipped},
    )


def _charge_off(
    command: CloseBusinessDate, first: int, count: int, context: Context, how: tuple[str, RulesOf]
) -> Decision:
    (loans, rules_of), day = how, command.subject
    rows = context.columns(loans)
    part = rows[first : min(first + CLOSE_LOANS_MAX, count)]
    rules, own = CloseRules(), _own_rules(part, context, rules_of)
    is_lost = too_late(part, day, rules, own)
    made = charge_offs(rows, first, is_lost, day, context, most=command.most, passes=command.passes)
    told = DateChargedOff(
        charged_off=made.after,
        losses=len(made.lost),
        rules=rules,
        own=own,
        skipped=made.skipped,
        skips=made.skips,
    )
    consequences = lost_loans(made.lost, context.now)
    if made.event is not None:
        consequences.insert(0, Consequence(product=loans, subject=day, event=made.event))
    return Decision(
        events=[told],
        consequences=consequences,
        transfers=made.transfers,
        answer=_answer(count, count, count, made.after) | {"losses": told.losses, "skipped": told.skipped},
    )


def _own_rules(part: Rows, context: Context, rules_of: RulesOf) -> tuple[CurrencyRules, ...]:
    """Return the rules that the house set for the currencies of loans (n,)."""
    found = ((currency, rules_of(context, currency)) for currency in np.unique(part["currency"]).tolist())
    return tuple(
        CurrencyRules(currency=currency, rules=rules) for currency, rules in found if rules is not None
    )


def _provide(day: int, first: int, count: int, context: Context, how: tuple[str, RulesOf]) -> Decision:
    loans, rules_of = how
    after = min(first + PROVIDE_LOANS_MAX, count)
    before = context.columns(loans)[first:after]
    part, rules, own = before.copy(), CloseRules(), _own_rules(before, context, rules_of)
    provide(part, day, rules, own)
    moved = moved_between(before, part)
    event = schemas.LoansProvided(first=first, after=after, day=day, rules=rules, own=own)
    currencies = sorted({row.currency for row in moved})
    return Decision(
        events=[DateProvided(provided=after, moved=moved)],
        consequences=[Consequence(product=loans, subject=day, event=event)],
        # A journal that is older than its allowances has no accounts for them yet.
        accounts=[account for currency in currencies for account in missing_accounts(context, currency)],
        transfers=provision_transfers(moved),
        answer=_answer(count, count, count, count, after),
    )


def _tell(day: int, first: int, count: int, context: Context, loans: str) -> Decision:
    made = reminders(context.columns(loans), first, count, day)
    events: list[DomainEvent] = [DateTold(told=made.after, reminders=made.told)]
    if made.told:
        events.append(LoansLate(loans=made.loans, days=made.days, amounts=made.amounts))
    if made.after >= count:
        lent_from = context.columns(FUNDING_PRODUCT.name)["id_low"].tolist()
        events.append(BooksClosed(books=books_of(context.columns(loans), lent_from, context)))
    return Decision(
        events=events,
        answer=_answer(count, count, count, count, count, made.after) | {"reminders": made.told},
    )


def _answer(loans: int, *done: int) -> dict[str, Any]:
    steps_done = {name: (*done, 0, 0, 0, 0, 0)[place] for place, name in enumerate(_STEPS)}
    return {"loans": loans, **steps_done, "is_closed": steps_done["told"] >= loans}


def evolve(kind: str, dates: Rows, events: Sequence[Any]) -> None:
    """Change business dates (n,) as events (n,) of one kind say."""
    match kind:
        case "DateBegun":
            dates["is_begun"] = 1
            dates["loans"] = [event.loans for event in events]
        case "DateAccrued":
            dates["accrued"] = [event.accrued for event in events]
        case "DateCollected":
            dates["collected"] = [event.collected for event in events]
            dates["payments"] += [event.payments for event in events]
            dates["skipped"] += [event.skipped for event in events]
        case "DateChargedOff":
            dates["charged_off"] = [event.charged_off for event in events]
            dates["losses"] += [event.losses for event in events]
            dates["skipped"] += [event.skipped for event in events]
        case "DateProvided":
            dates["provided"] = [event.provided for event in events]
        case "DateTold":
            dates["told"] = [event.told for event in events]
            dates["reminders"] += [event.reminders for event in events]


def business_dates(
    loans: Product, rules_of: RulesOf = defaults, *, beside: tuple[Product, ...] = ()
) -> Product:
    """Return the product that closes business dates over a product of loans.

    ``rules_of`` returns a currency's rules, for which it may look at the products ``beside``.
    """

    def decide_date(command: Command | TimerFired, date: Rows | None, context: Context) -> Decision:
        return decide(command, date, context, loans=loans.name, rules_of=rules_of)

    return Product(
        name=NAME,
        aggregate=BUSINESS_DATE,
        commands=(CloseBusinessDate,),
        events=(
            DateBegun,
            DateAccrued,
            DateCollected,
            DateChargedOff,
            DateProvided,
            DateTold,
            LoansLate,
            BooksClosed,
        ),
        decide=decide_date,
        evolve=evolve,
        neighbours=(loans, FACTS_PRODUCT, FUNDING_PRODUCT, *beside),
    )
