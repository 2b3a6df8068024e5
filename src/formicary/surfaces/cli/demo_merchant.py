"""The demo's first part: a merchant's year, invoice by invoice, balanced to the penny."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from formicary.economy.escrow_counts import EscrowCounts, count_escrows
from formicary.economy.invoices import MILLS_PER_PENNY
from formicary.economy.merchant_book import Kind, MerchantBook
from formicary.economy.moments import Moment, Tally, replay
from formicary.economy.reconciliation import ReconciliationRow, reconcile, total_row
from formicary.products.lending.servicing.postings import LoanAccount
from formicary.products.payments.escrow import Refund, Timing, Trade
from formicary.products.payments.postings import AccountCode
from formicary.surfaces.cli.output import progress, write_table
from formicary.surfaces.cli.ports import DemoFactory
from formicary.surfaces.cli.values import amount_text

__all__ = ["RULES", "MerchantResult", "merchant_document", "replay_merchant", "write_merchant"]

RULES: Final = (
    "Lines are exact to a thousandth of a pound; an invoice is summed, then rounded half-even to the penny.",
    "An invoice is a sale in escrow: opened and paid at once, shipped in the evening, confirmed or not.",
    "A wallet may not go below zero. It is funded with exactly what an invoice lacks, just before it.",
    "Seven buyers in ten confirm within nine days; some put it off; else it is confirmed by itself in ten.",
    "An invoice without a customer belongs to a guest, a party of its own.",
    "An invoice whose number starts with C is a cancellation: a refund in escrow, in one of twelve ways,",
    "  where a sale of its party still holds as much; else the merchant refunds it.",
    "A refund of more than its party has paid and not been refunded yet is a goodwill refund.",
    "A negative quantity on anything that is no cancellation is a stock correction: counted, no money.",
    "An invoice whose number starts with A adjusts bad debt, between the merchant and a bad debt account.",
    "An invoice that rounds to zero has nothing to pay: counted, no money.",
    "Each invoice is booked at its own simulated time; those of one minute are one commit.",
)
"""What the replay does with each kind of line, to be shown with its result."""

_PAYMENTS: Final = (Kind.PAYMENT, Kind.GUEST_PAYMENT)
_GOODWILL: Final = (Kind.GOODWILL_REFUND, Kind.GUEST_GOODWILL_REFUND)


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantResult:
    """What came of the replay.

    ``balance`` is the merchant's in the ledger, ``lent`` what it got from lending less what it paid for that,
    and ``held`` what is left in escrow, in minor units;
    ``counts`` are of the escrows' states and timers; ``seconds`` is the replay's wall time.
    """

    book: MerchantBook
    tally: Tally
    seconds: float
    rows: list[ReconciliationRow]
    balance: int
    lent: int
    held: int
    counts: EscrowCounts

    @property
    def total(self) -> ReconciliationRow:
        """The sum of all rows."""
        return total_row(self.rows)

    @property
    def reconciles(self) -> bool:
        """Whether what the ledger gave the merchant and what was left over are the file's sum."""
        is_sum = MILLS_PER_PENNY * (self.balance - self.lent) + self.total.left_over_mills == self.total.mills
        return is_sum and self.held == 0

    def sums(self, *kinds: Kind) -> tuple[int, int]:
        """How many documents became one of these kinds, and what moved to the merchant with them."""
        rows = [row for row in self.rows if row.name in kinds]
        return sum(row.documents for row in rows), sum(row.pence for row in rows)


def replay_merchant(
    factory: DemoFactory, book: MerchantBook, moments: Iterable[Moment] | None = None
) -> MerchantResult:
    """Ask the factory for a merchant's moments, one commit each; for these, if others come between them."""
    began = time.perf_counter()
    with progress("replaying the invoices", sum(map(len, book.moments))) as step:
        tally = replay(
            book.moments if moments is None else moments,
            factory.execute,
            set_time=factory.set_time,
            done=step.advance,
        )
    seconds = time.perf_counter() - began
    merchant, escrow = (
        factory.sums(ledger=book.currency.number, code=code)
        for code in (AccountCode.MERCHANT_WALLET, AccountCode.ESCROW)
    )
    return MerchantResult(
        book=book,
        tally=tally,
        seconds=seconds,
        rows=reconcile(book.documents),
        balance=merchant["credits_posted"] - merchant["debits_posted"],
        lent=_lent(factory, book.currency.number),
        held=escrow["credits_posted"] - escrow["debits_posted"],
        counts=count_escrows(factory.events()),
    )


def _lent(factory: DemoFactory, ledger: int) -> int:
    """Return what lending gave less what it took: in this currency there is one borrower, if any."""
    principal, interest, fees = (
        factory.sums(ledger=ledger, code=code)
        for code in (LoanAccount.PRINCIPAL, LoanAccount.INTEREST_RECEIVABLE, LoanAccount.FEES_RECEIVABLE)
    )
    taken = sum(one["credits_posted"] for one in (principal, interest, fees))
    return principal["debits_posted"] - taken


def merchant_document(result: MerchantResult) -> dict[str, Any]:
    """Return the result as a JSON document; amounts are pence unless named mills."""
    payments, gross = result.sums(*_PAYMENTS)
    refunds, refunded = result.sums(Kind.ESCROW_REFUND, Kind.REFUND, *_GOODWILL)
    return {
        "rules": list(RULES),
        "parties": {"customers": result.book.customers, "guests": result.book.guests},
        "payments": payments,
        "gross": gross,
        "refunds": refunds,
        "refunded": -refunded,
        "merchant_balance": result.balance,
        "merchant_lent": result.lent,
        "left_in_escrow": result.held,
        "escrow": _counts_document(result.counts),
        "merchant_credit_limit": result.book.credit_limit,
        "lines": result.total.lines,
        "sum_mills": result.total.mills,
        "rounding_mills": result.total.left_over_mills,
        "reconciles": result.reconciles,
        "transfers": result.tally.transfers,
        "commands": result.tally.commands,
        "existing": result.tally.existing,
        "commits": len(result.book.moments),
        "seconds": round(result.seconds, 3),
        "reconciliation": [
            {name: getattr(row, name) for name in ("name", "lines", "documents", "mills", "pence")}
            for row in result.rows
        ],
    }


def _counts_document(counts: EscrowCounts) -> dict[str, Any]:
    return {
        "trades": {trade.name: counts.trades[trade] for trade in Trade},
        "refunds": {refund.name: counts.refunds[refund] for refund in Refund},
        "timers": _timers_document(counts),
    }


def _timers_document(counts: EscrowCounts) -> dict[str, dict[str, int]]:
    timings = [timing for timing in Timing if timing != Timing.NONE]
    return {
        timing.name.lower(): {"fired": counts.timers[timing], "stale": counts.stale[timing]}
        for timing in timings
    }


def write_merchant(result: MerchantResult) -> None:
    """Write the result as tables."""
    write_table(("the merchant's year", ">count", ">GBP"), _figures(result))
    columns = ("reconciliation", ">lines", ">documents", ">sum in the file", ">moved", ">left over")
    write_table(columns, [_row(result, row) for row in (*result.rows, result.total)])
    counts = result.counts
    states = [
        *((f"trade: {trade.name}", f"{counts.trades[trade]:,}") for trade in Trade),
        *((f"refund: {refund.name}", f"{counts.refunds[refund]:,}") for refund in Refund),
    ]
    write_table(("escrow: states entered", ">times"), states)
    timers = [
        (name, f"{fired['fired']:,}", f"{fired['stale']:,}")
        for name, fired in _timers_document(counts).items()
    ]
    write_table(("escrow: timers", ">fired", ">stale"), timers)


def _figures(result: MerchantResult) -> list[tuple[str, str, str]]:
    payments, gross = result.sums(*_PAYMENTS)
    sums = {
        "payments, gross": (payments, gross),
        "refunds in escrow": result.sums(Kind.ESCROW_REFUND),
        "refunds after the sale": result.sums(Kind.REFUND),
        "goodwill refunds": result.sums(*_GOODWILL),
        "bad debt adjustments": result.sums(Kind.ADJUSTMENT),
    }
    commits = len(result.book.moments)
    return [
        ("parties: customers", f"{result.book.customers:,}", ""),
        ("parties: guests", f"{result.book.guests:,}", ""),
        *((name, f"{count:,}", _pounds(result, pence)) for name, (count, pence) in sums.items()),
        ("merchant's balance in the ledger", "", _pounds(result, result.balance)),
        ("of it from its line, less what that cost", "", _pounds(result, result.lent)),
        ("credit the merchant needed", "", _pounds(result, result.book.credit_limit)),
        ("rounding to the penny", "", _mills(result.total.left_over_mills)),
        ("sum of the file", f"{result.total.lines:,}", _mills(result.total.mills)),
        ("commands to escrow, done", f"{result.tally.commands:,}", ""),
        ("transfers besides, deposits included", f"{result.tally.transfers:,}", ""),
        ("events there from an earlier run", f"{result.tally.existing:,}", ""),
        ("durable commits", f"{commits:,}", ""),
        ("durable commits a second", f"{commits / result.seconds:,.0f}", ""),
        ("payments a second, one by one", f"{payments / result.seconds:,.0f}", ""),
    ]


def _row(result: MerchantResult, row: ReconciliationRow) -> tuple[str, ...]:
    counts = (f"{row.lines:,}", f"{row.documents:,}")
    return row.name, *counts, _mills(row.mills), _pounds(result, row.pence), _mills(row.left_over_mills)


def _pounds(result: MerchantResult, pence: int) -> str:
    return amount_text(pence, result.book.currency.number)


def _mills(mills: int) -> str:
    sign, (pounds, rest) = "-" if mills < 0 else "", divmod(abs(mills), 1_000)
    return f"{sign}{pounds:,}.{rest:03}"
