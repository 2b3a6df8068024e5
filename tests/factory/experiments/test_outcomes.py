"""Outcomes of parties: found by id, and refused where they are not what is measured."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.factory.experiments.definitions import read_definition
from formicary.factory.experiments.errors import OutcomesUnusable
from formicary.factory.experiments.outcomes import outcomes_for
from tests.factory.experiments.kit import document_of, ids

DEFINITION = read_definition(
    document_of(
        metrics="{name: orders, kind: proportion, column: ordered, good: up}, "
        "{name: spend, kind: mean, column: spent, good: up, covariate: before}"
    )
)
PARTIES = ids(6)
ROWS = {
    "ordered": np.array([0, 1, 1, 0, np.nan, 1]),
    "spent": np.array([1.0, 2, 3, 4, 5, 6]),
    "before": np.array([1.0, 2, np.nan, 4, 5, 6]),
    "unasked": np.array(["a"] * 6),
}


def test_rows_are_found_by_party() -> None:
    """A row in which anything is missing is none, and who has no row is nowhere."""
    found = outcomes_for(DEFINITION, PARTIES, ROWS)
    assert found.columns["spent"].tolist() == [1, 2, 4, 6]
    assert sorted(found.columns) == ["before", "ordered", "spent"]
    asked = np.concatenate([PARTIES[[5, 0, 2]], ids(1, seed=9)])
    assert found.places_of(asked).tolist() == [3, 0, -1, -1]
    assert found.places_of(asked[:0]).tolist() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"spent": None}, "no column spent"),
        ({"spent": np.array([1.0, 2, 3, 4, 5, np.inf])}, "spent has infinite"),
        ({"ordered": np.array([0.0, 2, 1, 0, 1, 1])}, "orders is a proportion"),
    ],
)
def test_what_cannot_be_used(changed: dict[str, np.ndarray | None], said: str) -> None:
    """A column that is not there, and numbers that are none."""
    columns = {name: column for name, column in (ROWS | changed).items() if column is not None}
    with pytest.raises(OutcomesUnusable, match=said):
        outcomes_for(DEFINITION, PARTIES, columns)


def test_a_party_has_one_row() -> None:
    """Of two nobody knows which."""
    with pytest.raises(OutcomesUnusable, match="a party is there twice"):
        outcomes_for(DEFINITION, PARTIES[[0, 1, 2, 3, 4, 0]], ROWS)
