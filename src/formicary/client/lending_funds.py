"""What there is to lend from: own funds, borrowed money, cash; their part of the client."""

from __future__ import annotations

import msgspec

from formicary.client.transport import Transport

__all__ = ["Borrowed", "LendingFunds", "LendingFundsTold"]


class Borrowed(msgspec.Struct, frozen=True, kw_only=True):
    """What is borrowed at a rate in billionths a year."""

    rate: int
    amount: int


class LendingFundsTold(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to lend from in a currency, in minor units; see the API's document."""

    currency: str
    own_funds: int
    paid_in: int
    earned: int
    borrowed: int
    borrowings: list[Borrowed]
    cost_payable: int
    sellers_payable: int
    cash: int
    client_money: int
    partner: int
    participation: int
    accounted_until: str


class LendingFunds:
    """The house's own money by currency; errors and ``key`` are as in ``Formicary``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def show(self, currency: str) -> LendingFundsTold:
        """Return what there is to lend from."""
        return self._transport.get(f"{_PATH}/{currency}", LendingFundsTold)

    def pay_in(self, currency: str, amount: int, *, key: str | None = None) -> LendingFundsTold:
        """Pay own funds in."""
        return self._moved(currency, "pay-in", {"amount": amount}, key)

    def take_out(self, currency: str, amount: int, *, key: str | None = None) -> LendingFundsTold:
        """Take own funds out."""
        return self._moved(currency, "take-out", {"amount": amount}, key)

    def borrow(self, currency: str, amount: int, rate: int, *, key: str | None = None) -> LendingFundsTold:
        """Borrow at a rate in billionths a year."""
        return self._moved(currency, "borrow", {"amount": amount, "rate": rate}, key)

    def pay_back(self, currency: str, amount: int, rate: int, *, key: str | None = None) -> LendingFundsTold:
        """Pay back what is borrowed at a rate."""
        return self._moved(currency, "pay-back", {"amount": amount, "rate": rate}, key)

    def pay_cost(self, currency: str, amount: int, *, key: str | None = None) -> LendingFundsTold:
        """Pay what borrowed money cost."""
        return self._moved(currency, "pay-cost", {"amount": amount}, key)

    def pay_sellers(self, currency: str, amount: int, *, key: str | None = None) -> LendingFundsTold:
        """Pay for loans that were taken over."""
        return self._moved(currency, "pay-sellers", {"amount": amount}, key)

    def partner_pay_in(self, currency: str, amount: int, *, key: str | None = None) -> LendingFundsTold:
        """Let a partner of joint loans pay in."""
        return self._moved(currency, "partner-pay-in", {"amount": amount}, key)

    def pay_partner(self, currency: str, amount: int, *, key: str | None = None) -> LendingFundsTold:
        """Pay a partner of its money."""
        return self._moved(currency, "pay-partner", {"amount": amount}, key)

    def _moved(self, currency: str, what: str, body: dict[str, int], key: str | None) -> LendingFundsTold:
        return self._transport.post(f"{_PATH}/{currency}/{what}", LendingFundsTold, body, key=key)


_PATH = "/v1/lending/funds"
