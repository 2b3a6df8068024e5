"""The invented card payments."""

from __future__ import annotations

from formicary.economy.card_book import PAYMENTS
from formicary.economy.small_cards import small_cards


def test_they_are_repeated() -> None:
    """The same seed gives the same payments, in order of time."""
    payments = small_cards(seed=1, payments=100)
    assert payments.schema == PAYMENTS
    assert payments.equals(small_cards(seed=1, payments=100))
    assert payments["at"].is_sorted()
