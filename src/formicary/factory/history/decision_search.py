"""Decisions by what came of them, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import DEADLINE_SECONDS, QUERY_LIMIT_MAX, SEARCH_POSITIONS
from formicary.factory.history.connection import Connection
from formicary.factory.journal import statements
from formicary.factory.journal.access import Access, Role
from formicary.factory.journal.blocks import spans
from formicary.factory.journal.rows import DECISION_ROW
from formicary.factory.journal.session import int8

__all__ = ["DecisionFilter", "DecisionSearch"]

Rows = npt.NDArray[Any]

_SIGNED_HALF: Final = 1 << 63


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFilter:
    """Which decisions are wanted.

    Attributes
    ----------
    outcomes
        Pairs of a decision point's number and the place of an outcome there; any where there is none.
    points
        The numbers of decision points; any where there is none.
    policy
        The version of a policy; any where it is 0.
    timestamp_min
        None before this time, in nanoseconds.
    limit
        How many at most.
    """

    points: Sequence[int] = ()
    outcomes: Sequence[tuple[int, int]] = ()
    policy: int = 0
    timestamp_min: int = 0
    limit: int = 50


class DecisionSearch:
    """Searches the journal's decisions, a stretch of positions at a time. For one thread at a time.

    There is no index on what a row says: a search that finds little reads all decisions.
    """

    def __init__(self, access: Access, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._connection = Connection(
            access, role=Role.READER, purpose="search", deadline_seconds=deadline_seconds
        )
        self._codec = statements.decision_codec()

    def newest(self, wanted: DecisionFilter) -> Rows:
        """Return the decisions that match, the newest first, (n,) of ``DECISION_ROW``."""
        missing, parts = min(wanted.limit, QUERY_LIMIT_MAX), [np.empty(0, DECISION_ROW)]
        conditions, values = _conditions(wanted)
        sql = (
            f"SELECT string_agg({self._codec.select}, '' ORDER BY position DESC) FROM ("  # noqa: S608, our names
            "SELECT * FROM journal.decisions WHERE position > $1::bigint AND position <= $2::bigint"
            f"{''.join(conditions)} ORDER BY position DESC LIMIT $3::bigint) AS found"
        )
        for after, until in self._spans():
            parameters = [int8(after), int8(until), int8(missing), *map(int8, values)]
            parts.append(self._codec.decode(self._connection.session.value(sql, parameters)))
            missing -= len(parts[-1])
            if not missing:
                break
        return joined(parts, DECISION_ROW)

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        self._connection.close()

    def _spans(self) -> list[tuple[int, int]]:
        session = self._connection.session
        return spans(
            after=0,
            until=session.number(statements.HEAD),
            segment_positions=session.number(statements.SEGMENT_POSITIONS),
            positions_max=SEARCH_POSITIONS,
        )[::-1]


def _conditions(wanted: DecisionFilter) -> tuple[list[str], list[int]]:
    """Return the comparisons of a filter, and the values of their parameters, from $4 on."""
    conditions, values = list[str](), list[int]()

    def parameter(value: int) -> str:
        # Stored as the signed word of the same bits.
        values.append(value - 2 * _SIGNED_HALF if value >= _SIGNED_HALF else value)
        return f"${3 + len(values)}::bigint"

    if wanted.points:
        conditions.append(f" AND point IN ({', '.join(map(parameter, wanted.points))})")
    if wanted.outcomes:
        pairs = [f"({parameter(point)}, {parameter(outcome)})" for point, outcome in wanted.outcomes]
        conditions.append(f" AND (point, outcome) IN ({', '.join(pairs)})")
    if wanted.policy:
        conditions.append(f" AND policy = {parameter(wanted.policy)}")
    if wanted.timestamp_min:
        conditions.append(f" AND timestamp >= {parameter(wanted.timestamp_min)}")
    return conditions, values
