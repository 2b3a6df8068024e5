"""Decisions of a journal taken again, and compared word for word with what was recorded.

Everything that a decision read follows from the rows before it: what was known of the keys, which policy was
armed, which model an alias named, what caps had counted. So rows are folded in their order, and at each
decision the kernel that took it is asked once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import DIFFERENCES_MAX, GROUP_ITEMS_MAX
from formicary.factory.decisions import _replay_kernels as kernels
from formicary.factory.decisions._judge_layout import ROW_WORDS
from formicary.factory.decisions._replay_kernels import decide_again
from formicary.factory.decisions.judges import CapTripped, Judges, words_of_decisions
from formicary.factory.decisions.live import CAP_TRIPPED, REGISTRY_EVENTS, LiveDecisions
from formicary.factory.features.journal_fold import (
    CONSENT_EVENTS,
    FACTS_RECORDED,
    fold_rows,
    journaled_events,
)
from formicary.factory.features.store import FeatureStore
from formicary.factory.journal.batch import NO_DECISIONS
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.events import Event
from formicary.factory.journal.rows import DECISION_ROW, TRANSFER_ROW

__all__ = ["DecisionReplay", "Difference"]

Rows = npt.NDArray[Any]

_NO_TRANSFERS: Final = np.empty(0, TRANSFER_ROW)
_ASKED_AGAIN: Final = frozenset({CAP_TRIPPED, *REGISTRY_EVENTS, *CONSENT_EVENTS, FACTS_RECORDED})
_TRIPPED: Final = "cap_tripped"
_NOTHING: Final = "nothing"
# What cannot be compared field by field, in words: the field, what is recorded, what comes out.
_WHOLE: Final = {
    kernels.NO_TRANSFER: ("transfer", "a decision", "no transfer follows it"),
    kernels.NOT_ASKED: ("point", "a decision", "no policy is armed for its transfer"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where what comes out is not what is recorded.

    Attributes
    ----------
    position
        Of the decision, or of the row that lacks one.
    field
        A field of ``DECISION_ROW``; ``transfer``, ``decision`` or ``cap_tripped`` where a whole row is there
        or not.
    recorded, recomputed
        As they are read: numbers in full, hashes in hexadecimal digits.
    """

    position: int
    field: str
    recorded: str
    recomputed: str


class DecisionReplay:
    """Folds rows of a journal and takes its decisions again. For one thread.

    Parameters
    ----------
    store, live
        What is known and what decides before the first block; new ones for a journal from its first row.
    first
        Decisions at earlier positions are folded only.
    """

    def __init__(self, store: FeatureStore, live: LiveDecisions, *, first: int = 1) -> None:
        self._store = store
        self._live = live
        self._first = first
        self._transfers: Rows = _NO_TRANSFERS
        self._decisions: Rows = NO_DECISIONS
        # Caps that tripped, each where the journal must say so.
        self._trips: list[tuple[int, CapTripped]] = []
        self.decisions = 0
        """How many were taken again."""
        self.untold = 0
        """How many cannot be, as the journal does not tell what they were about."""
        self.different = 0
        """How many rows are not what comes out."""
        self.differences: list[Difference] = []
        """The first of them, field by field."""

    def fold(self, block: Block) -> None:
        """Take the decisions of a block again; what a chain leaves open waits for the next one."""
        if len(block.accounts):
            fold_rows(
                self._store, accounts=block.accounts, transfers=_NO_TRANSFERS, events=(), until=block.until
            )
        transfers = joined([self._transfers, block.transfers], TRANSFER_ROW)
        decisions = joined([self._decisions, block.decisions], DECISION_ROW)
        for event in block.events:
            if event.kind in _ASKED_AGAIN:
                before, transfers = _split(transfers, event.position)
                judged, decisions = _split(decisions, event.position)
                self._pass(before, judged, is_whole=True)
                self._apply(event)
        self._transfers, self._decisions = self._pass(transfers, decisions, is_whole=False)
        self._store.position = block.until

    def finish(self, *, goes_on: bool = False) -> None:
        """Take the decisions again that wait for more of their chain: there are no more rows.

        Where the journal goes on, a decision that is the last row is left out: its transfer comes after it.
        """
        decisions = self._decisions
        if goes_on:
            decisions = decisions[decisions["position"] < self._store.position]
        self._transfers, self._decisions = self._pass(self._transfers, decisions, is_whole=True)

    # -- events ----------------------------------------------------------------------------

    def _apply(self, event: Event) -> None:
        if event.kind == CAP_TRIPPED:
            self._compare_trip(event)
            return
        self._require_told(event.position)
        self._live.apply(event)
        told, _ = journaled_events(self._store, transfers=_NO_TRANSFERS, events=[event])
        self._store.follow(told)

    def _compare_trip(self, event: Event) -> None:
        recorded = msgspec.json.decode(event.body, type=CapTripped)
        expected = self._trips.pop(0) if self._trips else None
        if expected != (event.position, recorded):
            came_out = _NOTHING if expected is None else _trip_text(*expected)
            self._differs(event.position, _TRIPPED, _trip_text(event.position, recorded), came_out)

    def _require_told(self, position: int) -> None:
        """Note caps that tripped before a position without an event that says so."""
        while self._trips and self._trips[0][0] < position:
            at, trip = self._trips.pop(0)
            self._differs(at, _TRIPPED, _NOTHING, _trip_text(at, trip))

    # -- rows ------------------------------------------------------------------------------

    def _pass(self, transfers: Rows, decisions: Rows, *, is_whole: bool) -> tuple[Rows, Rows]:
        """Take decisions about rows between two events again; return those that wait for their chain."""
        judges = self._live.judges(self._store)
        if judges is None:
            told, _ = journaled_events(self._store, transfers=transfers, events=())
            self._store.follow(told)
            self._note(decisions, np.full(len(decisions), kernels.NOT_ASKED), decisions)
            return _NO_TRANSFERS, NO_DECISIONS
        while len(transfers):
            self._require_told(int(transfers["position"][0]))
            part = transfers[:GROUP_ITEMS_MAX]
            # No request is as long as a group: rows of a chain that is are none.
            is_cut = len(part) == GROUP_ITEMS_MAX
            done = self._decide(judges, part, decisions, is_whole=is_whole and len(part) == len(transfers))
            if not done and is_cut:
                done = self._decide(judges, part, decisions, is_whole=True)
            if not done:
                return transfers, decisions
            reached = int(part["position"][done - 1])
            self._trips += [(reached + 1 + number, trip) for number, trip in enumerate(judges.trips())]
            transfers, decisions = transfers[done:], _split(decisions, reached)[1]
        if is_whole:
            self._note(decisions, np.full(len(decisions), kernels.NO_TRANSFER), decisions)
            decisions = NO_DECISIONS
        return transfers, decisions

    def _decide(self, judges: Judges, transfers: Rows, decisions: Rows, *, is_whole: bool) -> int:
        """Let the kernel pass rows of transfers; note what it found of those that it did."""
        judged = _split(decisions, int(transfers["position"][-1]))[0]
        words = words_of_decisions(judged)
        verdicts, lost = np.zeros(len(judged), np.int64), np.zeros(len(transfers), np.int64)
        recomputed = np.zeros((len(judged), ROW_WORDS), np.int64)
        judges.prepare(len(transfers))
        done = decide_again(judges.note, transfers, words, self._first, is_whole, verdicts, lost, recomputed)
        if done:
            count = len(_split(judged, int(transfers["position"][done - 1]))[0])
            self._note(judged[:count], verdicts[:count], recomputed.view(DECISION_ROW)[:count, 0])
            for position in transfers["position"][:done][lost[:done] == kernels.IS_LOST].tolist():
                self._differs(position, "decision", _NOTHING, "a decision about this transfer")
        return done

    # -- what is found ---------------------------------------------------------------------

    def _note(self, recorded: Rows, verdicts: Rows, recomputed: Rows) -> None:
        self.decisions += int(np.isin(verdicts, (kernels.SAME, kernels.DIFFERS)).sum())
        self.untold += int((verdicts == kernels.UNTOLD).sum())
        for place in np.flatnonzero(np.isin(verdicts, (kernels.DIFFERS, *_WHOLE))).tolist():
            position = int(recorded["position"][place])
            if verdicts[place] == kernels.DIFFERS:
                self._differs_in(position, recorded[place], recomputed[place])
            else:
                self._differs(position, *_WHOLE[int(verdicts[place])])

    def _differs_in(self, position: int, recorded: Any, recomputed: Any) -> None:
        """Note each field in which a decision differs as one row that does."""
        before = self.different
        for name in DECISION_ROW.names or ():
            if recorded[name].tobytes() != recomputed[name].tobytes():
                self._differs(position, name, _text(name, recorded[name]), _text(name, recomputed[name]))
        self.different = before + 1

    def _differs(self, position: int, field: str, recorded: str, recomputed: str) -> None:
        if position < self._first:
            return
        self.different += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(
                Difference(position=position, field=field, recorded=recorded, recomputed=recomputed)
            )


def _split(rows: Rows, position: int) -> tuple[Rows, Rows]:
    """Return the rows before a position, and the others."""
    place = int(np.searchsorted(rows["position"], position))
    return rows[:place], rows[place:]


def _text(field: str, value: Any) -> str:
    """Write a value so that two that differ in a bit are told apart."""
    if isinstance(value, np.floating):
        number = float(value)
        return repr(number) if number == number else f"NaN {value.view(np.uint64):016x}"  # noqa: PLR0124
    is_bits = field in ("point", "rules_true", "rules_unknown") or field.startswith("model")
    return f"{int(value):016x}" if is_bits else str(value)


def _trip_text(position: int, trip: CapTripped) -> str:
    return f"position {position}: {trip.cap} of policy {trip.policy} at {trip.point}, {trip.count} decisions"
