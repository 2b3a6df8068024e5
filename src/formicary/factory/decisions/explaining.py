"""One decision in words: what it was about, what decided it, by which values, and what would have turned it.

Everything is taken from what was recorded. The rules are judged again on the recorded values, the models
score them again, and where that does not give the recorded bits, it is said.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, TypeAlias

import numpy as np

from formicary.base.lots import LOTS, lots
from formicary.base.times import time_text
from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.asked_again import AskedAgain
from formicary.factory.decisions.counterfactuals import Found
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.explanation import (
    Changed,
    Contribution,
    Explanation,
    FeatureTold,
    RuleTold,
    ScoreTold,
    path_words,
)
from formicary.factory.decisions.rules import Verdict, explain
from formicary.factory.decisions.usable import Usable
from formicary.factory.journal.rows import REASONS
from formicary.factory.ledger import CreateTransferStatus, TransferFlags
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.tree_shap import TreeShap

__all__ = ["Sentences", "explained"]

Sentences: TypeAlias = Mapping[str, Mapping[str, str]]
"""By the name of a model, a sentence for each of its columns."""

_CHALLENGER: Final = "challenger"
_CONTRIBUTIONS: Final = 8
_NUMBER_OF_REASON: Final = layout.REASON_FEATURE - 1


def explained(
    decision: Any,
    transfer: Any,
    asked: AskedAgain,
    *,
    since: int = 0,
    versions: Mapping[str, int] | None = None,
    sentences: Sentences | None = None,
    tried: Collection[str] = (),
) -> Explanation:
    """Explain a decision.

    Parameters
    ----------
    decision, transfer
        The row of the decision and that of its transfer.
    asked
        The same, to be asked again.
    since
        The position at which its policy was armed.
    versions
        Of models, by their hashes.
    sentences
        What is said of a feature that raised a score, where it is not its meaning.
    tried
        The scores that a challenger gave in the champion's place.
    """
    return _Explained(decision, transfer, asked, versions or {}, sentences or {}, tried=tried).made(since)


class _Explained:
    """One explanation while it is made."""

    def __init__(
        self,
        decision: Any,
        transfer: Any,
        asked: AskedAgain,
        versions: Mapping[str, int],
        sentences: Sentences,
        *,
        tried: Collection[str],
    ) -> None:
        self._decision = decision
        self._transfer = transfer
        self._asked = asked
        self._versions = versions
        self._sentences = sentences
        self._tried = tried
        self._point = asked.armed.point

    def made(self, since: int) -> Explanation:
        row, point = self._decision, self._point
        rules, scores = self._rules(), tuple(self._scores())
        effect = Effect(int(row["effect"]))
        found = self._asked.smallest_changes() if effect != Effect.ALLOW else None
        return Explanation(
            position=int(row["position"]),
            at=int(row["timestamp"]),
            transfer=_transfer_told(self._transfer),
            point=point.name,
            policy=int(row["policy"]),
            policy_name=self._asked.armed.policy.name,
            policy_since=since,
            path=path_words(int(row["path"])),
            outcome=point.outcomes[row["outcome"]],
            ruled=point.outcomes[self._asked.as_it_was.outcomes[0]],
            effect=effect.name.lower(),
            cap=self._cap(),
            propensity=float(row["propensity"]),
            drawn=self._drawn(),
            reasons=tuple(self._reasons()),
            rules=rules,
            scores=scores,
            features=tuple(self._features()),
            turned_by=self._turned_by(found),
            turned_by_is_all=found is None or found.is_complete,
            disagreements=tuple(self._disagreements(rules, scores)),
        )

    # -- rules -----------------------------------------------------------------------------

    def _rules(self) -> tuple[RuleTold, ...]:
        told = explain(self._asked.armed.rules, self._asked.as_it_was.judged, 0)
        return tuple(
            RuleTold(
                rule=one.rule,
                verdict=one.verdict.name.lower(),
                enabled=one.enabled,
                outcome=one.outcome,
                reason=one.reason,
                read=one.read,
                recorded=self._recorded(place),
            )
            for place, one in enumerate(told)
        )

    def _recorded(self, rule: int) -> str:
        if int(self._decision["rules_true"]) >> rule & 1:
            return Verdict.TRUE.name.lower()
        unknown = int(self._decision["rules_unknown"]) >> rule & 1
        return (Verdict.UNKNOWN if unknown else Verdict.FALSE).name.lower()

    def _cap(self) -> str:
        number = int(self._decision["cap"])
        caps = self._asked.armed.policy.caps
        return caps[number - 1].name if 0 < number <= len(caps) else ""

    def _drawn(self) -> str:
        """Return what was drawn by lot, in words."""
        explore, chance = (
            self._asked.armed.policy.explore,
            f"{100 * float(self._decision['propensity']):.7g} %",
        )
        if explore is None or float(self._decision["propensity"]) == 1.0:
            return ""
        if int(self._decision["path"]) & layout.EXPLORED:
            ruled = self._point.outcomes[self._asked.as_it_was.outcomes[0]]
            return f"{explore.then} in place of {ruled}, to learn from it: the chance of it was {chance}"
        return (
            f"it could have been {explore.then}, to learn from it, and was not: the chance of it was {chance}"
        )

    # -- scores ----------------------------------------------------------------------------

    def _scores(self) -> Iterator[ScoreTold]:
        for place, name in enumerate(self._point.scores):
            wanted = self._asked.armed.policy.scores.get(name)
            if wanted is None:
                continue
            raw, recorded = self._decision[f"score_{place}"], int(self._decision[f"model_{place}"])
            usable = self._asked.models.get(name)
            again = self._asked.as_it_was.raw[:, place]
            # Where something is trusted, a model is there and was not asked.
            used = usable if recorded else None
            calibrated = used.calibration.apply(np.array([raw])) if used else [math.nan]
            yield ScoreTold(
                score=name,
                decides=not wanted.only_looks,
                model=wanted.model,
                alias=_CHALLENGER if name in self._tried else wanted.alias,
                version=self._versions.get(used.model.hash, 0) if used else 0,
                model_hash=f"{recorded:016x}" if recorded else "",
                raw=_number(raw),
                chance=_number(calibrated[0]),
                agrees=again.tobytes() == np.array([raw]).tobytes(),
                contributions=tuple(self._contributions(used)) if used else (),
            )

    def _contributions(self, usable: Usable) -> list[Contribution]:
        """Return what features did to a score, those that did most first."""
        forest = usable.model.forest
        row = self._asked.features[list(usable.columns)][None]
        ways = forest.explain(row).attributions[0]
        try:
            shapley = TreeShap(forest).contributions(row)[0].tolist()
        except ModelRefused:
            shapley = [None] * len(ways)
        most = np.argsort(
            [-abs(way if exact is None else exact) for way, exact in zip(ways, shapley, strict=True)]
        )
        return [
            Contribution(
                feature=forest.feature_names[place],
                value=_number(row[0, place]),
                on_the_way=float(ways[place]),
                shapley=shapley[place],
            )
            for place in most[:_CONTRIBUTIONS].tolist()
        ]

    # -- words -----------------------------------------------------------------------------

    def _features(self) -> Iterator[FeatureTold]:
        withheld, view = int(self._decision["withheld"]), self._asked.view
        for place, feature in enumerate(view.set.features):
            lacking = int(view.view.subjects[place]) & withheld
            yield FeatureTold(
                feature=feature.name,
                value=_number(self._decision[f"value_{place:02}"]),
                unit=feature.unit,
                meaning=feature.meaning,
                withheld_for=tuple(
                    subject for bit, subject in enumerate(view.subjects) if lacking >> bit & 1
                ),
            )

    def _reasons(self) -> Iterator[str]:
        for place in range(REASONS):
            code = int(self._decision[f"reason_{place}"])
            number = (code & _NUMBER_OF_REASON) - 1
            if code & layout.REASON_CAP:
                cap = self._asked.armed.policy.caps[number]
                yield f"The cap {cap.name} was reached: what is beyond it is to be {cap.then}."
            elif code & layout.REASON_FEATURE:
                yield self._sentence(number)
            elif code:
                yield self._asked.armed.rules.rule_set.rules[number].reason

    def _sentence(self, number: int) -> str:
        """Return what is said of a feature that raised the score."""
        feature = self._asked.view.set.features[number]
        value = _number(self._decision[f"value_{number:02}"])
        known = [self._sentences.get(one.model.name, {}) for one in self._asked.models.values()]
        own = next((one[feature.name] for one in known if feature.name in one), feature.meaning)
        told = "missing" if value is None else f"{value:,g} {feature.unit}"
        return f"{own} ({feature.name}: {told})"

    # -- what does not agree ---------------------------------------------------------------

    def _turned_by(self, found: Found | None) -> tuple[Changed, ...]:
        names, numbers = self._asked.names, len(self._point.on.numbers)

        def told(place: int) -> str:
            # A field of the same name goes first.
            is_field = place < numbers or names[place] not in self._point.on.numbers
            return names[place] if is_field else f"feature {names[place]}"

        return tuple(
            Changed(
                changes={told(one.feature): (one.before, one.after) for one in nearest.changes},
                distance=nearest.distance,
            )
            for nearest in (found.nearest if found else ())
        )

    def _disagreements(self, rules: tuple[RuleTold, ...], scores: tuple[ScoreTold, ...]) -> Iterator[str]:
        row = self._decision
        for rule in rules:
            if rule.verdict != rule.recorded:
                yield f"the rule {rule.rule} is {rule.verdict}, and {rule.recorded} was recorded"
        for score in scores:
            if score.model_hash and not score.agrees:
                yield f"the score {score.score} is not what its model gives, or the model is not there"
        bits = [f"value_{place:02}" for place in range(len(self._asked.features))]
        for place, name in enumerate(bits):
            if np.array([row[name]]).tobytes() != self._asked.features[place : place + 1].tobytes():
                yield f"the feature {self._point.features[place]} does not follow from the others"
        yield from self._wrong_outcome()

    def _wrong_outcome(self) -> Iterator[str]:
        """Say where the outcome or its chance is not what policy, caps and the lot give."""
        row, expected = self._decision, int(self._asked.as_it_was.outcomes[0])
        capped = int(row["cap"])
        explore = self._asked.armed.policy.explore
        if capped:
            expected = self._point.outcomes.index(self._asked.armed.policy.caps[capped - 1].then)
        elif explore is not None and int(row["path"]) & layout.EXPLORED:
            expected = self._point.outcomes.index(explore.then)
        if int(row["outcome"]) != expected:
            came_out = self._point.outcomes[expected]
            yield f"the outcome is {came_out}, and {self._point.outcomes[row['outcome']]} was recorded"
        if float(row["propensity"]) not in self._propensities():
            yield f"the chance of the outcome was not {float(row['propensity'])!r}, which was recorded"

    def _propensities(self) -> tuple[float, ...]:
        """Return what the chance of the outcome can have been, by the policy and the lot of the transfer."""
        explore, is_explored = self._asked.armed.policy.explore, int(self._decision["path"]) & layout.EXPLORED
        if explore is None:
            return (1.0,)
        own = np.array([[self._transfer["id_high"], self._transfer["id_low"]]], np.uint64)
        is_drawn = lots(own, self._asked.armed.salt)[0] < explore.share
        if is_explored:
            return (explore.share / LOTS,) if is_drawn else ()
        # What could be explored and was drawn was explored.
        return (1.0,) if is_drawn else (1.0, (LOTS - explore.share) / LOTS)


def _transfer_told(transfer: Any) -> dict[str, Any]:
    """Return what there is to know of a transfer; ids as 32 hexadecimal digits."""
    ids = ("id", "debit_account_id", "credit_account_id")
    flags = TransferFlags(int(transfer["flags"]))
    return {
        **{name: f"{int(transfer[f'{name}_high']):016x}{int(transfer[f'{name}_low']):016x}" for name in ids},
        **{name: int(transfer[name]) for name in ("position", "amount", "ledger", "code")},
        "time": time_text(int(transfer["timestamp"])),
        "status": CreateTransferStatus(int(transfer["status"])).name.lower(),
        "flags": [flag.name.lower() for flag in TransferFlags if flag and flag in flags and flag.name],
    }


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
