"""A group: the requests of several callers, decided as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from formicary.base.arrays import joined
from formicary.base.errors import Refusal
from formicary.base.limits import REQUEST_ITEMS_MAX
from formicary.factory.ledger._layout import Records
from formicary.factory.ledger.records import ACCOUNT, ACCOUNT_RESULT, TRANSFER, TRANSFER_RESULT

__all__ = ["Group", "MalformedRequest", "RequestTooLarge", "check_request", "group_requests", "refusal_of"]


class RequestTooLarge(Refusal):
    """A request holds more events than 8,189; split it at the end of a chain."""

    code = "request_too_large"


class MalformedRequest(Refusal):
    """A request is not a one-dimensional array of accounts or of transfers."""

    code = "malformed_request"


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive requests of one kind, laid end to end.

    ``items`` (n,) are ``ACCOUNT`` or ``TRANSFER`` records, ``ordinals`` (n,) count each within its
    own request, and request k is ``items[bounds[k]:bounds[k + 1]]``.
    """

    items: Records
    ordinals: Records
    bounds: tuple[int, ...]

    @property
    def opens_accounts(self) -> bool:
        """Whether this is a group of accounts; otherwise it is one of transfers."""
        return bool(self.items.dtype == ACCOUNT)

    def empty_results(self) -> Records:
        """Return zeroed results, shape (n,)."""
        return np.zeros(len(self.items), ACCOUNT_RESULT if self.opens_accounts else TRANSFER_RESULT)

    def split(self, results: Records) -> list[Records]:
        """Cut results (n,) into those of each request."""
        return [results[first:last] for first, last in pairwise(self.bounds)]


def check_request(request: Records) -> None:
    """Refuse what is no request.

    Raises
    ------
    MalformedRequest
        Not a one-dimensional array of ``ACCOUNT`` or ``TRANSFER``.
    RequestTooLarge
        More than ``REQUEST_ITEMS_MAX`` events.
    """
    if request.ndim != 1 or request.dtype not in (ACCOUNT, TRANSFER):
        raise MalformedRequest
    if len(request) > REQUEST_ITEMS_MAX:
        raise RequestTooLarge


def refusal_of(request: Records) -> Refusal | None:
    """Return why an array is no request, None where it is one."""
    try:
        check_request(request)
    except Refusal as refusal:
        return refusal
    return None


def group_requests(requests: Sequence[Records]) -> list[Group]:
    """Lay requests end to end, one group for each run of the same kind; their order is kept."""
    groups: list[Group] = []
    run: list[Records] = []
    for request in requests:
        if run and run[0].dtype != request.dtype:
            groups.append(_lay(run))
            run = []
        run.append(request)
    if run:
        groups.append(_lay(run))
    return groups


def _lay(requests: Sequence[Records]) -> Group:
    if len(requests) == 1:
        count = len(requests[0])
        # Writable, though nothing writes: for other arrays every kernel would be compiled once more.
        items = np.require(requests[0], requirements=["C", "W"])
        return Group(items, np.arange(count), (0, count))
    sizes = [len(request) for request in requests]
    bounds = (0, *np.cumsum(sizes).tolist())
    ordinals = np.arange(bounds[-1]) - np.repeat(bounds[:-1], sizes)
    return Group(joined(requests, requests[0].dtype), ordinals, bounds)
