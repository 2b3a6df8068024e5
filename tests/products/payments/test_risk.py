"""Rules over payments read the payment itself and all that is known of it."""

from __future__ import annotations

from formicary.products.payments.features import PAYMENT, PAYMENT_RISK
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.runtime.products import decision_points


def test_every_feature_can_be_read() -> None:
    """Under its own name; what is told of the payment as it is, is a field of it."""
    names = [feature.name for feature in PAYMENT_RISK.features]
    assert set(names) == {*PAYMENT_POINT.features, "amount", "currency"}
    assert {"amount", "currency"} <= set(PAYMENT.fields)
    assert PAYMENT_POINT.features == tuple(name for name in names if name in PAYMENT_POINT.features)


def test_the_point_is_found_by_name() -> None:
    """A deployment's decision points are those of its products."""
    assert decision_points() == {"payment": PAYMENT_POINT}
