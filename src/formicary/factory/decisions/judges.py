"""Armed policies laid out for the kernel of decisions, with room to decide in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.kernel_entries import entry_of, is_plain
from formicary.base.limits import GROUP_ITEMS_MAX
from formicary.base.records import Note, noted, words_of
from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions._cap_kernels import count_decisions
from formicary.factory.decisions._checked_kernels import decide_transfers
from formicary.factory.decisions._judge_layout import ROW_WORDS, Judge
from formicary.factory.decisions._model_tables import ModelTables, signed
from formicary.factory.decisions._rule_layout import RULE_ENABLED, Rules
from formicary.factory.decisions.policies import ArmedPolicy, Cap, Exploration, Score, point_id
from formicary.factory.decisions.usable import Challenger, Champion, Trial, Usable, usable_at
from formicary.factory.features._blocks import Block
from formicary.factory.features._layout import Plan, State, View
from formicary.factory.features._read import Reading
from formicary.factory.features._row_events import feed_of
from formicary.factory.features.store import FeatureStore
from formicary.factory.journal.rows import DECISION_ROW, SCORES
from formicary.factory.ledger.records import TRANSFER, TRANSFER_RESULT

__all__ = ["CapTripped", "Champion", "Judges", "Usable", "usable_at", "words_of_decisions"]

Rows = npt.NDArray[Any]

_ORDINAL: Final = np.dtype(np.int64)
_ANYTHING: Final = 2**63 - 1
# No cap has this name: those of caps are in snake case.
_EXPLORED: Final = "(explored)"


class CapTripped(msgspec.Struct, frozen=True, kw_only=True):
    """A cap was reached: for the rest of its period what goes beyond it gets another outcome.

    ``count`` and ``amount`` are those of the period so far, which began at ``period``, in nanoseconds.
    """

    point: str
    policy: int
    cap: str
    then: str
    count: int
    amount: int
    period: int


class Judges:
    """All armed policies, for one thread at a time.

    Parameters
    ----------
    armed
        One policy for each decision point that decides, at least one.
    champion
        Which models score.
    store
        What is known of the keys of events.
    challenger
        What is tried out in the place of champions, nothing unless given.
    """

    def __init__(
        self,
        armed: Sequence[ArmedPolicy],
        champion: Champion,
        store: FeatureStore,
        challenger: Challenger | None = None,
    ) -> None:
        self._armed = tuple(armed)
        self._store = store
        self._notes_made = -1
        self._decide: Callable[..., Any] | None = None
        # Notes hold addresses only: what they point to lives as long as this object.
        self._kept: list[Any] = []
        self.judge = self._laid_out(champion, challenger or _nothing)
        self.note: Note = noted(self.judge)
        self._refresh()

    # -- deciding --------------------------------------------------------------------------

    def prepare(self, items: int) -> None:
        """Make room for the decisions about so many items, and for what becomes known of their keys."""
        self._store.make_room(items)
        self._refresh()
        if len(self.judge.rows) < items:
            self.judge = self.judge._replace(rows=np.zeros((items, ROW_WORDS), np.int64))
            self.note = noted(self.judge)

    def decide(self, *given: Any) -> int:
        """Decide as ``create_transfers`` does, asking the decision points."""
        _, items, ordinals, *_, results = given
        kinds = ((items, TRANSFER), (ordinals, _ORDINAL), (results, TRANSFER_RESULT))
        if not all(is_plain(array, dtype) for array, dtype in kinds):
            message = "the kernel of decisions is compiled for plain arrays"
            raise ProgrammingError(message)
        if self._decide is None:
            self._decide = entry_of(decide_transfers, *given, self.note)
        return int(self._decide(*given, self.note))

    def take(self, count: int) -> Rows:
        """Return the rows of the last ``count`` decisions, (count,) of ``DECISION_ROW``, and forget them."""
        self.judge.numbers[layout.FOLLOWED] = 0
        # Copied as words: a copy of records goes through their ninety fields, thirty times as long.
        return self.judge.rows[:count].copy().view(DECISION_ROW)[:, 0]

    def note_followed(self, position: int) -> None:
        """Note that the features know all rows up to a position: deciding let them follow."""
        self._store.position = position

    def trips(self) -> list[CapTripped]:
        """Return the caps that tripped at the last event, and forget it."""
        if not self.judge.numbers[layout.TRIPPED]:
            return []
        counted = self.judge.counted
        found = []
        for number, (one, cap) in enumerate(self._caps()):
            if counted[number, layout.COUNTED_IS_NEW]:
                counted[number, layout.COUNTED_IS_NEW] = 0
                count, amount = counted[number, [layout.COUNTED, layout.COUNTED_AMOUNT]].tolist()
                tripped = CapTripped(
                    point=one.point.name,
                    policy=one.policy.version,
                    cap=cap.name,
                    then=cap.then,
                    count=count,
                    amount=amount,
                    period=int(counted[number, layout.COUNTED_PERIOD]) * cap.seconds * 10**9,
                )
                found.append(tripped)
        self.judge.numbers[layout.TRIPPED] = 0
        return found

    # -- folding ---------------------------------------------------------------------------

    def count(self, decisions: Rows, transfers: Rows) -> None:
        """Let caps count recorded decisions (n,), each about that of the transfers (m,) which follows it."""
        words = words_of_decisions(decisions)
        positions = np.ascontiguousarray(transfers["position"])
        count_decisions(self.note, words, positions, np.ascontiguousarray(transfers["amount"]))
        # Trips were events at their time.
        self.trips()

    @property
    def counted(self) -> dict[str, list[int]]:
        """What caps and explorations counted, by point, version and cap: what a snapshot keeps."""
        return {name: self.judge.counted[row].tolist() for row, name in enumerate(self._counted_names())}

    def go_on(self, counted: dict[str, list[int]]) -> None:
        """Take over what the same caps and explorations counted before."""
        for row, name in enumerate(self._counted_names()):
            self.judge.counted[row] = counted.get(name, [0] * layout.COUNTED_COLUMNS)

    # -- laying out ------------------------------------------------------------------------

    def _caps(self) -> list[tuple[ArmedPolicy, Cap]]:
        return [(one, cap) for one in self._armed for cap in one.policy.caps]

    def _explorations(self) -> list[tuple[ArmedPolicy, Exploration]]:
        return [(one, one.policy.explore) for one in self._armed if one.policy.explore is not None]

    def _counted_names(self) -> list[str]:
        explored = [f"{one.point.name} {one.policy.version} {_EXPLORED}" for one, _ in self._explorations()]
        return [*(_cap_name(one, cap) for one, cap in self._caps()), *explored]

    def _models(self, champion: Champion, challenger: Challenger) -> ModelTables:
        """Lay out the models of all slots, ``SCORES`` a point."""
        scores = {
            place * SCORES + one.point.scores.index(name): (one, score)
            for place, one in enumerate(self._armed)
            for name, score in one.policy.scores.items()
        }
        tried = {
            slot: challenger(*asked) for slot, asked in scores.items() if asked[0].point.party_column >= 0
        }
        tables = ModelTables(
            SCORES * len(self._armed),
            {slot: champion(*asked) for slot, asked in scores.items()},
            {slot: score.only_looks for slot, (_, score) in scores.items()},
            {slot: trial for slot, trial in tried.items() if trial is not None},
        )
        self._kept += tables.scorers
        return tables

    def _laid_out(self, champion: Champion, challenger: Challenger) -> Judge:
        compiled, armed = self._store.compiled, self._armed
        models = self._models(champion, challenger)
        counted = [_cap_row(one, cap) for one, cap in self._caps()]
        counted += [_exploration_row(one, explore) for one, explore in self._explorations()]
        features = max(len(view.names) for view in compiled.views.values())
        rule_sets = [one for each in armed for one in (each.rules, each.trust) if one is not None]
        feed = feed_of(compiled)
        own_row = np.zeros(ROW_WORDS, np.int64)
        return Judge(
            numbers=np.zeros(layout.NUMBERS, np.int64),
            codes=_table([(code, place) for place, one in enumerate(armed) for code in one.point.codes], 2),
            points=_table([self._point_row(place) for place in range(len(armed))], layout.POINT_COLUMNS),
            effects=_effects(armed),
            follow_note=np.zeros(words_of(State, Plan, Block), np.int64),
            read_notes=np.zeros((len(armed), words_of(State, Plan, Block, View, Reading)), np.int64),
            rule_notes=self._rule_notes([one.rules.arrays for one in armed]),
            trusted_rule_notes=self._rule_notes([_without_scores(one) for one in armed]),
            trust_notes=self._rule_notes([one.trust.arrays if one.trust else None for one in armed]),
            rule_slots=np.array([*(slot for one in armed for slot in one.rule_scores), -1], np.int64),
            **models.tables,
            caps=_table(counted, layout.CAP_COLUMNS),
            counted=np.zeros((max(len(counted), 1), layout.COUNTED_COLUMNS), np.int64),
            feed_codes=feed.codes,
            feed_ids=feed.ids,
            feed_numbers=feed.numbers,
            event_kinds=np.zeros(1, np.int64),
            event_at=np.zeros(1, np.int64),
            event_ids=np.zeros((1, compiled.id_columns, 2), np.int64),
            event_numbers=np.zeros((1, compiled.number_columns), np.int64),
            told=np.zeros((1, features)),
            withheld=np.zeros(1, np.int64),
            model_row=np.zeros((1, models.width)),
            raw=np.zeros(SCORES),
            asked=np.zeros(SCORES, np.int64),
            attributions=np.zeros((SCORES, models.width)),
            scores=np.zeros((1, SCORES)),
            absent=np.zeros(1, np.int64),
            rule_room=np.zeros(max([1, *(one.slots for one in rule_sets)])),
            verdicts=np.zeros((1, max([1, *(len(one.rule_set.rules) for one in rule_sets)])), np.int8),
            values=np.zeros((1, max([1, *(len(one.inputs) for one in rule_sets)]))),
            outcomes=np.zeros(1, np.int64),
            row=own_row,
            row_reals=own_row.view(np.float64),
            rows=np.zeros((GROUP_ITEMS_MAX, ROW_WORDS), np.int64),
        )

    def _point_row(self, place: int) -> tuple[int, ...]:
        one = self._armed[place]
        point, policy = one.point, one.policy
        feature_set, purpose = point.reads
        view = self._store.compiled.views[feature_set.name]
        before = [len(each.policy.caps) for each in self._armed[:place]]
        rules_before = [len(each.rule_scores) for each in self._armed[:place]]
        return (
            signed(point_id(point.name)),
            policy.version,
            view.view.kind,
            view.consent_bit(purpose),
            len(point.features),
            policy.hold_seconds,
            point.outcomes.index(point.safe_outcome),
            int(one.trust is not None),
            len(one.rule_scores),
            len(point.scores),
            sum(before),
            sum(before) + len(policy.caps),
            sum(rules_before),
            point.party_column,
            *self._explored_columns(one),
        )

    def _explored_columns(self, armed: ArmedPolicy) -> tuple[int, ...]:
        """Return the last columns of a point: what it explores."""
        explore, outcomes = armed.policy.explore, armed.point.outcomes
        if explore is None:
            return 0, 0, 0, 0, 0
        place = [one for one, _ in self._explorations()].index(armed)
        of = sum(1 << outcomes.index(name) for name in set(explore.of))
        return len(self._caps()) + place + 1, of, explore.share, explore.amount_max, armed.salt

    def _rule_notes(self, sets: Sequence[Rules | None]) -> Any:
        notes = np.zeros((len(sets), words_of(Rules)), np.int64)
        for place, one in enumerate(sets):
            if one is not None:
                self._kept.append(one)
                notes[place] = noted(one)
        return notes

    def _refresh(self) -> None:
        """Note anew where the store's rows are, if they have moved."""
        if self._notes_made != self._store.notes_made:
            self._notes_made = self._store.notes_made
            self.judge.follow_note[:] = self._store.common_note
            for place, one in enumerate(self._armed):
                self.judge.read_notes[place] = self._store.note(one.point.reads[0].name)


def words_of_decisions(decisions: Rows) -> npt.NDArray[np.int64]:
    """Return rows of decisions (n,) as words (n, ``ROW_WORDS``)."""
    return np.require(decisions, requirements=["C", "W"]).view(np.int64).reshape(len(decisions), ROW_WORDS)


def _without_scores(armed: ArmedPolicy) -> Rules:
    """Return the rules with those disarmed that read a score."""
    rules = armed.rules.arrays.rules.copy()
    rules[[slot >= 0 for slot in armed.rule_scores], RULE_ENABLED] = 0
    return armed.rules.arrays._replace(rules=rules)


def _effects(armed: Sequence[ArmedPolicy]) -> Any:
    most = max(len(one.point.effects) for one in armed)
    return _table([(*one.point.effects, *[0] * (most - len(one.point.effects))) for one in armed], most)


def _cap_row(armed: ArmedPolicy, cap: Cap) -> tuple[int, ...]:
    outcomes = armed.point.outcomes
    rules = [rule.name for rule in armed.rules.rule_set.rules]
    return (
        outcomes.index(cap.outcome) if cap.outcome else layout.ANY,
        rules.index(cap.rule) if cap.rule else layout.ANY,
        cap.seconds * 10**9,
        cap.count,
        cap.amount,
        outcomes.index(cap.then),
    )


def _exploration_row(armed: ArmedPolicy, explore: Exploration) -> tuple[int, ...]:
    then = armed.point.outcomes.index(explore.then)
    return layout.ANY, layout.ANY, explore.seconds * 10**9, explore.count, _ANYTHING, then


def _nothing(_policy: ArmedPolicy, _score: Score) -> Trial | None:
    """Try nothing out."""
    return None


def _cap_name(armed: ArmedPolicy, cap: Cap) -> str:
    return f"{armed.point.name} {armed.policy.version} {cap.name}"


def _table(rows: Sequence[tuple[int, ...]], columns: int) -> Any:
    return np.array(rows, np.int64).reshape(-1, columns)
