"""What a call can end with besides its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from formicary.base.errors import OperationalFault, Refusal

__all__ = ["ApiRefused", "ApiUnreachable", "UnknownOutcome", "WebhookInvalid"]


class ApiRefused(Refusal):
    """The API refused a request; ``reason`` is the documented code, ``param`` the field that was wrong.

    Of a payment that a decision refused, ``payment`` is the id to appeal by, ``reasons`` are sentences, and
    ``check`` says how the payer is to be checked.
    """

    code = "api_refused"

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        status: int,
        param: str,
        request_id: str,
        payment: str = "",
        check: str = "",
        reasons: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.param = param
        self.request_id = request_id
        self.payment = payment
        self.check = check
        self.reasons = reasons


class ApiUnreachable(OperationalFault):
    """The API did not answer, and nothing was done."""


class UnknownOutcome(OperationalFault):
    """The request may or may not have been done; ``resolve`` sends it again under the same key and tells."""

    def __init__(self, key: str, resend: Callable[[], Any]) -> None:
        super().__init__()
        self.key = key
        self._resend = resend

    def resolve(self) -> Any:
        """Return the answer, of what was done or is done now; raises again while it stays unknown."""
        return self._resend()


class WebhookInvalid(Refusal):
    """A webhook was not signed with this secret, or too long ago: do not believe it."""

    code = "webhook_invalid"
