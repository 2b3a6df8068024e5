"""Loans to small firms in Californian real estate that a public agency guaranteed: who asked, what was known.

There are no transactions here. What the firm wrote of itself and of what it wants is one set of columns; the
other adds what others know: the lender's name, the agency's share of the risk, where the firm is, and when
it asked. The published test part is drawn at random, so a model that is told the date has seen what became
of other loans of that year: it knows of 2007 what nobody knew in 2007. So there is a second race, in which
loans approved from the fiscal year 2006 on, most of which met a slump in real estate, are judged by models
that learnt from earlier ones alone.

``Term`` was shortened when a loan went bad. ``daysterm``, ``xx`` and ``Recession`` are made of it: the last
is 1 where the term counted from the day of disbursement ends between days 17,510 and 18,077, in all 2,101
rows. Published recipes have ``Recession`` as a column; here none of them is one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from benchmarks._horse_race import Contest
from formicary.factory.models.spec import Column, ModelSpec

__all__ = ["ENDED_IN_RECESSION", "FILE", "sba_contest"]

FILE: Final = "sba_case/SBAcase.11.13.17.parquet"
ENDED_IN_RECESSION: Final = (17_510, 18_077)
"""The first and the last day, counted from 1960, on which a loan of ``Recession`` ended by its term."""

_CENTS: Final = 100
_FIRST_LATE: Final = 2006
_APPLICATION: Final = (
    "New NewExist RealEstate DisbursementGross GrAppv NoEmp CreateJob RetainedJob FranchiseCode UrbanRural"
)
_APPLICATION_NAMES: Final = "RevLineCr LowDoc"
_KNOWN: Final = "Portion SBA_Appv ApprovalDate ApprovalFY DisbursementDate Zip"
_KNOWN_NAMES: Final = "City Bank BankState"


def _spec(name: str, numbers: str, names: str) -> ModelSpec:
    columns = [Column(name=one, reason=f"{one} counted against it.") for one in numbers.split()]
    columns += [
        Column(name=one, reason=f"{one} counted against it.", is_category=True) for one in names.split()
    ]
    return ModelSpec(
        name=name,
        owner="benchmarks",
        predicts="The chance that the loan is charged off.",
        columns=tuple(columns),
        trials=8,
    )


def sba_contest(data_sets: Path, *, is_by_time: bool) -> Contest:
    """Return the race on the published test part, or on later loans by earlier ones."""
    frame = pl.read_parquet(data_sets / FILE)
    application = _spec("sba_application", _APPLICATION, _APPLICATION_NAMES)
    everything = _spec("sba_everything", f"{_APPLICATION} {_KNOWN}", f"{_APPLICATION_NAMES} {_KNOWN_NAMES}")
    is_judged = frame["ApprovalFY"] >= _FIRST_LATE if is_by_time else frame["Selected"] == 0
    return Contest(
        name="sba_case by time" if is_by_time else "sba_case",
        application=application,
        everything=everything,
        columns={name: frame[name].to_numpy() for name in everything.names},
        labels=frame["Default"].to_numpy().astype(np.float64),
        amounts=frame["DisbursementGross"].to_numpy().astype(np.int64) * _CENTS,
        parts=[[is_judged.to_numpy()]],
        protocol=f"approved from {_FIRST_LATE} on, by earlier ones"
        if is_by_time
        else "the published test part",
        second="lender, share guaranteed, place and dates",
        currency="USD",
    )
