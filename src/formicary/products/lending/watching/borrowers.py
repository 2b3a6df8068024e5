"""Borrowers as early warning keeps them: a ring of weekly counts each, and what it says.

A borrower is kept from the first run that finds a line of its own. A week of which nothing can be told for
sure is no week: it leaves all as it was. Of who agrees to credit no more nothing is kept.

What a week's count comes to is computed once, by the decider, and stands in the event: a policy may change
and what was folded stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple

import numpy as np

from formicary.base.purposes import Purpose
from formicary.factory.engine.columns import Column
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import MalformedCommand
from formicary.products.lending.millionths import Words
from formicary.products.lending.servicing.fields import AMOUNTS, AmountColumn, IdColumn, Number, Rows
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.early_warning import (
    COUNT_MAX,
    NEVER,
    WarningPolicy,
    cut_shares,
    warned,
)
from formicary.products.lending.underwriting.features import MERCHANT_WEEKS
from formicary.products.lending.underwriting.preapproval import NEVER_WARNED
from formicary.products.lending.watching.limits import WATCH_WEEKS_KEPT
from formicary.products.lending.watching.weeks import monday_of

__all__ = [
    "AGREES_NO_MORE",
    "COUNTS",
    "COUNT_KEPT_MAX",
    "UNKNOWN",
    "WATCHED",
    "WATCHED_BORROWER",
    "WEEKS",
    "BorrowersWatched",
    "Signals",
    "WeeksNoted",
    "counts_of",
    "signals",
    "warned_days",
    "warned_days_of",
    "with_counts",
]

WATCHED_BORROWER: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("weeks", "<u4"),
        ("counts", "<u4", (WATCH_WEEKS_KEPT,)),
        ("evidence", "<i8"),
        ("usual", "<i8"),
        ("week", "<u4"),
        ("share", "<u4"),
        ("share_before", "<u4"),
        ("fallen", "<u2"),
        ("is_warned", "<u2"),
        ("warned_week", "<i8"),
    ]
)
"""A borrower: how many weeks are kept, and their counts, the latest one last.

Evidence of a fall and the usual count are in millionths. ``fallen`` is since how many of the weeks the fall
goes on, ``week`` the last one that was noted; ``share`` of its undrawn lines, in millionths, this fall has
cut with that week, and ``share_before`` had cut before. ``warned_week`` is the last one with a fall, 0 where
there was none.
"""

COUNT_KEPT_MAX: Final = 2**32 - 3
"""The largest count of a week that is kept."""

UNKNOWN: Final = 2**32 - 1
"""The count of a week of which nothing can be told."""

AGREES_NO_MORE: Final = 2**32 - 2
"""The count of who does not agree to credit any more, and of whom all is forgotten."""

COUNTS: Final = Column("<u4", like=(0, 40, 5_000_000, AGREES_NO_MORE, UNKNOWN))
"""Counts of a week, and shares in millionths."""

WEEKS: Final = Column("<u1", like=(0, 1, 3))
"""How many weeks."""

_Counts = Annotated[str, COUNTS.meta]


class BorrowersWatched(DomainEvent, frozen=True, kw_only=True):
    """Parties with a line are watched from this week on, which had so many sales."""

    first: Number
    after: Number
    ids: IdColumn
    week: Number
    counts: _Counts


class WeeksNoted(DomainEvent, frozen=True, kw_only=True):
    """A week of borrowers was noted, and this is what it says."""

    first: Number
    after: Number
    week: Number
    counts: _Counts
    evidence: AmountColumn
    usual: AmountColumn
    fallen: Annotated[str, WEEKS.meta]
    shares: _Counts


class Signals(NamedTuple):
    """What borrowers' weeks say, (n,): see ``WATCHED_BORROWER``."""

    evidence: Words
    usual: Words
    fallen: Words
    shares: Words


def counts_of(context: Context, ids: Rows) -> Rows:
    """Return how many sales parties by ids (n, 2) had in a week, or why that is not told."""
    told = context.features_of(MERCHANT_WEEKS.name, purpose=Purpose.CREDIT, asking={"party": ids})
    sold = told.values[:, told.names.index("sales_count_7d")]
    counts: Rows = np.minimum(np.nan_to_num(sold, nan=0.0), float(COUNT_KEPT_MAX)).astype(np.int64)
    counts[np.isnan(sold)] = UNKNOWN
    counts[told.withheld > 0] = AGREES_NO_MORE
    return counts


def with_counts(borrowers: Rows, counts: Rows) -> Rows:
    """Return borrowers (n,) with one more week of counts (n,) each; the oldest one gives way."""
    later = borrowers.copy()
    later["counts"][:, :-1] = borrowers["counts"][:, 1:]
    later["counts"][:, -1] = counts
    later["weeks"] = np.minimum(borrowers["weeks"] + 1, WATCH_WEEKS_KEPT)
    return later


def signals(policy: WarningPolicy, borrowers: Rows) -> Signals:
    """Return what the weeks of borrowers (n,) say; nothing of those with a past too short.

    Of more than a million a week a part is looked at, which varies less than it would by Poisson: then only
    evidence is lost.
    """
    told = Signals(*(np.zeros(len(borrowers), np.int64) for _ in Signals._fields))
    weeks = borrowers["weeks"].astype(np.int64)
    for kept in np.unique(weeks[weeks >= policy.past_weeks]).tolist():
        places = np.flatnonzero(weeks == kept)
        counts = borrowers["counts"][places][:, -kept:].astype(np.int64)
        parts = np.maximum(-(-counts.max(axis=1) // COUNT_MAX), 1)
        found = warned(policy, counts // parts[:, None])
        told.evidence[places], told.usual[places] = found.evidence, found.usual * parts
        told.fallen[places] = np.where(found.since == NEVER, 0, kept - found.since)
    # What a fall has cut stays cut until it is over.
    cut = np.maximum(cut_shares(policy, told.evidence), borrowers["share"])
    told.shares[:] = np.where(told.evidence > 0, cut, 0)
    return told


def warned_days(borrowers: Rows, day: int) -> Words:
    """Return how many days before one borrowers (n,) were last warned of, ``NEVER_WARNED`` of who never was.

    A warning is of the Monday of its week, as nobody is told on which day the sales fell.
    """
    weeks: Words = borrowers["warned_week"].astype(np.int64)
    return np.where(weeks > 0, np.maximum(day - monday_of(weeks), 0), NEVER_WARNED)


def warned_days_of(context: Context, party: int) -> int:
    """Return how many days ago a party was last warned of, ``NEVER_WARNED`` where it never was."""
    borrower = context.aggregate(WATCHED.name, party)
    return NEVER_WARNED if borrower is None else int(warned_days(borrower, day_at(context.now)))


def sweep(kind: str, borrowers: Rows, event: Any) -> None:
    """Change borrowers (n,) as one event says."""
    counts = COUNTS.unpack(event.counts)
    is_known = counts <= COUNT_KEPT_MAX
    changed = with_counts(borrowers[is_known], counts[is_known])
    changed["week"] = event.week
    if kind == "WeeksNoted":
        changed["share_before"] = changed["share"]
        for name, column in (("evidence", AMOUNTS), ("usual", AMOUNTS), ("fallen", WEEKS)):
            changed[name] = column.unpack(getattr(event, name))[is_known]
        changed["share"] = COUNTS.unpack(event.shares)[is_known]
        changed["is_warned"] = changed["share"] > 0
        changed["warned_week"] = np.where(changed["share"] > 0, event.week, changed["warned_week"])
    borrowers[is_known] = changed
    header = [name for name, *_ in AGGREGATE_HEADER]
    for name in borrowers.dtype.names or ():
        if name not in header:
            borrowers[name][counts == AGREES_NO_MORE] = 0


def _evolve(_: str, __: Rows, ___: Sequence[Any]) -> None:
    """Say nothing more of a sweep's subject."""


def _decide_nothing(_: Command | TimerFired, __: Rows | None, ___: Context) -> Decision:
    """Refuse: borrowers are noted by runs."""
    raise MalformedCommand


WATCHED: Final = Product(
    name="watched_borrower",
    aggregate=WATCHED_BORROWER,
    commands=(),
    events=(BorrowersWatched, WeeksNoted),
    decide=_decide_nothing,
    evolve=_evolve,
    is_columnar=True,
    sweeps=(BorrowersWatched, WeeksNoted),
    sweep=sweep,
)
"""Borrowers by their parties' ids."""
