"""The public simulation's card payments."""

from __future__ import annotations

from formicary.economy.card_book import PAYMENTS, card_transfers
from formicary.economy.fraud_handbook import DATA_SET, read_fraud_handbook
from tests.economy.kit import real_data


def test_every_payment_is_whole_cents() -> None:
    """All 1,303,778 payments are read in order of time, none rounded."""
    payments = read_fraud_handbook(real_data(DATA_SET))
    assert payments.schema == PAYMENTS
    assert len(payments) == 1_303_778
    assert payments["at"].is_sorted()
    assert payments["cents"].min() == 0
    assert card_transfers(payments) == 1_328_495
