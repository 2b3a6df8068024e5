"""Why something is not done with a loan or an offer.

::

    Refusal
    ├── OfferExists, OfferNotFound, OfferExpired, OfferTaken, OfferMalformed
    ├── LoanExists, LoanNotFound, LoanNotOpen, LoanDrawn, LoanInArrears, LoanNotInArrears
    ├── CreditConsentMissing, RateNotShown, NotYourOffer, LoanWalletUnusable
    ├── DrawOutOfRange, RepaymentOutOfRange, NothingOwed, CollectionUnchanged
    ├── RefinancingRefused, TakeoverMalformed
    └── BusinessDateOutOfOrder, BusinessDateNotOver, BusinessDateClosed
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "BusinessDateClosed",
    "BusinessDateNotOver",
    "BusinessDateOutOfOrder",
    "CollectionUnchanged",
    "CreditConsentMissing",
    "DrawOutOfRange",
    "LoanDrawn",
    "LoanExists",
    "LoanInArrears",
    "LoanNotFound",
    "LoanNotInArrears",
    "LoanNotOpen",
    "LoanWalletUnusable",
    "NotYourOffer",
    "NothingOwed",
    "OfferExists",
    "OfferExpired",
    "OfferMalformed",
    "OfferNotFound",
    "OfferTaken",
    "RateNotShown",
    "RefinancingRefused",
    "RepaymentOutOfRange",
    "TakeoverMalformed",
]


class OfferExists(Refusal):
    """There is an offer with this id."""

    code = "offer_exists"


class OfferNotFound(Refusal):
    """There is no offer with this id."""

    code = "offer_not_found"


class OfferExpired(Refusal):
    """The offer, or the time to draw what was accepted, is over."""

    code = "offer_expired"


class OfferTaken(Refusal):
    """The offer was accepted or withdrawn before."""

    code = "offer_taken"


class OfferMalformed(Refusal):
    """An offer ends later than now, lends something, and its terms are of its kind."""

    code = "offer_malformed"


class LoanExists(Refusal):
    """There is a loan with this id."""

    code = "loan_exists"


class LoanNotFound(Refusal):
    """There is no loan with this id."""

    code = "loan_not_found"


class LoanNotOpen(Refusal):
    """The loan is not where this can be done: repaid, charged off, not drawn yet, or not charged off."""

    code = "loan_not_open"


class LoanDrawn(Refusal):
    """The loan was paid out before; an instalment loan is paid out once."""

    code = "loan_drawn"


class LoanInArrears(Refusal):
    """Something fell due before today and is unpaid; until it is paid nothing more is lent."""

    code = "loan_in_arrears"


class LoanNotInArrears(Refusal):
    """Nothing that fell due before today is unpaid, so that there is no loss to take."""

    code = "loan_not_in_arrears"


class CreditConsentMissing(Refusal):
    """The party does not agree, or not any more, that its data are used to decide on credit."""

    code = "credit_consent_missing"


class RateNotShown(Refusal):
    """The effective annual rate that the party was shown is not that of what it would get now."""

    code = "rate_not_shown"


class NotYourOffer(Refusal):
    """The offer was made to another party."""

    code = "not_your_offer"


class LoanWalletUnusable(Refusal):
    """The wallet is not there, closed, not the party's, or of another currency."""

    code = "loan_wallet_unusable"


class DrawOutOfRange(Refusal):
    """A draw is at least one minor unit and within what is left of the limit, and more than its fee."""

    code = "draw_out_of_range"


class RepaymentOutOfRange(Refusal):
    """A repayment is at least one minor unit."""

    code = "repayment_out_of_range"


class NothingOwed(Refusal):
    """Nothing is owed at the moment."""

    code = "nothing_owed"


class CollectionUnchanged(Refusal):
    """Whether what is due is taken from the wallet is as it is asked to be already."""

    code = "collection_unchanged"


class RefinancingRefused(Refusal):
    """A loan is refinanced by the same party and currency, undisturbed, seldom, and paid off whole."""

    code = "refinancing_refused"


class TakeoverMalformed(Refusal):
    """Loans that are taken over have columns of one length, new ids, and amounts and dates in range."""

    code = "takeover_malformed"


class BusinessDateOutOfOrder(Refusal):
    """Business dates are closed one after the other, each day of the calendar."""

    code = "business_date_out_of_order"


class BusinessDateNotOver(Refusal):
    """The business date has not come yet."""

    code = "business_date_not_over"


class BusinessDateClosed(Refusal):
    """The business date is closed."""

    code = "business_date_closed"
