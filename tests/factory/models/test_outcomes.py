"""Facts as outcomes; those that tell none are counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from formicary.factory.journal.events import Event
from formicary.factory.models.outcomes import outcomes_of
from tests.factory.models.questions_kit import LABEL


def event(position: int, kind: str, ids: dict[str, list[int]], **numbers: list[int]) -> Event:
    """Return an event of facts."""
    rows = len(next(iter(ids.values())))
    body: dict[str, Any] = {
        "kind": kind,
        "at": [position * 10 + row for row in range(rows)],
        "ids": {name: [f"{one:032x}" for one in column] for name, column in ids.items()},
        "numbers": numbers,
        "real_bits": {},
    }
    return Event(
        position=position,
        timestamp=position * 100,
        kind="facts.FactsRecorded",
        version=1,
        command_id=position,
        subject=1,
        body=msgspec.json.encode(body),
    )


def test_signs() -> None:
    """Either column may be missing; a fact with both signs is positive, one with neither says nothing."""
    told = outcomes_of(
        [
            event(1, "other", {"payment": [1]}, charged_back=[1]),
            event(2, "outcome", {"payment": [1, 2**100, 0]}, charged_back=[1, 0, 1]),
            event(3, "outcome", {"payment": [3, 4]}, charged_back=[1, 0], confirmed=[1, 1]),
            event(4, "outcome", {"order": [5, 6]}, charged_back=[1, 1]),
            event(5, "outcome", {"payment": [7]}, else_=[1]),
        ],
        LABEL,
    )
    found = told.outcomes
    assert found.ids.tolist() == [[0, 1], [0, 3], [0, 4]]
    assert (found.at.tolist(), found.positions.tolist()) == ([20, 30, 31], [2, 3, 3])
    assert found.values.tolist() == [1, 1, 0]
    # No sign, nobody named, no such id twice, no such number.
    assert (told.passed_over, told.now) == (5, 500)
    other = outcomes_of(
        [event(4, "outcome", {"order": [5, 6]}, charged_back=[1, 1])], replace(LABEL, event="order")
    )
    assert other.outcomes.ids.tolist() == [[0, 5], [0, 6]]


def test_of_nothing() -> None:
    """There is no outcome and no time."""
    told = outcomes_of([], LABEL)
    assert (len(told.outcomes.at), told.passed_over, told.now) == (0, 0, 0)
