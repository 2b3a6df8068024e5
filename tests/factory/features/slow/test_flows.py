"""Money that passes through, and rhythm, against plain Python."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.features.slow.flows import pass_through, rhythm
from formicary.factory.features.slow.spans import DAY
from tests.factory.features.slow.kit import UNTIL, Transfers, assert_per_node, known, packed, worlds


@given(worlds(), st.sampled_from([1, 7]))
def test_the_lesser_of_in_and_out_passed(transfers: Transfers, days: int) -> None:
    """In each period the lesser of received and paid was passed on."""

    def share(party: int) -> float | None:
        received, paid = [0] * 41, [0] * 41
        for one in known(transfers):
            period = (UNTIL - 1 - one.at) // (days * DAY)
            received[period] += one.amount * (one.payee == party)
            paid[period] += one.amount * (one.payer == party)
        passed = sum(map(min, received, paid))
        return passed / sum(received) if sum(received) else None

    columns = pass_through(packed(transfers), days * DAY)
    assert_per_node(columns, f"passed_share_{days}d", transfers, share)


@given(worlds())
def test_rhythm(transfers: Transfers) -> None:
    """Spans, active days and gaps follow from the times of a party's transfers."""

    def times(party: int) -> list[int]:
        return [one.at for one in known(transfers) if party in (one.payer, one.payee)]

    columns = rhythm(packed(transfers))
    for name, oracle in (
        ("idle_days", lambda at: (UNTIL - max(at)) / DAY),
        ("active_span_days", lambda at: (max(at) - min(at)) / DAY),
        ("active_days", lambda at: len({(UNTIL - 1 - one) // DAY for one in at})),
        ("gap_mean_days", lambda at: (max(at) - min(at)) / DAY / (len(at) - 1) if len(at) > 1 else None),
    ):
        assert_per_node(columns, name, transfers, lambda party, oracle=oracle: oracle(times(party)))
