"""A table is what its specification asks for, or is refused with what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from formicary.factory.models.errors import LabelsTooFew, TableUnusable
from formicary.factory.models.spec import Objective
from formicary.factory.models.table import encoded, names_of, table_of
from tests.factory.models.kit import made_columns, made_spec


def test_names_become_codes_and_unseen_ones_are_missing() -> None:
    """In the order of the alphabet; numbers stay what they are."""
    columns, labels = made_columns(60)
    table = table_of(made_spec(), columns, labels)
    assert table.categories == {"trade": ("baker", "gambler", "miller")}
    assert table.values.shape == (60, 4)
    assert (table.values[:, 2] == [table.categories["trade"].index(name) for name in columns["trade"]]).all()
    other = {name: values[:2] for name, values in columns.items()} | {
        "trade": np.array(["smith", None], object)
    }
    assert np.isnan(encoded(made_spec(), other, table.categories)[:, 2]).all()
    part = table.rows(np.array([3, 5]))
    assert part.labels.tolist() == [table.labels[3], table.labels[5]]
    assert part.at is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"debt": np.full(60, np.nan)}, "debt is missing in every row"),
        ({"debt": np.full(60, 3.0)}, "debt is 3 in every row"),
        ({"debt": np.array(["a"] * 60)}, "debt is not of numbers"),
        ({"debt": np.zeros(3)}, "columns of different lengths"),
    ],
)
def test_a_column_that_tells_nothing_is_refused(change: dict[str, npt.NDArray[Any]], said: str) -> None:
    """Constant, missing everywhere, of another type or length."""
    columns, labels = made_columns(60)
    with pytest.raises(TableUnusable, match=said):
        table_of(made_spec(), columns | change, labels)


def test_what_else_is_refused() -> None:
    """A column that is not there, labels and weights that are not what they must be."""
    columns, labels = made_columns(60)
    spec = made_spec()
    with pytest.raises(TableUnusable, match="there is no column noise"):
        table_of(spec, {name: columns[name] for name in ("debt", "income", "trade")}, labels)
    with pytest.raises(TableUnusable, match="60 rows, and 59 labels"):
        table_of(spec, columns, labels[:-1])
    with pytest.raises(TableUnusable, match="2 labels are not what a classification takes"):
        table_of(spec, columns, np.r_[labels[:-2], np.nan, 2.0])
    with pytest.raises(TableUnusable, match="1 labels are not what a regression takes"):
        table_of(made_spec(objective=Objective.REGRESSION), columns, np.r_[labels[:-1], np.inf])
    with pytest.raises(TableUnusable, match="a weight for each row"):
        table_of(spec, columns, labels, weights=np.zeros(60))
    for money in (np.full(60, -1.0), np.ones(59)):
        with pytest.raises(TableUnusable, match="an amount of money for each row"):
            table_of(spec, columns, labels, money=money)


def test_money_goes_with_its_row() -> None:
    """Rows that are chosen keep what they are about."""
    columns, labels = made_columns(60)
    table = table_of(made_spec(), columns, labels, money=np.arange(60))
    assert table.money is not None
    chosen = table.rows(np.array([3, 5])).money
    assert chosen is not None
    assert chosen.tolist() == [3, 5]


def test_codes_become_names() -> None:
    """A feature that is a code has its digits as its name, and none where it is missing."""
    assert names_of(np.array([826.0, np.nan, 0.5, 1e6])) == ["826", None, "0.5", "1000000"]


def test_one_class_is_too_few() -> None:
    """A classification takes enough labels of both; a regression any."""
    columns, labels = made_columns(60)
    table = table_of(made_spec(), columns, np.zeros(60))
    with pytest.raises(LabelsTooFew, match="0 positives and 60 negatives, under 20"):
        table.require_labels(made_spec())
    amounts = made_spec(objective=Objective.REGRESSION)
    table_of(amounts, columns, labels * 3).require_labels(amounts)
