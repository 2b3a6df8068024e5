"""Early warning: whose sales, or customers' payments, fall beside their own past; undrawn lines are cut.

A chart of Page (*Continuous inspection schemes*, Biometrika 41, 1954) over weeks, which take the days of the
week out. With a usual count m of a week and a fall to the share q of it that is looked for, a week of x
counts adds how much likelier it is after the fall, of a Poisson distribution::

    S = max(0, S + (m (1 - q) - x ln(1 / q)) / d)

Sales come in bunches: d is how much more they vary than Poisson's, var / mean of the past weeks and no less
than 1 (Wedderburn, *Quasi-likelihood functions*, Biometrika 61, 1974). If weeks were as they are thought to
be, with m and d known, a limit of ln(n) would be passed in n weeks without a fall at most once on average
(the bound of Shiryaev and Roberts, as in ``factory.monitoring.residuals``). The past is short and people are
not Poisson, so that false alarms are to be measured, as ``report`` does, together with the lead before
defaults.

Everything is integers: counts as they are, evidence in millionths. Only counts of a week are needed, as
windows of features have them, and nothing is kept from day to day.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.products.lending.millionths import (
    MILLION,
    Words,
    checked_amounts,
    part_floor,
    quotient_half_even,
)
from formicary.products.lending.underwriting.errors import CreditPolicyMalformed

__all__ = [
    "COUNT_MAX",
    "NEVER",
    "Cut",
    "LeadReport",
    "WarningPolicy",
    "Warnings",
    "cut_limits",
    "cut_shares",
    "report",
    "undrawn_cut",
    "warned",
]

NEVER: Final = -1
"""Stands for the week of what did not happen."""

COUNT_MAX: Final = 1_000_000
"""Counts of a week that are looked at as they are; of more, parts."""

# A count of a week times the logarithm of a deeper fall, in millionths of millionths, passes a word.
_FALL_MIN: Final = 50_000
_WEEKS_MAX: Final = 520
_EVIDENCE_MAX: Final = 10**15
_WEEKS_OF_A_YEAR: Final = 52


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What evidence cuts.

    Attributes
    ----------
    evidence_millionths
        From which on, in millionths of a natural logarithm: ln(520) is 6,253,829, one false alarm in ten
        years of a party whose weeks are as they are thought to be.
    undrawn_millionths
        The share of the undrawn line that is taken back.
    """

    evidence_millionths: int
    undrawn_millionths: int


@dataclass(frozen=True, kw_only=True)
class WarningPolicy:
    """How falls are looked for, and what they cut.

    Attributes
    ----------
    past_weeks
        The first weeks, from which the usual count and its spread are learnt.
    fall_millionths
        The share of the usual count that is looked for: half of it unless given.
    log_fall_millionths
        ln(1 / fall) in millionths, which no integer computes: 693,147 for half.
    usual_min
        Parties with fewer counts in a usual week are not looked at: there a week says nothing.
    cuts
        What evidence cuts, ascending; of more than one signal the evidence is that of the strongest, and the
        false alarms of all add up.

    Raises
    ------
    CreditPolicyMalformed
        See ``findings``.
    """

    past_weeks: int = 12
    fall_millionths: int = 500_000
    log_fall_millionths: int = 693_147
    usual_min: int = 5
    cuts: tuple[Cut, ...] = (
        Cut(evidence_millionths=4_000_000, undrawn_millionths=500_000),
        Cut(evidence_millionths=6_253_829, undrawn_millionths=MILLION),
    )

    def __post_init__(self) -> None:
        if wrong := list(self.findings()):
            raise CreditPolicyMalformed("; ".join(wrong))

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with it."""
        if not 2 <= self.past_weeks <= _WEEKS_MAX:  # noqa: PLR2004, of one week no spread can be told
            yield f"a past has 2 to {_WEEKS_MAX} weeks"
        if not _FALL_MIN <= self.fall_millionths < MILLION:
            yield f"a fall is to {_FALL_MIN:,} millionths or more, and below all"
        # ln(1 / q) lies between 1 - q and (1 - q) / q for every q below 1.
        lost = MILLION - self.fall_millionths
        if not lost < self.log_fall_millionths < lost * MILLION // max(self.fall_millionths, 1):
            yield "log_fall_millionths is not the logarithm of the fall"
        if self.usual_min < 1:
            yield "a usual week has one count at least"
        for name in ("evidence_millionths", "undrawn_millionths"):
            values = [0, *(getattr(cut, name) for cut in self.cuts)]
            if any(one >= after for one, after in itertools.pairwise(values)):
                yield f"cuts ascend above 0 by {name}"
        if any(cut.undrawn_millionths > MILLION for cut in self.cuts):
            yield "no more than all of the undrawn line is cut"


class Warnings(NamedTuple):
    """What one signal says of parties (n,)."""

    evidence: Words
    """Of a fall that goes on, after the last week, in millionths; 0 for none and for who is not looked at."""
    since: Words
    """The week, by its column, with which it most likely began; ``NEVER`` where there is no evidence."""
    alarmed: Words
    """The first week whose evidence reached the last cut, by its column, or ``NEVER``."""
    usual: Words
    """The usual count of a week, learnt from the past, in millionths."""


def warned(policy: WarningPolicy, counts: npt.ArrayLike) -> Warnings:
    """Return what counts of weeks say of each party.

    Parameters
    ----------
    policy
        How falls are looked for.
    counts
        Sales, or payments of customers, of each week, (n, weeks), the oldest first; the past, then the weeks
        that are watched. Above a million a week they are refused: count in hundreds then.
    """
    weeks = np.asarray(counts)
    is_whole = weeks.dtype.kind in "iu" and weeks.ndim == 2  # noqa: PLR2004, parties and weeks
    if not is_whole or not policy.past_weeks <= weeks.shape[1] <= _WEEKS_MAX:
        message = f"counts are whole, of {policy.past_weeks} to {_WEEKS_MAX} weeks, not {weeks.shape}"
        raise ProgrammingError(message)
    if weeks.size and not 0 <= int(weeks.min()) <= int(weeks.max()) <= COUNT_MAX:
        message = f"a count of a week lies from 0 to {COUNT_MAX:,}"
        raise ProgrammingError(message)
    past, watched = np.split(weeks.astype(np.int64), [policy.past_weeks], axis=1)
    usual, spread = _usual(past)
    is_looked_at = usual >= policy.usual_min * MILLION
    expected = quotient_half_even(usual * (MILLION - policy.fall_millionths), MILLION)
    limit = policy.cuts[-1].evidence_millionths if policy.cuts else _EVIDENCE_MAX
    evidence, since = np.zeros(len(weeks), np.int64), np.full(len(weeks), NEVER)
    alarmed = np.full(len(weeks), NEVER)
    for place in range(watched.shape[1]):
        told = quotient_half_even(
            (expected - watched[:, place] * policy.log_fall_millionths) * MILLION, spread
        )
        week = policy.past_weeks + place
        since = np.where((evidence == 0) & (told > 0), week, since)
        evidence = np.where(is_looked_at, np.clip(evidence + told, 0, _EVIDENCE_MAX), 0)
        since = np.where(evidence > 0, since, NEVER)
        alarmed = np.where((alarmed == NEVER) & (evidence >= limit), week, alarmed)
    return Warnings(evidence=evidence, since=since, alarmed=alarmed, usual=usual)


def cut_limits(policy: WarningPolicy, *, limits: Words, drawn: Words, evidence: Words) -> Words:
    """Return what limits (n,) become, in minor units: never below what is drawn.

    What is owed stays as it was agreed; only what could still be drawn is taken back, rounded down to a minor
    unit, for as long as the evidence stands.

    Parameters
    ----------
    policy
        Its cuts.
    limits, drawn
        In minor units, (n,).
    evidence
        Of the strongest signal, (n,), in millionths.
    """
    undrawn = np.maximum(checked_amounts(limits) - checked_amounts(drawn), 0)
    return limits - undrawn_cut(undrawn, cut_shares(policy, evidence), before=np.zeros_like(undrawn))


def cut_shares(policy: WarningPolicy, evidence: Words) -> Words:
    """Return the shares of undrawn lines that evidence (n,) cuts, in millionths."""
    levels = np.array([cut.evidence_millionths for cut in policy.cuts], np.int64)
    shares = np.array([0, *(cut.undrawn_millionths for cut in policy.cuts)], np.int64)
    found: Words = shares[np.searchsorted(levels, evidence, side="right")]
    return found


def undrawn_cut(undrawn: Words, shares: Words, *, before: Words) -> Words:
    """Return what is taken back of what can still be drawn (n,), in minor units, rounded down.

    Parameters
    ----------
    undrawn
        In minor units, (n,), what earlier cuts of the same fall took not in it.
    shares, before
        The shares of the line that are cut now and that were, in millionths, (n,): of a line of which half
        was cut and all is, all that is left is taken; a share that does not rise takes nothing more.
    """
    left = np.maximum(MILLION - before, 1)
    further = np.maximum(shares - before, 0) * MILLION // left
    # An amount times a share may pass a word.
    whole, rest = np.divmod(undrawn, MILLION)
    taken: Words = whole * further + part_floor(rest, further)
    return taken


class LeadReport(msgspec.Struct, frozen=True, kw_only=True):
    """How long before defaults warnings came, and how often for nothing.

    Attributes
    ----------
    defaults
        Parties that defaulted in a week that was watched.
    warned
        Of them, so many were warned of before.
    lead_weeks
        The quantiles 0.1, 0.5 and 0.9 of weeks from warning to default, of those that were warned of; nearest
        ranks, None without one.
    healthy_weeks
        Weeks in which parties were watched that did not default, until a warning of them.
    false_alarms
        Parties that did not default and were warned of.
    alarms_a_thousand_years
        False alarms in a thousand years of healthy parties; 0 where none was watched.
    """

    defaults: int
    warned: int
    lead_weeks: tuple[int | None, int | None, int | None]
    healthy_weeks: int
    false_alarms: int
    alarms_a_thousand_years: int


def report(*, alarmed: npt.ArrayLike, defaulted: npt.ArrayLike, first: int, weeks: int) -> LeadReport:
    """Return how long before defaults warnings came.

    Parameters
    ----------
    alarmed
        The week of each party's first warning, or ``NEVER``, (n,).
    defaulted
        The week in which each defaulted, or ``NEVER``, (n,).
    first, weeks
        The first week that was watched, and the first that was not any more.
    """
    warnings, defaults = np.asarray(alarmed, np.int64), np.asarray(defaulted, np.int64)
    is_default = defaults >= first
    is_warned = is_default & (warnings != NEVER) & (warnings < defaults)
    leads = np.sort((defaults - warnings)[is_warned])
    is_false = ~is_default & (warnings != NEVER)
    watched = np.where(is_false, warnings - first + 1, weeks - first)[~is_default]
    healthy, alarms = int(watched.sum()), int(is_false.sum())
    return LeadReport(
        defaults=int(is_default.sum()),
        warned=int(is_warned.sum()),
        lead_weeks=(_ranked(leads, 1), _ranked(leads, 5), _ranked(leads, 9)),
        healthy_weeks=healthy,
        false_alarms=alarms,
        alarms_a_thousand_years=alarms * _WEEKS_OF_A_YEAR * 1_000 // healthy if healthy else 0,
    )


def _usual(past: Words) -> tuple[Words, Words]:
    """Return usual counts of a week, and how much more they vary than Poisson's, in millionths, (n,)."""
    weeks = past.shape[1]
    sums = past.sum(axis=1)
    usual = quotient_half_even(sums * MILLION, weeks)
    # var / mean = (n sum x^2 - (sum x)^2) / ((n - 1) sum x)
    squares = weeks * (past * past).sum(axis=1) - sums * sums
    whole, rest = np.divmod(squares, np.maximum((weeks - 1) * sums, 1))
    spread = whole * MILLION + rest * MILLION // np.maximum((weeks - 1) * sums, 1)
    return usual, np.maximum(spread, MILLION)


def _ranked(leads: Words, tenths: int) -> int | None:
    """Return the quantile of sorted leads by its nearest rank, None of none."""
    return int(leads[max(-(-len(leads) * tenths // 10) - 1, 0)]) if len(leads) else None
