"""An invented town that borrows for a year: who is paid when, who draws what, and who stops paying.

Nobody here decides on credit. People take what they are offered, spend it, are paid their wages into their
wallets, and what falls due is collected from there. Some lose their work: of those, some find other work.

Everything about a borrower follows from the town's name and the borrower's number, so that a replay asks for
the same again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from formicary.economy.names import named_id
from formicary.products.lending.servicing.fields import LoanTerms
from formicary.products.lending.servicing.layout import LoanKind
from formicary.products.payments.postings import account_id

__all__ = ["Borrower", "borrowers"]

_DRAWING_DAYS: Final = 60
_AGAIN_DAYS: Final = 80
"""Between what falls due each month."""
_STOP_PERCENT: Final = 9
_BACK_PERCENT: Final = 40
_WAGES_PERCENT: Final = 130
"""Of an instalment is left of the wages for it: a month without wages cannot be made up for soon."""

_TERMS: Final = (
    LoanTerms(kind=LoanKind.INSTALMENT, rate=95_000_000, instalments=10),
    LoanTerms(kind=LoanKind.INSTALMENT, rate=140_000_000, instalments=8, is_level=False),
    LoanTerms(kind=LoanKind.LINE, rate=146_000_000, day_count=3, share=100_000),
)
"""Equal instalments; equal parts of principal; a line of which a tenth falls due each month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrower:
    """One of the town.

    Attributes
    ----------
    number
        From 0.
    party, wallet, offer, loan
        Ids.
    terms, amount
        What is offered, and taken.
    drawn
        The day of the year on which it draws, and of a line the day on which it draws once more.
    wages
        What it has left for its loan each month, in minor units.
    stops, is_back
        From which day of the year on it has no wages, and from which day on it has them again.
    """

    number: int
    party: int
    wallet: int
    offer: int
    loan: int
    terms: LoanTerms
    amount: int
    drawn: tuple[int, ...]
    wages: int
    stops: int
    is_back: int

    def has_wages(self, day: int) -> bool:
        """Tell whether it is paid on a day of the year, if that is its payday."""
        return not self.stops <= day < self.is_back

    def draws(self, day: int) -> int:
        """Return what it draws on a day of the year, 0 for nothing."""
        if day not in self.drawn:
            return 0
        return self.amount // len(self.drawn)


def borrowers(town: str, currency: int, *, count: int, days: int) -> Iterator[Borrower]:
    """Draw the borrowers of a town, for so many days."""
    for number in range(count):
        yield _drawn(town, currency, number, days)


def _drawn(town: str, currency: int, number: int, days: int) -> Borrower:
    def lot(what: str, choices: int) -> int:
        return named_id(town, number, what) % choices

    party = named_id(town, "borrower", number)
    terms = _TERMS[lot("terms", len(_TERMS))]
    amount = 100_00 * (2 + lot("amount", 38))
    is_line = terms.kind == LoanKind.LINE
    first = lot("drawn", _DRAWING_DAYS)
    stops = is_back = days
    if lot("stops", 100) < _STOP_PERCENT:
        stops = first + 40 + lot("stop", days // 3)
        is_back = stops + 60 + lot("back", 60) if lot("finds work", 100) < _BACK_PERCENT else days
    instalments = terms.instalments or 9
    return Borrower(
        number=number,
        party=party,
        wallet=account_id(party, currency),
        offer=named_id(town, "offer", number),
        loan=named_id(town, "loan", number),
        terms=terms,
        amount=amount,
        drawn=(first, first + _AGAIN_DAYS) if is_line else (first,),
        wages=amount * _WAGES_PERCENT // (100 * instalments),
        stops=stops,
        is_back=is_back,
    )
