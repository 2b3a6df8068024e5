"""What is known of a merchant, against sums in plain Python; and that it shares what others keep anyway."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.kinds import Transfers
from formicary.products.credit.features import FEATURES as CREDIT_FEATURES
from formicary.products.lending.servicing.outcomes import LOAN_OUTCOME
from formicary.products.lending.servicing.schemas import Repay
from formicary.products.lending.underwriting.features import MERCHANT_CREDIT
from formicary.products.payments.features import FEATURES as PAYMENT_FEATURES
from formicary.products.payments.postings import TransferCode
from tests.products.lending.servicing.bank import INSTALMENTS
from tests.products.lending.street import ANNA, BERT, SHOP, Street


@pytest.fixture
def street(tmp_path: Path) -> Street:
    """Return a street with a shop and two customers who have money."""
    street = Street(tmp_path)
    street.has(SHOP, ANNA, BERT, amount=50_000_00)
    return street


def test_sales_refunds_and_what_goes_out(street: Street) -> None:
    """A year of sales, some of them given back."""
    sold: list[tuple[int, int]] = []
    for day in range(200):
        if day % 3 == 0:
            street.pays(ANNA if day % 2 else BERT, SHOP, 1_00 + day, TransferCode.MERCHANT_PAYMENT)
            sold.append((day, 1_00 + day))
        if day == 150:
            street.pays(SHOP, ANNA, 50, TransferCode.REFUND)
            street.pays(SHOP, BERT, 7_00, TransferCode.PERSON_PAYMENT)
        street.later(1)
    # Tiles: the windows of 90 and 365 days hold up to one of five days more than they say.
    values = street.known().values
    of_30 = [amount for day, amount in sold if 200 - day <= 30]
    assert values["sales_30d"] == sum(of_30)
    assert values["sales_count_30d"] == len(of_30)
    assert values["sales_365d"] == sum(amount for _, amount in sold)
    assert values["sales_count_365d"] == len(sold) == 67
    of_90 = values["sales_90d"]
    assert of_90 in {sum(amount for day, amount in sold if 200 - day <= 90 + more) for more in range(6)}
    assert of_90 is not None
    assert [values[name] for name in ("payers_30d", "payers_90d")] == pytest.approx([2, 2], rel=0.05)
    assert values["growth_30d"] == pytest.approx(3 * sum(of_30) / of_90)
    assert values["sales_per_payer_90d"] == pytest.approx((values["sales_count_90d"] or 0) / 2, rel=0.05)
    assert values["refunds_90d"] == 50
    assert values["refunds_to_sales_90d"] == pytest.approx(50 / of_90)
    assert (values["debits_30d"], values["debits_90d"]) == (0, 7_00)
    assert values["debits_to_sales_90d"] == pytest.approx(7_00 / of_90)
    assert [values[name] for name in ("days_known", "days_since_sale")] == pytest.approx([200, 2])


def test_debts_and_frauds(street: Street) -> None:
    """Loans of this house, obligations elsewhere, and sales that were frauds."""
    street.pays(ANNA, SHOP, 10_000_00, TransferCode.MERCHANT_PAYMENT)
    street.lends(1, SHOP, 600_00, INSTALMENTS)
    street.later(3)
    assert street.asks(Repay(subject=1, amount=200_00)).code == ""
    at = street.clock.now()
    street.tells("obligation", at, due=1, late=1)
    street.tells("obligation", at, due=1, late=0)
    street.tells("sale_fraud", at, frauds=1)
    street.tells("sale_fraud", at, frauds=1)
    street.tells("sale_fraud", at, frauds=-1)
    street.tells(LOAN_OUTCOME, at, days_late=30, charged_off=0, written_back=0)
    street.tells(LOAN_OUTCOME, at, days_late=60, charged_off=0, written_back=0)
    street.tells(LOAN_OUTCOME, at, days_late=0, charged_off=1, written_back=0)
    values = street.known().values
    assert values["debt_service_30d"] == values["debt_service_90d"] == 200_00
    assert values["debt_service_to_sales_90d"] == pytest.approx(0.02)
    assert (values["loans_late_365d"], values["loans_lost_365d"]) == (1, 1)
    assert (values["obligations_due_365d"], values["obligations_late_365d"]) == (2, 1)
    assert (values["frauds_365d"], values["frauds_to_sales_365d"]) == (1, 1)
    # A loan that comes in is no sale.
    assert values["sales_365d"] == 10_000_00


def test_who_did_not_agree_is_not_known(street: Street) -> None:
    """Nothing at all is told of a party that took its consent back, and nothing but zeros of a stranger."""
    street.pays(ANNA, SHOP, 100, TransferCode.PERSON_PAYMENT)
    street.disagrees(SHOP)
    told = street.known()
    assert told.withheld == ("party",)
    assert set(told.values.values()) == {None}
    assert street.known(BERT).values["sales_90d"] == 0
    assert street.known(BERT).values["days_known"] is None


def test_kinds_are_those_of_the_others() -> None:
    """What lending calls a payment or an obligation is what payments and the score do: one ring for all."""
    alone = compile_sets(PAYMENT_FEATURES + CREDIT_FEATURES)
    together = compile_sets((*PAYMENT_FEATURES, *CREDIT_FEATURES, MERCHANT_CREDIT))
    assert {kind.name for kind in together.kinds} - {kind.name for kind in alone.kinds} == {
        "escrow_release",
        "loan_drawn",
        "loan_outcome",
        "loan_paid",
        "refund",
        "sale",
        "sale_fraud",
    }
    (refund,) = (kind for kind in together.kinds if kind.name == "refund")
    assert refund.source == Transfers(codes=(TransferCode.REFUND,))
