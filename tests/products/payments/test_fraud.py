"""The model of payments: what it reads, and what tells its outcome."""

from __future__ import annotations

from formicary.factory.models.asked import asked_set
from formicary.products.payments.features import FEATURES, PAYMENT_RISK
from formicary.products.payments.fraud import PAYMENT_FRAUD, PAYMENT_OUTCOME


def test_it_reads_all_that_is_told_of_a_payment_but_its_currency() -> None:
    """A feature that is added to the set is to be thought of here as well."""
    question, chosen = asked_set(PAYMENT_FRAUD, FEATURES)
    assert chosen is PAYMENT_RISK
    assert question.label.fact == PAYMENT_OUTCOME
    names = {feature.name for feature in PAYMENT_RISK.features}
    assert set(PAYMENT_FRAUD.names) == names - {"currency"}


def test_reasons_are_sentences_to_whoever_pays() -> None:
    """Each is there once, so that two of them never say the same."""
    reasons = [column.reason for column in PAYMENT_FRAUD.columns]
    assert len(set(reasons)) == len(reasons)
