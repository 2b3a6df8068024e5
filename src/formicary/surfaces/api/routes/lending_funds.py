"""``/v1/lending/funds``: own funds, borrowed money and cash to lend from, for the house."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import Field

from formicary.base.civil import date_text
from formicary.base.scopes import Scope
from formicary.factory.engine.products import Command
from formicary.products.lending.funding.funds import EQUITY
from formicary.products.lending.funding.schemas import (
    Borrow,
    PayBack,
    PayFundingCost,
    PayInOwnFunds,
    PayInPartner,
    PayPartner,
    PaySellers,
    TakeOutOwnFunds,
)
from formicary.products.lending.limits import FUNDING_AMOUNT_MAX, FUNDING_RATE_MAX
from formicary.products.lending.product import FUNDING_PRODUCT
from formicary.products.lending.servicing.postings import HOUSE_ACCOUNTS, LoanAccount, house_account_id
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, read_currency
from formicary.surfaces.api.routes.shared import currency_code as code_of

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/lending/funds", tags=["lending"])

Amount = Annotated[int, Field(ge=1, le=FUNDING_AMOUNT_MAX)]


class AmountBody(Body):
    """So much, in minor units."""

    amount: Amount


class BorrowedBody(Body):
    """So much, in minor units, at a rate in billionths a year of 365 days."""

    amount: Amount
    rate: Annotated[int, Field(ge=0, le=FUNDING_RATE_MAX)]


class BorrowedDocument(Document):
    """What is borrowed at a rate in billionths a year."""

    rate: int
    amount: int


class FundsDocument(Document):
    """What there is to lend from in a currency, in minor units, as the ledger has it.

    ``own_funds`` are what was ``paid_in`` and what was ``earned`` since, less what was lost and spent;
    ``cost_payable`` is what borrowed money cost until the end of ``accounted_until`` and was not paid yet,
    ``sellers_payable`` what is owed for loans that were taken over; ``client_money`` is what went into
    wallets and did not come back. Of joint loans ``participation`` is what a partner carries, and ``partner``
    its money in cash: not lent yet, paid back, or earned.
    """

    currency: str
    own_funds: int
    paid_in: int
    earned: int
    borrowed: int
    borrowings: list[BorrowedDocument]
    cost_payable: int
    sellers_payable: int
    cash: int
    client_money: int
    partner: int
    participation: int
    accounted_until: str


@router.get("/{currency_code}")
async def get_funds(currency_code: str, asked: Asked) -> FundsDocument:
    """Show what there is to lend from; for the house's keys only."""
    asked.key_of_the_house(Scope.LENDING_READ)
    return await _document(asked, read_currency(currency_code))


@router.post("/{currency_code}/pay-in")
async def pay_in(currency_code: str, body: AmountBody, asked: Asked) -> FundsDocument:
    """Pay own funds in; for the house's keys only."""
    return await _done(asked, currency_code, PayInOwnFunds, body)


@router.post("/{currency_code}/take-out")
async def take_out(currency_code: str, body: AmountBody, asked: Asked) -> FundsDocument:
    """Take own funds out; for the house's keys only."""
    return await _done(asked, currency_code, TakeOutOwnFunds, body)


@router.post("/{currency_code}/borrow")
async def borrow(currency_code: str, body: BorrowedBody, asked: Asked) -> FundsDocument:
    """Borrow at a rate; for the house's keys only."""
    return await _done(asked, currency_code, Borrow, body)


@router.post("/{currency_code}/pay-back")
async def pay_back(currency_code: str, body: BorrowedBody, asked: Asked) -> FundsDocument:
    """Pay back what is borrowed at a rate; for the house's keys only."""
    return await _done(asked, currency_code, PayBack, body)


@router.post("/{currency_code}/pay-cost")
async def pay_cost(currency_code: str, body: AmountBody, asked: Asked) -> FundsDocument:
    """Pay what borrowed money cost; for the house's keys only."""
    return await _done(asked, currency_code, PayFundingCost, body)


@router.post("/{currency_code}/pay-sellers")
async def pay_sellers(currency_code: str, body: AmountBody, asked: Asked) -> FundsDocument:
    """Pay for loans that were taken over; for the house's keys only."""
    return await _done(asked, currency_code, PaySellers, body)


@router.post("/{currency_code}/partner-pay-in")
async def partner_pay_in(currency_code: str, body: AmountBody, asked: Asked) -> FundsDocument:
    """Let a partner of joint loans pay in; for the house's keys only."""
    return await _done(asked, currency_code, PayInPartner, body)


@router.post("/{currency_code}/pay-partner")
async def pay_partner(currency_code: str, body: AmountBody, asked: Asked) -> FundsDocument:
    """Pay a partner of its money; for the house's keys only."""
    return await _done(asked, currency_code, PayPartner, body)


async def _done(asked: Caller, currency_code: str, kind: type[Command], body: Body) -> FundsDocument:
    asked.key_of_the_house(Scope.LENDING_WRITE)
    command = kind(subject=read_currency(currency_code), **body.model_dump())
    await asked.services.command(FUNDING_PRODUCT.name, command, principal=asked.principal, key=asked.key)
    return await _document(asked, command.subject)


async def _document(asked: Caller, number: int) -> FundsDocument:
    fields = await asked.services.aggregate(FUNDING_PRODUCT.name, number)
    held = await _held(asked, number)
    own_funds = -sum(held[code] for code in EQUITY)
    borrowings = zip(fields["rates"], fields["balances"], strict=True)
    return FundsDocument(
        currency=code_of(number),
        own_funds=own_funds,
        paid_in=-held[LoanAccount.PAID_IN],
        earned=own_funds + held[LoanAccount.PAID_IN],
        borrowed=-held[LoanAccount.BORROWED],
        borrowings=[
            BorrowedDocument(rate=rate, amount=amount) for rate, amount in sorted(borrowings) if amount
        ],
        cost_payable=-held[LoanAccount.FUNDING_PAYABLE],
        sellers_payable=-held[LoanAccount.TAKEOVERS],
        cash=held[LoanAccount.CASH],
        client_money=held[LoanAccount.CLIENT_MONEY],
        partner=-held[LoanAccount.PARTNER],
        participation=-held[LoanAccount.PARTICIPATION],
        accounted_until=date_text(fields["until"]),
    )


async def _held(asked: Caller, number: int) -> dict[LoanAccount, int]:
    """Return debits less credits of each of the house's accounts in a currency."""
    ids = [house_account_id(code, number) for code in HOUSE_ACCOUNTS]
    found: Any = await asked.services.backend.lookup_accounts(ids)
    balances = (found["debits_posted"] - found["credits_posted"]).tolist()
    open_now = dict(zip(found["code"].tolist(), balances, strict=True))
    return {code: open_now.get(code, 0) for code in HOUSE_ACCOUNTS}
