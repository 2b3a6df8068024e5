"""By what a house lends in a currency: policies of credit and capital, terms, who it is, rules of the close.

What is set stands in the journal whole, with everything that was left to its default: a default that changes
in a later release changes no policy that is in force.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec

from formicary.base.currencies import currency_of_ledger
from formicary.base.errors import Refusal
from formicary.factory.engine.house_documents import HOUSE_DOCUMENT
from formicary.products.lending.millionths import MILLION
from formicary.products.lending.schedules import DayCount
from formicary.products.lending.servicing.close_rules import CloseRules
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import LoanKind
from formicary.products.lending.underwriting.capital import CapitalPolicy
from formicary.products.lending.underwriting.errors import CreditPolicyMalformed
from formicary.products.lending.underwriting.notice import Creditor
from formicary.products.lending.underwriting.policy import CreditPolicy, TurnoverBand

__all__ = [
    "BANDS_MAX",
    "CAPITAL_SETTINGS",
    "CLOSE_SETTINGS",
    "CREDIT_SETTINGS",
    "TEXT_BYTES",
    "Band",
    "CreditorWords",
    "HouseSettings",
    "completed",
    "creditor_of",
    "findings",
    "policies",
]

BANDS_MAX: Final = 16
"""Bands of sales by the chance of default: rating scales have about as many grades."""

TEXT_BYTES: Final = 240
"""Bytes of a name or an address in UTF-8: four lines of it."""

CREDIT_SETTINGS: Final = tuple(
    one.name for one in dataclasses.fields(CreditPolicy) if one.name not in ("currency", "bands")
)
"""The whole numbers of a credit policy, in the order in which records keep them."""

CAPITAL_SETTINGS: Final = tuple(one.name for one in dataclasses.fields(CapitalPolicy))
"""Those of a capital policy."""

CLOSE_SETTINGS: Final = CloseRules.__struct_fields__
"""Those of the rules of a close."""

Whole = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
SettingName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*\Z", max_length=64)]
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]*\Z", max_length=TEXT_BYTES), HOUSE_DOCUMENT]


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """How much of its sales a party may owe, up to a chance of default; millionths, as ``TurnoverBand``."""

    default: Whole
    sales: Whole


class CreditorWords(msgspec.Struct, frozen=True, kw_only=True):
    """Who lends, for notices; see ``Creditor``."""

    name: Text
    address: Text
    appeal: Text
    agency: Text = ""


class HouseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All that a house says of its lending in a currency.

    Attributes
    ----------
    bands
        Of sales, ascending by the chance of default.
    terms
        Of the loans that are offered, but for their rate, which is the price.
    creditor
        Who lends.
    credit, capital, close
        Settings of ``CreditPolicy``, ``CapitalPolicy`` and ``CloseRules`` by name; those left out have their
        defaults.
    loss
        The loss given default, in millionths, while no model tells it.
    partner_share
        What a partner carries of loans that are accepted from now on, in millionths.
    frauds_max
        How many frauds may have been told of payments to a party in a year before the check stops it.
    """

    bands: Annotated[list[Band], msgspec.Meta(max_length=BANDS_MAX)]
    terms: LoanTerms
    creditor: CreditorWords
    credit: Annotated[dict[SettingName, Whole], msgspec.Meta(max_length=64)] = {}
    capital: Annotated[dict[SettingName, Whole], msgspec.Meta(max_length=64)] = {}
    close: Annotated[dict[SettingName, Whole], msgspec.Meta(max_length=64)] = {}
    loss: Annotated[int, msgspec.Meta(ge=0, le=MILLION)] = 450_000
    partner_share: Annotated[int, msgspec.Meta(ge=0, le=MILLION)] = 0
    frauds_max: Annotated[int, msgspec.Meta(ge=0, le=10**6)] = 0

    @property
    def retained(self) -> int:
        """What the house keeps of its loans, in millionths."""
        return MILLION - self.partner_share


def findings(settings: HouseSettings, currency: int) -> list[str]:
    """Return everything that is wrong with what a house says, for a currency by its ISO 4217 number."""
    return list(_findings(settings, currency))


def policies(settings: HouseSettings, currency: int) -> tuple[CreditPolicy, CapitalPolicy]:
    """Return the policies of settings that have no findings."""
    credit: dict[str, Any] = dict(settings.credit)
    bands = tuple(
        TurnoverBand(default_millionths=one.default, sales_millionths=one.sales) for one in settings.bands
    )
    told = CreditPolicy(currency=currency_of_ledger(currency).code, bands=bands, **credit)
    return told, CapitalPolicy(**settings.capital)


def completed(settings: HouseSettings, currency: int) -> HouseSettings:
    """Return settings without findings with every default in its place."""
    credit, capital = policies(settings, currency)
    return msgspec.structs.replace(
        settings,
        credit={name: getattr(credit, name) for name in CREDIT_SETTINGS},
        capital={name: getattr(capital, name) for name in CAPITAL_SETTINGS},
        close=msgspec.to_builtins(CloseRules(**settings.close)),
    )


def creditor_of(words: CreditorWords) -> Creditor:
    """Return who lends as notices tell it."""
    return Creditor(name=words.name, address=words.address, appeal=words.appeal, agency=words.agency)


def _findings(settings: HouseSettings, currency: int) -> Iterator[str]:
    try:
        currency_of_ledger(currency)
    except Refusal as refusal:
        yield str(refusal)
        return
    unknown = [*_unknown(settings.credit, CREDIT_SETTINGS), *_unknown(settings.capital, CAPITAL_SETTINGS)]
    yield from (f"there is no setting {name}" for name in unknown)
    if not unknown:
        yield from _of_policies(settings, currency)
    yield from _of_close(settings.close)
    yield from _of_terms(settings.terms)
    for name in ("name", "address", "appeal", "agency"):
        text = getattr(settings.creditor, name)
        if name != "agency" and not text.strip():
            yield f"the creditor has no {name}"
        if len(text.encode()) > TEXT_BYTES:
            yield f"the creditor's {name} has more than {TEXT_BYTES} bytes"


def _unknown(given: Mapping[str, int], known: tuple[str, ...]) -> list[str]:
    return sorted(set(given) - set(known))


def _of_policies(settings: HouseSettings, currency: int) -> Iterator[str]:
    # One after the other, so that what is wrong with each is told.
    parts = (
        msgspec.structs.replace(settings, capital={}),
        msgspec.structs.replace(settings, credit={}, bands=[Band(default=1, sales=1)]),
    )
    for part in parts:
        try:
            _, capital = policies(part, currency)
        except CreditPolicyMalformed as malformed:
            yield str(malformed)
            continue
        if part.capital == settings.capital and settings.retained < capital.retained_min_millionths:
            yield f"of a joint loan the house keeps {capital.retained_min_millionths} millionths at least"


def _of_close(close: Mapping[str, int]) -> Iterator[str]:
    yield from (f"the close has no setting {name}" for name in _unknown(close, CLOSE_SETTINGS))
    # One after the other, so that what is wrong with each is told.
    for name in CLOSE_SETTINGS:
        try:
            msgspec.convert({name: close[name]} if name in close else {}, CloseRules)
        except msgspec.ValidationError as error:
            yield f"the rules of the close: {error}"


def _of_terms(terms: LoanTerms) -> Iterator[str]:
    if terms.rate:
        yield "the terms have no rate: it is the price of each loan"
    if terms.day_count != DayCount.ACTUAL_365:
        yield "days are counted as actual/365, as prices are by the day"
    if (terms.kind == LoanKind.LINE) != (terms.instalments == 0):
        yield "an instalment loan has instalments, and a line has none"
    if terms.kind == LoanKind.LINE and not terms.share:
        yield "of a line a share falls due each period"
