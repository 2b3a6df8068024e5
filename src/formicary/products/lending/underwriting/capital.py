"""What a lender may still lend: own funds, leverage, concentration, liquidity; lending stops by itself.

Rows are taken in order, each as if it were alone: what one row takes the next one misses. A batch therefore
gives what its rows give one by one, wherever it is cut, and the book that comes out goes into the next.

A row counts with the share that the lender *retains*; partners of a joint loan carry the rest. The share is
rounded up, and all rooms down. What is left of a limit below the least amount is not lent: of lines with one
retained share, a limit cuts one and stops all that come after it.

====================  ====================================================================================
limit                 room for what is retained, in minor units
====================  ====================================================================================
leverage              own funds / ``leverage_min`` - exposure (Basel III, LEV20: 3 % at least)
a party               own funds x ``party_max`` - its exposure (CRR, article 395: 25 % at most)
a segment             own funds x ``segment_max`` - its exposure
liquidity             (cash - reserve) / ``drawn`` - undrawn lines: what may be drawn must be there
====================  ====================================================================================

Amounts are Python's integers of any size: a sum over a book does not wrap around.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.rounding import div_ceiling, div_floor
from formicary.products.lending.millionths import MILLION, Words, checked_amounts, checked_shares
from formicary.products.lending.underwriting.errors import CreditPolicyMalformed

__all__ = ["Binding", "Book", "CapitalPolicy", "Lent", "lend"]


class Binding(IntEnum):
    """Which limit left the least room; of equals, the last here: it binds everybody."""

    NOTHING = 0
    """The amount was lent as it was wanted."""
    RETAINED = 1
    """The lender would keep too little of a joint loan."""
    PARTY = 2
    """Concentration: one party, or parties that stand and fall together."""
    SEGMENT = 3
    """Concentration: a trade or a place."""
    LEVERAGE = 4
    """Own funds carry no more."""
    LIQUIDITY = 5
    """Cash would not last if lines were drawn."""


@dataclass(frozen=True, kw_only=True)
class CapitalPolicy:
    """What own funds and cash must carry.

    Attributes
    ----------
    leverage_min_millionths
        Own funds as a share of all exposure, drawn and undrawn, at least.
    party_max_millionths
        The exposure to one party as a share of own funds, at most.
    segment_max_millionths
        The exposure to one segment as a share of own funds, at most; above 1,000,000 it is a multiple.
    retained_min_millionths
        The share of a joint loan that the lender keeps, at least.
    liquidity_reserve
        Cash that is not counted on, in minor units.
    drawn_millionths
        The share of undrawn lines for which cash must be there.
    least
        The least amount that is lent, in minor units.
    step
        What amounts are multiples of, in minor units; the least amount is one.

    Raises
    ------
    CreditPolicyMalformed
        See ``findings``.
    """

    leverage_min_millionths: int = 30_000
    party_max_millionths: int = 250_000
    segment_max_millionths: int = 5 * MILLION
    retained_min_millionths: int = 300_000
    liquidity_reserve: int = 0
    drawn_millionths: int = 500_000
    least: int = 100_000
    step: int = 10_000

    def __post_init__(self) -> None:
        if wrong := list(self.findings()):
            raise CreditPolicyMalformed("; ".join(wrong))

    def findings(self) -> Iterator[str]:
        """Go through what is wrong with it."""
        for name in ("leverage_min", "party_max", "retained_min", "drawn"):
            if not 0 < getattr(self, f"{name}_millionths") <= MILLION:
                yield f"{name}_millionths is above 0 and at most {MILLION:,}"
        if self.segment_max_millionths < 1:
            yield "segment_max_millionths is above 0"
        if self.liquidity_reserve < 0:
            yield "a reserve is not negative"
        if not 0 < self.step <= self.least or self.least % self.step:
            yield "the least amount is a multiple of the step"


@dataclass(frozen=True, kw_only=True)
class Book:
    """What is there and what was lent so far, in minor units of one currency.

    Attributes
    ----------
    own_funds
        What is the lender's; with none, nothing is lent.
    cash
        What can be paid out.
    exposure
        What is retained of all lines, drawn and undrawn.
    undrawn
        What is retained of what can still be drawn.
    by_segment, by_party
        What is retained of each, by number; one that is not there has none.
    """

    own_funds: int
    cash: int
    exposure: int = 0
    undrawn: int = 0
    by_segment: Mapping[int, int] = field(default_factory=dict)
    by_party: Mapping[int, int] = field(default_factory=dict)


class Lent(NamedTuple):
    """What a batch came to."""

    amounts: Words
    """(n,) in minor units, 0 where nothing is lent."""
    bindings: npt.NDArray[np.uint8]
    """(n,) of ``Binding``: what made an amount less than was wanted."""
    book: Book
    """What is there afterwards."""


def lend(
    policy: CapitalPolicy,
    book: Book,
    *,
    wanted: npt.ArrayLike,
    segments: npt.ArrayLike,
    parties: npt.ArrayLike,
    retained: npt.ArrayLike | None = None,
) -> Lent:
    """Return what may be lent of what is wanted, row after row, and the book with it.

    Parameters
    ----------
    policy, book
        The limits, and where the lender stands.
    wanted
        Amounts of new lines, (n,), in minor units; 0 asks for nothing and binds nothing.
    segments, parties
        Whose they are, (n,), by number; parties that stand and fall together have one.
    retained
        The share of each that the lender keeps, (n,), in millionths; all of it unless given.
    """
    asked = checked_amounts(wanted)
    kept = np.full(len(asked), MILLION) if retained is None else checked_shares(retained)
    columns = (asked, np.asarray(segments, np.int64), np.asarray(parties, np.int64), kept)
    if len({column.shape for column in columns}) > 1:
        message = f"columns differ in length: {[column.shape for column in columns]}"
        raise ProgrammingError(message)
    running = _Running(policy, book)
    rows = [running.row(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return Lent(
        amounts=np.array([amount for amount, _ in rows], np.int64),
        bindings=np.array([binding for _, binding in rows], np.uint8),
        book=running.told(book),
    )


class _Running:
    """A book while rows are taken, in room that is left."""

    def __init__(self, policy: CapitalPolicy, book: Book) -> None:
        funds = max(book.own_funds, 0)
        self._policy = policy
        self._leverage = div_floor(funds * MILLION, policy.leverage_min_millionths) - book.exposure
        free = max(book.cash - policy.liquidity_reserve, 0)
        self._liquidity = div_floor(free * MILLION, policy.drawn_millionths) - book.undrawn
        self._party_room = div_floor(funds * policy.party_max_millionths, MILLION)
        self._segment_room = div_floor(funds * policy.segment_max_millionths, MILLION)
        self._by_segment, self._by_party = dict(book.by_segment), dict(book.by_party)
        self._lent = 0

    def row(self, wanted: int, segment: int, party: int, retained: int) -> tuple[int, int]:
        """Return what is lent of what is wanted, and what bound."""
        if not wanted:
            return 0, Binding.NOTHING
        if retained < self._policy.retained_min_millionths:
            return 0, Binding.RETAINED
        of_party, of_segment = self._by_party.get(party, 0), self._by_segment.get(segment, 0)
        rooms = (
            (self._party_room - of_party, Binding.PARTY),
            (self._segment_room - of_segment, Binding.SEGMENT),
            (self._leverage - self._lent, Binding.LEVERAGE),
            (self._liquidity - self._lent, Binding.LIQUIDITY),
        )
        room, binding = min(rooms, key=lambda one: (one[0], -one[1]))
        own = div_ceiling(wanted * retained, MILLION)
        if own <= room:
            amount, binding = wanted, Binding.NOTHING
        else:
            most = div_floor(max(room, 0) * MILLION, retained)
            amount = most - most % self._policy.step
            if amount < self._policy.least:
                return 0, binding
            own = div_ceiling(amount * retained, MILLION)
        self._lent += own
        self._by_party[party], self._by_segment[segment] = of_party + own, of_segment + own
        return amount, binding

    def told(self, book: Book) -> Book:
        """Return the book with what was lent; nothing of it is drawn yet."""
        return Book(
            own_funds=book.own_funds,
            cash=book.cash,
            exposure=book.exposure + self._lent,
            undrawn=book.undrawn + self._lent,
            by_segment=self._by_segment,
            by_party=self._by_party,
        )
