"""Amounts against what their payer usually pays."""

from __future__ import annotations

from statistics import median

from hypothesis import given

from formicary.factory.features.slow.unusual import unusual
from tests.factory.features.slow.kit import Transfers, assert_per_node, known, packed, worlds


@given(worlds())
def test_extremes_in_medians_of_the_payer(transfers: Transfers) -> None:
    """Both sides of a transfer see it as a multiple of its payer's median."""
    columns, rows = unusual(packed(transfers)), known(transfers)
    usual = {
        party: median(one.amount for one in rows if one.payer == party)
        for party in {one.payer for one in rows}
    }
    for side, mine in (("in", lambda one: one.payee), ("out", lambda one: one.payer)):
        for end, pick in (("min", min), ("max", max)):
            assert_per_node(
                columns,
                f"{side}_usual_ratio_{end}",
                transfers,
                lambda party, mine=mine, pick=pick: pick(
                    (one.amount / usual[one.payer] for one in rows if mine(one) == party), default=None
                ),
            )


def test_one_who_pays_nothing_has_no_usual_amount() -> None:
    """A median of zero divides nothing."""
    assert str(unusual(packed([(1, 2, 0, 0)]))["out_usual_ratio_max"].tolist()) == "[nan, nan]"
