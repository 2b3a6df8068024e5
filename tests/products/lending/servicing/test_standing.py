"""How a loan stands, and what is to come, against what then happens."""

from __future__ import annotations

import numpy as np
import pytest

from formicary.factory.engine.reads import fields_of, record_of
from formicary.products.lending.servicing import steps
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.layout import LOAN
from formicary.products.lending.servicing.schemas import ChargeOff
from formicary.products.lending.servicing.standing import ahead, standing
from tests.products.lending.servicing.bank import INSTALMENTS, LINE, START, Bank

ANNA = 11


def kept(bank: Bank, loan: int) -> Rows:
    """Return a loan as somebody outside of the engine has it."""
    return record_of(fields_of(bank.loan(loan)), LOAN)


@pytest.mark.parametrize("terms", [INSTALMENTS, LINE])
def test_what_is_to_come_comes(bank: Bank, terms: object) -> None:
    """After an instalment that was missed: what is due is paid, then each row falls due as it was told."""
    bank.has(ANNA, amount=1_000_00)
    bank.lends(1, ANNA, 600_00, terms, is_collected=False)  # type: ignore[arg-type]
    for day in range(START, START + 40):
        bank.closes(day)
    loan = kept(bank, 1)
    told = list(ahead(loan, START + 40))
    stood = standing(loan, START + 40)
    assert stood["until"] == START + 40
    assert steps.owed(stood) == steps.owed(loan) + int(stood["accrued"][0] - loan["accrued"][0])
    happened: list[tuple[int, int, int]] = []
    copy, day = stood, START + 40
    while copy["state"] == 2 and len(happened) < 12:
        due = sum(int(copy[f"{name}_due"][0]) for name in ("fees", "interest", "principal"))
        steps.paid(copy, np.array([due]), goes_on=False)
        if day > START + 40:
            happened.append((day, due, int(copy["balance"][0])))
        day = int(copy["next_due"][0])
        steps.advanced(copy, np.array([day]))
    assert [(one.due, one.principal + one.interest + one.fees, one.balance) for one in told] == happened


def test_where_nothing_comes(bank: Bank) -> None:
    """Of a loan that was lost, and of a line that is not drawn."""
    bank.has(ANNA, amount=1_000_00)
    bank.lends(1, ANNA, 600_00, INSTALMENTS, is_collected=False)
    assert bank.offers(2, ANNA, 600_00, LINE).code == ""
    assert bank.accepts(2, 2, ANNA, 600_00).code == ""
    for day in range(START, START + 40):
        bank.closes(day)
    assert bank.asks(ChargeOff(subject=1)).code == ""
    assert [list(ahead(kept(bank, loan), START + 40)) for loan in (1, 2)] == [[], []]
