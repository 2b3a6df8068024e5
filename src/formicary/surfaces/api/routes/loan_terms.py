"""The terms of an offer or a loan as callers write and read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from formicary.products.lending.limits import (
    SCHEDULE_AMOUNT_MAX,
    SCHEDULE_INSTALMENTS_MAX,
    SCHEDULE_PERIOD_DAYS_MAX,
    SCHEDULE_RATE_MAX,
)
from formicary.products.lending.schedules import DayCount, Unit
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import WATERFALLS, LoanKind, Owed
from formicary.surfaces.api.problems import MalformedField
from formicary.surfaces.api.routes.shared import Body, Document

__all__ = [
    "Amount",
    "DayCountName",
    "Fee",
    "Rate",
    "Share",
    "TermsBody",
    "TermsDocument",
    "kind_name",
    "terms_document",
    "terms_of_body",
]

Amount = Annotated[int, Field(ge=1, le=SCHEDULE_AMOUNT_MAX)]
Fee = Annotated[int, Field(ge=0, le=SCHEDULE_AMOUNT_MAX)]
Share = Annotated[int, Field(ge=0, le=1_000_000)]
Rate = Annotated[int, Field(ge=0, le=SCHEDULE_RATE_MAX)]
DayCountName = Literal[
    "thirty_360", "actual_360", "actual_364", "actual_365", "actual_actual", "actual_actual_31_december"
]
_Part = Literal["fees", "interest", "principal"]
_KINDS: Final = {"line": LoanKind.LINE, "instalments": LoanKind.INSTALMENT}
_NAMES: Final = {int(kind): name for name, kind in _KINDS.items()}
_USUAL: Final[tuple[_Part, ...]] = ("fees", "interest", "principal")
_ORDER: Final = "an order names fees, interest and principal, once each"


class TermsBody(Body):
    """What is agreed besides the amount: rates in billionths a year, shares in millionths, minor units.

    ``share`` of what is drawn on a line falls due each period; ``grace`` first instalments pay no
    principal, and ``balloon`` of it stays for the last one.
    """

    kind: Literal["line", "instalments"]
    rate: Rate
    instalments: Annotated[int, Field(ge=0, le=SCHEDULE_INSTALMENTS_MAX)] = 0
    every: Annotated[int, Field(ge=1, le=SCHEDULE_PERIOD_DAYS_MAX)] = 1
    unit: Literal["days", "weeks", "months"] = "months"
    day_count: DayCountName = "thirty_360"
    level: bool = True
    fee: Fee = 0
    draw_fee: Fee = 0
    share: Share = 0
    grace: Annotated[int, Field(ge=0, le=SCHEDULE_INSTALMENTS_MAX)] = 0
    balloon: Fee = 0
    waterfall: list[_Part] = Field(default=list(_USUAL), min_length=3, max_length=3)


class TermsDocument(Document):
    """What is agreed; ``instalments`` are those that are left."""

    kind: str
    rate: int
    instalments: int
    every: int
    unit: str
    day_count: str
    level: bool
    fee: int
    draw_fee: int
    share: int
    grace: int
    balloon: int
    waterfall: list[str]


def terms_of_body(body: TermsBody) -> LoanTerms:
    """Return the terms of a body."""
    order = tuple(Owed[part.upper()] for part in body.waterfall)
    if order not in WATERFALLS:
        raise MalformedField(_ORDER, param="terms.waterfall")
    same = ("rate", "instalments", "every", "fee", "draw_fee", "share", "grace", "balloon")
    return LoanTerms(
        kind=_KINDS[body.kind],
        unit=Unit[body.unit.upper()],
        day_count=DayCount[body.day_count.upper()],
        is_level=body.level,
        waterfall=WATERFALLS.index(order),
        **{name: getattr(body, name) for name in same},
    )


def terms_document(fields: Mapping[str, Any]) -> TermsDocument:
    """Return the terms of an offer's or a loan's fields."""
    same = ("rate", "every", "fee", "draw_fee", "share", "grace", "balloon")
    return TermsDocument(
        kind=kind_name(fields["kind"]),
        instalments=fields["left"],
        unit=Unit(fields["unit"]).name.lower(),
        day_count=DayCount(fields["day_count"]).name.lower(),
        level=bool(fields["is_level"]),
        waterfall=[part.name.lower() for part in WATERFALLS[fields["waterfall"]]],
        **{name: fields[name] for name in same},
    )


def kind_name(kind: int) -> str:
    """Return the word of a kind of loan."""
    return _NAMES[kind]
