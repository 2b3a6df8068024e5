"""Early warning over all lines: once a week, part by part, and what is not drawn is cut by itself.

A run is of a week, from Monday to Sunday in UTC. Each command of it does the next part, knows where the one
before ended, and is all or nothing, so that a run that was killed goes on with the next command and nothing
is cut twice:

1. *begin*: how many borrowers and loans there are is written down; who comes later is for the next week;
2. *note*: the week of each borrower that is watched is noted, and what its weeks say of a fall;
3. *look*: lines of those in whose weeks there is evidence of a fall are cut; borrowers of lines that are not
   watched yet are from now on.

A fall cuts a share of what is not drawn, more where its evidence grows, and never the same share twice; once
all is cut, what is paid back cannot be drawn again while the fall goes on. What is owed stays as agreed, and
no limit is raised when sales recover: what a party may have then, it is offered.

A run that was not over in its week goes on later before the next one begins. It notes nothing any more, as
the sales of a week are only known in it, and cuts what its own week said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import numpy as np

from formicary.factory.engine.columns import IDS
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
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.products.lending.millionths import MILLION, Words
from formicary.products.lending.servicing.fields import AMOUNTS, AmountColumn, IdColumn, Number, Rows
from formicary.products.lending.servicing.layout import LoanKind, LoanState
from formicary.products.lending.servicing.schemas import LimitsCut
from formicary.products.lending.servicing.standing_offers import LIMITS, STAYS
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.early_warning import WarningPolicy, undrawn_cut
from formicary.products.lending.underwriting.errors import CreditPolicyMalformed
from formicary.products.lending.watching import refusals
from formicary.products.lending.watching.borrowers import (
    COUNT_KEPT_MAX,
    COUNTS,
    WATCHED,
    WEEKS,
    BorrowersWatched,
    WeeksNoted,
    counts_of,
    signals,
    with_counts,
)
from formicary.products.lending.watching.limits import WATCH_LOANS_MAX, WATCH_PARTIES_MAX, WATCH_WEEKS_KEPT
from formicary.products.lending.watching.weeks import week_of

__all__ = [
    "CREDIT_WATCH",
    "LinesCut",
    "LinesLookedAt",
    "WatchBegun",
    "WatchBorrowers",
    "WeekNoted",
    "watch_product",
]

NAME: Final = "credit_watch"

CREDIT_WATCH: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("is_begun", "<u4"),
        ("borrowers", "<i8"),
        ("noted", "<i8"),
        ("warned", "<i8"),
        ("loans", "<i8"),
        ("looked_at", "<i8"),
        ("watched", "<i8"),
        ("cut", "<i8"),
    ]
)
"""A run, whose id is its week: how many borrowers and loans it goes over, how far it came; how many borrowers
it warned of, began to watch, and how many lines it cut.

It is over when all loans are looked at.
"""


class WatchBorrowers(Command, frozen=True):
    """Go on with the run of a week, as ``week_of`` counts them, by one part; begin it, if need be."""


class WatchBegun(DomainEvent, frozen=True, kw_only=True):
    """A run began."""

    borrowers: Number
    loans: Number


class WeekNoted(DomainEvent, frozen=True, kw_only=True):
    """The week of borrowers up to before this one was noted; so many of the part are warned of."""

    noted: Number
    warned: Number


class LinesLookedAt(DomainEvent, frozen=True, kw_only=True):
    """Loans up to before this one were looked at; so many borrowers are watched from now on."""

    looked_at: Number
    watched: Number
    cut: Number


class LinesCut(DomainEvent, frozen=True, kw_only=True):
    """Lines were cut as sales fell; one of each line, with what it is explained by.

    Columns: ids of loans; limits before and after, in minor units; evidence and the usual count of a week, in
    millionths; the count of the last week, and for how many weeks the fall goes on; the share of what is not
    drawn, in millionths, that this fall has cut so far.
    """

    loans: IdColumn
    limits_before: Annotated[str, LIMITS.meta]
    limits: Annotated[str, LIMITS.meta]
    evidence: AmountColumn
    usual: AmountColumn
    counts: Annotated[str, COUNTS.meta]
    fallen: Annotated[str, WEEKS.meta]
    shares: Annotated[str, COUNTS.meta]


def decide(
    command: Command | TimerFired, record: Rows | None, context: Context, *, loans: str, policy: WarningPolicy
) -> Decision:
    """Decide the next part of a run, of the loans of the product ``loans``."""
    require_well_formed(command)
    week, this_week = command.subject, week_of(day_at(context.now))
    if record is None or not record["is_begun"]:
        if week != this_week or not _is_last_over(context):
            raise refusals.CreditWatchNotDue
        return _begin(context, loans)
    if record["noted"] < record["borrowers"]:
        return _note(record, context, policy, is_late=week != this_week)
    if record["looked_at"] >= record["loans"]:
        raise refusals.CreditWatchEnded
    return _look(record, context, loans, is_late=week != this_week)


def _is_last_over(context: Context) -> bool:
    runs = context.columns(NAME)
    return not len(runs) or bool(
        runs[-1]["noted"] >= runs[-1]["borrowers"] and runs[-1]["looked_at"] >= runs[-1]["loans"]
    )


def _begin(context: Context, loans: str) -> Decision:
    begun = WatchBegun(borrowers=len(context.columns(WATCHED.name)), loans=len(context.columns(loans)))
    return Decision(events=[begun], answer=_answer(begun.borrowers, 0, begun.loans, 0))


def _note(record: Rows, context: Context, policy: WarningPolicy, *, is_late: bool) -> Decision:
    first, count, loans = int(record["noted"]), int(record["borrowers"]), int(record["loans"])
    if is_late:
        return Decision(events=[WeekNoted(noted=count, warned=0)], answer=_answer(count, count, loans, 0))
    after = min(first + WATCH_PARTIES_MAX, count)
    borrowers = context.columns(WATCHED.name)[first:after]
    counts = counts_of(context, _ids(borrowers, "id"))
    is_known = counts <= COUNT_KEPT_MAX
    found = signals(policy, with_counts(borrowers, counts))
    event = WeeksNoted(
        first=first,
        after=after,
        week=int(record["id_low"]),
        counts=COUNTS.pack(counts),
        evidence=AMOUNTS.pack(np.where(is_known, found.evidence, 0)),
        usual=AMOUNTS.pack(np.where(is_known, found.usual, 0)),
        fallen=WEEKS.pack(np.where(is_known, found.fallen, 0)),
        shares=COUNTS.pack(np.where(is_known, found.shares, 0)),
    )
    noted = WeekNoted(noted=after, warned=int((is_known & (found.shares > 0)).sum()))
    return Decision(
        events=[noted],
        consequences=[Consequence(product=WATCHED.name, subject=int(record["id_low"]), event=event)],
        answer=_answer(count, after, loans, 0) | {"warned": noted.warned},
    )


def _look(record: Rows, context: Context, loans: str, *, is_late: bool) -> Decision:
    week, first, count = int(record["id_low"]), int(record["looked_at"]), int(record["loans"])
    after = min(first + WATCH_LOANS_MAX, count)
    part = context.columns(loans)[first:after]
    is_live = np.isin(part["state"], (LoanState.ACCEPTED, LoanState.ACTIVE))
    places = np.flatnonzero(is_live & (part["kind"] == LoanKind.LINE))
    ids = _ids(part[places], "party")
    numbers = context.numbers(WATCHED.name, ids)
    consequences = []
    new = np.unique(ids[numbers < 0], axis=0)
    watched = None if is_late else _watched(context, new, week)
    if watched is not None:
        consequences.append(Consequence(product=WATCHED.name, subject=week, event=watched))
    places, borrowers = places[numbers >= 0], context.columns(WATCHED.name)[numbers[numbers >= 0]]
    lines = part[places]
    taken = _taken(lines, borrowers, week)
    is_cut = taken > 0
    looked_at = LinesLookedAt(
        looked_at=after,
        watched=0 if watched is None else watched.after - watched.first,
        cut=int(is_cut.sum()),
    )
    events: list[DomainEvent] = [looked_at]
    if looked_at.cut:
        events.append(_cut(lines[is_cut], borrowers[is_cut], taken[is_cut]))
        limits = np.full(after - first, STAYS)
        limits[places] = np.where(is_cut, lines["limit"] - taken, STAYS)
        event = LimitsCut(first=first, after=after, limits=LIMITS.pack(limits))
        consequences.append(Consequence(product=loans, subject=week, event=event))
    noted = int(record["borrowers"])
    return Decision(
        events=events,
        consequences=consequences,
        answer=_answer(noted, noted, count, after) | {"watched": looked_at.watched, "cut": looked_at.cut},
    )


def _taken(lines: Rows, borrowers: Rows, week: int) -> Words:
    """Return what is taken back of lines (n,) of borrowers (n,) in a week, in minor units."""
    # Who was not noted this week has nothing cut: its share is of a week that was cut already.
    shares = np.where(borrowers["week"] == week, borrowers["share"], 0).astype(np.int64)
    # Where all is cut, that is so of what was paid back since, and of a line that was taken since, as well.
    before = np.where(shares == MILLION, 0, borrowers["share_before"]).astype(np.int64)
    return undrawn_cut(np.maximum(lines["limit"] - lines["balance"], 0), shares, before=before)


def _watched(context: Context, ids: Rows, week: int) -> BorrowersWatched | None:
    """Return that parties by ids (n, 2) are watched from a week on, as far as their sales can be told."""
    counts = counts_of(context, ids)
    is_known = counts <= COUNT_KEPT_MAX
    if not is_known.any():
        return None
    first = len(context.columns(WATCHED.name))
    return BorrowersWatched(
        first=first,
        after=first + int(is_known.sum()),
        ids=IDS.pack(ids[is_known]),
        week=week,
        counts=COUNTS.pack(counts[is_known]),
    )


def _cut(lines: Rows, borrowers: Rows, taken: Rows) -> LinesCut:
    """Return how lines (n,) are cut by so much, and what their borrowers' weeks say."""
    return LinesCut(
        loans=IDS.pack(_ids(lines, "id")),
        limits_before=LIMITS.pack(lines["limit"]),
        limits=LIMITS.pack(lines["limit"] - taken),
        evidence=AMOUNTS.pack(borrowers["evidence"]),
        usual=AMOUNTS.pack(borrowers["usual"]),
        counts=COUNTS.pack(borrowers["counts"][:, -1]),
        fallen=WEEKS.pack(borrowers["fallen"]),
        shares=COUNTS.pack(borrowers["share"]),
    )


def _ids(records: Rows, name: str) -> Rows:
    return np.column_stack([records[f"{name}_high"], records[f"{name}_low"]])


def _answer(borrowers: int, noted: int, loans: int, looked_at: int) -> dict[str, Any]:
    return {
        "borrowers": borrowers,
        "noted": noted,
        "loans": loans,
        "looked_at": looked_at,
        "is_ended": noted >= borrowers and looked_at >= loans,
    }


_SET: Final = {
    "WatchBegun": ("borrowers", "loans"),
    "WeekNoted": ("noted",),
    "LinesLookedAt": ("looked_at",),
}
_ADDED: Final = {"WeekNoted": ("warned",), "LinesLookedAt": ("watched", "cut")}


def evolve(kind: str, runs: Rows, events: Sequence[Any]) -> None:
    """Change runs (n,) as events (n,) of one kind say."""
    if kind == "WatchBegun":
        runs["is_begun"] = 1
    for name in _SET.get(kind, ()):
        runs[name] = [getattr(event, name) for event in events]
    for name in _ADDED.get(kind, ()):
        runs[name] += [getattr(event, name) for event in events]


def watch_product(loans: Product, policy: WarningPolicy | None = None) -> Product:
    """Return the product that watches borrowers of a product of loans, by a policy.

    Raises
    ------
    CreditPolicyMalformed
        Its past is longer than what is kept, so that it would never warn.
    """
    chosen = WarningPolicy() if policy is None else policy
    if chosen.past_weeks >= WATCH_WEEKS_KEPT:
        message = f"of a borrower {WATCH_WEEKS_KEPT} weeks are kept, which is no past and a week after it"
        raise CreditPolicyMalformed(message)

    def decide_watch(command: Command | TimerFired, run: Rows | None, context: Context) -> Decision:
        return decide(command, run, context, loans=loans.name, policy=chosen)

    return Product(
        name=NAME,
        aggregate=CREDIT_WATCH,
        commands=(WatchBorrowers,),
        events=(WatchBegun, WeekNoted, LinesLookedAt, LinesCut),
        decide=decide_watch,
        evolve=evolve,
        neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT, WATCHED, loans),
    )
