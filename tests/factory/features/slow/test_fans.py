"""Bursts within one period, against counts in plain Python."""

from __future__ import annotations

from collections import Counter
from math import floor, log2
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.features.slow.fans import fans
from formicary.factory.features.slow.spans import DAY
from tests.factory.features.slow.kit import UNTIL, Transfers, assert_per_node, known, packed, worlds


@given(worlds(), st.sampled_from([1, 7, 30]))
def test_the_most_of_one_period(transfers: Transfers, days: int) -> None:
    """Fan, burst, repeat and alike are the largest counts over periods counted back from the end."""
    columns = fans(packed(transfers), days * DAY)

    def most(party: int, side: str, key: Any) -> int:
        rows = [one for one in known(transfers) if party == (one.payee if side == "in" else one.payer)]
        counts = Counter(
            ((UNTIL - 1 - one.at) // (days * DAY), key(one, one.payer if side == "in" else one.payee))
            for one in rows
        )
        return max(counts.values(), default=0)

    def fan(party: int, side: str) -> int:
        found: dict[int, set[int]] = {}
        for one in known(transfers):
            mine, other = (one.payee, one.payer) if side == "in" else (one.payer, one.payee)
            if mine == party:
                found.setdefault((UNTIL - 1 - one.at) // (days * DAY), set()).add(other)
        return max(map(len, found.values()), default=0)

    keys: dict[str, Any] = {
        "burst": lambda _one, _other: None,
        "repeat": lambda _one, other: other,
        "alike": lambda one, _other: floor(8 * log2(one.amount)),
    }
    for side in ("in", "out"):
        assert_per_node(columns, f"{side}_fan_{days}d", transfers, lambda party, side=side: fan(party, side))
        for what, key in keys.items():
            assert_per_node(
                columns,
                f"{side}_{what}_{days}d",
                transfers,
                lambda party, side=side, key=key: most(party, side, key),
            )


def test_many_payers_in_a_week() -> None:
    """Ten senders of almost one amount within a week to one receiver are a fan-in of ten."""
    columns = fans(packed([(sender, 99, 100, UNTIL - DAY // 2) for sender in range(10)]), 7 * DAY)
    assert columns["in_fan_7d"].tolist() == [0] * 10 + [10]
    assert columns["in_alike_7d"].max() == 10
    assert columns["out_repeat_7d"].tolist() == [1] * 10 + [0]


def test_nothing_is_not_of_a_size() -> None:
    """An amount of zero has no logarithm and counts as the smallest."""
    columns = fans(packed([(1, 2, 0, 0), (1, 2, 1, 0)]), DAY)
    assert columns["in_alike_1d"].tolist() == [0, 2]
