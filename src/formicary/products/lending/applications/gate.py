"""What is asked again whenever something new is lent: capital, and whether a model is there.

An existing loan is served whatever is missing: paying back, collecting and recovering ask nothing here.
"""

from __future__ import annotations

from formicary.base.purposes import Purpose
from formicary.factory.engine.products import Context
from formicary.products.lending.applications import refusals
from formicary.products.lending.applications.book import require_capital
from formicary.products.lending.servicing.drawing import Asking
from formicary.products.lending.underwriting.features import MERCHANT_CREDIT
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT

__all__ = ["may_lend"]


def may_lend(context: Context, asking: Asking) -> None:
    """Refuse where the house lends no more.

    Raises
    ------
    CreditHouseMissing, CreditExhausted
        See ``require_capital``.
    CreditModelMissing
        No champion tells the risk of this party.
    """
    require_capital(context, asking)
    told = context.features(MERCHANT_CREDIT.name, purpose=Purpose.CREDIT, asking={"party": asking.party})
    if context.assess(MERCHANT_DEFAULT.name, told.values) is None:
        raise refusals.CreditModelMissing
