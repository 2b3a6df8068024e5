"""``/v1/credit/policies``: by what the house lends in a currency; and what it says of borrowers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter
from pydantic import Field

from formicary.base.currencies import currency_of_ledger
from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.products.lending.applications.borrowers import BORROWERS, DescribeBorrower
from formicary.products.lending.applications.house import HOUSES, SetCreditPolicy, house_id, told_house
from formicary.products.lending.applications.refusals import CreditHouseMalformed
from formicary.products.lending.applications.settings import (
    BANDS_MAX,
    TEXT_BYTES,
    Band,
    CreditorWords,
    HouseSettings,
    findings,
)
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.millionths import MILLION
from formicary.products.lending.product import POLICIES
from formicary.surfaces.api.problems import MalformedField, NotFound
from formicary.surfaces.api.routes.loan_terms import (
    DayCountName,
    Rate,
    TermsBody,
    TermsDocument,
    terms_document,
    terms_of_body,
)
from formicary.surfaces.api.routes.shared import Asked, Body, Document, Id, read_currency, read_path_id

__all__ = ["router"]

router: Final = APIRouter(prefix="/v1/credit", tags=["credit"])

Share = Annotated[int, Field(ge=0, le=MILLION)]
Whole = Annotated[int, Field(ge=0, le=10**15)]
Text = Annotated[str, Field(max_length=TEXT_BYTES)]


class BandBody(Body):
    """How much of its sales of 30 days a party may owe, up to a chance of default; in millionths."""

    default: Whole
    sales: Whole


class CreditorBody(Body):
    """Who lends, for notices: where to appeal, and who supervises equal credit, if anybody does."""

    name: Text
    address: Text
    appeal: Text
    agency: Text = ""


class PolicyTermsBody(TermsBody):
    """Terms of the loans that are offered, but for their rate, which is the price of each, by the day."""

    rate: Rate = 0
    day_count: DayCountName = "actual_365"


class PolicyBody(Body):
    """All that the house says of its lending in a currency; amounts in minor units, shares in millionths.

    ``credit``, ``capital`` and ``close`` are settings by name; those left out have their defaults.
    """

    currency: str
    bands: list[BandBody] = Field(max_length=BANDS_MAX)
    terms: PolicyTermsBody
    creditor: CreditorBody
    credit: dict[str, Whole] = Field(default_factory=dict, max_length=64)
    capital: dict[str, Whole] = Field(default_factory=dict, max_length=64)
    close: dict[str, Whole] = Field(default_factory=dict, max_length=64)
    loss: Share = 450_000
    frauds_max: Annotated[int, Field(ge=0, le=10**6)] = 0
    partner_share: Share = 0


class PolicyDocument(Document):
    """The settings in force, none left to a default, and which version they are."""

    currency: str
    version: int
    bands: list[dict[str, int]]
    terms: TermsDocument
    creditor: dict[str, str]
    credit: dict[str, int]
    capital: dict[str, int]
    close: dict[str, int]
    loss: int
    frauds_max: int
    partner_share: int


class BorrowerBody(Body):
    """What is known of a party by word: its trade or place, its debts elsewhere in 30 days, a suspicion."""

    segment: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    other_debts: Annotated[int, Field(ge=0, le=LENDING_AMOUNT_MAX)] = 0
    stopped: bool = False


class BorrowerDocument(Document):
    """What was said of a party last."""

    party: str
    segment: int
    other_debts: int
    stopped: bool


@router.post("/policies", status_code=HTTPStatus.CREATED)
async def set_policy(body: PolicyBody, asked: Asked) -> PolicyDocument:
    """Say by what the house lends in a currency from now on; all that is wrong with it is told at once."""
    asked.key_of_the_house(Scope.LENDING_WRITE)
    number, settings = read_currency(body.currency), _settings(body)
    if wrong := findings(settings, number):
        raise CreditHouseMalformed("; ".join(wrong))
    command = SetCreditPolicy(subject=house_id(number), currency=number, settings=settings)
    await asked.services.command(POLICIES.name, command, principal=asked.principal, key=asked.key)
    return await _document(asked, number)


@router.get("/policies/{currency_code}")
async def get_policy(currency_code: str, asked: Asked) -> PolicyDocument:
    """Show by what the house lends in a currency; for the house's keys only."""
    asked.key_of_the_house(Scope.LENDING_READ)
    return await _document(asked, read_currency(currency_code))


@router.post("/borrowers/{party_id}")
async def describe_borrower(party_id: Id, body: BorrowerBody, asked: Asked) -> BorrowerDocument:
    """Say what is known of a party by word; for the house's keys only."""
    asked.key_of_the_house(Scope.LENDING_WRITE)
    party = read_path_id(Prefix.PARTY, party_id)
    await asked.services.aggregate(PARTY_PRODUCT.name, party)
    command = DescribeBorrower(
        subject=party, segment=body.segment, other_debts=body.other_debts, is_stopped=body.stopped
    )
    await asked.services.command(BORROWERS.name, command, principal=asked.principal, key=asked.key)
    return await _borrower(asked, party)


@router.get("/borrowers/{party_id}")
async def get_borrower(party_id: Id, asked: Asked) -> BorrowerDocument:
    """Show what was said of a party; for the house's keys only."""
    asked.key_of_the_house(Scope.LENDING_READ)
    return await _borrower(asked, read_path_id(Prefix.PARTY, party_id))


def _settings(body: PolicyBody) -> HouseSettings:
    made = HouseSettings(
        bands=[Band(default=one.default, sales=one.sales) for one in body.bands],
        terms=terms_of_body(body.terms),
        creditor=CreditorWords(**body.creditor.model_dump()),
        credit=body.credit,
        capital=body.capital,
        close=body.close,
        loss=body.loss,
        frauds_max=body.frauds_max,
        partner_share=body.partner_share,
    )
    try:
        # The names of settings and the words of a creditor have a form of their own.
        return msgspec.convert(msgspec.to_builtins(made), HouseSettings)
    except msgspec.ValidationError as error:
        raise MalformedField(str(error), param="settings") from error


async def _document(asked: Asked, number: int) -> PolicyDocument:
    found = (await asked.services.backend.aggregates(HOUSES, [house_id(number)]))[0]
    if found is None:
        raise NotFound
    house = told_house(found)
    settings: dict[str, Any] = msgspec.to_builtins(house.settings)
    terms = settings["terms"]
    return PolicyDocument(
        currency=currency_of_ledger(number).code,
        version=house.version,
        bands=settings["bands"],
        terms=terms_document({**terms, "left": terms["instalments"]}),
        creditor=settings["creditor"],
        credit=settings["credit"],
        capital=settings["capital"],
        close=settings["close"],
        loss=house.settings.loss,
        frauds_max=house.settings.frauds_max,
        partner_share=house.settings.partner_share,
    )


async def _borrower(asked: Asked, party: int) -> BorrowerDocument:
    found = (await asked.services.backend.aggregates(BORROWERS.name, [party]))[0]
    if found is None:
        raise NotFound
    return BorrowerDocument(
        party=encode(Prefix.PARTY, party),
        segment=found["segment"],
        other_debts=found["other_debts"],
        stopped=bool(found["is_stopped"]),
    )
