"""How payments went that were not made at once: held, or refused, with what a decision said of them.

Nothing is looked up for a payment that was made. One that is asked for again is answered from what was
recorded of it, so that it gets the code and the reasons that it got at first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from formicary.base.public_ids import Prefix, encode
from formicary.factory.engine.requests import KeyReused
from formicary.factory.history import History
from formicary.factory.ledger import CreateTransferStatus, TransferFlags, id_column
from formicary.products.payments.held import hold_end
from formicary.products.payments.postings import code_of
from formicary.products.payments.risk import check_of
from formicary.surfaces.api.decisions import Decisions, Told
from formicary.surfaces.api.ports import Backend, Records
from formicary.surfaces.api.problems import RefusedAs
from formicary.surfaces.api.values import time_text

__all__ = ["CREATED", "EXISTS", "MADE", "PaymentOutcome", "PaymentOutcomes", "is_decided", "outcome_of"]

CREATED: Final = int(CreateTransferStatus.CREATED)
EXISTS: Final = int(CreateTransferStatus.EXISTS)
_HELD: Final = int(CreateTransferStatus.HELD)
_STEP_UP_REQUIRED: Final = int(CreateTransferStatus.STEP_UP_REQUIRED)
_DECLINED: Final = int(CreateTransferStatus.DECLINED)
_ID_ALREADY_FAILED: Final = int(CreateTransferStatus.ID_ALREADY_FAILED)
_RECORDED: Final = frozenset({_HELD, _STEP_UP_REQUIRED, _DECLINED, _ID_ALREADY_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentOutcome:
    """How a payment went.

    Attributes
    ----------
    status
        ``completed``, ``held`` or ``refused``.
    code
        Why it was refused, as documented.
    is_decided
        Whether a decision said so, which can be looked at and appealed.
    release_by
        When held money goes back by itself, in RFC 3339.
    check
        Of a step-up: what the payer is to be checked by.
    reasons
        What the decision said, at most four sentences.
    """

    status: str
    code: str = ""
    is_decided: bool = False
    release_by: str = ""
    check: str = ""
    reasons: tuple[str, ...] = ()

    @property
    def counted_as(self) -> str:
        """Under which name it is counted."""
        return self.code or self.status

    def refusal(self, payment: int) -> RefusedAs:
        """Return the refusal of a payment, by the id that it would have had."""
        named = encode(Prefix.PAYMENT, payment) if self.is_decided else ""
        return RefusedAs(self.code, payment=named, check=self.check, reasons=self.reasons)


MADE: Final = PaymentOutcome(status="completed")


class PaymentOutcomes:
    """Finds out how payments went.

    Parameters
    ----------
    backend
        Where it is recorded.
    decisions
        What decisions said.
    """

    def __init__(self, backend: Backend, decisions: Decisions) -> None:
        self._backend = backend
        self._decisions = decisions

    async def explained(self, statuses: Mapping[int, int], fingerprint: int) -> dict[int, PaymentOutcome]:
        """Return how payments went that the ledger did not just make, by their ids.

        Parameters
        ----------
        statuses
            The ledger's decisive status of each, by its id.
        fingerprint
            Of the body that was sent now: another one under the same key is found by it.
        """
        wanted = [payment for payment, status in statuses.items() if status in _RECORDED]
        rows, told = await self.recorded(wanted) if wanted else ({}, {})
        found = {}
        for payment, status in statuses.items():
            row = rows.get(payment)
            if row is None:
                found[payment] = PaymentOutcome(status="refused", code=_code(status))
            elif int(row["user_data_64"]) != fingerprint:
                found[payment] = PaymentOutcome(status="refused", code=KeyReused.code)
            else:
                found[payment] = outcome_of(row, told.get(payment))
        return found

    async def recorded(self, payments: Sequence[int]) -> tuple[dict[int, Records], dict[int, Told]]:
        """Return what is recorded of ids of payments, one ``TRANSFER_ROW`` each, and what was decided."""

        def look(history: History) -> tuple[Records, Records]:
            rows = history.recorded(payments)
            decided = rows[is_decided(rows)]
            # A decision stands just before what it is about.
            return rows, history.decisions_at(decided["position"] - 1)

        rows, decisions = await self._backend.remember(look)
        told = zip(id_column(rows[is_decided(rows)]), await self._decisions.told(decisions), strict=True)
        return dict(zip(id_column(rows), rows, strict=True)), dict(told)


def is_decided(rows: Records) -> Records:
    """Tell of which rows (n,) of ``TRANSFER_ROW`` a decision said that they are not made at once."""
    held = rows["flags"] & TransferFlags.HELD != 0
    return np.asarray(held | np.isin(rows["status"], (_STEP_UP_REQUIRED, _DECLINED)))


def outcome_of(row: Records, told: Told | None) -> PaymentOutcome:
    """Return how a payment went that is recorded in a row, shape () of ``TRANSFER_ROW``."""
    if told is None:
        return PaymentOutcome(status="refused", code=_code(int(row["status"])))
    if int(row["status"]) == CREATED:
        return PaymentOutcome(
            status="held", is_decided=True, release_by=time_text(hold_end(row)), reasons=told.reasons
        )
    return PaymentOutcome(
        status="refused",
        code=_code(int(row["status"])),
        is_decided=True,
        check=check_of(told.outcome),
        reasons=told.reasons,
    )


def _code(status: int) -> str:
    return code_of(CreateTransferStatus(status).name.lower())
