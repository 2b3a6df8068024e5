"""Ageing: what is still open on an account that is expected to be zero, and since when.

Entries of one reference (``user_data_128``) belong together: once they sum to zero the matter is closed, else
it is open since the entry that took it away from zero. Holds count apart, until they are posted or voided.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy.typing as npt

from formicary.factory.ledger.records import id_column
from formicary.factory.ledger.statuses import TransferFlags

__all__ = ["AGE_BOUNDS", "AgeBucket", "OpenItem", "age_buckets", "open_items"]

_DAY: Final = 86_400 * 10**9
_POST: Final = int(TransferFlags.POST_PENDING_TRANSFER)
_VOID: Final = int(TransferFlags.VOID_PENDING_TRANSFER)
_PENDING: Final = int(TransferFlags.PENDING)

AGE_BOUNDS: Final = (1 * _DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY)
"""The upper ends of the buckets of an ageing report, in nanoseconds; one more is above them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenItem:
    """One open matter: minor units booked and held (credits positive), open since when, in nanoseconds."""

    reference: int
    booked: int
    held: int
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeBucket:
    """Open matters of one age: above ``after`` nanoseconds and up to ``until``, None for no end."""

    after: int
    until: int | None
    items: tuple[OpenItem, ...]

    @property
    def booked(self) -> int:
        """The sum of what is booked, in minor units."""
        return sum(item.booked for item in self.items)

    @property
    def held(self) -> int:
        """The sum of what is held, in minor units."""
        return sum(item.held for item in self.items)


@dataclass(slots=True)
class _Matter:
    booked: int = 0
    held: int = 0
    since: int = 0


def open_items(account: int, transfers: npt.NDArray[Any]) -> list[OpenItem]:
    """Return what is open on an account, the oldest first.

    ``transfers`` are all of the account (n,), of ``TRANSFER`` and in order. A hold that ended by itself is no
    transfer, so accounts whose holds have a timeout are not for this.
    """
    matters: dict[int, _Matter] = {}
    holds: dict[int, tuple[int, int]] = {}
    columns = [
        id_column(transfers, name) for name in ("id", "credit_account_id", "pending_id", "user_data_128")
    ]
    numbers = [transfers[name].tolist() for name in ("timestamp", "amount", "flags")]
    for transfer, credit, pending, reference, at, size, flags in zip(*columns, *numbers, strict=True):
        amount = size if credit == account else -size
        if flags & (_POST | _VOID):
            held_for, held = holds.pop(pending)
            _add(matters, held_for, at, held=-held)
        if flags & _PENDING:
            holds[transfer] = (reference, amount)
            _add(matters, reference, at, held=amount)
        elif not flags & _VOID:
            _add(matters, reference, at, booked=amount)
    items = [
        OpenItem(reference=reference, booked=matter.booked, held=matter.held, since=matter.since)
        for reference, matter in matters.items()
    ]
    return sorted(items, key=lambda item: (item.since, item.reference))


def _add(matters: dict[int, _Matter], reference: int, at: int, *, booked: int = 0, held: int = 0) -> None:
    matter = matters.setdefault(reference, _Matter(since=at))
    matter.booked += booked
    matter.held += held
    if not matter.booked and not matter.held:
        del matters[reference]


def age_buckets(
    items: Iterable[OpenItem], *, now: int, bounds: Sequence[int] = AGE_BOUNDS
) -> list[AgeBucket]:
    """Sort open matters into buckets by their age at ``now``; ``bounds`` (n,) grow and give n + 1 buckets."""
    buckets: list[list[OpenItem]] = [[] for _ in range(len(bounds) + 1)]
    for item in items:
        buckets[bisect_left(bounds, now - item.since)].append(item)
    edges = zip([0, *bounds], [*bounds, None], buckets, strict=True)
    return [AgeBucket(after=after, until=until, items=tuple(held)) for after, until, held in edges]
