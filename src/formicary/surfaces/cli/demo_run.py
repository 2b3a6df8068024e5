"""The demo: real money movements through the whole factory, balanced to the penny."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from formicary.economy.invoices import documents
from formicary.economy.merchant_book import merchant_book
from formicary.surfaces.cli.demo_cards import CardResult, card_document, replay_cards, write_cards
from formicary.surfaces.cli.demo_checked import CheckedResult, LeftOut, check_payments
from formicary.surfaces.cli.demo_checked_tables import checked_document, write_checked
from formicary.surfaces.cli.demo_lending import lending_year
from formicary.surfaces.cli.demo_lending_tables import (
    LendingResult,
    lending_document,
    lending_result,
    write_lending,
)
from formicary.surfaces.cli.demo_merchant import (
    RULES,
    MerchantResult,
    merchant_document,
    replay_merchant,
    write_merchant,
)
from formicary.surfaces.cli.demo_proof import DemoProof, proof_document, prove, write_proof
from formicary.surfaces.cli.demo_sources import card_source, checked_source, merchant_source
from formicary.surfaces.cli.output import note, progress, write_json, write_table
from formicary.surfaces.cli.ports import Program

__all__ = ["run_demo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    sources: tuple[str, ...]
    merchant: MerchantResult
    lending: LendingResult | None
    cards: CardResult | None
    checked: CheckedResult | LeftOut | None
    proof: DemoProof

    @property
    def balances(self) -> bool:
        cards_do = self.cards is None or self.cards.reconciles
        checked_do = not isinstance(self.checked, CheckedResult) or self.checked.reconciles
        lending_does = self.lending is None or self.lending.reconciles
        return self.merchant.reconciles and lending_does and cards_do and checked_do and self.proof.holds


def run_demo(
    program: Program, *, keep: bool, lending: bool, cards: bool, checked: bool, as_json: bool
) -> bool:
    """Run the demo and write its result; return whether everything balances.

    Parameters
    ----------
    program
        Where the data sets are, and how to open a factory.
    keep
        Go on with the data of the last demo.
    lending
        Lend beside the merchant's year, to it and to others.
    cards
        Replay the card payments as well.
    checked
        Train a model as well, and check payments by it.
    as_json
        Write one JSON document instead of tables.
    """
    result = _replay(program, keep=keep, lending=lending, cards=cards, checked=checked)
    if as_json:
        write_json(_document(result))
    else:
        _write(result)
    return result.balances


def _replay(program: Program, *, keep: bool, lending: bool, cards: bool, checked: bool) -> _Result:
    with progress("reading", None):
        merchant = merchant_source(program.data_sets)
        book = merchant_book(merchant.name, documents(merchant.rows))
        card = card_source(program.data_sets) if cards else None
        stolen = checked_source() if checked else None
    said = tuple(source.said for source in (merchant, card, stolen) if source)
    for sentence in said:
        note(sentence)
    with ExitStack() as stack:
        with progress("starting PostgreSQL and the engine; the first time compiles for a minute", None):
            factory = stack.enter_context(program.demo(fresh=not keep, start_ns=book.moments[0].at))
        year = lending_year(factory, merchant.name, book) if lending else None
        return _Result(
            sources=said,
            merchant=replay_merchant(factory, book, year.moments() if year else None),
            lending=lending_result(year) if year else None,
            cards=replay_cards(factory, card.name, card.rows) if card else None,
            checked=check_payments(factory, stolen.name, stolen.rows) if stolen else None,
            proof=prove(factory),
        )


def _document(result: _Result) -> dict[str, Any]:
    return {
        "sources": list(result.sources),
        "merchant": merchant_document(result.merchant),
        "lending": lending_document(result.lending) if result.lending else None,
        "cards": card_document(result.cards) if result.cards else None,
        "checked": checked_document(result.checked) if result.checked else None,
        "proof": proof_document(result.proof),
        "balances": result.balances,
    }


def _write(result: _Result) -> None:
    write_table(("rules of the replay",), [(f"{n}. {rule}",) for n, rule in enumerate(RULES, start=1)])
    write_merchant(result.merchant)
    if result.lending:
        write_lending(result.lending)
    if result.cards:
        write_cards(result.cards)
    if result.checked:
        write_checked(result.checked)
    write_proof(result.proof)
    note("Everything balances to the penny." if result.balances else "THIS DOES NOT BALANCE.")
