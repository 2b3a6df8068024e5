"""What a query may ask for."""

from __future__ import annotations

from dataclasses import dataclass

from formicary.base.limits import QUERY_LIMIT_MAX

__all__ = ["AccountFilter", "QueryFilter"]


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryFilter:
    """Accounts or transfers that match every field that is not zero.

    ``timestamp_min`` and ``timestamp_max`` are inclusive, in nanoseconds; 0 is no bound. A
    filter that cannot match (limit 0, minimum above maximum) finds nothing; it is no error.
    """

    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    ledger: int = 0
    code: int = 0
    timestamp_min: int = 0
    timestamp_max: int = 0
    limit: int = QUERY_LIMIT_MAX
    reversed: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether the filter can match anything."""
        bounded = self.timestamp_max == 0 or self.timestamp_min <= self.timestamp_max
        return bounded and self.limit > 0 and self.timestamp_min >= 0 and self.timestamp_max >= 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFilter:
    """The transfers of one account, on the sides asked for; the other fields as in ``QueryFilter``."""

    account_id: int
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    code: int = 0
    timestamp_min: int = 0
    timestamp_max: int = 0
    limit: int = QUERY_LIMIT_MAX
    debits: bool = True
    credits: bool = True
    reversed: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether the filter can match anything."""
        bounded = self.timestamp_max == 0 or self.timestamp_min <= self.timestamp_max
        positive = self.limit > 0 and self.timestamp_min >= 0 and self.timestamp_max >= 0
        return bounded and positive and (self.debits or self.credits)
