"""The demo's second part: card payments, in requests as large as the ledger takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import polars as pl

from formicary.economy.card_book import CARD_CURRENCY, card_accounts, card_moments, card_transfers
from formicary.economy.chart import AccountCode
from formicary.economy.moments import Tally, replay
from formicary.surfaces.cli.output import progress, write_table
from formicary.surfaces.cli.ports import DemoFactory
from formicary.surfaces.cli.values import amount_text

__all__ = ["CardResult", "card_document", "replay_cards", "write_cards"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardResult:
    """What came of the replay; amounts are cents, ``seconds`` is its wall time.

    ``paid`` is the payments' sum in the file, ``received`` the terminals' balance in the ledger,
    ``left`` what is left in the wallets, which should be nothing.
    """

    tally: Tally
    seconds: float
    payments: int
    customers: int
    terminals: int
    paid: int
    received: int
    left: int

    @property
    def reconciles(self) -> bool:
        """Whether the terminals got what the file says, and no wallet kept anything."""
        return self.received == self.paid and self.left == 0

    @property
    def rate(self) -> float:
        """Transfers a second, the deposits included."""
        return (self.tally.transfers + self.tally.existing) / self.seconds


def replay_cards(factory: DemoFactory, name: str, payments: pl.DataFrame) -> CardResult:
    """Ask the factory for card payments (n) of ``card_book.PAYMENTS``; ``name`` says where they come from."""
    opened = card_accounts(name, payments)
    replay([opened], factory.execute, set_time=factory.set_time, done=lambda _: None)
    began = time.perf_counter()
    with progress("replaying the card payments", card_transfers(payments)) as step:
        moments = card_moments(name, payments)
        tally = replay(moments, factory.execute, set_time=factory.set_time, done=step.advance)
    seconds = time.perf_counter() - began
    wallets = factory.sums(ledger=CARD_CURRENCY.number, code=AccountCode.CUSTOMER_WALLET)
    terminals = factory.sums(ledger=CARD_CURRENCY.number, code=AccountCode.TERMINAL)
    return CardResult(
        tally=tally,
        seconds=seconds,
        payments=len(payments),
        customers=payments["customer"].n_unique(),
        terminals=payments["terminal"].n_unique(),
        paid=int(payments["cents"].sum()),
        received=terminals["credits_posted"],
        left=wallets["credits_posted"] - wallets["debits_posted"],
    )


def card_document(result: CardResult) -> dict[str, Any]:
    """Return the result as a JSON document; amounts are cents."""
    names = ("payments", "customers", "terminals", "paid", "received", "left", "reconciles")
    return {
        **{name: getattr(result, name) for name in names},
        "transfers": result.tally.transfers,
        "existing": result.tally.existing,
        "seconds": round(result.seconds, 3),
        "transfers_per_second": round(result.rate),
    }


def write_cards(result: CardResult) -> None:
    """Write the result as a table."""
    amounts = {
        "paid in the file": result.paid,
        "received by the terminals in the ledger": result.received,
        "left in the wallets": result.left,
    }
    rows = [
        ("customers", f"{result.customers:,}", ""),
        ("terminals", f"{result.terminals:,}", ""),
        ("card payments", f"{result.payments:,}", ""),
        *((name, "", amount_text(cents, CARD_CURRENCY.number)) for name, cents in amounts.items()),
        ("transfers made, deposits included", f"{result.tally.transfers:,}", ""),
        ("events there from an earlier run", f"{result.tally.existing:,}", ""),
        ("durable transfers a second, in groups", f"{result.rate:,.0f}", ""),
    ]
    write_table(("card payments", ">count", f">{CARD_CURRENCY}"), rows)
