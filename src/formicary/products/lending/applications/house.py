"""What a house says of its lending, kept as events: without it nothing is lent.

``SetCreditPolicy`` says all of it at once, for one currency, and counts versions. A decision names the
version that it was taken by. What is in force is an aggregate of its own.

What there is to lend from it does not say: own funds and cash are on the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import MalformedCommand, derive_id, require_well_formed
from formicary.products.lending.applications import refusals
from formicary.products.lending.applications.settings import (
    BANDS_MAX,
    CAPITAL_SETTINGS,
    CLOSE_SETTINGS,
    CREDIT_SETTINGS,
    TEXT_BYTES,
    Band,
    CreditorWords,
    HouseSettings,
    completed,
    findings,
    policies,
)
from formicary.products.lending.servicing.close_rules import CloseRules
from formicary.products.lending.servicing.fields import CurrencyNumber, LoanTerms, Rows
from formicary.products.lending.servicing.postings import HOUSE
from formicary.products.lending.underwriting.capital import CapitalPolicy
from formicary.products.lending.underwriting.policy import CreditPolicy

__all__ = [
    "HOUSES",
    "HOUSES_PRODUCT",
    "POLICIES_PRODUCT",
    "CreditPolicySet",
    "House",
    "PolicyCounted",
    "SetCreditPolicy",
    "close_rules_of",
    "house_id",
    "house_of",
    "told_house",
]

HOUSES: Final = "credit_house"
"""The product of what is in force."""

POLICIES: Final = "credit_policy"
"""The product of what is said."""

_TERMS: Final = LoanTerms.__struct_fields__
_TEXTS: Final = CreditorWords.__struct_fields__
_USUAL_CLOSE: Final[dict[str, int]] = msgspec.to_builtins(CloseRules())
_MARK: Final = 1 << 32
# Of each kind a record has room for so many settings: one that comes later changes no layout.
_ROOM: Final = 32

CREDIT_HOUSE: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("version", "<u4"),
        ("currency", "<u4"),
        ("bands", "<u4"),
        ("loss", "<u4"),
        ("frauds_max", "<u4"),
        ("partner_share", "<u4"),
        ("band_defaults", "<i8", (BANDS_MAX,)),
        ("band_sales", "<i8", (BANDS_MAX,)),
        ("credit", "<i8", (_ROOM,)),
        ("capital", "<i8", (_ROOM,)),
        ("terms", "<i8", (_ROOM,)),
        *((name, "u1", (TEXT_BYTES,)) for name in _TEXTS),
        ("close", "<i8", (_ROOM,)),
    ]
)
"""The settings of a currency; texts are their bytes in UTF-8, with zeros after them."""

Version = Annotated[int, msgspec.Meta(ge=1, le=2**31)]


CREDIT_POLICY: Final = np.dtype([*AGGREGATE_HEADER, ("version", "<u4")])
"""How many versions there were for a currency."""


class SetCreditPolicy(Command, frozen=True, kw_only=True):
    """Say by what the house lends in a currency from now on; ``subject`` is ``house_id``'s."""

    currency: CurrencyNumber
    settings: HouseSettings


class CreditPolicySet(DomainEvent, frozen=True, kw_only=True):
    """The house lends by these settings."""

    currency: CurrencyNumber
    version: Version
    settings: HouseSettings


class PolicyCounted(DomainEvent, frozen=True, kw_only=True):
    """There is another version."""

    version: Version


@dataclass(frozen=True, kw_only=True)
class House:
    """A house's settings as they are in force.

    Attributes
    ----------
    version, currency
        Which they are, and of what.
    credit, capital
        The policies.
    settings
        All of them, with nothing left to a default.
    """

    version: int
    currency: int
    credit: CreditPolicy
    capital: CapitalPolicy
    settings: HouseSettings


def house_id(currency: int) -> int:
    """Return the id under which the settings of a currency are kept, by its ISO 4217 number."""
    return derive_id(HOUSE, _MARK | currency)


def house_of(context: Context, currency: int) -> House:
    """Return by what the house lends in a currency now.

    Raises
    ------
    CreditHouseMissing
        It has not said so.
    """
    record = context.aggregate(HOUSES, house_id(currency))
    if record is None or not record["version"]:
        raise refusals.CreditHouseMissing
    return told_house({name: record[name].tolist() for name in record.dtype.names or ()})


def close_rules_of(context: Context, currency: int) -> CloseRules | None:
    """Return by what rules dates are closed in a currency now, None where the house has not said so."""
    record = context.aggregate(HOUSES, house_id(currency))
    if record is None or not record["version"]:
        return None
    return CloseRules(**dict(zip(CLOSE_SETTINGS, record["close"].tolist(), strict=False)))


def told_house(fields: dict[str, Any]) -> House:
    """Return the house of an aggregate's fields, arrays as lists."""
    terms: dict[str, Any] = dict(zip(_TERMS, fields["terms"], strict=False))
    bands = zip(fields["band_defaults"], fields["band_sales"], strict=True)
    settings = HouseSettings(
        bands=[Band(default=default, sales=sales) for default, sales in bands][: fields["bands"]],
        terms=LoanTerms(**terms | {"is_level": bool(terms["is_level"])}),
        creditor=CreditorWords(**{name: _text(fields[name]) for name in _TEXTS}),
        credit=dict(zip(CREDIT_SETTINGS, fields["credit"], strict=False)),
        capital=dict(zip(CAPITAL_SETTINGS, fields["capital"], strict=False)),
        close=dict(zip(CLOSE_SETTINGS, fields["close"], strict=False)),
        loss=fields["loss"],
        frauds_max=fields["frauds_max"],
        partner_share=fields["partner_share"],
    )
    credit, capital = policies(settings, fields["currency"])
    return House(
        version=fields["version"],
        currency=fields["currency"],
        credit=credit,
        capital=capital,
        settings=settings,
    )


def decide(command: Command | TimerFired, record: Rows | None, _: Context) -> Decision:
    """Decide what a house says of its lending."""
    require_well_formed(command)
    assert isinstance(command, SetCreditPolicy)  # noqa: S101, as the manifest says
    if command.subject != house_id(command.currency):
        raise MalformedCommand
    if wrong := findings(command.settings, command.currency):
        raise refusals.CreditHouseMalformed("; ".join(wrong))
    version = 1 if record is None else int(record["version"]) + 1
    event = CreditPolicySet(
        currency=command.currency,
        version=version,
        settings=completed(command.settings, command.currency),
    )
    return Decision(
        events=[PolicyCounted(version=version)],
        consequences=[Consequence(product=HOUSES, subject=command.subject, event=event)],
        answer={"version": version},
    )


def evolve(_: str, houses: Rows, events: Sequence[Any]) -> None:
    """Change houses (n,) as events (n,) say."""
    for house, event in zip(houses, events, strict=True):
        settings = event.settings
        house["version"], house["currency"] = event.version, event.currency
        for name in ("loss", "frauds_max", "partner_share"):
            house[name] = getattr(settings, name)
        house["bands"] = len(settings.bands)
        for field, name in (("band_defaults", "default"), ("band_sales", "sales")):
            bands = [getattr(band, name) for band in settings.bands]
            house[field] = bands + [0] * (BANDS_MAX - len(bands))
        numbers = {
            "credit": [settings.credit.get(name, 0) for name in CREDIT_SETTINGS],
            "capital": [settings.capital.get(name, 0) for name in CAPITAL_SETTINGS],
            # What was said before there were such rules leaves all of them to their defaults.
            "close": [settings.close.get(name, usual) for name, usual in _USUAL_CLOSE.items()],
            "terms": [int(getattr(settings.terms, name)) for name in _TERMS],
        }
        for field, told in numbers.items():
            house[field][: len(told)] = told
        for name in _TEXTS:
            text = getattr(settings.creditor, name).encode()[:TEXT_BYTES]
            house[name] = np.frombuffer(text.ljust(TEXT_BYTES, b"\0"), np.uint8)


def _decide_nothing(_: Command | TimerFired, __: Rows | None, ___: Context) -> Decision:
    """Refuse: what is in force follows from what is said."""
    raise MalformedCommand


def _count(_: str, policies_: Rows, events: Sequence[Any]) -> None:
    policies_["version"] = [event.version for event in events]


HOUSES_PRODUCT: Final = Product(
    name=HOUSES,
    aggregate=CREDIT_HOUSE,
    commands=(),
    events=(CreditPolicySet,),
    decide=_decide_nothing,
    evolve=evolve,
)
"""The settings that are in force, by currency."""


POLICIES_PRODUCT: Final = Product(
    name=POLICIES,
    aggregate=CREDIT_POLICY,
    commands=(SetCreditPolicy,),
    events=(PolicyCounted,),
    decide=decide,
    evolve=_count,
    neighbours=(HOUSES_PRODUCT,),
)
"""What sets them."""


def _text(numbers: Sequence[int]) -> str:
    return bytes(numbers).rstrip(b"\0").decode(errors="replace")
