"""Who is told that something is late, and on which days."""

from __future__ import annotations

from formicary.factory.engine.columns import IDS
from formicary.products.lending.servicing.fields import AMOUNTS
from formicary.products.lending.servicing.telling import DAYS
from tests.products.lending.servicing.bank import INSTALMENTS, START, Bank

ANNA, BEN, CARL = 11, 12, 13


def test_a_late_loan_is_told_of_on_five_days(bank: Bank) -> None:
    """On the day, after 1, 30, 60 and 90 days; who pays in time is never told of."""
    bank.has(ANNA, BEN, CARL)
    for loan, party in enumerate((ANNA, BEN, CARL), start=1):
        bank.lends(loan, party, 600_00, INSTALMENTS, is_collected=party == BEN)
    bank.earns(CARL, -bank.wallet(CARL))
    told: list[tuple[int, int, int, int]] = []
    for day in range(START, START + 31 + 92):
        bank.earns(BEN, 10_00)
        answer = bank.closes(day)[-1]
        late = [event for event in bank.events("business_date.LoansLate") if event.subject == day]
        assert len(late) == (1 if answer["reminders"] else 0)
        for event in late:
            ids, days = IDS.unpack(event.data["loans"]), DAYS.unpack(event.data["days"])
            amounts = AMOUNTS.unpack(event.data["amounts"])
            told += zip(
                [day - START] * len(ids), ids[:, 1].tolist(), days.tolist(), amounts.tolist(), strict=True
            )
    assert [one[:3] for one in told] == [
        (31 + days, loan, days) for days in (0, 1, 30, 60, 90) for loan in (1, 3)
    ]
    assert all(amount > 0 for *_, amount in told)
