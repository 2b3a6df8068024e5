"""What stopping rows by their chance is worth in money, and what one model gains over another.

A row that comes out *positive* loses its amount unless it is stopped; one that comes out *negative* earns a
margin unless it is. Whoever knows the chance p stops where that is worth more than it costs (Elkan, *The
foundations of cost-sensitive learning*, 2001)::

    p * lost * amount > (1 - p) * margin * amount + cost

Values are counted beside stopping nothing, in minor units.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.learning.errors import PlanMalformed

__all__ = ["Worth"]

Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_BP: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What a stopped row is worth, by how it would have come out.

    Attributes
    ----------
    lost_bp
        Of the amount of a positive row, in basis points: lost unless it is stopped.
    margin_bp
        Of the amount of a negative row, in basis points: earned unless it is stopped.
    cost
        Of stopping a row, whatever comes of it, in minor units.

    Raises
    ------
    PlanMalformed
        A number is negative, or more than the amount itself.
    """

    lost_bp: int = _BP
    margin_bp: int = 0
    cost: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (field.name.endswith("_bp") and value > _BP):
                message = f"{field.name} is at least 0, and at most {_BP:,} in basis points, not {value:,}"
                raise PlanMalformed(message)

    def stops(self, chances: Reals, amounts: Words) -> Flags:
        """Return which rows (n,) are stopped by their chances (n,) and amounts (n,) in minor units."""
        saved = chances * self.lost_bp * amounts
        return np.asarray(saved > (1 - chances) * self.margin_bp * amounts + self.cost * _BP, np.bool_)

    def values(self, stopped: Flags, labels: npt.NDArray[np.int8], amounts: Words) -> Words:
        """Return what each row (n,) is worth in minor units, beside letting it pass."""
        of_amount = np.where(labels == 1, self.lost_bp, -self.margin_bp) * amounts // _BP
        return np.where(stopped, of_amount - self.cost, 0)
