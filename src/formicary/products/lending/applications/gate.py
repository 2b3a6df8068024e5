"""What is asked again whenever something new is lent: capital, warnings, and whether a model is there.

An existing loan is served whatever is missing: paying back, collecting and recovering ask nothing here.
"""

from __future__ import annotations

import numpy as np

from formicary.base.purposes import Purpose
from formicary.factory.engine.products import Context
from formicary.products.lending.applications import refusals
from formicary.products.lending.applications.book import require_capital
from formicary.products.lending.servicing.drawing import Asking
from formicary.products.lending.underwriting.features import MERCHANT_CREDIT
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from formicary.products.lending.underwriting.preapproval import is_warned
from formicary.products.lending.watching.borrowers import warned_days_of

__all__ = ["may_lend"]


def may_lend(context: Context, asking: Asking) -> int:
    """Refuse where the house lends no more; return what a partner carries of it, in millionths.

    Raises
    ------
    CreditHouseMissing, CreditExhausted
        See ``require_capital``.
    CreditWarned
        Early warning found the party's sales fallen, not long ago, and what it accepts would be new exposure.
    CreditModelMissing
        No champion tells the risk of this party.
    """
    house = require_capital(context, asking)
    # What was accepted before is exposure already: what is not drawn of it was cut by the warning itself.
    if not asking.is_committed:
        warned = np.array([warned_days_of(context, asking.party)])
        if is_warned(house.credit, warned)[0]:
            raise refusals.CreditWarned
    told = context.features(MERCHANT_CREDIT.name, purpose=Purpose.CREDIT, asking={"party": asking.party})
    if context.assess(MERCHANT_DEFAULT.name, told.values) is None:
        raise refusals.CreditModelMissing
    return house.settings.partner_share
