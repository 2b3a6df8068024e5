"""Limit and price of every party, from columns: the nightly offers and the live application by one function.

::

    model chances ─▶ default, loss ─▶ bands of sales ┐
    sales, debts  ─▶ affordability                   ├▶ limit ─▶ price ─▶ own funds and cash ─▶ decision
    history, arrears, checks      ─▶ conditions      ┘

Every condition is judged, whatever the others say, so that whoever is refused is told of each that failed. A
party without a chance, because a model is missing or could not be asked, gets nothing: no new credit is the
safe side, and what was lent before is not touched by anything here.

The price is that of the limit which risk and sales allow. Where own funds or cash cut the limit further, the
price stays: nobody pays for a shortage of the lender.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.products.lending.millionths import UNTOLD, Words, checked_amounts, checked_shares
from formicary.products.lending.underwriting.affordability import affordable_limits
from formicary.products.lending.underwriting.capital import Book, CapitalPolicy, lend
from formicary.products.lending.underwriting.limits import monthly_sales, stepped, turnover_limits
from formicary.products.lending.underwriting.policy import CreditPolicy
from formicary.products.lending.underwriting.pricing import NO_RATE, expected_losses, exposures, rates

__all__ = [
    "DECISION",
    "NEVER_WARNED",
    "Condition",
    "Cut",
    "Decided",
    "Parties",
    "decide",
    "honoured",
    "is_warned",
    "offers_expire_at",
]

Flags: TypeAlias = npt.NDArray[np.bool_]

_DAY: Final = 86_400_000_000_000


class Condition(IntEnum):
    """What must hold for credit; a number is that of its bit in ``failed``, which records keep."""

    FRAUD_CHECK = 0
    """The fraud check has nothing against the party."""
    ARREARS = 1
    """Nothing is further past due than the policy takes."""
    MODEL = 2
    """A chance of default and a loss were told."""
    RISK = 3
    """The chance of default is in one of the policy's bands."""
    HISTORY = 4
    """The party has been known for long enough."""
    SALES = 5
    """Sales carry the least limit, by its band and if there were no other debts."""
    DEBTS = 6
    """They do so beside the other debts."""
    WANTED = 7
    """What is asked for is the least limit or more."""
    PRICE = 8
    """A price up to the cap meets the target."""
    CAPITAL = 9
    """Own funds and cash carry the line."""
    WARNED = 10
    """Early warning has not found the party's sales fallen within the days that the policy looks back."""


class Cut(IntEnum):
    """Why less than what is asked for is offered, own funds and cash apart; of several, what cuts most."""

    NOTHING = 0
    """It is not less, or there is nothing."""
    SALES = 1
    """The share of its sales that a party may owe at its risk."""
    DEBTS = 2
    """What sales leave for another debt, beside those that there are."""
    LARGEST = 3
    """The largest line that is lent."""
    STEP = 4
    """Lines are multiples of a step."""


NEVER_WARNED: Final = -1
"""Stands for the days since a party was warned of, where it never was."""

DECISION: Final = np.dtype(
    [
        ("limit", np.int64),
        ("rate", np.int64),
        ("expected_loss", np.int64),
        ("default", np.int32),
        ("loss", np.int32),
        ("failed", np.uint16),
        ("binding", np.uint8),
        ("is_cut", np.uint8),
        ("cut_by", np.uint8),
    ]
)
"""What was decided about a party.

``limit`` in minor units, 0 where nothing is lent; ``rate`` in millionths a day, ``NO_RATE`` with it;
``expected_loss`` of the limit over the horizon in minor units; ``default`` and ``loss`` in millionths as they
were believed, ``UNTOLD`` where they were not told; ``failed`` a bit per ``Condition``; ``binding`` a
``Binding``; ``is_cut`` whether the limit is less than what was asked for, and ``cut_by`` a ``Cut`` that says
why, where own funds and cash are not all of it."""

Decisions: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Parties:
    """What is known of parties, in columns (n,) of one order; all are whole numbers.

    Attributes
    ----------
    default, loss
        Chances of default within the policy's horizon and losses given default, in millionths; ``UNTOLD``
        where no model told one (``millionths_of`` makes them of calibrated chances).
    sales_30d, sales_90d
        Sales of the last 30 and 90 days, in minor units.
    debt_service
        What all other debts ask for in 30 days, in minor units.
    history_days
        Since when the party has been known.
    arrears_days
        How many days its oldest unpaid debt is past due, 0 for none.
    warned_days
        How many days ago early warning last found its sales fallen, ``NEVER_WARNED`` where it never did.
    is_stopped
        Whether the fraud check stops it.
    segments
        Its trade or place, by number.
    groups
        The party by number, or those that stand and fall together with it.
    retained
        The share that the lender keeps of a line, in millionths.
    """

    default: Words
    loss: Words
    sales_30d: Words
    sales_90d: Words
    debt_service: Words
    history_days: Words
    arrears_days: Words
    warned_days: Words
    is_stopped: Flags
    segments: Words
    groups: Words
    retained: Words

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together with a ``ProgrammingError``."""
        shapes = {field.name: np.shape(getattr(self, field.name)) for field in fields(self)}
        if len(set(shapes.values())) > 1:
            message = f"columns of parties differ in shape: {shapes}"
            raise ProgrammingError(message)
        for told in (self.default, self.loss):
            checked_shares(np.maximum(told, 0))
            if len(told) and told.min() < UNTOLD:
                message = f"a chance is told in millionths, or {UNTOLD} where it is not told"
                raise ProgrammingError(message)

    def __len__(self) -> int:
        return len(self.default)


class Decided(NamedTuple):
    """Decisions (n,) of ``DECISION``, and the book with what was lent."""

    decisions: Decisions
    book: Book


def decide(
    policy: CreditPolicy,
    capital: CapitalPolicy,
    book: Book,
    parties: Parties,
    *,
    wanted: npt.ArrayLike | None = None,
) -> Decided:
    """Return limits and prices of parties in their order, each as if those before it had been decided alone.

    Parameters
    ----------
    policy, capital, book
        Rules, limits, and where the lender stands.
    parties
        Who.
    wanted
        What each asks for, (n,), in minor units; as much as there is unless given.
    """
    asked = np.full(len(parties), policy.limit_max) if wanted is None else checked_amounts(wanted)
    is_told = (parties.default >= 0) & (parties.loss >= 0)
    default = np.maximum(np.where(is_told, parties.default, 0), policy.default_floor_millionths)
    loss = np.where(is_told, parties.loss, 0)
    failed, by_sales, affordable = _conditions(policy, parties, default, is_told)
    failed |= _bits(asked < policy.limit_min, Condition.WANTED)
    limits = stepped(policy, np.minimum(np.minimum(by_sales, affordable), asked))
    # Where no limit is left the price of the largest one is looked at: the least that it could be.
    priced = np.where(limits > 0, limits, policy.limit_max)
    prices = rates(policy, default=default, loss=loss, amounts=exposures(policy, priced))
    is_in_a_band = is_told & (default <= policy.default_cap_millionths)
    failed |= _bits((prices == NO_RATE) & is_in_a_band, Condition.PRICE)
    lent = lend(
        capital,
        book,
        wanted=np.where(failed == 0, limits, 0),
        segments=parties.segments,
        parties=parties.groups,
        retained=parties.retained,
    )
    failed |= _bits((failed == 0) & (lent.amounts == 0), Condition.CAPITAL)
    decisions = np.zeros(len(parties), DECISION)
    decisions["limit"] = lent.amounts
    decisions["rate"] = np.where(lent.amounts > 0, prices, NO_RATE)
    decisions["expected_loss"] = expected_losses(exposures(policy, lent.amounts), default, loss)
    decisions["default"] = np.where(is_told, default, UNTOLD)
    decisions["loss"] = np.where(is_told, loss, UNTOLD)
    decisions["failed"], decisions["binding"] = failed, lent.bindings
    if wanted is not None:
        decisions["is_cut"] = lent.amounts < asked
        cuts = _cuts(policy, asked, limits, by_sales=by_sales, affordable=affordable)
        decisions["cut_by"] = np.where(lent.amounts > 0, cuts, Cut.NOTHING)
    return Decided(decisions=decisions, book=lent.book)


def honoured(offers: Decisions, fresh: Decisions) -> Decisions:
    """Return what applications come to (n,) that take up offers (n,) which have not expired.

    An offer is a promise of a price, not of trust: the rate is the lesser of both; the limit, and whether
    there is one, is what is known now.
    """
    taken = fresh.copy()
    both = (offers["limit"] > 0) & (fresh["limit"] > 0)
    taken["rate"] = np.where(both, np.minimum(offers["rate"], fresh["rate"]), fresh["rate"])
    return taken


def offers_expire_at(policy: CreditPolicy, at: int) -> int:
    """Return until when offers that are made at a time hold, both in nanoseconds since 1970."""
    return at + policy.expiry_days * _DAY


def _conditions(
    policy: CreditPolicy, parties: Parties, default: Words, is_told: Flags
) -> tuple[npt.NDArray[np.uint16], Words, Words]:
    """Return which conditions failed as bits (n,), and how much sales allow (n,), without debts and with."""
    sales = monthly_sales(parties.sales_30d, parties.sales_90d)
    is_too_risky = is_told & (default > policy.default_cap_millionths)
    # With a chance outside of all bands sales are looked at as in the first: they are too low by themselves.
    by_sales = turnover_limits(policy, default=np.where(is_told & ~is_too_risky, default, 0), sales=sales)
    without_debts = affordable_limits(policy, sales=sales, debt_service=np.zeros_like(sales))
    affordable = affordable_limits(policy, sales=sales, debt_service=parties.debt_service)
    holds = {
        Condition.FRAUD_CHECK: ~parties.is_stopped,
        Condition.ARREARS: parties.arrears_days <= policy.arrears_days_max,
        Condition.WARNED: ~is_warned(policy, parties.warned_days),
        Condition.MODEL: is_told,
        Condition.RISK: ~is_too_risky,
        Condition.HISTORY: parties.history_days >= policy.history_days_min,
        Condition.SALES: np.minimum(by_sales, without_debts) >= policy.limit_min,
        Condition.DEBTS: (affordable >= policy.limit_min) | (without_debts < policy.limit_min),
    }
    failed = np.zeros(len(parties), np.uint16)
    for condition, is_met in holds.items():
        failed |= _bits(~is_met, condition)
    return failed, np.minimum(by_sales, without_debts), affordable


def _cuts(
    policy: CreditPolicy, asked: Words, limits: Words, *, by_sales: Words, affordable: Words
) -> npt.NDArray[np.uint8]:
    """Return why limits (n,) are less than what is asked for, (n,) of ``Cut``."""
    most = np.minimum(asked, policy.limit_max)
    causes = {
        Cut.DEBTS: affordable < np.minimum(by_sales, most),
        Cut.SALES: by_sales < most,
        Cut.LARGEST: most < asked,
    }
    told = np.select(list(causes.values()), list(causes), Cut.STEP)
    return np.where(limits < asked, told, Cut.NOTHING).astype(np.uint8)


def is_warned(policy: CreditPolicy, warned_days: Words) -> Flags:
    """Return whether nothing more is lent to parties (n,) that were warned of so many days ago."""
    return np.asarray((warned_days >= 0) & (warned_days < policy.warned_days), np.bool_)


def _bits(is_failed: Flags, condition: Condition) -> npt.NDArray[np.uint16]:
    """Return the condition's bit where it failed, (n,)."""
    return np.where(is_failed, np.uint16(1 << condition), np.uint16(0))
