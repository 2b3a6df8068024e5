"""``formicary lending``: offers, loans, the close of business, and what became of what was lent."""

from __future__ import annotations

import typer

from formicary.surfaces.cli import (
    lending_applications,
    lending_book,
    lending_funds,
    lending_loans,
    lending_offers,
    lending_preapproval,
    lending_verify,
    lending_watch,
)
from formicary.surfaces.cli.api_output import new_group

__all__ = ["group"]


def group() -> typer.Typer:
    """Return the commands."""
    lending = new_group("Offer credit, serve loans, close business dates, look at the book.")
    lending_applications.register(lending)
    lending_funds.register(lending)
    lending_offers.register(lending)
    lending_loans.register(lending)
    lending_book.register(lending)
    lending_preapproval.register(lending)
    lending_watch.register(lending)
    lending_verify.register(lending)
    return lending
