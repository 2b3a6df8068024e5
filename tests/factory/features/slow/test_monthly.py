"""Calendar months, against dates of the standard library."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

from hypothesis import given

from formicary.factory.features.slow.monthly import last_month, monthly
from formicary.factory.features.slow.spans import DAY
from tests.factory.features.slow.kit import Transfers, assert_per_node, known, packed, parties_of, worlds

_UNTIL = 100 * DAY
"""10 April 1970: March is the last complete month."""


def _month(at: int) -> int:
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at // 10**9)
    return date.year * 12 + date.month - 1


def _amounts(transfers: Transfers) -> dict[str, dict[tuple[int, int], list[int]]]:
    found: dict[str, dict[tuple[int, int], list[int]]] = {"in": defaultdict(list), "out": defaultdict(list)}
    for one in known(transfers):
        found["in"][one.payee, _month(one.at)].append(one.amount)
        found["out"][one.payer, _month(one.at)].append(one.amount)
    return found


@given(worlds(before=_UNTIL))
def test_months_of_a_party(transfers: Transfers) -> None:
    """Each month with a transfer has counts, sums and means, and the change to the month before."""
    sides, parties = _amounts(transfers), parties_of(transfers)
    rows = monthly(packed(transfers, until=_UNTIL))
    keys = [(parties[node], month) for node, month in rows.select("node", "month").iter_rows()]
    assert keys == sorted(set(sides["in"]) | set(sides["out"]))
    for side, amounts in sides.items():
        expected = [
            (
                len(now := amounts.get((party, month), [])),
                sum(now),
                sum(now) / len(now) if now else None,
                sum(now) - sum(amounts.get((party, month - 1), [])),
            )
            for party, month in keys
        ]
        names = [f"{side}_{what}" for what in ("count", "amount", "mean", "change")]
        assert list(rows.select(names).iter_rows()) == expected


@given(worlds(before=_UNTIL))
def test_the_last_complete_month(transfers: Transfers) -> None:
    """March is told in April, also of a party that fell silent in it."""
    columns, sides = last_month(packed(transfers, until=_UNTIL)), _amounts(transfers)
    march = 1970 * 12 + 2
    for side, amounts in sides.items():

        def amount(party: int, month: int, amounts: dict[tuple[int, int], list[int]] = amounts) -> int:
            return sum(amounts.get((party, month), []))

        assert_per_node(columns, f"{side}_amount_month", transfers, lambda party: amount(party, march))
        assert_per_node(
            columns,
            f"{side}_change_month",
            transfers,
            lambda party: amount(party, march) - amount(party, march - 1),
        )


def test_a_month_that_just_ended_is_complete() -> None:
    """At midnight of the first, the month before is told."""
    columns = last_month(packed([(1, 2, 7, 30 * DAY)], until=31 * DAY))
    assert columns["in_amount_month"].tolist() == [0, 7]
