"""What counterparties are like."""

from __future__ import annotations

from math import nan
from statistics import fmean

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.features.slow.graph import graph_of
from formicary.factory.features.slow.neighbours import neighbours
from tests.factory.features.slow.kit import Transfers, assert_per_node, known, packed, parties_of, worlds


@given(worlds(), st.lists(st.one_of(st.integers(-9, 9).map(float), st.just(nan)), min_size=6, max_size=6))
def test_mean_and_largest_over_distinct_counterparties(transfers: Transfers, values: list[float]) -> None:
    """A counterparty counts once however often it is met, and not at all without a value."""
    parties = parties_of(transfers)
    value = dict(zip(parties, values, strict=False))
    columns = neighbours(graph_of(packed(transfers)), {"x": np.array(list(value.values()))})
    edges = {(one.payer, one.payee) for one in known(transfers)}

    def payees(party: int) -> list[float]:
        return [value[payee] for payer, payee in edges if payer == party and value[payee] == value[payee]]

    def payers(party: int) -> list[float]:
        return [value[payer] for payer, payee in edges if payee == party and value[payer] == value[payer]]

    for name, of in (("payees", payees), ("payers", payers)):
        assert_per_node(
            columns, f"{name}_mean_x", transfers, lambda party, of=of: fmean(of(party)) if of(party) else None
        )
        assert_per_node(
            columns, f"{name}_max_x", transfers, lambda party, of=of: max(of(party), default=None)
        )
