"""What a lender earns by approving loans, and where it stops approving: integers of minor units.

Economics are stated, not estimated: a good loan earns a share of what was lent, a bad one loses a share.
The cut-off is the one that would have earned most on rows that its model did not learn from, all of them
rows that may be learnt from; of several the one that approves fewest.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["TERMS", "Terms", "best_cut", "earned", "worth"]

Reals: TypeAlias = npt.NDArray[np.float64]
Money: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_BP: Final = 10_000


class Terms(NamedTuple):
    """A lender's economics.

    Attributes
    ----------
    margin_bp
        What a loan that is paid back earns over its life, in basis points of what was lent: interest less the
        cost of money and of the work.
    loss_bp
        What a bad one loses, likewise: what is never recovered, less what was earned until then.
    """

    margin_bp: int
    loss_bp: int

    @property
    def break_even(self) -> float:
        """The chance of a bad loan at which lending earns nothing."""
        return self.margin_bp / (self.margin_bp + self.loss_bp)


TERMS: Final = Terms(margin_bp=1_000, loss_bp=5_000)
"""A tenth is earned and half is lost: lending pays below a chance of one in six."""


def worth(labels: Reals, amounts: Money, terms: Terms) -> Money:
    """Return what each loan (n,) earns if it is approved, rounded down to minor units."""
    share = np.where(labels == 1, -terms.loss_bp, terms.margin_bp)
    # Divided by the row, as a lender writes it off: no loan is torn between roundings.
    return np.asarray(amounts * share // _BP, np.int64)


def earned(approved: Flags, labels: Reals, amounts: Money, terms: Terms) -> int:
    """Return what the approved loans (n,) earn together."""
    return int(worth(labels, amounts, terms)[approved].sum())


def best_cut(chances: Reals, labels: Reals, amounts: Money, terms: Terms) -> float:
    """Return the highest chance (n,) to approve so that most is earned; below all of them, if nothing is."""
    each, places = np.unique(chances, return_inverse=True)
    sums = np.zeros(len(each), np.int64)
    np.add.at(sums, places, worth(labels, amounts, terms))
    totals = np.cumsum(sums)
    best = int(totals.argmax())
    return float(each[best]) if totals[best] > 0 else float(np.nextafter(each[0], -np.inf))
