"""A simulated bank: it confirms, fails, returns later, or falls silent, and writes its own statement.

What it does with an order follows from a seed and the order's id alone, so a run can be repeated. Of
those it is silent about, it carries some out all the same: its statement shows what it never said.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from formicary.base.currencies import Currency
from formicary.base.errors import ProgrammingError
from formicary.factory.ledger.statements import Statement, StatementEntry
from formicary.products.payments.postings import HOUSE
from formicary.products.payments.rail.schemas import (
    ConfirmOrder,
    Direction,
    FailOrder,
    FailureReason,
    ReturnOrder,
)
from formicary.products.payments.terms import DAY, HOUR

__all__ = ["BankLine", "BankOrder", "BankWord", "Behaviour", "SimulatedBank"]


class Behaviour(StrEnum):
    """What the bank does with an order."""

    CONFIRMS = "confirms"
    FAILS = "fails"
    RETURNS = "returns later"
    SILENT = "falls silent"
    SILENT_PAID = "falls silent, but moves the money"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankOrder:
    """What the bank is sent: an order's id, which it quotes, minor units, and when, in nanoseconds."""

    order: int
    direction: Direction
    currency: int
    amount: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BankWord:
    """What the bank says, as the command it becomes, and when."""

    at: int
    command: ConfirmOrder | FailOrder | ReturnOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLine:
    """One line of the bank's statement of the house's account: ``amount`` is negative where money went."""

    at: int
    order: int
    amount: int
    currency: int


_SHARES: Final = {
    Behaviour.CONFIRMS: 84,
    Behaviour.FAILS: 6,
    Behaviour.RETURNS: 4,
    Behaviour.SILENT: 4,
    Behaviour.SILENT_PAID: 2,
}
_ANSWER_MAX: Final = 8 * HOUR
_RETURN_MAX: Final = 20 * DAY


class SimulatedBank:
    """One bank.

    Parameters
    ----------
    seed
        What follows from it is the same in every run.
    shares
        Percent of the orders that get each behaviour; they sum to 100.
    """

    def __init__(self, seed: int, shares: dict[Behaviour, int] | None = None) -> None:
        self._seed = seed
        self._shares = _SHARES if shares is None else shares
        if sum(self._shares.values()) != 100 or min(self._shares.values()) < 0:  # noqa: PLR2004, percent
            message = "the shares are percents that sum to 100"
            raise ProgrammingError(message)
        self._words: list[BankWord] = []
        self._lines: list[BankLine] = []

    def behaviour(self, order: int) -> Behaviour:
        """Return what the bank does, or would do, with an order."""
        place = self._chance(order, "behaviour") % 100
        for behaviour, share in self._shares.items():
            place -= share
            if place < 0:
                return behaviour
        raise AssertionError

    def send(self, orders: Iterable[BankOrder]) -> None:
        """Take orders; what comes of them is said and shown later."""
        for order in orders:
            self._take(order)

    def say(self, after: int, until: int) -> list[BankWord]:
        """Return what the bank says in ``(after, until]``, in order of time."""
        said = [word for word in self._words if after < word.at <= until]
        return sorted(said, key=lambda word: (word.at, word.command.subject))

    def statement(self, after: int, until: int, *, currency: int) -> list[BankLine]:
        """Return the lines of the house's account in ``(after, until]``, in order of time."""
        lines = [line for line in self._lines if after < line.at <= until and line.currency == currency]
        return sorted(lines, key=lambda line: (line.at, line.order))

    def statement_of(self, after: int, until: int, *, currency: Currency) -> Statement:
        """Return the same as a statement of the house's account, to be written as the bank's file."""
        before = self.statement(0, after, currency=currency.number)
        opening = balance = sum(line.amount for line in before)
        entries = []
        for line in self.statement(after, until, currency=currency.number):
            balance += line.amount
            entries.append(_entry(line, balance))
        return Statement(
            account=HOUSE,
            currency=currency,
            start=after + 1,
            end=until,
            opening=opening,
            entries=tuple(entries),
        )

    def _take(self, order: BankOrder) -> None:
        behaviour = self.behaviour(order.order)
        at = order.at + 1 + self._chance(order.order, "answer") % _ANSWER_MAX
        sign = 1 if order.direction == Direction.TOP_UP else -1
        if behaviour == Behaviour.FAILS:
            reasons = tuple(FailureReason)
            reason = reasons[self._chance(order.order, "reason") % len(reasons)]
            self._words.append(BankWord(at=at, command=FailOrder(subject=order.order, reason=reason)))
        if behaviour in {Behaviour.CONFIRMS, Behaviour.RETURNS}:
            self._words.append(BankWord(at=at, command=ConfirmOrder(subject=order.order)))
        if behaviour in {Behaviour.CONFIRMS, Behaviour.RETURNS, Behaviour.SILENT_PAID}:
            self._lines.append(self._line(order, at, sign))
        if behaviour == Behaviour.RETURNS:
            later = at + 1 + self._chance(order.order, "return") % _RETURN_MAX
            self._words.append(BankWord(at=later, command=ReturnOrder(subject=order.order)))
            self._lines.append(self._line(order, later, -sign))

    def _line(self, order: BankOrder, at: int, sign: int) -> BankLine:
        return BankLine(at=at, order=order.order, amount=sign * order.amount, currency=order.currency)

    def _chance(self, order: int, purpose: str) -> int:
        named = f"{self._seed} {order} {purpose}".encode()
        return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest())


def _entry(line: BankLine, balance: int) -> StatementEntry:
    return StatementEntry(
        at=line.at,
        amount=line.amount,
        balance=balance,
        # The bank has names of its own; the order's is the one that both sides know.
        transfer=line.order,
        reference=line.order,
        counterparty=0,
        code=0,
    )
