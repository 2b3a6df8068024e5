"""What goes over all parties by itself: the run of each day, in every currency that the house lends in.

A run is done part by part, each a command of its own, so that the engine answers everybody between two of
them. Whatever it is killed by, it goes on where it was; one that is over is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from formicary.base.currencies import CURRENCIES, currency_of_ledger
from formicary.factory.engine.client import EngineRefused
from formicary.factory.engine.products import Command
from formicary.factory.engine.state import Receipt
from formicary.products.lending.applications.house import HOUSES, house_id
from formicary.products.lending.applications.refusals import CreditModelMissing
from formicary.products.lending.nightly.preapproval_run import PreapproveParties, run_id
from formicary.products.lending.nightly.refusals import PreapprovalEnded
from formicary.products.lending.product import PREAPPROVALS
from formicary.products.lending.servicing.terms import day_at
from formicary.runtime.parts import next_part

__all__ = ["Progress", "RunDone", "Runner", "lending_currencies", "preapprove"]

Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told the currency, how many offers and parties were looked at, and how many there are."""

RunDone: TypeAlias = dict[str, Any]
"""What a run came to: its currency, ``offers`` and ``parties`` that were looked at, how many were ``offered``
something, and ``limits`` in minor units. Only the currency where no model is the champion."""

_TOLD: Final = ("offers", "parties", "offered", "limits")


class Runner(Protocol):
    """Whoever decides; ``EngineClient`` is one."""

    def command(self, product: str, command: Command, *, principal: str, key: str) -> Receipt:
        """Send a product's command; the same key gets the same receipt again."""

    def aggregates(self, product: str, ids: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return a product's aggregates in the order asked, None for one that does not exist."""


def lending_currencies(engine: Runner) -> list[int]:
    """Return the currencies, by ISO 4217 number, in which the house says by what it lends."""
    numbers = [currency.number for currency in CURRENCIES]
    found = engine.aggregates(HOUSES, [house_id(number) for number in numbers])
    return [number for number, fields in zip(numbers, found, strict=True) if fields is not None]


def preapprove(engine: Runner, now: int, progress: Progress, *, currency: int | None = None) -> list[RunDone]:
    """Go over all parties in each currency, or in one, as far as the run of the day has not.

    Raises
    ------
    EngineRefused
        A run does not go on; nothing of the part that was refused happened.
    """
    currencies = lending_currencies(engine) if currency is None else [currency]
    return [_run(engine, day_at(now), one, progress) for one in currencies]


def _run(engine: Runner, day: int, currency: int, progress: Progress) -> RunDone:
    code = currency_of_ledger(currency).code
    while True:
        command = PreapproveParties(subject=run_id(day, currency))
        receipt = next_part(engine, PREAPPROVALS.name, command)
        if receipt.code == CreditModelMissing.code:
            return {"currency": code}
        if receipt.code not in ("", PreapprovalEnded.code):
            message = "the run over all parties does not go on"
            raise EngineRefused(receipt.code, message)
        if receipt.code or receipt.answer["is_ended"]:
            (run,) = engine.aggregates(PREAPPROVALS.name, [run_id(day, currency)])
            return {"currency": code} | {name: (run or {}).get(name, 0) for name in _TOLD}
        answer = receipt.answer
        progress(code, answer["renewed"] + answer["looked_at"], answer["offers"] + answer["parties"])
