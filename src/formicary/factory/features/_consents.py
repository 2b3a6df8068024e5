"""Who agrees to what at this moment, for whoever has to leave out what parties took back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from formicary.base.kernels import kernel
from formicary.factory.features._layout import CONSENT_TABLE, HEADER_CONSENT, State, Words
from formicary.factory.features._rows import find_row

__all__ = ["consents_of"]


@kernel
def consents_of(state: State, parties: Words, purpose: int, agreed: npt.NDArray[np.bool_]) -> None:
    """Write whether each of the parties (n, 2) agrees to the purpose of a bit; an absent one does not."""
    for item in range(len(parties)):
        row = find_row(state, CONSENT_TABLE, parties[item, 0], parties[item, 1])
        agreed[item] = row >= 0 and (state.words[row + HEADER_CONSENT] >> purpose) & 1 == 1
