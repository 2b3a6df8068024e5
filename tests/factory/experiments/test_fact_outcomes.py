"""Outcomes from facts: summed from the first exposure on, and before it, party by party."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.factory.experiments.definitions import OutcomeFacts, read_definition
from formicary.factory.experiments.errors import OutcomesUnusable
from formicary.factory.experiments.fact_outcomes import fact_outcomes
from formicary.factory.experiments.outcomes import Outcomes
from formicary.factory.experiments.reading import Exposures
from formicary.factory.facts import RecordFacts
from tests.factory.experiments.kit import DAY_NS, document_of, ids
from tests.factory.facts.kit import SOURCE, START, Archive
from tests.factory.features.training_kit import source_of

BEGIN = START - 100 * DAY_NS
PARTIES = ids(3)
STRANGER = ids(1, seed=9)
METRICS = (
    "{name: spend, kind: mean, column: spent, covariate: before_spent, good: up}, "
    "{name: orders, kind: proportion, column: ordered, good: up}"
)
EXPOSURES = Exposures(at=BEGIN + np.array([0, 1, 2]) * DAY_NS, parties=PARTIES, arms=np.array([0, 1, 1]))
TEXTS = [f"{high:016x}{low:016x}" for high, low in np.concatenate([PARTIES, STRANGER]).tolist()]
# The party, days since the first exposure of all, what it spent, how often it ordered.
ROWS = [
    (0, 0.0, 5.0, 1),
    (0, 1.5, 2.5, 1),
    (0, 2.0, 100.0, 1),
    (0, -0.5, 7.0, 1),
    (0, -2.0, 1.0, 0),
    (0, -2.1, 100.0, 0),
    (1, 0.9, 3.0, 4),
    (1, 1.0, None, 0),
    (3, 1.0, 9.0, 1),
]


def facts(*rows: tuple[int, float, float | None, int], kind: str = "order", **other: Any) -> RecordFacts:
    """Return the command that tells what parties did, but for the fields that are given."""
    fields: dict[str, Any] = {
        "at": [BEGIN + int(day * DAY_NS) for _, day, _, _ in rows],
        "ids": {"party": [TEXTS[party] for party, *_ in rows]},
        "numbers": {"ordered": [ordered for *_, ordered in rows]},
        "reals": {"spent": [spent for _, _, spent, _ in rows]},
    }
    return RecordFacts(subject=SOURCE, kind=kind, **(fields | other))


def found(archive: Archive, *, days: int = 2, metrics: str = METRICS, until: int = START + 10**9) -> Outcomes:
    """Return outcomes of everybody who met the experiment."""
    definition = read_definition(document_of(metrics=metrics, outcome_days=days))
    source = source_of(archive.journal)
    return fact_outcomes(source, definition, EXPOSURES, OutcomeFacts(facts="order"), until=until)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Tell what parties did, in one event and in two of other kinds."""
    archive = Archive(tmp_path)
    for command in (
        facts(*ROWS),
        facts((0, 0.0, 100.0, 1), kind="label"),
        facts((2, 2.5, 4.0, 1), reals={}),
        facts((0, 0.0, 100.0, 1), ids={"payer": TEXTS[:1]}),
    ):
        assert archive.records(command) == ""
    return archive


def test_outcomes_are_sums_of_the_days_after(archive: Archive) -> None:
    """From the exposure itself on, and as many days until it; of whom nothing was told all is 0."""
    outcomes = found(archive)
    assert outcomes.parties.tolist() == PARTIES.tolist()
    assert outcomes.columns["spent"].tolist() == [7.5, 0, 0]
    assert outcomes.columns["before_spent"].tolist() == [8, 3, 0]
    assert outcomes.columns["ordered"].tolist() == [1, 0, 1]
    counted = found(archive, metrics="{name: orders, kind: mean, column: ordered, good: up}")
    assert counted.columns["ordered"].tolist() == [2, 0, 1]


def test_what_was_told_later_does_not_count(archive: Archive) -> None:
    """As of a time that is over."""
    archive.clock.advance(DAY_NS)
    assert archive.records(facts((2, 3.0, 50.0, 1))) == ""
    assert found(archive).columns["spent"].tolist() == [7.5, 0, 0]
    later = found(archive, until=START + 2 * DAY_NS)
    assert later.columns["spent"].tolist() == [7.5, 0, 50]


def test_what_cannot_be_told(archive: Archive, tmp_path: Path) -> None:
    """Outcomes of no days, and fields of no fact."""
    with pytest.raises(OutcomesUnusable, match="outcome_days is 1 at least"):
        found(archive, days=0)
    with pytest.raises(OutcomesUnusable, match="no fact has a field weight"):
        found(archive, metrics="{name: a, kind: mean, column: weight, good: up}")
    with pytest.raises(OutcomesUnusable, match="no fact has a field spent"):
        found(Archive(tmp_path / "empty"))


def test_only_what_was_before_is_read_from_before_the_start(archive: Archive) -> None:
    """A fact is not told before it happens: what was told by then is of no day after."""
    source = source_of(archive.journal)
    told = [event.position for event in source.whole.events if event.kind == "facts.FactsRecorded"]
    totals = []
    for metrics in (METRICS, "{name: orders, kind: mean, column: ordered, good: up}"):
        definition = read_definition(document_of(metrics=metrics, outcome_days=2))
        wanted, until = OutcomeFacts(facts="order"), START + 10**9
        outcomes = fact_outcomes(source, definition, EXPOSURES, wanted, after=told[0], until=until)
        totals.append(outcomes.columns["ordered"].tolist())
    assert totals == [[1, 0, 1], [0, 0, 1]]
