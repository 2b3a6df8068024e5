"""What a policy does in money: what it catches and misses, whom it turns away, and what it is worth.

A row is a decision whose outcome is known by now: *bad*, as a payment that was charged back, or *good*. An
outcome of a decision point has one of four effects. What each effect does to a bad and to a good row is
declared (``Costs``), in basis points of the amount and in minor units a row::

    value of a good row = margin * amount * (1 - given up) - cost
    value of a bad row  = -lost * amount * (1 - stopped) - cost

All is counted in whole numbers: sums of rows and amounts by effect and outcome, times whole coefficients, and
one division at the end that is named by its rounding. Rows whose outcome is unknown are counted apart and are
in no other figure.

Every figure has an interval over days that are drawn again (``_replicates``). The days drawn are the same for
all figures, segments and policies, so that a difference of two policies on the same rows is paired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.limits import MONEY_DAYS_MAX, MONEY_SEGMENTS_MAX
from formicary.base.rounding import div_half_even
from formicary.factory.decisions._replicates import REPLICATES, drawn_counts, ranks_of
from formicary.factory.decisions.errors import CostsMalformed, MalformedItems

__all__ = ["FIGURES", "Costs", "Effect", "Figure", "Money", "Outcomes", "money_of"]

Words: TypeAlias = npt.NDArray[np.int64]
# Whole numbers of any size.
_Wholes: TypeAlias = npt.NDArray[Any]

_BP: Final = 10_000
_ONE: Final = _BP * _BP
_DAY: Final = 86_400_000_000_000
_SUM_MAX: Final = 2**62
_HALF_WORD: Final = 32

_GOOD: Final = 0
_BAD: Final = 1
_UNKNOWN: Final = 2
_STATES: Final = 3


class Effect(IntEnum):
    """What an outcome of a decision does."""

    ALLOW = 0
    STEP_UP = 1
    """Whoever asks must show first that they are who they say."""
    HOLD = 2
    """A person looks at it first."""
    REJECT = 3


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What effects do to bad and to good rows. ``_bp`` are basis points, 0 to 10,000; costs are minor units.

    Attributes
    ----------
    lost_bp
        Of the amount, lost where a bad row is allowed.
    margin_bp
        Of the amount, earned where a good row goes through.
    step_up_cost, hold_cost
        Of each row, whatever comes of it.
    step_up_given_up_bp, hold_given_up_bp
        Of good rows, those that come to nothing because of it.
    step_up_stopped_bp, hold_stopped_bp
        Of bad rows, those that it stops.

    Raises
    ------
    CostsMalformed
        A number is negative, or more than all.
    """

    lost_bp: int = _BP
    margin_bp: int = 0
    step_up_cost: int = 0
    step_up_given_up_bp: int = 0
    step_up_stopped_bp: int = _BP
    hold_cost: int = 0
    hold_given_up_bp: int = 0
    hold_stopped_bp: int = _BP

    def __post_init__(self) -> None:
        for field in fields(self):
            most = _BP if field.name.endswith("_bp") else _SUM_MAX
            if not 0 <= getattr(self, field.name) <= most:
                message = f"{field.name} is 0 to {most:,}, not {getattr(self, field.name):,}"
                raise CostsMalformed(message)

    @property
    def stopped_bp(self) -> tuple[int, ...]:
        """Of bad rows, those that each effect stops."""
        return 0, self.step_up_stopped_bp, self.hold_stopped_bp, _BP

    @property
    def given_up_bp(self) -> tuple[int, ...]:
        """Of good rows, those that come to nothing by each effect."""
        return 0, self.step_up_given_up_bp, self.hold_given_up_bp, _BP

    @property
    def each(self) -> tuple[int, ...]:
        """What each effect costs a row."""
        return 0, self.step_up_cost, self.hold_cost, 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """What became of decisions.

    Attributes
    ----------
    at
        (n,) nanoseconds since the Unix epoch.
    amounts
        (n,) minor units, all of one currency, none negative.
    was_bad
        (n,) 1 for bad, 0 for good, -1 where it is not known yet.
    segments
        (n,) names to tell apart; None for none.

    Raises
    ------
    MalformedItems
        Arrays differ in length or hold something else, there are no rows or too many segments or days, or
        amounts add up to more than 2^62.
    """

    at: Words
    amounts: Words
    was_bad: npt.NDArray[np.int8]
    segments: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        count = len(self.at)
        given = [array for array in (self.amounts, self.was_bad, self.segments) if array is not None]
        if not count or any(array.shape != (count,) for array in given):
            _refuse("times, amounts, outcomes and segments are of one length, and not empty")
        if not np.isin(self.was_bad, (0, 1, -1)).all():
            _refuse("was_bad is 1, 0 or -1")
        if self.at.min() < 0 or self.amounts.min() < 0:
            _refuse("no time lies before 1970, and no amount is negative")
        days = int(self.at.max()) // _DAY - int(self.at.min()) // _DAY + 1
        if days > MONEY_DAYS_MAX:
            _refuse(f"its days are more than {MONEY_DAYS_MAX:,}")
        # A replicate may draw the largest day as often as there are days.
        if days * _total(self.amounts) > _SUM_MAX:
            _refuse("its amounts are too large to be added up")
        if self.segments is not None and len(np.unique(self.segments)) > MONEY_SEGMENTS_MAX:
            _refuse(f"its segments are more than {MONEY_SEGMENTS_MAX}")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number with its interval of 95 %, None where there are too few days to tell one."""

    value: int
    low: int | None
    high: int | None


@dataclass(frozen=True, kw_only=True)
class Money:
    """The figures of a segment, or of all rows.

    Attributes
    ----------
    segment
        Its name; empty for all rows.
    rows, unknown
        How many rows there are, and how many of them have no known outcome.
    figures
        By name, in the order of ``FIGURES``.
    differences
        By name, how much more they are than those of the other policy; empty without one.
    """

    segment: str
    rows: int
    unknown: int
    figures: Mapping[str, Figure]
    differences: Mapping[str, Figure]


FIGURES: Final[Mapping[str, str]] = {
    "caught": "bad rows that were stopped",
    "caught_amount": "their amounts",
    "missed": "bad rows that were not",
    "missed_amount": "their amounts",
    "false_declines": "good rows that were rejected",
    "false_declines_amount": "their amounts",
    "friction": "good rows that were stepped up or held",
    "friction_amount": "their amounts",
    "net_value": "margin less losses and costs",
    "gain": "net value, compared with that of allowing everything",
}
"""All figures, with what they are; amounts and values are minor units."""


def money_of(
    outcomes: Outcomes,
    effects: npt.ArrayLike,
    costs: Costs,
    *,
    against: npt.ArrayLike | None = None,
    seed: int = 0,
    replicates: int = REPLICATES,
) -> list[Money]:
    """Return the money of all rows, then that of each segment, the largest first.

    Parameters
    ----------
    outcomes
        What became of decisions (n).
    effects
        (n,) the ``Effect`` that the policy had on each.
    costs
        What effects do.
    against
        (n,) the same of another policy.
    seed, replicates
        Of the days that are drawn again.

    Raises
    ------
    MalformedItems
        Effects are not of the rows.
    """
    policies = [_effects(outcomes, one) for one in (effects, against) if one is not None]
    coefficients = _coefficients(costs)
    days = outcomes.at // _DAY
    days = days - days.min()
    blocks = int(days.max()) + 1
    counts, ranks = drawn_counts(seed, blocks, replicates), ranks_of(blocks, replicates)
    states = np.where(outcomes.was_bad < 0, _UNKNOWN, outcomes.was_bad).astype(np.int64)
    found = []
    for name, chosen in _segments(outcomes):
        sums = []
        for policy in policies:
            cells = policy[chosen] * _STATES + states[chosen]
            by_day = _by_day(blocks, days[chosen], cells, outcomes.amounts[chosen])
            # The sums themselves, then those of each replicate.
            drawn = np.concatenate([by_day.sum(axis=0)[None], counts @ by_day])
            sums.append(_weighted(drawn, coefficients))
        found.append(
            Money(
                segment=name,
                rows=int(chosen.sum()),
                unknown=int((states[chosen] == _UNKNOWN).sum()),
                figures=_figures(sums[0], ranks),
                differences=_figures(sums[0] - sums[1], ranks) if len(sums) > 1 else {},
            )
        )
    return found


def _segments(outcomes: Outcomes) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    everything = [("", np.ones(len(outcomes.at), np.bool_))]
    if outcomes.segments is None:
        return everything
    names, counts = np.unique(outcomes.segments, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return everything + [(str(names[place]), outcomes.segments == names[place]) for place in order]


def _by_day(blocks: int, days: Words, cells: Words, amounts: Words) -> Words:
    """Return the counts and the amounts of each day's cells, (blocks, 2 * cells)."""
    width = len(Effect) * _STATES
    sums = np.zeros((blocks, 2 * width), np.int64)
    np.add.at(sums, (days, cells), 1)
    np.add.at(sums, (days, cells + width), amounts)
    return sums


def _figures(sums: _Wholes, ranks: tuple[int, int] | None) -> dict[str, Figure]:
    found = {}
    for place, name in enumerate(FIGURES):
        value, *drawn = sums[:, place].tolist()
        low, high = (None, None)
        if ranks is not None:
            drawn.sort()
            low, high = (div_half_even(drawn[rank], _ONE) for rank in ranks)
        found[name] = Figure(value=div_half_even(value, _ONE), low=low, high=high)
    return found


def _coefficients(costs: Costs) -> _Wholes:
    """Return how much each cell adds to each figure, (2 * cells, figures), in units of 10^-8."""
    width = len(Effect) * _STATES
    found = np.zeros((2 * width, len(FIGURES)), object)
    names = list(FIGURES)

    def put(name: str, effect: Effect, state: int, each: int, of_amount: int) -> None:
        cell = effect * _STATES + state
        found[cell, names.index(name)] += each
        found[width + cell, names.index(name)] += of_amount

    for effect in Effect:
        stopped, given_up = costs.stopped_bp[effect], costs.given_up_bp[effect]
        for name, state, share in (
            ("caught", _BAD, stopped * _BP),
            ("missed", _BAD, (_BP - stopped) * _BP),
            ("false_declines", _GOOD, _ONE * (effect == Effect.REJECT)),
            ("friction", _GOOD, _ONE * (effect in (Effect.STEP_UP, Effect.HOLD))),
        ):
            put(name, effect, state, share, 0)
            put(f"{name}_amount", effect, state, 0, share)
        each = -costs.each[effect] * _ONE
        put("net_value", effect, _GOOD, each, costs.margin_bp * (_BP - given_up))
        put("net_value", effect, _BAD, each, -costs.lost_bp * (_BP - stopped))
        put("gain", effect, _GOOD, each, -costs.margin_bp * given_up)
        put("gain", effect, _BAD, each, costs.lost_bp * stopped)
    return found


def _weighted(sums: Words, coefficients: _Wholes) -> _Wholes:
    """Return sums (n, cells) times coefficients (cells, figures), as whole numbers of any size."""
    found = np.zeros((len(sums), coefficients.shape[1]), object)
    for cell, figure in np.argwhere(coefficients != 0):
        found[:, figure] += sums[:, cell].astype(object) * coefficients[cell, figure]
    return found


def _total(amounts: Words) -> int:
    """Return the sum of amounts (n,), however large: of their upper halves and of their lower ones."""
    high, low = amounts >> _HALF_WORD, amounts & ((1 << _HALF_WORD) - 1)
    return (int(high.sum()) << _HALF_WORD) + int(low.sum())


def _effects(outcomes: Outcomes, given: npt.ArrayLike) -> Words:
    effects = np.asarray(given)
    if effects.shape != outcomes.at.shape or not np.isin(effects, list(Effect)).all():
        _refuse("there is one effect for each row")
    return effects.astype(np.int64)


def _refuse(message: str) -> None:
    raise MalformedItems(message)
