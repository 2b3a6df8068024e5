"""Public credit data as tables to learn from, each with its protocol and what others reached on it.

The protocols and figures are those of the data sets' own READMEs. What a data set asks for fairness checks
(sex, marriage and age of ``taiwan_default``) is no column here, although the figures beside ours had it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.factory.models.spec import Column, ModelSpec

__all__ = ["CREDIT_DATA", "LEAKING_TERM", "CreditData"]


@dataclass(frozen=True, kw_only=True)
class CreditData:
    """A data set.

    Attributes
    ----------
    name
        Its folder.
    file
        In its folder.
    spec
        What is predicted, from which columns.
    labels
        Gives the labels (n,) of its frame.
    folds, repeats
        Of the stratified cross-validation; where ``is_test`` is given, it says what is left out instead.
    is_test
        Gives (n,) the rows of the published test part.
    derived
        Gives columns by name of its frame that a lender would make of the others.
    forest, additive
        What others reached by metric: with boosted trees, and with a model that adds up columns.
    additive_name
        What model that is.
    """

    name: str
    file: str
    spec: ModelSpec
    labels: Callable[[pl.DataFrame], npt.NDArray[np.float64]]
    folds: int = 3
    repeats: int = 1
    is_test: Callable[[pl.DataFrame], npt.NDArray[np.bool_]] | None = None
    derived: Callable[[pl.DataFrame], Mapping[str, npt.NDArray[np.float64]]] = lambda _: {}
    forest: Mapping[str, float]
    additive: Mapping[str, float]
    additive_name: str = "spline logistic"

    def read(self, folder: Path) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.float64], pl.DataFrame]:
        """Return the columns by name, labels (n,), and the frame they come from."""
        frame = pl.read_parquet(folder / self.name / self.file)
        derived = self.derived(frame)
        columns = {
            name: derived[name] if name in derived else frame[name].to_numpy() for name in self.spec.names
        }
        return columns, self.labels(frame), frame


def _spec(
    name: str,
    numbers: str,
    names: str = "",
    *,
    monotone: Mapping[str, int] | None = None,
    trials: int = 8,
    search: tuple[tuple[str, tuple[float, ...]], ...] = (),
) -> ModelSpec:
    constraints = monotone or {}
    columns = [
        Column(name=column, reason=f"{column} counted against it.", monotone=constraints.get(column, 0))
        for column in numbers.split()
    ]
    columns += [
        Column(name=column, reason=f"{column} counted against it.", is_category=True)
        for column in names.split()
    ]
    return ModelSpec(
        name=name,
        owner="benchmarks",
        predicts="The chance that the loan is not paid back.",
        columns=tuple(columns),
        trials=trials,
        search=search,
    )


_SBA_NUMBERS: Final = (
    "ApprovalDate ApprovalFY NoEmp NewExist CreateJob RetainedJob FranchiseCode UrbanRural "
    "DisbursementDate DisbursementGross GrAppv SBA_Appv New RealEstate Portion Recession Zip"
)
_SBA_NAMES: Final = "City Bank BankState RevLineCr LowDoc"


def _sba_test(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    return np.asarray(frame["Selected"].to_numpy() == 0)


def _of_six_months(frame: pl.DataFrame) -> dict[str, npt.NDArray[np.float64]]:
    """Return what the statements of six months say together: how much is used, how late, how much is paid."""
    status = frame.select("PAY_0", "^PAY_[2-6]$").to_numpy().astype(np.float64)
    bills = frame.select("^BILL_AMT[1-6]$").to_numpy().astype(np.float64)
    paid = frame.select("^PAY_AMT[1-6]$").to_numpy().astype(np.float64)
    used = bills / frame["LIMIT_BAL"].to_numpy()[:, None]
    return {
        "used_now": used[:, 0],
        "used_mean": used.mean(axis=1),
        "months_late": (status > 0).sum(axis=1).astype(np.float64),
        "status_worst": status.max(axis=1),
        "status_mean": status.mean(axis=1),
        "paid_total": paid.sum(axis=1),
        "paid_least": paid.min(axis=1),
        "bills_spread": used.std(axis=1),
    }


CREDIT_DATA: Final = (
    CreditData(
        name="taiwan_default",
        file="default_of_credit_card_clients.parquet",
        spec=_spec(
            "taiwan_default",
            "LIMIT_BAL EDUCATION PAY_0 PAY_2 PAY_3 PAY_4 PAY_5 PAY_6 BILL_AMT1 BILL_AMT2 BILL_AMT3 BILL_AMT4 "
            "BILL_AMT5 BILL_AMT6 PAY_AMT1 PAY_AMT2 PAY_AMT3 PAY_AMT4 PAY_AMT5 PAY_AMT6 "
            "used_now used_mean months_late status_worst status_mean paid_total paid_least bills_spread",
            trials=2,
            search=(("min_data_in_leaf", (100,)), ("lambda_l2", (20.0,)), ("num_leaves", (15, 7))),
        ),
        derived=_of_six_months,
        labels=lambda frame: frame["default.payment.next.month"].to_numpy().astype(np.float64),
        repeats=3,
        forest={"AUC": 0.7854, "Brier": 0.1334},
        additive={"AUC": 0.779, "Brier": 0.1350},
    ),
    CreditData(
        name="german_credit",
        file="german.parquet",
        spec=_spec(
            "german_credit",
            "duration credit_amount installment_commitment residence_since age existing_credits "
            "num_dependents",
            "checking_status credit_history purpose savings_status employment personal_status other_parties "
            "property_magnitude other_payment_plans housing job own_telephone foreign_worker",
        ),
        labels=lambda frame: (frame["class"].to_numpy() == 2).astype(np.float64),  # noqa: PLR2004, the code of bad
        repeats=10,
        forest={"AUC": 0.785, "Brier": 0.1650},
        additive={"AUC": 0.785, "Brier": 0.1651},
    ),
    CreditData(
        name="hmeq",
        file="hmeq.parquet",
        spec=_spec(
            "hmeq",
            "LOAN MORTDUE VALUE YOJ DEROG DELINQ CLAGE NINQ CLNO DEBTINC",
            "REASON JOB",
            trials=3,
            # Thousands of small steps lead as far.
            search=(("learning_rate", (0.1,)), ("num_leaves", (31, 63, 15)), ("extra_trees", (False, True))),
        ),
        labels=lambda frame: frame["BAD"].to_numpy().astype(np.float64),
        repeats=3,
        forest={"AUC": 0.947, "Brier": 0.0650},
        additive={"AUC": 0.918, "Brier": 0.0810},
    ),
    CreditData(
        name="sba_case",
        file="SBAcase.11.13.17.parquet",
        spec=_spec("sba_case", _SBA_NUMBERS, _SBA_NAMES),
        labels=lambda frame: frame["Default"].to_numpy().astype(np.float64),
        is_test=_sba_test,
        forest={"AUC": 0.844, "wrong": 0.238},
        additive={"AUC": 0.729, "wrong": 0.321},
        additive_name="logistic of five columns",
    ),
)

LEAKING_TERM: Final = _spec("sba_case", _SBA_NUMBERS + " Term", _SBA_NAMES)
"""The same with the term of the loan, which was shortened after a loan was charged off."""
