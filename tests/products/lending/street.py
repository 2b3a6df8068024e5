"""A bank in whose street people pay each other, and what is known of them."""

from __future__ import annotations

from formicary.base.purposes import Purpose
from formicary.factory.engine.feature_reads import FeatureReading, tell_features
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.facts import FACTS_PRODUCT, RecordFacts
from formicary.factory.ledger import Transfer, transfer_array
from formicary.products.lending.servicing.terms import DAY
from formicary.products.lending.underwriting.features import MERCHANT_CREDIT
from formicary.products.payments.postings import TransferCode
from tests.products.lending.servicing.bank import EUR, WALLETS, Bank, hex_of

__all__ = ["ANNA", "BERT", "SHOP", "Street"]

SHOP, ANNA, BERT = 11, 12, 13


class Street(Bank):
    """A bank in whose street people pay each other."""

    def pays(self, payer: int, payee: int, amount: int, code: TransferCode) -> None:
        """Make a payment, or give it back."""
        self.pays_all(payer, {payee: amount}, code)

    def pays_all(self, payer: int, amounts: dict[int, int], code: TransferCode) -> None:
        """Make payments to several payees together."""
        moved = [
            Transfer(
                id=self._keys + place,
                amount=amount,
                ledger=EUR,
                code=code,
                debit_account_id=WALLETS + payer,
                credit_account_id=WALLETS + payee,
            )
            for place, (payee, amount) in enumerate(amounts.items(), start=1)
        ]
        self._keys += len(moved)
        (results,) = self.engine.execute([LedgerRequest(transfer_array(moved))])
        assert not results["status"].any()

    def later(self, days: int) -> None:
        """Let days pass."""
        self.clock.set(self.clock.now() + days * DAY)

    def tells(self, kind: str, at: int, **numbers: int) -> None:
        """Tell a fact of the shop."""
        fact = RecordFacts(
            subject=5,
            kind=kind,
            at=[at],
            ids={"party": [hex_of(SHOP)]},
            numbers={name: [number] for name, number in numbers.items()},
        )
        assert self.does(FACTS_PRODUCT, fact).code == ""

    def known(self, party: int = SHOP) -> FeatureReading:
        """Read what is known of a party now."""
        return tell_features(
            self.engine.state,
            MERCHANT_CREDIT.name,
            purpose=Purpose.CREDIT,
            at=self.clock.now(),
            asking={"party": party},
        )
