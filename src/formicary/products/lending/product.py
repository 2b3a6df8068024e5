"""What lending adds to the factory, on one page.

What the house lends by and from, applications and what is decided about them, offers of credit, loans, and
the close of business that goes over all of them. Parties and their consent are neighbours; wallets are
accounts of the ledger, whoever opened them.
"""

from __future__ import annotations

from typing import Final

from formicary.factory.engine.products import Command, Context, Decision, Product, TimerFired
from formicary.factory.facts import FACTS_PRODUCT
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.products.lending.applications.borrowers import BORROWERS
from formicary.products.lending.applications.decider import applications_product
from formicary.products.lending.applications.gate import may_lend
from formicary.products.lending.applications.house import (
    HOUSES_PRODUCT,
    POLICIES_PRODUCT,
    close_rules_of,
)
from formicary.products.lending.funding.product import FUNDING_PRODUCT
from formicary.products.lending.nightly.preapproval_run import preapprovals_product
from formicary.products.lending.servicing.close import business_dates
from formicary.products.lending.servicing.decider import decide_loan
from formicary.products.lending.servicing.drawing import MayLend, anybody
from formicary.products.lending.servicing.evolve import evolve, sweep
from formicary.products.lending.servicing.exposure import BOOK_TOTALS
from formicary.products.lending.servicing.fields import Rows
from formicary.products.lending.servicing.layout import LOAN
from formicary.products.lending.servicing.offers import OFFERS
from formicary.products.lending.servicing.schemas import COMMANDS, EVENTS, SWEEPS
from formicary.products.lending.underwriting.features import FEATURES
from formicary.products.lending.underwriting.models import MODELS
from formicary.products.lending.watching.borrowers import WATCHED
from formicary.products.lending.watching.watch_run import watch_product

__all__ = [
    "APPLICATIONS",
    "BUSINESS_DATES",
    "FUNDING_PRODUCT",
    "LENDING",
    "LOANS",
    "OFFERS",
    "POLICIES",
    "PREAPPROVALS",
    "WATCH",
    "loans_product",
]


def loans_product(may_lend: MayLend = anybody) -> Product:
    """Return the product of loans; ``may_lend`` refuses where the house lends no more."""

    def decide(command: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
        return decide_loan(command, record, context, may_lend)

    return Product(
        name="loan",
        aggregate=LOAN,
        commands=COMMANDS,
        events=EVENTS,
        decide=decide,
        evolve=evolve,
        is_columnar=True,
        found_by=("party",),
        totals=BOOK_TOTALS,
        sweeps=SWEEPS,
        sweep=sweep,
        neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT, OFFERS, FACTS_PRODUCT, HOUSES_PRODUCT, WATCHED),
        features=FEATURES,
        models=MODELS,
    )


LOANS: Final = loans_product(may_lend)
"""Money lent: lines and instalment loans, from the offer that was accepted to the last payment."""

BUSINESS_DATES: Final = business_dates(LOANS, close_rules_of, beside=(HOUSES_PRODUCT,))
"""The close of business over all loans, date by date."""

POLICIES: Final = POLICIES_PRODUCT
"""What the house says of its lending, by currency."""

APPLICATIONS: Final = applications_product(LOANS)
"""Applications for credit, each decided at once."""

PREAPPROVALS: Final = preapprovals_product(LOANS)
"""The nightly run that leaves an offer for each party that may have credit."""

WATCH: Final = watch_product(LOANS)
"""The weekly run that cuts the lines of those whose sales fall."""

LENDING: Final = (
    HOUSES_PRODUCT,
    FUNDING_PRODUCT,
    BORROWERS,
    OFFERS,
    WATCHED,
    LOANS,
    BUSINESS_DATES,
    POLICIES,
    APPLICATIONS,
    PREAPPROVALS,
    WATCH,
)
"""Every product of the lending business, each after its neighbours."""
