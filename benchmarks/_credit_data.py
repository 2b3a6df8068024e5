"""Public credit data as tables to learn from, each with its protocol and what others reached on it."""

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
    published
        The areas under the curve to reach: of a forest, and of a spline logistic regression, 0 for none.
    """

    name: str
    file: str
    spec: ModelSpec
    labels: Callable[[pl.DataFrame], npt.NDArray[np.float64]]
    folds: int = 3
    repeats: int = 1
    is_test: Callable[[pl.DataFrame], npt.NDArray[np.bool_]] | None = None
    published: tuple[float, float] = (0.0, 0.0)

    def read(self, folder: Path) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.float64], pl.DataFrame]:
        """Return the columns by name, labels (n,), and the frame they come from."""
        frame = pl.read_parquet(folder / self.name / self.file)
        columns = {column.name: frame[column.name].to_numpy() for column in self.spec.columns}
        return columns, self.labels(frame), frame


def _spec(
    name: str,
    numbers: str,
    names: str = "",
    *,
    monotone: Mapping[str, int] | None = None,
    trials: int = 8,
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
    )


_SBA_NUMBERS: Final = (
    "ApprovalDate ApprovalFY NoEmp NewExist CreateJob RetainedJob FranchiseCode UrbanRural "
    "DisbursementDate DisbursementGross GrAppv SBA_Appv New RealEstate Portion Recession Zip"
)
_SBA_NAMES: Final = "City Bank BankState RevLineCr LowDoc"


def _sba_test(frame: pl.DataFrame) -> npt.NDArray[np.bool_]:
    return np.asarray(frame["Selected"].to_numpy() == 0)


CREDIT_DATA: Final = (
    CreditData(
        name="taiwan_default",
        file="default_of_credit_card_clients.parquet",
        spec=_spec(
            "taiwan_default",
            "LIMIT_BAL EDUCATION PAY_0 PAY_2 PAY_3 PAY_4 PAY_5 PAY_6 BILL_AMT1 BILL_AMT2 BILL_AMT3 BILL_AMT4 "
            "BILL_AMT5 BILL_AMT6 PAY_AMT1 PAY_AMT2 PAY_AMT3 PAY_AMT4 PAY_AMT5 PAY_AMT6",
            trials=3,
        ),
        labels=lambda frame: frame["default.payment.next.month"].to_numpy().astype(np.float64),
        repeats=1,
        published=(0.785, 0.779),
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
        published=(0.785, 0.785),
    ),
    CreditData(
        name="hmeq",
        file="hmeq.parquet",
        spec=_spec("hmeq", "LOAN MORTDUE VALUE YOJ DEROG DELINQ CLAGE NINQ CLNO DEBTINC", "REASON JOB"),
        labels=lambda frame: frame["BAD"].to_numpy().astype(np.float64),
        repeats=3,
        published=(0.947, 0.918),
    ),
    CreditData(
        name="sba_case",
        file="SBAcase.11.13.17.parquet",
        spec=_spec("sba_case", _SBA_NUMBERS, _SBA_NAMES),
        labels=lambda frame: frame["Default"].to_numpy().astype(np.float64),
        is_test=_sba_test,
        published=(0.844, 0.0),
    ),
)

LEAKING_TERM: Final = _spec("sba_case", _SBA_NUMBERS + " Term", _SBA_NAMES)
"""The same with the term of the loan, which was shortened after a loan was charged off."""
