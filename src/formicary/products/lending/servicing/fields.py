"""Bounded numbers of lending's commands, events and columns."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
import numpy.typing as npt

from formicary.base.limits import CIVIL_DAY_MAX
from formicary.factory.engine.columns import IDS, Column
from formicary.products.lending.limits import (
    SCHEDULE_AMOUNT_MAX,
    SCHEDULE_DAYS_MAX,
    SCHEDULE_INSTALMENTS_MAX,
    SCHEDULE_PERIOD_DAYS_MAX,
    SCHEDULE_RATE_MAX,
)
from formicary.products.lending.servicing.layout import WATERFALLS, Origin

__all__ = [
    "AMOUNTS",
    "LOST",
    "Amount",
    "AmountColumn",
    "Believed",
    "CurrencyNumber",
    "Day",
    "HexId",
    "IdColumn",
    "Instalments",
    "LoanTerms",
    "Millionths",
    "Number",
    "Rows",
    "Time",
    "id_of",
    "put_ids",
]

Rows = npt.NDArray[Any]

_WORD: Final = 2**64 - 1
_DAY_MAX: Final = CIVIL_DAY_MAX - SCHEDULE_DAYS_MAX

AMOUNTS: Final = Column("<i8", like=(0, 1, 500_00))
"""Minor units, one of each loan."""

LOST: Final = Column("<u1", like=(0, 1))
"""1 of each loan of which the loss is taken."""

AmountColumn = Annotated[str, AMOUNTS.meta]
IdColumn = Annotated[str, IDS.meta]
HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=SCHEDULE_AMOUNT_MAX)]
Day = Annotated[int, msgspec.Meta(ge=1, le=_DAY_MAX)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
CurrencyNumber = Annotated[int, msgspec.Meta(ge=1, le=999)]
Millionths = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
Instalments = Annotated[int, msgspec.Meta(ge=0, le=SCHEDULE_INSTALMENTS_MAX)]


class LoanTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What is agreed of a loan besides its amount; see ``layout.LOAN`` for the units.

    Attributes
    ----------
    kind
        By the number of ``LoanKind``.
    rate
        Interest a year, in billionths.
    instalments
        How many; 0 of a line.
    every, unit
        Something falls due every so many days, weeks or months, by the number of ``Unit``.
    day_count
        By the number of ``DayCount``.
    is_level
        Whether instalments are equal with their interest; else their principal is.
    fee, draw_fee
        Minor units, of each instalment or period, and of each draw; none but these is asked for.
    share
        Of what is drawn on a line, what falls due each period, in millionths.
    waterfall
        The order of payments, by its place in ``WATERFALLS``.
    grace
        So many first instalments of an instalment loan pay interest and no principal.
    balloon
        Minor units of the principal of an instalment loan that stay for the last instalment.
    """

    kind: Annotated[int, msgspec.Meta(ge=1, le=2)]
    rate: Annotated[int, msgspec.Meta(ge=0, le=SCHEDULE_RATE_MAX)]
    instalments: Instalments = 0
    every: Annotated[int, msgspec.Meta(ge=1, le=SCHEDULE_PERIOD_DAYS_MAX)] = 1
    unit: Annotated[int, msgspec.Meta(ge=0, le=2)] = 2
    day_count: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    is_level: bool = True
    fee: Amount = 0
    draw_fee: Amount = 0
    share: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    waterfall: Annotated[int, msgspec.Meta(ge=0, le=len(WATERFALLS) - 1)] = 0
    grace: Instalments = 0
    balloon: Amount = 0

    def put(self, records: Rows) -> None:
        """Write them into records that have a loan's fields."""
        for name in self.__struct_fields__:
            records["left" if name == "instalments" else name] = getattr(self, name)


class Believed(msgspec.Struct, frozen=True, kw_only=True):
    """What was believed of a party when credit was offered; see ``layout.BELIEVED``."""

    default: Millionths = 0
    loss: Millionths = 0
    segment: Number = 0
    origin: Annotated[int, msgspec.Meta(ge=0, le=int(max(Origin)))] = 0

    def put(self, records: Rows) -> None:
        """Write it into records of offers or loans."""
        for name in self.__struct_fields__:
            records[name] = getattr(self, name)

    @classmethod
    def of(cls, record: Rows) -> Believed:
        """Return what a record, shape (), says."""
        return cls(**{name: int(record[name]) for name in cls.__struct_fields__})


def id_of(record: Rows, name: str) -> int:
    """Return a 128-bit id of a record, shape ()."""
    return (int(record[f"{name}_high"]) << 64) | int(record[f"{name}_low"])


def put_ids(records: Rows, name: str, ids: list[str]) -> None:
    """Write ids (n,) into records (n,)."""
    numbers = [int(text, 16) for text in ids]
    records[f"{name}_high"] = [number >> 64 for number in numbers]
    records[f"{name}_low"] = [number & _WORD for number in numbers]
