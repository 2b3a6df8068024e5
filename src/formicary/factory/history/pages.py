"""All pages of a question as one answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import HISTORY_ENTRIES_MAX, QUERY_LIMIT_MAX
from formicary.factory.history.chain import QueryTooBroad
from formicary.factory.ledger import TRANSFER, AccountFilter

__all__ = ["all_account_transfers"]

Rows = npt.NDArray[Any]


def all_account_transfers(read: Callable[[AccountFilter], Rows], wanted: AccountFilter) -> Rows:
    """Return all transfers of an account that match, oldest first, (n,) of ``TRANSFER``.

    ``read`` answers one page: ``get_account_transfers`` of a history or of a ledger.

    Raises
    ------
    QueryTooBroad
        They are more than ``HISTORY_ENTRIES_MAX``.
    """
    parts: list[Rows] = []
    wanted = replace(wanted, limit=QUERY_LIMIT_MAX, reversed=False)
    while sum(map(len, parts)) <= HISTORY_ENTRIES_MAX:
        parts.append(read(wanted))
        if len(parts[-1]) < QUERY_LIMIT_MAX:
            return joined(parts, TRANSFER)
        wanted = replace(wanted, timestamp_min=int(parts[-1][-1]["timestamp"]) + 1)
    raise QueryTooBroad
