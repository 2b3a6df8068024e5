"""Counts, counterparties and amounts in a window, against sums in plain Python."""

from __future__ import annotations

from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.features.slow.degrees import degrees
from formicary.factory.features.slow.spans import DAY, span_name
from tests.factory.features.slow.kit import UNTIL, Transfers, assert_per_node, known, packed, worlds


def _share(amounts: list[tuple[int, int]]) -> float | None:
    by_other: dict[int, int] = {}
    for other, amount in amounts:
        by_other[other] = by_other.get(other, 0) + amount
    return max(by_other.values()) / sum(by_other.values()) if by_other else None


@given(worlds(), st.sampled_from([DAY, 7 * DAY, 30 * DAY, None]))
def test_both_directions(transfers: Transfers, span: int | None) -> None:
    """Every column is what a sum over the window's transfers says, and missing where there are none."""
    columns, end = degrees(packed(transfers), span), span_name(span)
    recent = [one for one in known(transfers) if span is None or one.at >= UNTIL - span]

    def received(party: int) -> list[tuple[int, int]]:
        return [(one.payer, one.amount) for one in recent if one.payee == party]

    def paid(party: int) -> list[tuple[int, int]]:
        return [(one.payee, one.amount) for one in recent if one.payer == party]

    for side, of in (("in", received), ("out", paid)):
        for what, oracle in (
            ("count", len),
            ("counterparties", lambda rows: len({other for other, _ in rows})),
            ("amount", lambda rows: sum(amount for _, amount in rows)),
            ("mean", lambda rows: fmean(amount for _, amount in rows) if rows else None),
            ("std", lambda rows: pstdev(amount for _, amount in rows) if rows else None),
            ("largest_share", _share),
        ):
            assert_per_node(
                columns,
                f"{side}_{what}_{end}",
                transfers,
                lambda party, of=of, oracle=oracle: oracle(of(party)),
            )
    assert_per_node(
        columns,
        f"out_in_ratio_{end}",
        transfers,
        lambda party: (
            sum(amount for _, amount in paid(party)) / sum(amount for _, amount in received(party))
            if received(party)
            else None
        ),
    )


def test_large_amounts_are_summed_exactly() -> None:
    """Amounts above 2**53 are no floats on the way."""
    large = 2**60 + 1
    columns = degrees(packed([(1, 2, large, 0), (1, 2, 2, 0)]), None)
    assert columns["in_amount_ever"].tolist() == [0, large + 2]
    assert columns["in_largest_share_ever"][1] == pytest.approx(1)
