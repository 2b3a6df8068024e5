"""What the demo's lending came to, from the ledger and the loans; as tables and as a document."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.currencies import currency, currency_of_ledger
from formicary.products.lending.portfolio.report import Portfolio
from formicary.products.lending.product import LOANS
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.postings import LoanAccount
from formicary.surfaces.cli.demo_lending import TOWN, LendingYear, Line
from formicary.surfaces.cli.output import write_table
from formicary.surfaces.cli.ports import DemoFactory
from formicary.surfaces.cli.values import amount_text

__all__ = ["BookSums", "LendingResult", "lending_document", "lending_result", "write_lending"]

_MILLION: Final = 1_000_000
_ALLOWANCES: Final = (
    LoanAccount.ALLOWANCE_PERFORMING,
    LoanAccount.ALLOWANCE_INCREASED,
    LoanAccount.ALLOWANCE_IMPAIRED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookSums:
    """Loans of one currency as the ledger has them, in minor units.

    ``repaid`` is of principal, ``paid`` of interest and fees, which were ``earned`` before; ``owed`` is both.
    """

    lent: int
    repaid: int
    owed: int
    earned: int
    paid: int
    lost: int
    allowance: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LendingResult:
    """What came of a year of lending.

    ``differences`` is how many accounts do not hold what the loans say, ``states`` how many of the town's
    loans are in each state.
    """

    line: Line
    merchant: BookSums
    merchant_currency: int
    town: BookSums
    states: dict[str, int]
    nights: int
    closed: int
    refused: int
    differences: int
    portfolio: Portfolio

    @property
    def reconciles(self) -> bool:
        """Whether every date was closed, loans and ledger agree, and the merchant owes nothing."""
        return self.closed == self.nights and not self.differences and not self.merchant.owed


def lending_result(year: LendingYear) -> LendingResult:
    """Sum up a year that was lived through."""
    factory, town = year.factory, currency(TOWN).number
    loans = factory.columns(LOANS.name)
    states = loans["state"][loans["currency"] == town]
    return LendingResult(
        line=year.line,
        merchant=_sums(factory, year.book.currency.number),
        merchant_currency=year.book.currency.number,
        town=_sums(factory, town),
        states={one.name.lower(): int(np.sum(states == one)) for one in LoanState if one},
        nights=year.nights,
        closed=year.closed,
        refused=year.refused,
        differences=factory.loan_differences(),
        portfolio=factory.portfolio(),
    )


def _sums(factory: DemoFactory, ledger: int) -> BookSums:
    def moved(code: LoanAccount, total: str) -> int:
        return factory.sums(ledger=ledger, code=code)[f"{total}_posted"]

    def held(code: LoanAccount) -> int:
        return moved(code, "credits") - moved(code, "debits")

    receivable = (LoanAccount.INTEREST_RECEIVABLE, LoanAccount.FEES_RECEIVABLE)
    lent, lost = moved(LoanAccount.PRINCIPAL, "debits"), -held(LoanAccount.LOSSES)
    earned = held(LoanAccount.INTEREST_INCOME) + held(LoanAccount.FEE_INCOME)
    owed = -sum(held(code) for code in (LoanAccount.PRINCIPAL, *receivable))
    repaid = moved(LoanAccount.PRINCIPAL, "credits") - _principal_lost(factory, ledger)
    # Whatever was lent and earned was paid, is owed, or was given up.
    paid = lent + earned - owed - lost - repaid
    return BookSums(
        lent=lent,
        repaid=repaid,
        owed=owed,
        earned=earned,
        paid=paid,
        lost=lost,
        allowance=sum(held(code) for code in _ALLOWANCES),
    )


def _principal_lost(factory: DemoFactory, ledger: int) -> int:
    loans = factory.columns(LOANS.name)
    of_it = loans[(loans["currency"] == ledger) & (loans["state"] == LoanState.CHARGED_OFF)]
    return int(of_it["charged_principal"].sum())


def lending_document(result: LendingResult) -> dict[str, Any]:
    """Return the result as a JSON document; amounts are minor units."""
    told = asdict(result)
    told["portfolio"] = msgspec.to_builtins(result.portfolio)
    return told | {"reconciles": result.reconciles}


def write_lending(result: LendingResult) -> None:
    """Write the result as tables."""
    line, merchant = result.line, result.merchant

    def pounds(amount: int) -> str:
        return amount_text(amount, result.merchant_currency)

    code = currency_of_ledger(result.merchant_currency).code
    if line.limit:
        rows = [
            ("limit, from its own sales", pounds(line.limit)),
            ("chance of default, by judgement", f"{line.default / _MILLION:.2%}"),
            ("price a day", f"{line.price / _MILLION:.3%}"),
            ("effective annual rate, shown first", f"{line.effective_rate / _MILLION:.2%}"),
            ("drawn", pounds(merchant.lent)),
            ("collected from the wallet", pounds(merchant.repaid + merchant.paid - line.repaid_at_once)),
            ("paid back at once, at the end", pounds(line.repaid_at_once)),
            ("of both, interest", pounds(merchant.paid)),
            ("owed", pounds(merchant.owed)),
            ("people who decided", "0"),
        ]
    else:
        rows = [("offered", "nothing: it has not sold for long enough")]
    write_table(("the merchant's line", f">{code}"), rows)
    town = result.town
    names = {
        "lent": "lent",
        "repaid": "principal paid back",
        "earned": "interest earned",
        "paid": "interest and fees paid",
        "lost": "charged off",
        "owed": "owed at the end",
        "allowance": "put aside for losses",
    }
    number = currency(TOWN).number
    write_table(
        ("a town's loans, a year", f">{TOWN}"),
        [(said, amount_text(getattr(town, name), number)) for name, said in names.items()],
    )
    _write_returns(result.portfolio)
    counts = [(f"loans: {name}", f"{count:,}") for name, count in result.states.items()]
    counts += [
        ("business dates closed", f"{result.closed:,}"),
        ("draws refused, as something was late", f"{result.refused:,}"),
        ("accounts that differ from loans", f"{result.differences:,}"),
    ]
    write_table(("a town's loans", ">count"), counts)


def _write_returns(portfolio: Portfolio) -> None:
    """Write what the town's book brought a year, and what it is lent from."""
    told = next((one for one in portfolio.currencies if one.currency == TOWN), None)
    if told is None:
        return
    number, (*_, year) = currency(TOWN).number, told.returns.values()
    shares = (
        ("yield", year.yield_),
        ("cost of risk", year.cost_of_risk),
        ("return on capital", year.return_on_capital),
    )
    sums = (
        ("own funds", told.books.own_funds),
        ("borrowed", told.books.borrowed),
        ("what that cost", told.books.funding_cost),
        ("cash", told.books.cash),
        ("by which the books do not balance", told.books.imbalance),
    )
    rows = [(name, "-" if share is None else f"{share / _MILLION:.2%}") for name, share in shares]
    rows += [(name, amount_text(amount, number)) for name, amount in sums]
    write_table(("a town's book, a year", f">{TOWN}"), rows)
