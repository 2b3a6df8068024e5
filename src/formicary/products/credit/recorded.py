"""The scores that were made and the outcomes that were told since, read from the journal in columns.

An outcome is a fact ``credit_outcome`` of a ``party``: ``defaulted`` is 1 where it did not pay what it owed,
0 where it did, seen over whatever period the source stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.features.sources import RowSource
from formicary.factory.journal.events import Event
from formicary.factory.journal.fact_columns import facts_of
from formicary.products.credit.schemas import NAME, ScoreRefreshed

__all__ = ["OUTCOME", "Labelled", "Outcomes", "ScoreHistory", "labelled", "read_outcomes", "read_scores"]

OUTCOME: Final = "credit_outcome"
"""The kind of the facts that tell how credit of a party came out, wherever it had it."""

_REFRESHED: Final = f"{NAME}.ScoreRefreshed"
_WITHDRAWN: Final = f"{NAME}.ScoreWithdrawn"
_FACTS: Final = "facts.FactsRecorded"
_WORD_BITS: Final = 64

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScoreHistory:
    """Scores by party, each with its time.

    Attributes
    ----------
    scores
        By party: when it changed, in nanoseconds, (n,), and to what, 0 for none, (n,).
    """

    scores: Mapping[int, tuple[Integers, Integers]]

    def at(self, time: int) -> dict[int, int]:
        """Return the score of each party that had one at a time."""
        found = {party: self.of(party, time) for party in self.scores}
        return {party: score for party, score in found.items() if score}

    def of(self, party: int, time: int) -> int:
        """Return a party's score at a time, 0 for none."""
        at, scores = self.scores.get(party, (np.empty(0, np.int64), np.empty(0, np.int64)))
        place = int(np.searchsorted(at, time, side="right"))
        return int(scores[place - 1]) if place else 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcomes:
    """The latest outcome of each party: parties (n,), when it was so (n,), 1 for a default (n,)."""

    parties: tuple[int, ...]
    at: Integers
    defaulted: Integers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labelled:
    """Scores (n,) of parties with what came of them, labels (n,): 1 for a default."""

    parties: tuple[int, ...]
    scores: Integers
    labels: Integers


def read_scores(source: RowSource) -> ScoreHistory:
    """Return every score that was made or withdrawn."""
    changes: dict[int, list[tuple[int, int]]] = {}
    for event in source.events_of([_REFRESHED, _WITHDRAWN], after=0, until=source.head()):
        changes.setdefault(event.subject, []).append((event.timestamp, _score(event)))
    columns = {party: np.array(told, np.int64) for party, told in changes.items()}
    return ScoreHistory(scores={party: (told[:, 0], told[:, 1]) for party, told in columns.items()})


def _score(event: Event) -> int:
    if event.kind == _WITHDRAWN:
        return 0
    return msgspec.json.decode(event.body, type=ScoreRefreshed).score


def read_outcomes(source: RowSource, kind: str = OUTCOME) -> Outcomes:
    """Return what facts of a kind last told of each party: the latest by when it was so."""
    latest: dict[int, tuple[int, int]] = {}
    for event in source.events_of([_FACTS], after=0, until=source.head()):
        facts = facts_of(event.body)
        if facts.kind != kind or "party" not in facts.ids or "defaulted" not in facts.numbers:
            continue
        parties = [int(high) << _WORD_BITS | int(low) for high, low in facts.ids["party"].tolist()]
        told = zip(parties, facts.at.tolist(), facts.numbers["defaulted"].tolist(), strict=True)
        for party, at, defaulted in told:
            if party not in latest or latest[party][0] <= at:
                latest[party] = at, int(defaulted > 0)
    return Outcomes(
        parties=tuple(latest),
        at=np.array([at for at, _ in latest.values()], np.int64),
        defaulted=np.array([label for _, label in latest.values()], np.int64),
    )


def labelled(history: ScoreHistory, outcomes: Outcomes, *, horizon_ns: int) -> Labelled:
    """Return outcomes beside the scores that the parties had so long before, those without one left out.

    Each party counts once, so that rows are independent of each other; and a score is compared with what
    came after it only.
    """
    told: Any = zip(outcomes.parties, outcomes.at.tolist(), outcomes.defaulted.tolist(), strict=True)
    rows = [(party, history.of(party, at - horizon_ns), label) for party, at, label in told]
    scored = [row for row in rows if row[1]]
    return Labelled(
        parties=tuple(party for party, _, _ in scored),
        scores=np.array([score for _, score, _ in scored], np.int64),
        labels=np.array([label for *_, label in scored], np.int64),
    )
