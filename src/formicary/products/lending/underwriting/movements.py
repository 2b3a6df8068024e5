"""How allowances moved from one day to the next: by currency and stage, in lines that add up.

::

    opening + new + moved in - moved out + remeasured - gone = closing

The lines are those of the reconciliation that IFRS 7 asks for (35H). A loan that changes its stage leaves the
old one with what was put aside for it and comes into the new one with the same; what it then takes more or
less is remeasured there. What is posted of a day is the difference of opening and closing of each stage:
expense against allowance, or the other way round. Amounts that were written off the caller takes out of
"gone" himself.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.products.lending.underwriting.provisions import PROVISION, Stage

__all__ = ["MOVEMENT", "movements", "postings"]

Rows = npt.NDArray[Any]

MOVEMENT: Final = np.dtype(
    [
        ("currency", np.uint16),
        ("stage", np.uint8),
        ("opening", np.int64),
        ("new", np.int64),
        ("moved_in", np.int64),
        ("moved_out", np.int64),
        ("remeasured", np.int64),
        ("gone", np.int64),
        ("closing", np.int64),
    ]
)
"""Allowances of one currency and stage, in minor units; only ``remeasured`` can be below zero."""

POSTING: Final = np.dtype([("currency", np.uint16), ("stage", np.uint8), ("amount", np.int64)])
"""What the allowance of a currency and stage grows by, in minor units; below zero it is released."""


def movements(before: Rows, after: Rows) -> Rows:
    """Return how allowances moved, of ``MOVEMENT``, in the order of currencies and stages.

    Parameters
    ----------
    before, after
        What was put aside the day before and today, of ``PROVISION``, each loan once; a loan keeps its
        currency.
    """
    old, new = _by_loan(before), _by_loan(after)
    _, places, counts = np.unique(
        np.concatenate([old["loan"], new["loan"]]), axis=0, return_inverse=True, return_counts=True
    )
    stayed = counts[places.reshape(-1)] > 1
    kept_old, kept_new = old[stayed[: len(old)]], new[stayed[len(old) :]]
    if (kept_old["currency"] != kept_new["currency"]).any():
        message = "a loan changed its currency"
        raise ProgrammingError(message)
    keys = np.unique(np.concatenate([_key(old), _key(new)]))
    told = np.zeros(len(keys), MOVEMENT)
    told["currency"], told["stage"] = keys >> 2, keys & 3
    has_moved = kept_old["stage"] != kept_new["stage"]
    lines = {
        "opening": (old, old["allowance"]),
        "new": (new[~stayed[len(old) :]], new["allowance"][~stayed[len(old) :]]),
        "moved_in": (kept_new[has_moved], kept_old["allowance"][has_moved]),
        "moved_out": (kept_old[has_moved], kept_old["allowance"][has_moved]),
        "remeasured": (kept_new, kept_new["allowance"] - kept_old["allowance"]),
        "gone": (old[~stayed[: len(old)]], old["allowance"][~stayed[: len(old)]]),
        "closing": (new, new["allowance"]),
    }
    for line, (rows, amounts) in lines.items():
        np.add.at(told[line], np.searchsorted(keys, _key(rows)), amounts)
    return _adding_up(told)


def postings(moved: Rows) -> Rows:
    """Return what is posted of movements, of ``POSTING``: nothing where nothing changed."""
    amounts = moved["closing"] - moved["opening"]
    told = np.zeros(len(moved), POSTING)
    told["currency"], told["stage"], told["amount"] = moved["currency"], moved["stage"], amounts
    return np.asarray(told[amounts != 0])


def _by_loan(rows: Rows) -> Rows:
    """Return rows in the order of loans, each once, and of a stage that there is."""
    if rows.dtype != PROVISION:
        message = f"provisions are rows of {PROVISION}, not {rows.dtype}"
        raise ProgrammingError(message)
    ordered = rows[np.lexsort((rows["loan"][:, 1], rows["loan"][:, 0]))]
    is_double = (ordered["loan"][1:] == ordered["loan"][:-1]).all(axis=1)
    if is_double.any() or not np.isin(ordered["stage"], list(Stage)).all():
        message = "each loan is there once, in one of three stages"
        raise ProgrammingError(message)
    return ordered


def _adding_up(told: Rows) -> Rows:
    """Return movements that lead from opening to closing; others are a ``ProgrammingError``."""
    came = told["opening"] + told["new"] + told["moved_in"] + told["remeasured"]
    if (came - told["moved_out"] - told["gone"] != told["closing"]).any():
        message = "what moved does not lead from opening to closing"
        raise ProgrammingError(message)
    return told


def _key(rows: Rows) -> npt.NDArray[np.int64]:
    """Return currency and stage in one number, (n,)."""
    return np.asarray(rows["currency"].astype(np.int64) << 2 | rows["stage"], np.int64)
