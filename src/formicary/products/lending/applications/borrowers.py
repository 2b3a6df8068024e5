"""What the house says of a borrower that no transfer tells: its segment, its debts elsewhere, and a stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import numpy as np

from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import require_well_formed
from formicary.factory.identity.party import PARTY_PRODUCT, require_active_party
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.servicing.fields import Number, Rows

__all__ = ["BORROWERS", "Borrower", "BorrowerDescribed", "DescribeBorrower", "borrower_of"]

NAME: Final = "credit_borrower"

BORROWER: Final = np.dtype(
    [*AGGREGATE_HEADER, ("segment", "<u4"), ("other_debts", "<i8"), ("is_stopped", "<u8")]
)
"""What was said last; zeros of whom nothing was said."""

Sum = Annotated[int, msgspec.Meta(ge=0, le=LENDING_AMOUNT_MAX)]


class DescribeBorrower(Command, frozen=True, kw_only=True):
    """Say what is known of a party.

    ``segment`` is its trade or place by number, ``other_debts`` what its debts to others ask for in 30 days,
    in minor units, ``is_stopped`` that somebody suspects it: no application passes until that is taken back.
    """

    segment: Number
    other_debts: Sum
    is_stopped: bool


class BorrowerDescribed(DomainEvent, frozen=True, kw_only=True):
    """The house said what it knows of a party."""

    segment: Number
    other_debts: Sum
    is_stopped: bool


class Borrower(NamedTuple):
    """What the house said of a party."""

    segment: int
    other_debts: int
    is_stopped: bool


def borrower_of(context: Context, party: int) -> Borrower:
    """Return what the house said of a party, nothing against it unless it did."""
    record = context.aggregate(NAME, party)
    if record is None:
        return Borrower(0, 0, is_stopped=False)
    return Borrower(int(record["segment"]), int(record["other_debts"]), is_stopped=bool(record["is_stopped"]))


def decide(command: Command | TimerFired, _: Rows | None, context: Context) -> Decision:
    """Decide what the house says of a party."""
    require_well_formed(command)
    assert isinstance(command, DescribeBorrower)  # noqa: S101, as the manifest says
    require_active_party(context, command.subject)
    described = BorrowerDescribed(
        segment=command.segment, other_debts=command.other_debts, is_stopped=command.is_stopped
    )
    return Decision(events=[described])


def evolve(_: str, borrowers: Rows, events: Sequence[Any]) -> None:
    """Change borrowers (n,) as events (n,) say."""
    for name in ("segment", "other_debts", "is_stopped"):
        borrowers[name] = [getattr(event, name) for event in events]


BORROWERS: Final = Product(
    name=NAME,
    aggregate=BORROWER,
    commands=(DescribeBorrower,),
    events=(BorrowerDescribed,),
    decide=decide,
    evolve=evolve,
    is_columnar=True,
    neighbours=(PARTY_PRODUCT,),
)
"""What is known of borrowers by word, and not by what they did here."""
