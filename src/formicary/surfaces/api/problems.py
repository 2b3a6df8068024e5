"""Errors as callers get them: ``application/problem+json`` after RFC 9457, with our documented codes."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus
from typing import Final

import msgspec

from formicary.base.errors import OperationalFault, Refusal
from formicary.factory.engine.client import EngineRefused, OutcomeUnknown
from formicary.factory.engine.requests import EngineBusy

__all__ = [
    "AuthenticationRequired",
    "BodyTooLarge",
    "BodyTooSlow",
    "ConsentActNotAllowed",
    "IdempotencyKeyMalformed",
    "IdempotencyKeyMissing",
    "MalformedBody",
    "MalformedField",
    "MethodNotAllowed",
    "NotFound",
    "PortfolioNotThere",
    "Problem",
    "RateLimited",
    "RefusedAs",
    "ResultsNotThere",
    "ScopeMissing",
    "problem_of",
]

_RETRY_SECONDS: Final = 1


class AuthenticationRequired(Refusal):
    """Send ``Authorization: Bearer`` with an API key or an end user's token that is valid now."""

    code = "authentication_required"


class ScopeMissing(Refusal):
    """The key or token does not have the scope that this takes."""

    code = "scope_missing"


class ConsentActNotAllowed(Refusal):
    """Only the party's own token says that it pressed; only a key of the house enters a paper or a call."""

    code = "consent_act_not_allowed"


class NotFound(Refusal):
    """There is nothing here that this key or token may see."""

    code = "not_found"


class MethodNotAllowed(Refusal):
    """The resource does not take this method."""

    code = "method_not_allowed"


class MalformedBody(Refusal):
    """The body is no JSON document of the form that this takes."""

    code = "malformed_body"


class MalformedField(Refusal):
    """A field or parameter does not have the form it must have."""

    code = "malformed_field"

    def __init__(self, message: str | None = None, *, param: str) -> None:
        super().__init__(message)
        self.param = param


class BodyTooLarge(Refusal):
    """The body has more bytes than this takes."""

    code = "body_too_large"


class BodyTooSlow(Refusal):
    """The body did not arrive in time."""

    code = "body_too_slow"


class IdempotencyKeyMissing(Refusal):
    """What moves money or changes anything takes the header ``Idempotency-Key``."""

    code = "idempotency_key_missing"


class IdempotencyKeyMalformed(Refusal):
    """An idempotency key has 1 to 255 visible ASCII characters."""

    code = "idempotency_key_malformed"


class RefusedAs(Refusal):
    """The request was refused; its code says why."""

    code = "request_refused"

    def __init__(
        self,
        reason: str,
        *,
        param: str = "",
        detail: str = "",
        payment: str = "",
        check: str = "",
        reasons: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail or _meaning_of(reason))
        self.reason = reason
        self.param = param
        self.payment = payment
        self.check = check
        self.reasons = reasons


class ResultsNotThere(Refusal):
    """Nothing is kept of the experiment: its outcomes are no facts, or it was not looked at yet."""

    code = "results_not_there"


class PortfolioNotThere(Refusal):
    """No portfolio is kept: no business date was closed yet."""

    code = "portfolio_not_there"


class RateLimited(Refusal):
    """The key or token has asked too often; wait for as long as ``Retry-After`` says."""

    code = "rate_limited"

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


_STATUS: Final = {
    "account_not_found": HTTPStatus.NOT_FOUND,
    "authentication_required": HTTPStatus.UNAUTHORIZED,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "body_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "consent_act_not_allowed": HTTPStatus.FORBIDDEN,
    "credit_notice_not_due": HTTPStatus.NOT_FOUND,
    "engine_busy": HTTPStatus.SERVICE_UNAVAILABLE,
    "experiment_not_found": HTTPStatus.NOT_FOUND,
    "idempotency_key_malformed": HTTPStatus.BAD_REQUEST,
    "idempotency_key_missing": HTTPStatus.BAD_REQUEST,
    "key_expired": HTTPStatus.UNAUTHORIZED,
    "key_invalid": HTTPStatus.UNAUTHORIZED,
    "malformed_body": HTTPStatus.BAD_REQUEST,
    "malformed_field": HTTPStatus.BAD_REQUEST,
    "malformed_id": HTTPStatus.BAD_REQUEST,
    "party_not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "not_found": HTTPStatus.NOT_FOUND,
    "outcome_unknown": HTTPStatus.SERVICE_UNAVAILABLE,
    "portfolio_not_there": HTTPStatus.NOT_FOUND,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "results_not_there": HTTPStatus.NOT_FOUND,
    "scope_missing": HTTPStatus.FORBIDDEN,
    "score_authorisation_expired": HTTPStatus.FORBIDDEN,
    "score_authorisation_revoked": HTTPStatus.FORBIDDEN,
    # Whoever is not authorised does not find out whether there is such a party.
    "score_not_authorised": HTTPStatus.NOT_FOUND,
    "score_not_there": HTTPStatus.NOT_FOUND,
    "service_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "token_expired": HTTPStatus.UNAUTHORIZED,
    "token_invalid": HTTPStatus.UNAUTHORIZED,
}
_UNKNOWN: Final = (
    "Whether it was done is not known. Send the same request with the same Idempotency-Key: "
    "what was done is answered, what was not is done once."
)


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem document; of a payment that a decision refused also its id, a check, and the reasons."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    param: str = ""
    payment: str = ""
    check: str = ""
    reasons: tuple[str, ...] = ()
    retry_after_seconds: int = 0

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that belong to it."""
        headers = []
        if self.retry_after_seconds:
            headers.append((b"retry-after", b"%d" % self.retry_after_seconds))
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers.append((b"www-authenticate", b"Bearer"))
        return headers

    def body(self) -> bytes:
        """Return the document as JSON; what only headers need is not in it."""
        return msgspec.json.encode(msgspec.structs.replace(self, retry_after_seconds=0))


def problem_of(error: Refusal | OperationalFault, request_id: str) -> Problem:
    """Return the problem document of a refusal or fault."""
    code, detail = _code_of(error), str(error)
    if code == "outcome_unknown":
        detail = _UNKNOWN
    status = _STATUS.get(code, HTTPStatus.UNPROCESSABLE_ENTITY)
    retry_after = getattr(error, "retry_after_seconds", 0)
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        retry_after = _RETRY_SECONDS
    return Problem(
        type=f"urn:formicary:error:{code}",
        title=code.replace("_", " ").capitalize(),
        status=int(status),
        code=code,
        detail=detail,
        request_id=request_id,
        param=getattr(error, "param", ""),
        payment=getattr(error, "payment", ""),
        check=getattr(error, "check", ""),
        reasons=getattr(error, "reasons", ()),
        retry_after_seconds=retry_after,
    )


def _meaning_of(code: str) -> str:
    return _meanings().get(code, code.replace("_", " "))


@lru_cache(maxsize=1)
def _meanings() -> dict[str, str]:
    """Return the first sentence of every refusal that is declared, by code."""
    found: dict[str, str] = {}
    kinds: list[type[Refusal]] = [Refusal]
    while kinds:
        kind = kinds.pop()
        found.setdefault(kind.code, " ".join((kind.__doc__ or "").partition("\n\n")[0].split()))
        kinds += kind.__subclasses__()
    return found


def _code_of(error: Refusal | OperationalFault) -> str:
    if isinstance(error, EngineRefused | RefusedAs):
        return error.reason
    if isinstance(error, Refusal):
        return error.code
    if isinstance(error, OutcomeUnknown):
        return "outcome_unknown"
    # Nothing was done: no engine, a full queue, a database that is being started again.
    return "engine_busy" if isinstance(error, EngineBusy) else "service_unavailable"
