"""What events make of loans, in columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from formicary.factory.engine.columns import IDS
from formicary.products.lending.servicing import schemas, steps
from formicary.products.lending.servicing.fields import AMOUNTS, LOST, Rows, put_ids
from formicary.products.lending.servicing.layout import LoanState
from formicary.products.lending.servicing.providing import provide
from formicary.products.lending.servicing.standing_offers import LIMITS, STAYS

__all__ = ["evolve", "sweep"]


def evolve(kind: str, loans: Rows, events: Sequence[Any]) -> None:
    """Change loans (n,) as events (n,) of one kind say; a sweep says nothing more of its subject."""
    if kind in _EVOLVE:
        _EVOLVE[kind](loans, events)


def _column(events: Sequence[Any], name: str) -> Any:
    return np.array([getattr(event, name) for event in events], np.int64)


def _accepted(loans: Rows, events: Sequence[schemas.LoanAccepted]) -> None:
    for name in ("party", "wallet"):
        put_ids(loans, name, [getattr(event, name) for event in events])
    for name in ("currency", "limit", "is_collected"):
        loans[name] = [getattr(event, name) for event in events]
    for place, event in enumerate(events):
        event.terms.put(loans[place : place + 1])
        event.believed.put(loans[place : place + 1])
    loans["partner_share"] = _column(events, "partner_share")
    loans["default_now"] = loans["default"]
    loans["state"] = LoanState.ACCEPTED


def _paid_out(loans: Rows, events: Sequence[schemas.LoanPaidOut]) -> None:
    days = _column(events, "day")
    steps.advanced(loans, days)
    loans["instalment"] = _column(events, "instalment")
    loans["refinanced"] = np.maximum(loans["refinanced"], _column(events, "refinanced"))
    steps.drawn(loans, days, _column(events, "amount"))


def _repaid(loans: Rows, events: Sequence[schemas.LoanRepaid]) -> None:
    steps.advanced(loans, _column(events, "day"))
    steps.paid(loans, _column(events, "amount"), goes_on=True)


def _allowed(loans: Rows, _: Sequence[schemas.CollectionAllowed]) -> None:
    loans["is_collected"] = 1


def _revoked(loans: Rows, _: Sequence[schemas.CollectionRevoked]) -> None:
    loans["is_collected"] = 0


def _charged_off(loans: Rows, events: Sequence[schemas.LoanChargedOff]) -> None:
    steps.advanced(loans, _column(events, "day"))
    steps.charged_off(loans)


def _recovered(loans: Rows, events: Sequence[schemas.LoanRecovered]) -> None:
    steps.recovered(loans, _column(events, "amount"))


def _written_back(loans: Rows, events: Sequence[schemas.LoanWrittenBack]) -> None:
    steps.written_back(loans, _column(events, "day"))


def _assessed(loans: Rows, events: Sequence[schemas.RiskAssessed]) -> None:
    loans["default_now"] = _column(events, "default")
    loans["is_impaired"] = _column(events, "is_impaired")


_EVOLVE: Final[dict[str, Callable[[Rows, Sequence[Any]], None]]] = {
    "LoanAccepted": _accepted,
    "LoanPaidOut": _paid_out,
    "LoanRepaid": _repaid,
    "CollectionAllowed": _allowed,
    "CollectionRevoked": _revoked,
    "LoanChargedOff": _charged_off,
    "LoanRecovered": _recovered,
    "LoanWrittenBack": _written_back,
    "RiskAssessed": _assessed,
}


def sweep(kind: str, loans: Rows, event: Any) -> None:
    """Change loans (n,) as one event says."""
    match kind:
        case "LoansAccrued":
            steps.advanced(loans, np.full(len(loans), event.day, np.int64))
        case "LoansCollected":
            # A copy can be written to: for other arrays the kernel would be compiled once more.
            steps.paid(loans, AMOUNTS.unpack(event.amounts).copy(), goes_on=False)
        case "LoansChargedOff":
            is_lost = LOST.unpack(event.lost) > 0
            lost = loans[is_lost]
            steps.charged_off(lost)
            loans[is_lost] = lost
        case "LoansProvided":
            provide(loans, event.day, event.rules, event.own)
        case "LimitsCut":
            limits = LIMITS.unpack(event.limits)
            loans["limit"] = np.where(limits == STAYS, loans["limit"], limits)
        case _:
            _taken_over(loans, event)


def _taken_over(loans: Rows, event: schemas.LoansTakenOver) -> None:
    for name, column in (("party", event.parties), ("wallet", event.wallets)):
        ids = IDS.unpack(column)
        loans[f"{name}_high"], loans[f"{name}_low"] = ids[:, 0], ids[:, 1]
    event.terms.put(loans)
    loans["currency"], loans["is_collected"] = event.currency, 1
    balances = AMOUNTS.unpack(event.balances)
    loans["limit"], loans["instalment"] = balances, AMOUNTS.unpack(event.instalments)
    steps.taken_over(loans, balances, day=event.day, next_due=event.next_due)
