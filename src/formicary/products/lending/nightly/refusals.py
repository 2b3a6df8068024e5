"""Why a run over all parties does not go on."""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = ["PreapprovalEnded", "PreapprovalNotDue"]


class PreapprovalNotDue(Refusal):
    """A run is begun on its own day, and goes on until the next one is over."""

    code = "preapproval_not_due"


class PreapprovalEnded(Refusal):
    """All parties have been looked at in this run."""

    code = "preapproval_ended"
