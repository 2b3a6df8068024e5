"""Whether lenders' models treat the sexes and ages alike that they know nothing of, on two public data sets.

Sex, age, and what says them in other words (the marital status of a man or of a woman) are columns of no
model; they are looked at here only. Every outcome is known, whatever would have been decided, so equal
opportunity can be told. Approved is whoever's chance is below the one at which lending earns nothing.

Several models are set beside each other: boosted trees and a scorecard, and both again without the columns
that are likeliest to stand for age or sex. Of those that earn about as much as the best, the one whose ratio
of approval rates is highest is the less discriminatory alternative.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks._credit_data import CREDIT_DATA, CreditData
from benchmarks._folds import stratified_folds
from benchmarks._horse_race import forest_run, scorecard_run
from benchmarks._lending import TERMS, earned
from formicary.factory.models.metrics import area_under_roc
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import table_of
from formicary.factory.monitoring.calibration_by_segment import calibration_by_segment
from formicary.factory.monitoring.fairness import approval_ratio, equal_opportunity
from formicary.factory.monitoring.less_discriminatory import (
    TOLERANCE_BP,
    Candidate,
    less_discriminatory,
)

__all__ = ["AUDITS", "Audit", "audited", "without"]

Names: TypeAlias = npt.NDArray[np.str_]

_CENTS: Final = 100
_TOLERANCES_BP: Final = (TOLERANCE_BP, 1_000)
"""How much less an alternative may earn: as the factory has it, and a tenth, to see what it would take."""


@dataclass(frozen=True, kw_only=True)
class Audit:
    """A data set, and whom its models must not know.

    Attributes
    ----------
    data
        The data set.
    protected
        Columns that no model has.
    stand_ins
        Columns that the alternatives do without.
    groups
        Gives the names of the groups (n,) by attribute.
    amount
        The column with what is lent, in major units.
    parts
        How many of the data set's folds are left out, each once.
    trials
        Of the search for trees.
    """

    data: str
    protected: frozenset[str]
    stand_ins: frozenset[str]
    groups: Mapping[str, Callable[[pl.DataFrame], Names]]
    amount: str
    parts: int
    trials: int

    @property
    def source(self) -> CreditData:
        """The data set with its columns and protocol."""
        return next(one for one in CREDIT_DATA if one.name == self.data)

    @property
    def spec(self) -> ModelSpec:
        """What models are trained on: none of the protected columns."""
        return replace(without(self.source.spec, self.protected), trials=self.trials)


def without(spec: ModelSpec, names: frozenset[str]) -> ModelSpec:
    """Return a specification without some of its columns."""
    return replace(spec, columns=tuple(column for column in spec.columns if column.name not in names))


def _ages(column: str, *, until: int) -> Callable[[pl.DataFrame], Names]:
    def groups(frame: pl.DataFrame) -> Names:
        young = frame[column].to_numpy() <= until
        return np.where(young, f"until {until}", f"above {until}")

    return groups


def _german_sex(frame: pl.DataFrame) -> Names:
    # A92 is a woman by the set's own text; by Groemping (South German Credit Data, 2019) it is also what
    # single men have, so that these groups are not quite the sexes.
    return np.where((frame["personal_status"] == "A92").to_numpy(), "coded female", "coded male")


def _taiwan_sex(frame: pl.DataFrame) -> Names:
    return np.where(frame["SEX"].to_numpy() == 1, "male", "female")


AUDITS: Final = (
    Audit(
        data="german_credit",
        protected=frozenset({"age", "personal_status", "foreign_worker"}),
        stand_ins=frozenset({"employment", "residence_since", "housing", "num_dependents", "job"}),
        groups={"sex": _german_sex, "age": _ages("age", until=25)},
        amount="credit_amount",
        parts=3,
        trials=4,
    ),
    Audit(
        data="taiwan_default",
        protected=frozenset({"SEX", "AGE", "MARRIAGE"}),
        stand_ins=frozenset({"LIMIT_BAL", "EDUCATION"}),
        groups={"sex": _taiwan_sex, "age": _ages("AGE", until=25)},
        amount="LIMIT_BAL",
        parts=1,
        trials=1,
    ),
)


def audited(audit: Audit, folder: Path) -> dict[str, Any]:
    """Return what four models do to the groups of every attribute, and which of them does least."""
    columns, labels, frame = audit.source.read(folder)
    fold = stratified_folds(labels == 1, folds=audit.source.folds, seed=0)
    out = fold < audit.parts
    amounts = frame[audit.amount].to_numpy().astype(np.int64) * _CENTS
    chances = {
        f"{model}{', fewer columns' if names else ''}": _chances(
            without(audit.spec, names), columns, labels, fold, parts=audit.parts, model=model
        )
        for names in (frozenset[str](), audit.stand_ins)
        for model in ("forest", "scorecard")
    }
    approved = {name: said <= TERMS.break_even for name, said in chances.items()}
    money = {name: earned(yes[out], labels[out], amounts[out], TERMS) for name, yes in approved.items()}
    areas = {name: area_under_roc(scores=said[out], labels=labels[out]) for name, said in chances.items()}
    found: dict[str, Any] = {
        "data": audit.data,
        "rows": int(out.sum()),
        "columns": len(audit.spec.columns),
        "AUC": areas,
        "approved": {name: float(yes[out].mean()) for name, yes in approved.items()},
        "bad": {name: float(labels[out][yes[out]].mean()) for name, yes in approved.items()},
        "money": money,
        "attributes": {},
    }
    for attribute, of in audit.groups.items():
        groups = of(frame)[out]
        ratios = {name: approval_ratio(approved=yes[out], groups=groups) for name, yes in approved.items()}
        candidates = [
            Candidate(name=name, money=money[name], ratio=report.measure) for name, report in ratios.items()
        ]
        found["attributes"][attribute] = {
            "ratio": ratios,
            "opportunity": {
                name: equal_opportunity(approved=yes[out], labels=labels[out], groups=groups)
                for name, yes in approved.items()
            },
            "calibration": {
                name: calibration_by_segment(chances=said[out], labels=labels[out], segments=groups, parts=1)
                for name, said in chances.items()
            },
            "alternatives": [less_discriminatory(candidates, tolerance_bp=bp) for bp in _TOLERANCES_BP],
        }
    return found


def _chances(
    spec: ModelSpec,
    columns: Mapping[str, npt.NDArray[Any]],
    labels: npt.NDArray[np.float64],
    fold: npt.NDArray[np.int64],
    *,
    parts: int,
    model: str,
) -> npt.NDArray[np.float64]:
    """Return the chance of each row (n,) by a model that did not learn from it, NaN where none is asked."""
    table = table_of(spec, {name: columns[name] for name in spec.names}, labels)
    chances = np.full(len(labels), np.nan)
    began = time.perf_counter()
    for part in range(parts):
        out = fold == part
        train = forest_run if model == "forest" else scorecard_run
        chances[out] = train(spec, table.rows(~out), table.values[out], seeks_cut=False).chances
    seconds = time.perf_counter() - began
    sys.stderr.write(f"{spec.name}: {model}, {len(spec.columns)} columns, {seconds:.0f} s\n")
    return chances
