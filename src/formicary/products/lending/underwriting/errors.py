"""Why underwriting refuses to begin.

::

    Refusal
    └── CreditPolicyMalformed    a policy that contradicts itself

That a party gets no credit is no error: it is an outcome, with its reasons.
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = ["CreditPolicyMalformed"]


class CreditPolicyMalformed(Refusal):
    """A credit policy contradicts itself, or a number of it cannot be."""

    code = "credit_policy_malformed"
