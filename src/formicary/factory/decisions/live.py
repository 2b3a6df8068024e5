"""What decides at this moment, folded from events: the policies in force, and the models that aliases name.

The events are those of the registry, known here by the names of their kinds. Arming compiles nothing but
arrays, and an alias is moved, forth or back, between two decisions.

What cannot be used never lets anything pass: a policy that does not compile in this release, or a model that
is damaged or reads what is not there, leaves its decision point with the safe outcome.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.arrays import joined
from formicary.base.limits import POLICY_TEXTS_MAX
from formicary.factory.decisions.errors import RuleRefused
from formicary.factory.decisions.expressions import parse_expression
from formicary.factory.decisions.judges import Judges
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import ArmedPolicy, Policy, Score, compile_policy, point_id
from formicary.factory.decisions.reasons import PolicyTexts, texts_of
from formicary.factory.decisions.rule_sets import Rule, RuleSet
from formicary.factory.decisions.rules import compile_rules
from formicary.factory.decisions.usable import Trial, Usable, trial_salt, usable_at
from formicary.factory.features.store import FeatureStore
from formicary.factory.journal.batch import NO_DECISIONS
from formicary.factory.journal.events import Event
from formicary.factory.journal.rows import DECISION_ROW
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.model import Model

__all__ = [
    "ALIAS_MOVED",
    "CAP_TRIPPED",
    "PART_STORED",
    "POLICY_ARMED",
    "POLICY_DISARMED",
    "REGISTRY_EVENTS",
    "TRIAL_SET",
    "LiveDecisions",
]

PART_STORED: Final = "registry.ModelPartStored"
ALIAS_MOVED: Final = "registry.AliasMoved"
TRIAL_SET: Final = "registry.TrialSet"
POLICY_ARMED: Final = "registry.PolicyArmed"
POLICY_DISARMED: Final = "registry.PolicyDisarmed"
REGISTRY_EVENTS: Final = (PART_STORED, ALIAS_MOVED, TRIAL_SET, POLICY_ARMED, POLICY_DISARMED)
"""All that change what decides."""
CAP_TRIPPED: Final = "decisions.CapTripped"

_CHAMPION: Final = "champion"
_CHALLENGER: Final = "challenger"


class _Part(msgspec.Struct):
    part: int
    parts: int
    content: str


class _Alias(msgspec.Struct):
    model: str
    alias: str
    hash: str


class _TrialSet(msgspec.Struct):
    model: str
    share: int


class _Armed(msgspec.Struct):
    point: str
    version: int
    policy: str
    rules: str


class _Disarmed(msgspec.Struct):
    point: str


class _Small(msgspec.Struct):
    """What a snapshot keeps beside the parts of models."""

    aliases: dict[str, dict[str, str]] = {}
    trials: dict[str, int] = {}
    armed: dict[str, _Armed] = {}
    texts: dict[str, PolicyTexts] = {}
    counted: dict[str, list[int]] = {}
    models: list[str] = []
    sizes: list[list[int]] = []


class LiveDecisions:
    """The armed policies and the models behind aliases.

    Parameters
    ----------
    points
        The decision points that products declare.
    """

    def __init__(self, points: Iterable[DecisionPoint] = ()) -> None:
        self.points = {point.name: point for point in points}
        self.aliases: dict[str, dict[str, str]] = {}
        """The hash behind each alias, by the model's name."""
        self.trials: dict[str, int] = {}
        """For how many millionths of parties a challenger decides, by the model's name; none is 0."""
        self.unusable: dict[str, str] = {}
        """Why a model or a policy cannot be used, by the model's hash or the point's name."""
        self._armed_as: dict[str, _Armed] = {}
        self._armed: dict[str, ArmedPolicy] = {}
        self._texts: dict[str, PolicyTexts] = {}
        self._parts: dict[str, dict[int, bytes]] = {}
        self._models: dict[str, Model | None] = {}
        self._counted: dict[str, list[int]] = {}
        self._judges: Judges | None = None
        # A decision whose transfer stands in the next block.
        self._waiting = NO_DECISIONS

    # -- folding ---------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Give effect to an event, if it is one of the registry's."""
        if event.kind == PART_STORED:
            part, digest = msgspec.json.decode(event.body, type=_Part), f"{event.subject:032x}"
            # The first part begins anew.
            parts = self._parts.setdefault(digest, {}) if part.part else {}
            parts[part.part] = base64.b64decode(part.content)
            self._parts[digest] = parts
        elif event.kind == ALIAS_MOVED:
            moved = msgspec.json.decode(event.body, type=_Alias)
            self.aliases.setdefault(moved.model, {})[moved.alias] = moved.hash
            if moved.alias in (_CHAMPION, _CHALLENGER):
                # A trial is of one challenger beside one champion.
                self.trials.pop(moved.model, None)
            self._change()
        elif event.kind == TRIAL_SET:
            told = msgspec.json.decode(event.body, type=_TrialSet)
            self.trials[told.model] = told.share
            self._change()
        elif event.kind == POLICY_ARMED:
            self._arm(msgspec.json.decode(event.body, type=_Armed))
        elif event.kind == POLICY_DISARMED:
            point = msgspec.json.decode(event.body, type=_Disarmed).point
            self._armed_as.pop(point, None)
            self._armed.pop(point, None)
            self._change()

    def _arm(self, armed: _Armed) -> None:
        self._armed_as[armed.point] = armed
        point = self.points.get(armed.point)
        self.unusable.pop(armed.point, None)
        if point is not None:
            try:
                self._armed[armed.point] = compile_policy(point, armed.policy, armed.rules)
            except RuleRefused as refused:
                self.unusable[armed.point] = str(refused)
                self._armed[armed.point] = _closed(point, armed.version)
            self._keep_texts(self._armed[armed.point])
        self._change()

    def _keep_texts(self, armed: ArmedPolicy) -> None:
        key = _texts_key(point_id(armed.point.name), armed.policy.version)
        # What was said by a snapshot's release stays said.
        self._texts.setdefault(key, texts_of(armed))
        if len(self._texts) > POLICY_TEXTS_MAX:
            del self._texts[next(iter(self._texts))]

    def _change(self) -> None:
        """Have the tables laid out anew before the next decision; what caps counted goes on."""
        if self._judges is not None:
            self._counted |= self._judges.counted
            self._judges = None

    @property
    def is_waiting(self) -> bool:
        """Whether the latest decision was counted by no cap yet, as its transfer was not seen."""
        return len(self._waiting) > 0

    def count(self, decisions: Any, transfers: Any, store: FeatureStore | None) -> None:
        """Let caps count recorded decisions (n,) about transfers (m,) of a block, in order of position."""
        waiting = joined([self._waiting, decisions], DECISION_ROW)
        last = transfers["position"][-1] if len(transfers) else 0
        seen = int(np.searchsorted(waiting["position"], last))
        self._waiting = waiting[seen:]
        judges = self.judges(store)
        if judges is not None:
            judges.count(waiting[:seen], transfers)

    # -- deciding --------------------------------------------------------------------------

    @property
    def registered(self) -> frozenset[str]:
        """The hashes of the models whose bytes are here."""
        return frozenset(self._parts)

    def policy_of(self, point: str) -> ArmedPolicy | None:
        """Return the policy that is armed at a decision point, None for none."""
        return self._armed.get(point)

    def texts(self, point: int, version: int) -> PolicyTexts | None:
        """Return what a policy says in words, by the number of its point; also one of long ago.

        None where no such policy was armed, or ``POLICY_TEXTS_MAX`` have been since.
        """
        return self._texts.get(_texts_key(point, version))

    def judges(self, store: FeatureStore | None) -> Judges | None:
        """Return what decides, None where nothing is armed."""
        if self._judges is None and self._armed and store is not None:
            self._judges = Judges(list(self._armed.values()), self._usable, store, self._trial)
            self._judges.go_on(self._counted)
        return self._judges

    def model(self, digest: str) -> Model | None:
        """Return the model of a hash, None where its bytes are not there or not what they must be."""
        if digest not in self._models:
            parts = self._parts.get(digest, {})
            content = b"".join(parts[number] for number in sorted(parts))
            try:
                self._models[digest] = Model.from_bytes(content, expected_hash=digest)
            except ModelRefused as refused:
                self._models[digest] = None
                self.unusable[digest] = str(refused)
        return self._models[digest]

    def champion(self, model: str) -> str:
        """Return the hash of the champion of a model, empty for none."""
        return self.aliases.get(model, {}).get(_CHAMPION, "")

    def _usable(self, armed: ArmedPolicy, score: Score) -> Usable | None:
        digest = self.aliases.get(score.model, {}).get(score.alias, "")
        model = self.model(digest) if digest else None
        if model is None:
            return None
        usable = usable_at(model, armed.point)
        if isinstance(usable, str):
            self.unusable[digest] = usable
            return None
        return usable

    def _trial(self, armed: ArmedPolicy, score: Score) -> Trial | None:
        """Return what is tried out in the place of a champion: a challenger that cannot score never is."""
        share = self.trials.get(score.model, 0)
        if not share or score.alias != _CHAMPION:
            return None
        usable = self._usable(armed, Score(model=score.model, alias=_CHALLENGER))
        if usable is None:
            return None
        return Trial(usable=usable, share=share, salt=trial_salt(score.model, usable.model.hash))

    # -- snapshots -------------------------------------------------------------------------

    def sections(self) -> dict[str, Any]:
        """Return all there is as bytes by name."""
        counted = self._judges.counted if self._judges is not None else {}
        models = sorted(self._parts)
        small = _Small(
            aliases=self.aliases,
            trials=self.trials,
            armed=self._armed_as,
            texts=self._texts,
            counted=self._counted | counted,
            models=models,
            sizes=[[len(self._parts[one][number]) for number in sorted(self._parts[one])] for one in models],
        )
        content = [self._parts[one][number] for one in models for number in sorted(self._parts[one])]
        return {"small": msgspec.json.encode(small), "models": b"".join(content)}

    def restore(self, sections: Mapping[str, bytes]) -> None:
        """Take over a snapshot's sections; this must be new."""
        small = msgspec.json.decode(sections["small"], type=_Small)
        self.aliases, self._counted, self._texts = small.aliases, small.counted, small.texts
        self.trials = small.trials
        at = 0
        for digest, sizes in zip(small.models, small.sizes, strict=True):
            self._parts[digest] = {}
            for number, size in enumerate(sizes):
                self._parts[digest][number] = sections["models"][at : at + size]
                at += size
        for armed in small.armed.values():
            self._arm(armed)


def _texts_key(point: int, version: int) -> str:
    return f"{point:016x} {version}"


def _closed(point: DecisionPoint, version: int) -> ArmedPolicy:
    """Return a policy that gives everything the safe outcome."""
    rule = Rule(
        name="closed",
        when="true",
        condition=parse_expression("true"),
        outcome=point.safe_outcome,
        reason="The rules in force cannot be read.",
    )
    rules = RuleSet(name="closed", version=version, point=point.name, rules=(rule,))
    return ArmedPolicy(
        point=point,
        policy=Policy(name="closed", version=version),
        rules=compile_rules(rules, point),
        rule_scores=(-1,),
        trust=None,
    )
