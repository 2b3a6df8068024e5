"""A decision as packed records; what does not fit is refused before anything is done."""

from __future__ import annotations

from typing import Any, Final

import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.factory.engine.products import Decision
from formicary.factory.ledger import account_array, transfer_array

__all__ = ["NumberOutOfRange", "pack_decision"]

_TIME_MAX: Final = 2**63 - 1


class NumberOutOfRange(Refusal):
    """A product decided with a number that no record can hold: an amount, an id or a time."""

    code = "number_out_of_range"


def pack_decision(decision: Decision) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the accounts (a,) of ``ACCOUNT`` and the transfers (t,) of ``TRANSFER`` of a decision.

    A command comes from outside. Whatever numbers it holds, it must end in an answer: an error here
    would stop the engine, and the caller's retry would stop it again.

    Raises
    ------
    NumberOutOfRange
        A number does not fit its field, or a timer is due before 1970 or after 2262.
    """
    if not all(0 <= timer.due <= _TIME_MAX for timer in decision.timers):
        raise NumberOutOfRange
    try:
        return account_array(decision.accounts), transfer_array(decision.transfers)
    except OverflowError as error:
        raise NumberOutOfRange from error
