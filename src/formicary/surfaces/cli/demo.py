"""``formicary demo``: real money movements through the whole factory, balanced to the penny."""

from __future__ import annotations

from typing import Annotated

import typer

from formicary.economy.invoices import documents
from formicary.economy.merchant_book import merchant_book
from formicary.surfaces.cli.demo_cards import card_document, replay_cards, write_cards
from formicary.surfaces.cli.demo_merchant import RULES, merchant_document, replay_merchant, write_merchant
from formicary.surfaces.cli.demo_proof import proof_document, prove, write_proof
from formicary.surfaces.cli.demo_sources import card_source, merchant_source
from formicary.surfaces.cli.exit_codes import ExitCode
from formicary.surfaces.cli.options import AsJson, program_of
from formicary.surfaces.cli.output import note, progress, write_json, write_table

__all__ = ["demo"]


def demo(
    context: typer.Context,
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on with the data of the last demo: all of it exists already.")
    ] = False,
    cards: Annotated[bool, typer.Option(help="Replay the card payments as well.")] = True,
    as_json: AsJson = False,
) -> None:
    """Replay a real merchant's year, then 1.3 m card payments, and prove that the books balance."""
    program = program_of(context)
    with progress("reading", None):
        merchant = merchant_source(program.data_sets)
        card = card_source(program.data_sets) if cards else None
        book = merchant_book(merchant.name, documents(merchant.rows))
    for source in filter(None, (merchant, card)):
        note(source.said)
    with program.demo(fresh=not keep, start_ns=book.moments[0].at) as factory:
        of_merchant = replay_merchant(factory, book)
        of_cards = replay_cards(factory, card.name, card.rows) if card else None
        proof = prove(factory)
    holds = of_merchant.reconciles and proof.holds and (of_cards is None or of_cards.reconciles)
    if as_json:
        document = {"source": merchant.name, "merchant": merchant_document(of_merchant)}
        document |= {"card_source": card.name, "cards": card_document(of_cards)} if card and of_cards else {}
        write_json({**document, "proof": proof_document(proof), "balances": holds})
    else:
        write_table(("rules of the replay",), [(rule,) for rule in RULES])
        write_merchant(of_merchant)
        if of_cards:
            write_cards(of_cards)
        write_proof(proof)
        note("Everything balances to the penny." if holds else "THIS DOES NOT BALANCE.")
    if not holds:
        raise typer.Exit(ExitCode.FINDINGS)
