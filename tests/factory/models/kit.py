"""A small table whose label depends on two of its columns in known directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.factory.models.spec import Column, ModelSpec, Objective
from formicary.factory.models.table import TrainingTable, table_of

__all__ = ["made_columns", "made_spec", "made_table"]


def made_spec(*extra: Column, objective: Objective = Objective.CLASSIFICATION, trials: int = 2) -> ModelSpec:
    """Return a specification of the columns below."""
    return ModelSpec(
        name="repayment",
        owner="tests",
        predicts="The chance that it is not paid back.",
        columns=(
            Column(name="debt", reason="The debt is high.", monotone=1),
            Column(name="income", reason="The income is low.", monotone=-1),
            Column(name="trade", reason="The trade is a risky one.", is_category=True),
            Column(name="noise", reason="It counted against it."),
            *extra,
        ),
        objective=objective,
        trials=trials,
        seed=5,
    )


def made_columns(rows: int = 600, *, seed: int = 1) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[Any]]:
    """Return columns by name, a tenth of the incomes missing, and labels."""
    chance = np.random.default_rng(seed)
    debt, income = chance.normal(size=rows), chance.normal(size=rows)
    trade = chance.choice(np.array(["baker", "gambler", "miller"], object), rows)
    odds = 1.5 * debt - 1.5 * income + 1.0 * (trade == "gambler") - 0.8
    labels = (chance.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    income[chance.random(rows) < 0.1] = np.nan
    noise = chance.normal(size=rows)
    return {"debt": debt, "income": income, "trade": trade, "noise": noise}, labels


def made_table(rows: int = 600, *, seed: int = 1, at: npt.ArrayLike | None = None) -> TrainingTable:
    """Return them as a table."""
    columns, labels = made_columns(rows, seed=seed)
    return table_of(made_spec(), columns, labels, at=at)
