"""Why something about a score is refused."""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "AuthorisationExpired",
    "AuthorisationNotGiven",
    "AuthorisationTaken",
    "DisputeExists",
    "DisputeNotOpen",
    "ExpiryPassed",
    "QueryExists",
    "ScoreNeedsConsent",
    "ScoreNotThere",
    "ScoreTimerStale",
    "SharingNeedsConsent",
    "SwitchAlreadySo",
    "ThirdPartyNotAllowed",
]


class ScoreNeedsConsent(Refusal):
    """Nobody is scored who did not agree to it: consent to the purpose ``credit``."""

    code = "score_needs_consent"


class SharingNeedsConsent(Refusal):
    """No score is shown to others without the party's consent to the purpose ``score_sharing``."""

    code = "score_sharing_needs_consent"


class ScoreNotThere(Refusal):
    """The party has no score now."""

    code = "score_not_there"


class ScoreTimerStale(Refusal):
    """Something was to be done for a score at this time, and is not any more."""

    code = "score_timer_stale"


class SwitchAlreadySo(Refusal):
    """Relations count already, or are left out already."""

    code = "relations_already_so"


class ThirdPartyNotAllowed(Refusal):
    """The house and the party itself are no third parties: the house lends by other means than the score."""

    code = "third_party_not_allowed"


class ExpiryPassed(Refusal):
    """An authorisation ends in the future, within a year."""

    code = "authorisation_expiry_out_of_range"


class AuthorisationNotGiven(Refusal):
    """The party never authorised this third party."""

    code = "score_not_authorised"


class AuthorisationExpired(Refusal):
    """The party's authorisation of this third party has ended."""

    code = "score_authorisation_expired"


class AuthorisationTaken(Refusal):
    """The party has taken its authorisation of this third party back."""

    code = "score_authorisation_revoked"


class QueryExists(Refusal):
    """There is a query with this id."""

    code = "score_query_exists"


class DisputeExists(Refusal):
    """The party's dispute before is still open."""

    code = "score_dispute_exists"


class DisputeNotOpen(Refusal):
    """The party has no open dispute."""

    code = "score_dispute_not_open"
