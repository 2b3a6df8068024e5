"""How loans come out is told once a step, as facts that name loan and party."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from formicary.factory.facts import FACTS_PRODUCT, FactsRecorded
from formicary.factory.journal.fact_columns import facts_of
from formicary.factory.models.outcomes import outcomes_of
from formicary.products.lending.servicing import outcomes
from formicary.products.lending.servicing.layout import LOAN, LoanState
from formicary.products.lending.servicing.outcomes import LOAN_OUTCOME, late_loans
from formicary.products.lending.servicing.schemas import ChargeOff, WriteBack
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from tests.products.lending.servicing.bank import INSTALMENTS, START, Bank

ANNA, BERT = 11, 12
FIRST_DUE = START + 31


def told(bank: Bank) -> list[tuple[int, int, int, int]]:
    """Return what was told, in order: loan, days late, charged off, written back."""
    found = []
    for batch in bank.journal.batches:
        for event in batch.events:
            if event.kind == "facts.FactsRecorded":
                facts = facts_of(event.body)
                assert facts.kind == LOAN_OUTCOME
                names = ("days_late", "charged_off", "written_back")
                columns = [facts.numbers[name].tolist() for name in names]
                assert facts.ids["party"][:, 1].tolist() == [
                    10 + loan for loan in facts.ids["loan"][:, 1].tolist()
                ]
                found += list(zip(facts.ids["loan"][:, 1].tolist(), *columns, strict=True))
    return found


@pytest.fixture
def late(bank: Bank) -> Bank:
    """Return a bank two of whose loans are never paid."""
    bank.has(ANNA, BERT)
    for loan, party in ((1, ANNA), (2, BERT)):
        bank.lends(loan, party, 600_00, INSTALMENTS)
        bank.earns(party, -600_00)
    return bank


def test_a_late_loan_is_told_of_on_its_days(late: Bank) -> None:
    """At 30, 60 and 90 days, each once; who pays in time is told of no more."""
    for day in range(START, FIRST_DUE + 92):
        if day == FIRST_DUE + 40:
            late.earns(BERT, 700_00)
        late.closes(day)
    assert told(late) == [(1, 30, 0, 0), (2, 30, 0, 0), (1, 60, 0, 0), (1, 90, 0, 0)]
    late.recovers()


def test_a_loss_that_is_taken_back_is_no_default(late: Bank) -> None:
    """Unless the loan was 90 days late: then it is one, whatever the house did about it."""
    for day in range(START, FIRST_DUE + 5):
        late.closes(day)
    assert late.asks(ChargeOff(subject=1)).code == ""
    assert late.asks(WriteBack(subject=1)).code == ""
    for day in range(FIRST_DUE + 5, FIRST_DUE + 91):
        late.closes(day)
    assert late.asks(ChargeOff(subject=2)).code == ""
    assert late.asks(WriteBack(subject=2)).code == ""
    assert told(late)[:2] == [(1, 0, 1, 0), (1, 0, 0, 1)]
    assert told(late)[-1] == (2, 0, 1, 0)
    assert MERCHANT_DEFAULT.question is not None
    events = [event for batch in late.journal.batches for event in batch.events]
    facts = [event for event in events if event.kind == "facts.FactsRecorded"]
    found = outcomes_of(facts, MERCHANT_DEFAULT.question.label).outcomes
    assert [(int(loan), int(value)) for (_, loan), value in zip(found.ids, found.values, strict=True)] == [
        (1, 1),
        (1, 0),
        # It was late all the same, and 90 days in the end.
        (1, 1),
        (2, 1),
        (2, 1),
    ]


def test_many_are_told_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """No event is larger than the journal takes; other days, and other loans, are not told."""
    monkeypatch.setattr(outcomes, "_TOLD_AT_ONCE", 3)
    loans = np.zeros(9, LOAN)
    loans["id_low"] = np.arange(9)
    loans["state"] = LoanState.ACTIVE
    loans["arrears_since"] = [70, 70, 40, 69, 10, 70, 0, 70, 70]
    loans["state"][8] = LoanState.CHARGED_OFF
    parts = late_loans(loans, 100, 7)
    assert {part.product for part in parts} == {FACTS_PRODUCT.name}
    events: list[Any] = [part.event for part in parts]
    assert all(isinstance(event, FactsRecorded) for event in events)
    assert [event.numbers["days_late"] for event in events] == [[30, 30, 60], [90, 30, 30]]
    assert [event.at for event in events] == [[7] * 3] * 2
    assert [int(loan, 16) for event in events for loan in event.ids["loan"]] == [0, 1, 2, 4, 5, 7]
    assert late_loans(loans, 101, 7) == []
