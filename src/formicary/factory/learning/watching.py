"""Whether the champion still decides in the world that it learnt: by labels, and by what it reads.

Two looks, once a day, on rows whose horizon is over:

- *Residuals*: of what the champion lets through, the odds of what came out are so many times what its
  chances say, by the chart of Page (``monitoring.residuals``). Rows are gone through from the time on at
  which it began to decide, so that the chart is a fold of rows and nothing is kept beside them.
- *Drift*: a column that it reads, or its chance, lies elsewhere in the newest week than in the last one
  before it decided, by the population stability index (``monitoring.drift``).

Both look at what it lets through alone, for of what is stopped only some outcomes are told. Of each party one
row a week counts for drift, as rows of one are much alike; and whole weeks are compared, as days are not.
The newest rows have no labels yet: what is new in them is seen by the hour (``incoming``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.draws import draws
from formicary.base.times import time_text
from formicary.factory.learning.guards import Alarm
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.standing import DRIFT, RESIDUALS, AlarmRaised, Standing
from formicary.factory.models.spec import ModelSpec
from formicary.factory.monitoring.drift import DriftReport, drift_report
from formicary.factory.monitoring.residuals import ROWS_BETWEEN_ALARMS, odds_changes

__all__ = ["drift_alarm", "residual_alarm", "watched"]

Reals: TypeAlias = npt.NDArray[np.float64]
ChancesOf: TypeAlias = Callable[[Rows], Reals]

_WEEK: Final = 7 * DAY
_END: Final = 2**63 - 1

_DAYS_BETWEEN_ALARMS: Final = 1_000
"""False ones, where there are so many rows a day that a million of them are fewer."""
_PARTIES_MIN: Final = 200
"""Of fewer, shares of a column say nothing."""
_CHANCE: Final = "chance"
_DATE_LETTERS: Final = 10


def watched(
    standing: Standing, matured: Rows, chances_of: ChancesOf, spec: ModelSpec, plan: LearningPlan
) -> Iterator[AlarmRaised]:
    """Go through what a day's looks tell of the champion.

    Parameters
    ----------
    standing
        Where the model stands; who is alarmed already is not looked at.
    matured
        All rows whose horizon is over.
    chances_of
        What the champion says of rows.
    """
    # A chart that told of something starts anew.
    since = max(standing.champion_since, standing.alarmed_at)
    rows = matured.between(since, _END)
    found = list(residual_alarm(rows, chances_of(rows), plan))
    newest = int(matured.at[-1]) // DAY * DAY + DAY if len(matured) else 0
    if newest - _WEEK >= standing.champion_since:
        weeks = [matured.between(end - _WEEK, end) for end in (standing.champion_since, newest)]
        before, latest = ((one, chances_of(one)) for one in weeks)
        found += drift_alarm(before, latest, spec.names, plan, seed=spec.seed)
    for alarm in found:
        yield AlarmRaised(model=plan.model, hash=standing.champion, alarm=alarm)


def residual_alarm(rows: Rows, chances: Reals, plan: LearningPlan) -> Iterator[Alarm]:
    """Tell of the first change of the odds of what was let through.

    Parameters
    ----------
    rows, chances
        All since the champion decides whose horizon is over, (n), and what it says of each, (n,).
    plan
        From which change on it is told.
    """
    passed = rows.is_known & ~np.isnan(chances) & ~plan.worth.stops(chances, rows.amounts)
    watched, said = rows.chosen(passed), chances[passed]
    if not plan.residual_odds or not len(watched):
        return
    for change in odds_changes(
        labels=watched.labels,
        chances=said,
        factor=plan.residual_odds,
        rows_between_alarms=_rows_between_alarms(watched),
    ):
        since = time_text(int(watched.at[change.since]))[:_DATE_LETTERS]
        yield Alarm(
            name=RESIDUALS,
            figure=change.observed,
            bound=change.predicted,
            said=f"of what is let through since {since} {change.observed:,.0f} came out badly, "
            f"{change.predicted:,.1f} were expected",
        )
        return


def _rows_between_alarms(rows: Rows) -> int:
    days = int(rows.at[-1] - rows.at[0]) // DAY + 1
    return max(ROWS_BETWEEN_ALARMS, _DAYS_BETWEEN_ALARMS * len(rows) // days)


def drift_alarm(
    reference: tuple[Rows, Reals],
    window: tuple[Rows, Reals],
    names: tuple[str, ...],
    plan: LearningPlan,
    *,
    seed: int,
) -> Iterator[Alarm]:
    """Tell of the column that drifted most.

    Parameters
    ----------
    reference, window
        Rows of a week and the champion's chances, before it decided and the newest.
    names
        Of the columns that it reads.
    seed
        By which one row of each party is drawn.
    """
    if not plan.drift_index_max:
        return
    sides = [_one_of_each(*one, names, plan, seed) for one in (reference, window)]
    if min(len(side[_CHANCE]) for side in sides) < _PARTIES_MIN:
        return
    found = [one for one in _moved(drift_report(*sides)) if one[1] >= plan.drift_index_max]
    if found:
        name, index = max(found, key=lambda one: one[1])
        others = f", and {len(found) - 1} others" if len(found) > 1 else ""
        yield Alarm(
            name=f"{DRIFT}{name}",
            figure=index,
            bound=plan.drift_index_max,
            said=f"{name} lies elsewhere than when the champion learnt, by an index of {index:.2f}{others}",
        )


def _moved(report: DriftReport) -> list[tuple[str, float]]:
    """Return the columns that moved by more than chance, with their indices."""
    return [(one.name, one.psi) for one in report.alarms if one.psi is not None]


def _one_of_each(
    rows: Rows, chances: Reals, names: tuple[str, ...], plan: LearningPlan, seed: int
) -> dict[str, Reals]:
    """Return columns and chances of one row of each party, of those that are let through."""
    passed = np.flatnonzero(~np.isnan(chances) & ~plan.worth.stops(chances, rows.amounts))
    drawn = passed[np.argsort(draws(seed, len(passed)), kind="stable")]
    parties = np.ascontiguousarray(rows.parties[drawn]).view("V16")[:, 0]
    _, firsts = np.unique(parties, return_index=True)
    chosen = drawn[firsts]
    columns = dict(zip(names, rows.values[chosen].T, strict=True))
    return columns | {_CHANCE: chances[chosen]}
