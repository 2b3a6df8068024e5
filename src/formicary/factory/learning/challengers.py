"""Training a challenger, and judging it by days that it did not learn from.

::

    rows known, in the order of time   ├──────── learnt ────────┼──── judged ────┤
    the judged forest                  learns from the first part and is compared on the second
    the released forest                is that one again, learnt from both, calibrated by what the judged one
                                       showed on the second part

So what is released was never judged itself; it has the same columns, parameters and rounds, and must decide
as the judged one does (the gate *refit*). Without that, every champion would be as much older as judging
takes.

After an alarm what matters is in the newest days alone, and a model that may not learn from them learns
nothing of it. Then parties are parted in place of days: of the newest days, those of one party in three
judge.

A plan may name a label that comes fast beside the slow one: then a model of each learns, and what is judged
and released is both in one (``two_labels``). After an alarm the slow one learns alone: then parties are
parted, and what was looked at is of all of them.

Nothing here runs where decisions are made: it loads LightGBM.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.draws import draws
from formicary.base.lots import LOTS, lots, salt_of
from formicary.factory.learning.evidence import evidence_of
from formicary.factory.learning.fairness import fairness_gates, least_ratio
from formicary.factory.learning.gates import Contest, Gate, Shown, contest_gates
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import Rows
from formicary.factory.learning.tables import table_of_rows
from formicary.factory.learning.timing import Nanoseconds, best_times
from formicary.factory.learning.two_labels import Fitted, fitted
from formicary.factory.models import _check_trained as checks
from formicary.factory.models.calibration import Calibration, choose_calibration
from formicary.factory.models.forest import Forest, forest_of
from formicary.factory.models.model import Evidence, Model, scorecard_columns
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import TrainingTable
from formicary.factory.models.training import measured, scorecard_of
from formicary.factory.monitoring.less_discriminatory import Candidate, less_discriminatory

__all__ = ["Challenger", "best_of", "train_challenger"]

Reals: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_JUDGED_IN: Final = 3
"""After an alarm one party in so many judges."""
_PARTY_BLOCKS: Final = 10
_TIMED_ROWS: Final = 512
_END: Final = 2**63 - 1
_SCORECARD_ROWS_MAX: Final = 20_000
"""A scorecard has some hundred numbers to learn: more rows change none of them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Challenger:
    """A model that may become the champion, or why it may not.

    Attributes
    ----------
    model
        What would be released.
    window_days
        How far back it learnt, 0 for everything.
    learnt
        How many rows.
    gates
        Every gate, passed or not.
    gain
        The lower bound of what it earns more a day, in minor units: challengers are ranked by it.
    shown
        What it showed beside its gates.
    """

    model: Model
    window_days: int
    learnt: int
    gates: tuple[Gate, ...]
    gain: float
    shown: tuple[Shown, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Whether nothing stands against it."""
        return all(gate.is_passed for gate in self.gates)


def best_of(passed: Sequence[Challenger], plan: LearningPlan) -> Challenger:
    """Return the one of challengers, at least one, that is let in.

    It earns most, by the lower bound; where groups are to be passed alike, it is the less discriminatory
    alternative of those that earn about as much.
    """
    if not plan.groups:
        return max(passed, key=lambda one: one.gain)
    candidates = [
        Candidate(name=str(place), money=int(one.gain), ratio=least_ratio(one.gates))
        for place, one in enumerate(passed)
    ]
    return passed[int(less_discriminatory(candidates, tolerance_bp=plan.alternative_bp).chosen.name)]


def train_challenger(
    spec: ModelSpec,
    plan: LearningPlan,
    rows: Rows,
    champion: Model | None,
    *,
    window_days: int,
    clock: Nanoseconds,
    threads: int = 1,
    is_alarmed: bool = False,
    investigated: Rows | None = None,
) -> Challenger:
    """Train a challenger and judge it.

    Parameters
    ----------
    spec, plan
        What is learnt, and what must be shown.
    rows
        All that are known, each with a label.
    champion
        What decides now; None where nothing does.
    window_days
        How far back it learns, 0 for everything.
    clock
        Measures what scoring takes.
    threads
        How many cores; but for the time taken the result does not depend on it.
    is_alarmed
        Parties are parted, not days.
    investigated
        All rows of which a fast label is known, None where the plan names none.

    Raises
    ------
    ModelRefused
        There are too few labels, or rows that cannot be learnt from.
    """
    everything, is_judged = _parted(rows, plan, window_days, is_alarmed=is_alarmed)
    judged = everything.chosen(is_judged)
    learnt = _table(spec, everything.chosen(~is_judged), plan, is_alarmed)
    gates = [_looked("leaks", checks.check_leaks(spec, learnt))]
    looked_at = None if investigated is None else investigated.between(int(everything.at[0]), _END)
    trained = fitted(spec, plan, learnt, looked_at, threads=threads)
    scores = trained.judged(int(judged.at[0]) // DAY * DAY).raw_scores(judged.values)
    contest = Contest(
        rows=judged,
        challenger=_calibrated(trained.left_out, learnt, spec).apply(scores),
        champion=None if champion is None else _chances(champion, judged.values),
        challengers=len(plan.windows_days) + is_alarmed * len(plan.alarmed_windows_days),
        blocks=_party_blocks(judged, plan) if is_alarmed else None,
    )
    gates += [*contest_gates(contest, plan), *fairness_gates(contest, plan)]
    table = _table(spec, everything, plan, is_alarmed)
    released = _released(spec, table, trained, learnt, (judged, scores))
    gates += _promises(spec, released, trained, table)
    gates += [_refit(released, contest, plan), _latency(released.forest, champion, judged, plan, clock)]
    return Challenger(
        model=released,
        window_days=window_days,
        learnt=len(table.labels),
        gates=tuple(gates),
        gain=next(gate.figure for gate in gates if gate.name == "money"),
        shown=(*evidence_of(contest, plan, spec.names, learnt.values), *trained.shown),
    )


def _table(spec: ModelSpec, rows: Rows, plan: LearningPlan, is_timeless: bool) -> TrainingTable:  # noqa: FBT001
    return table_of_rows(spec, rows, negatives_each=plan.negatives_each, is_timeless=is_timeless)


def _parted(rows: Rows, plan: LearningPlan, window_days: int, *, is_alarmed: bool) -> tuple[Rows, Flags]:
    """Return the rows (n) that a challenger sees, and which of them (n,) it is judged by."""
    end = int(rows.at[-1]) // DAY * DAY + DAY
    border = end - plan.judged_days * DAY
    newest = end if is_alarmed else border
    seen = rows.between(newest - window_days * DAY if window_days else 0, end)
    is_judged = np.asarray(seen.at >= border, np.bool_)
    if is_alarmed:
        is_judged &= lots(seen.parties, salt_of("judged")) < LOTS // _JUDGED_IN
    return seen, is_judged


def _party_blocks(judged: Rows, plan: LearningPlan) -> npt.NDArray[np.int64]:
    """Return to which of several blocks of parties rows (n,) belong."""
    count = max(_PARTY_BLOCKS, plan.judged_days)
    return np.asarray(lots(judged.parties, salt_of("block")), np.int64) * count // LOTS


def _chances(model: Model, values: Reals) -> Reals:
    assert model.calibration is not None  # noqa: S101, a learner's models tell chances
    return model.calibration.apply(model.forest.raw_scores(values))


def _calibrated(left_out: Reals, table: TrainingTable, spec: ModelSpec) -> Calibration:
    is_judged = ~np.isnan(left_out)
    judged = table.rows(is_judged)
    return choose_calibration(
        scores=left_out[is_judged], labels=judged.labels, weights=judged.weights, seed=spec.seed
    )


def _released(
    spec: ModelSpec,
    everything: TrainingTable,
    trained: Fitted,
    learnt: TrainingTable,
    shown: tuple[Rows, Reals],
) -> Model:
    """Return the model that would decide, with what the judged one showed: rows, and their raw scores."""
    judged, scores = shown
    boosters = trained.again(everything)
    labels = judged.labels.astype(np.float64)
    calibration = choose_calibration(scores=scores, labels=labels, weights=judged.weights, seed=spec.seed)
    few = learnt.rows(
        np.sort(np.argsort(draws(spec.seed, len(learnt.labels)), kind="stable")[:_SCORECARD_ROWS_MAX])
    )
    card = scorecard_of(spec, few)
    told = table_of_rows(spec, judged, negatives_each=0)
    log_odds = card.score(scorecard_columns(spec, judged.values))
    return Model(
        name=spec.name,
        spec_hash=spec.hash,
        forest=trained.forest(boosters),
        calibration=calibration,
        categories=everything.categories,
        scorecard=card,
        evidence=Evidence(
            rows=len(everything.labels),
            positives=int(everything.labels.sum()),
            forest=measured(calibration.apply(scores), told),
            scorecard=measured(Calibration("none").apply(log_odds), told),
            trials=len(trained.slow.trials),
            suspected={},
        ),
    )


# -- gates of the model itself -------------------------------------------------------------


def _promises(spec: ModelSpec, model: Model, trained: Fitted, table: TrainingTable) -> list[Gate]:
    """Return the gates of ``check_model`` that look at a model which was trained."""
    boosters = trained.again(table)
    odd = checks.odd_rows(spec, table)
    again = replace(model, forest=trained.forest(boosters))
    # What a trainer says itself can be compared before scores are added up.
    parts = [(replace(model, forest=forest_of(booster)), booster) for booster in boosters]
    looked = {
        "reproducible": checks.check_same(model, again),
        "scorer": [found for part, booster in parts for found in checks.check_bits(part, booster, odd)],
        "stored": checks.check_stored(model, odd),
        "monotone": checks.check_directions(spec, model, table),
        "missing": checks.check_missing(spec, model, table),
        "chances": checks.check_chances(model, odd),
    }
    return [_looked(name, findings) for name, findings in looked.items()]


def _looked(name: str, findings: Iterable[checks.Finding]) -> Gate:
    wrong = [str(one) for one in findings]
    return Gate(
        name=name,
        is_passed=not wrong,
        figure=float(len(wrong)),
        bound=0.0,
        said="; ".join(wrong) or "as promised",
    )


def _refit(model: Model, contest: Contest, plan: LearningPlan) -> Gate:
    """Compare the released forest with the judged one: both decide alike."""
    amounts = contest.rows.amounts
    judged = plan.worth.stops(contest.challenger, amounts)
    released = plan.worth.stops(_chances(model, contest.rows.values), amounts)
    turned = float((judged != released).mean())
    return Gate(
        name="refit",
        is_passed=turned <= plan.flips_max,
        figure=turned,
        bound=plan.flips_max,
        said=f"{turned:.2%} of decisions differ between the judged and the released forest",
    )


def _latency(
    forest: Forest, champion: Model | None, judged: Rows, plan: LearningPlan, clock: Nanoseconds
) -> Gate:
    """Compare what one row takes, the best of several times: what else the machine does is no one's fault."""
    values = judged.values[:_TIMED_ROWS]
    ours, theirs = best_times([forest, forest if champion is None else champion.forest], values, clock)
    ratio = ours / max(theirs, 1)
    return Gate(
        name="latency",
        is_passed=ratio <= plan.latency_ratio_max or ours <= plan.latency_free_ns * len(values),
        figure=ratio,
        bound=plan.latency_ratio_max,
        said=f"{ours / len(values) / 1_000:.1f} µs a row, {ratio:.2f} times the champion's",
    )
