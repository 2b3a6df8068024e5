"""What a model predicts, from what, and what it must show: declared once, for every trainer.

A specification knows columns and labels. Where they come from is a question of its own, which it may have:
the events at which a set of features is read, and what tells their outcomes. Without one it is trained on
tables of data that never were events.
"""

from __future__ import annotations

import enum
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from formicary.factory.models.errors import ModelMalformed
from formicary.factory.models.questions import Question

__all__ = ["SENTENCE_ENDS", "Column", "Gates", "ModelSpec", "Objective"]

SENTENCE_ENDS: Final = (".", "?", "!")
"""What a sentence that somebody is told ends with."""


class Objective(enum.StrEnum):
    """What is predicted: the chance of an outcome, or an amount."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One input of a model.

    Attributes
    ----------
    name
        A feature, or a column of a table.
    reason
        What a customer is told where it counted against them, a sentence.
    is_category
        Its values are names without an order.
    monotone
        1 where a larger value may only raise the prediction, -1 where it may only lower it, 0 for neither.
    known_because
        Why it is known before the decision although it nearly tells the outcome; empty for what is not
        suspicious.
    """

    name: str
    reason: str
    is_category: bool = False
    monotone: int = 0
    known_because: str = ""

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with it."""
        if not self.name:
            yield "a column has no name"
        if not self.reason.endswith(SENTENCE_ENDS):
            yield f"{self.name}: its reason is a sentence, not {self.reason!r}"
        if self.monotone not in (-1, 0, 1):
            yield f"{self.name}: monotone is -1, 0 or 1, not {self.monotone}"
        if self.monotone and self.is_category:
            yield f"{self.name}: names have no order in which they could be monotone"


@dataclass(frozen=True, kw_only=True)
class Gates:
    """What a model must show on rows that it did not learn from, before it may decide.

    Attributes
    ----------
    area_under_roc
        At least this share of pairs is ordered rightly; of a classification.
    calibration_error
        Chances are off by no more than this on average; of a classification.
    r_squared
        At least this share of the variance of amounts is explained; of a regression.
    mean_absolute_error
        Amounts are off by no more than this on average, in their unit; of a regression.
    """

    area_under_roc: float = 0.5
    calibration_error: float = 1.0
    r_squared: float = 0.0
    mean_absolute_error: float = math.inf


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """A model before it is trained.

    Attributes
    ----------
    name
        In snake case; versions of one model share it.
    owner
        Who answers for it.
    predicts
        What a prediction says, a sentence.
    columns
        Its inputs, in the order in which they are scored.
    objective
        What is predicted.
    gates
        What it must show.
    trials
        How many sets of hyper-parameters are tried at most.
    seed
        Of every draw of the training.
    search
        Hyper-parameters of the forest by name, each with the values to draw from, in place of the trainer's;
        the first trial takes the first of each.
    question
        Where its rows come from, if they are events of the journal.
    """

    name: str
    owner: str
    predicts: str
    columns: tuple[Column, ...]
    objective: Objective = Objective.CLASSIFICATION
    gates: Gates = Gates()
    trials: int = 8
    seed: int = 0
    search: tuple[tuple[str, tuple[float, ...]], ...] = ()
    question: Question | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def hash(self) -> str:
        """What the declaration says, as a hash: 32 hexadecimal digits."""
        return hashlib.blake2b(repr(self).encode(), digest_size=16).hexdigest()

    def findings(self) -> list[str]:
        """Return all that is wrong with it."""
        wrong = [f"{self.name}: {found}" for column in self.columns for found in column.findings()]
        if not self.name.isidentifier() or not self.name.islower():
            wrong.append(f"a model's name is in snake case, not {self.name!r}")
        if not self.predicts.endswith(SENTENCE_ENDS):
            wrong.append(f"{self.name}: what it predicts is a sentence, not {self.predicts!r}")
        if not self.columns:
            wrong.append(f"{self.name}: it has no columns")
        wrong += [
            f"{self.name}: {name} is a column twice"
            for name in sorted(set(self.names))
            if self.names.count(name) > 1
        ]
        wrong += [f"{self.name}: nothing to draw {name} from" for name, values in self.search if not values]
        if self.question is not None:
            wrong += [f"{self.name}: {found}" for found in self.question.findings()]
            if self.objective != Objective.CLASSIFICATION:
                wrong.append(f"{self.name}: outcomes are 0 or 1, which is no {self.objective}")
        if self.trials < 1:
            wrong.append(f"{self.name}: at least one trial, not {self.trials}")
        return wrong

    def require(self) -> None:
        """Raise ``ModelMalformed`` with all that is wrong, if anything is."""
        wrong = self.findings()
        if wrong:
            raise ModelMalformed("; ".join(wrong))
