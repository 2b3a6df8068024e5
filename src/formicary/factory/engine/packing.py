"""A decision as packed records; what does not fit is refused before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.factory.engine.products import Decision
from formicary.factory.ledger import TRANSFER, MalformedRequest, account_array, check_request, transfer_array

__all__ = ["NumberOutOfRange", "pack_decision"]

Rows = npt.NDArray[Any]

_TIME_MAX: Final = 2**63 - 1
_WORD: Final = 2**64 - 1
# Of packed transfers the ids count on from that of an ordinal that no list of transfers has.
_PACKED: Final = 2**64 - 1


class NumberOutOfRange(Refusal):
    """A product decided with a number that no record can hold: an amount, an id or a time."""

    code = "number_out_of_range"


def pack_decision(decision: Decision, derive_id: Callable[[int], int]) -> tuple[Rows, Rows]:
    """Return the accounts (a,) of ``ACCOUNT`` and the transfers (t,) of ``TRANSFER`` of a decision.

    A command comes from outside. Whatever numbers it holds, it must end in an answer: an error here
    would stop the engine, and the caller's retry would stop it again.

    Parameters
    ----------
    decision
        Its transfers without an id get one that follows from ``derive_id`` and their ordinal. Those of a list
        are derived one by one, those of an array count on from one that is: thousands cost nothing.
    derive_id
        As ``Context.derive_id``.

    Raises
    ------
    NumberOutOfRange
        A number does not fit its field, or a timer is due before 1970 or after 2262.
    MalformedRequest
        An array of transfers is none of ``TRANSFER`` (t,).
    RequestTooLarge
        There are more accounts or transfers than ``REQUEST_ITEMS_MAX``, which is as many as can be undone.
    """
    if not all(0 <= timer.due <= _TIME_MAX for timer in decision.timers):
        raise NumberOutOfRange
    given = decision.transfers
    try:
        accounts = account_array(decision.accounts)
        # A copy: ids and flags are written into it.
        transfers = np.array(given) if isinstance(given, np.ndarray) else transfer_array(given)
    except OverflowError as error:
        raise NumberOutOfRange from error
    if transfers.dtype != TRANSFER:
        raise MalformedRequest
    check_request(accounts)
    check_request(transfers)
    _name(transfers, derive_id, are_packed=isinstance(given, np.ndarray))
    return accounts, transfers


def _name(transfers: Rows, derive_id: Callable[[int], int], *, are_packed: bool) -> None:
    unnamed = np.flatnonzero((transfers["id_high"] == 0) & (transfers["id_low"] == 0))
    if are_packed and len(unnamed):
        base = derive_id(_PACKED)
        transfers["id_high"][unnamed] = base >> 64
        # Past the last word they begin again at zero, and are others all the same.
        transfers["id_low"][unnamed] = np.uint64(base & _WORD) + unnamed.astype(np.uint64)
        return
    for ordinal in unnamed.tolist():
        derived = derive_id(ordinal)
        transfers[ordinal]["id_high"], transfers[ordinal]["id_low"] = derived >> 64, derived & _WORD
