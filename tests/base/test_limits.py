"""Limits that must hold together."""

from __future__ import annotations

from formicary.base import limits
from formicary.factory.ledger.records import TRANSFER, TRANSFER_RESULT


def test_limits_are_positive_integers() -> None:
    """Every limit is a positive integer."""
    names = [name for name in vars(limits) if name.isupper()]
    assert names
    assert all(type(value) is int and value > 0 for value in map(vars(limits).get, names))


def test_a_full_request_fits_a_group_and_a_frame() -> None:
    """The largest request and its answer fit one frame, and the request fits one group."""
    row_bytes = max(TRANSFER.itemsize, TRANSFER_RESULT.itemsize)
    assert limits.REQUEST_ITEMS_MAX <= limits.GROUP_ITEMS_MAX
    assert limits.REQUEST_ITEMS_MAX * row_bytes * 2 <= limits.FRAME_BYTES_MAX
    assert limits.QUERY_LIMIT_MAX <= limits.REQUEST_ITEMS_MAX


def test_a_group_of_requests_fits_the_queue() -> None:
    """The queue holds more than one group, so that the engine never idles behind a refusal."""
    assert limits.GROUP_REQUESTS_MAX < limits.QUEUE_REQUESTS_MAX
