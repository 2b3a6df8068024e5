"""What a document says an experiment is: where it runs, its arms, what is measured, and what would stop it.

::

    experiment: short_form
    layer: checkout
    hypothesis: Fewer fields, more orders.
    lots: {first: 0, count: 500_000}
    arms: {control: 1, short: 1}
    planned_parties: 20_000
    metrics:
      - {name: orders, kind: proportion, column: ordered, good: up}
      - {name: returns, kind: ratio, column: returned, per: orders, good: down, tolerated_harm: 0.01}

The first arm is what the others are compared with. A metric with a harm that is tolerated is a guardrail, any
other one a goal.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Final, NoReturn

import msgspec
import yaml

from formicary.base.limits import EXPERIMENT_ARMS_MAX, EXPERIMENT_BYTES_MAX, EXPERIMENT_METRICS_MAX
from formicary.base.lots import LOTS
from formicary.factory.experiments.assignment import Slice
from formicary.factory.experiments.errors import ExperimentMalformed

__all__ = [
    "DAY_NS",
    "NAME_PATTERN",
    "WEIGHT_MAX",
    "Definition",
    "Direction",
    "Holdout",
    "Kind",
    "LotRange",
    "Metric",
    "OutcomeFacts",
    "read_definition",
]

NAME_PATTERN: Final = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*\Z"
"""Of experiments, layers, arms and metrics: snake case."""
WEIGHT_MAX: Final = 1_000_000
"""Of an arm: shares are counted in lots."""

DAY_NS: Final = 86_400 * 10**9
"""A day, in nanoseconds."""

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEPTH_MAX: Final = 8
_TEXT: Final = r"^[^\x00-\x1f\x7f]+\Z"

Name = Annotated[str, msgspec.Meta(pattern=NAME_PATTERN, max_length=64)]
Column = Annotated[str, msgspec.Meta(pattern=_TEXT, max_length=128)]
Sentence = Annotated[str, msgspec.Meta(pattern=_TEXT, max_length=500)]
Weight = Annotated[int, msgspec.Meta(ge=1, le=WEIGHT_MAX)]
Harm = Annotated[float, msgspec.Meta(ge=0, le=1e15)]


class Kind(StrEnum):
    """What is compared."""

    MEAN = "mean"
    """Of a column."""
    PROPORTION = "proportion"
    """Of a column of 0 and 1."""
    RATIO = "ratio"
    """The sum of a column over the sum of another one."""


class Direction(StrEnum):
    """Which way a metric is better."""

    UP = "up"
    DOWN = "down"


class LotRange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lots of a layer, of ``LOTS``."""

    first: Annotated[int, msgspec.Meta(ge=0, lt=LOTS)] = 0
    count: Annotated[int, msgspec.Meta(ge=1, le=LOTS)]


class Holdout(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who sees no experiment of the layer: so many lots, drawn for a name that layers may share."""

    name: Name = "house"
    lots: Annotated[int, msgspec.Meta(ge=0, lt=LOTS)] = 0


class OutcomeFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which facts of the journal outcomes are: their kind, and the field that holds the party's id."""

    facts: Name
    party: Name = "party"


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is measured of each party.

    Attributes
    ----------
    name, kind
        Of the metric.
    column, per
        Of the table of outcomes; ``per`` of a ratio only.
    covariate
        A column of what was so before the experiment, which takes variance away (CUPED).
    good
        Which way is better.
    tolerated_harm
        How much worse a guardrail may be than the first arm, in the metric's unit; None for a goal.
    """

    name: Name
    kind: Kind
    column: Column
    good: Direction
    per: Column | None = None
    covariate: Column | None = None
    tolerated_harm: Harm | None = None

    @property
    def is_guardrail(self) -> bool:
        """Whether it stops the experiment where it does harm."""
        return self.tolerated_harm is not None

    @property
    def columns(self) -> tuple[str, ...]:
        """What is read of the table: column, denominator, covariate."""
        return tuple(name for name in (self.column, self.per, self.covariate) if name is not None)


class Definition(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An experiment.

    Attributes
    ----------
    experiment, layer, hypothesis
        What it is called, where it runs, what is thought to come of it.
    lots, holdout
        Who may be in it.
    arms
        Weights by name; the first arm is what the others are compared with.
    planned_parties
        Of all arms together: where its sequences are tightest.
    outcome_days
        Days from a party's first exposure until its outcome is known.
    outcomes
        The facts that outcomes are; None where somebody brings a table of them.
    alpha
        The chance of calling anything better or worse that is not, over all goals, arms and looks; and the
        same once more for guardrails.
    metrics
        Goals and guardrails.
    """

    experiment: Name
    layer: Name
    hypothesis: Sentence
    lots: LotRange
    arms: dict[Name, Weight]
    planned_parties: Annotated[int, msgspec.Meta(ge=1, le=10**12)]
    metrics: Annotated[list[Metric], msgspec.Meta(min_length=1, max_length=EXPERIMENT_METRICS_MAX)]
    holdout: Holdout = Holdout()
    outcome_days: Annotated[int, msgspec.Meta(ge=0, le=366)] = 0
    outcomes: OutcomeFacts | None = None
    alpha: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.05

    @property
    def goals(self) -> list[Metric]:
        """The metrics that decide what is better."""
        return [one for one in self.metrics if not one.is_guardrail]

    @property
    def guardrails(self) -> list[Metric]:
        """The metrics that must not become worse."""
        return [one for one in self.metrics if one.is_guardrail]

    @property
    def outcome_ns(self) -> int:
        """From a party's first exposure until its outcome is known, in nanoseconds."""
        return self.outcome_days * DAY_NS

    @property
    def slice(self) -> Slice:
        """Where it is in its layer."""
        return Slice(
            experiment=self.experiment,
            layer=self.layer,
            holdout=self.holdout.name,
            held_out=self.holdout.lots,
            first=self.lots.first,
            count=self.lots.count,
            weights=tuple(self.arms.values()),
        )


def read_definition(document: str) -> Definition:
    """Return what a document says.

    Raises
    ------
    ExperimentMalformed
        The first that is wrong with it.
    """
    if len(document.encode(errors="replace")) > EXPERIMENT_BYTES_MAX:
        _refuse(f"it has more than {EXPERIMENT_BYTES_MAX:,} bytes")
    try:
        _require_plain(document)
        fields = yaml.load(document, _LOADER)  # noqa: S506, it makes nothing but plain values
        definition = msgspec.convert(fields, Definition, strict=False)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        message = f"it is no YAML: {error}"
        raise ExperimentMalformed(message) from error
    except msgspec.ValidationError as error:
        raise ExperimentMalformed(str(error)) from error
    _require_consistent(definition)
    return definition


def _require_plain(document: str) -> None:
    """Refuse a document that nests deeply, repeats a part of itself by name, or names a field twice."""
    depth = 0
    for event in yaml.parse(document, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH_MAX:
            _refuse("a document does not nest as deep")
        if isinstance(event, yaml.AliasEvent):
            _refuse("write it out: a document repeats nothing by name")
    root = yaml.compose(document, _LOADER)
    nodes = [] if root is None else [root]
    while nodes:
        node = nodes.pop()
        if isinstance(node, yaml.MappingNode):
            names = sorted(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
            if double := [name for name, next_name in pairwise(names) if name == next_name]:
                _refuse(f"{double[0]} is written twice")
            nodes += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            nodes += node.value


def _require_consistent(definition: Definition) -> None:
    lots = definition.lots
    if lots.first + lots.count > LOTS:
        _refuse(f"there are {LOTS:,} lots, and it takes {lots.count:,} from {lots.first:,} on")
    if not 2 <= len(definition.arms) <= EXPERIMENT_ARMS_MAX:  # noqa: PLR2004, what is compared is two
        _refuse(f"an experiment has 2 to {EXPERIMENT_ARMS_MAX} arms")
    names = [one.name for one in definition.metrics]
    if len({*names}) < len(names):
        _refuse("two metrics have one name")
    if not definition.goals:
        _refuse("it has guardrails alone: name a goal, a metric without a harm that is tolerated")
    if definition.outcomes is not None and not definition.outcome_days:
        _refuse("where outcomes are facts, outcome_days is 1 at least")
    for one in definition.metrics:
        _require_measurable(one)


def _require_measurable(one: Metric) -> None:
    if (one.per is not None) != (one.kind is Kind.RATIO):
        _refuse(f"{one.name}: a ratio names the column it is per, and nothing else does")
    if len({*one.columns}) < len(one.columns):
        _refuse(f"{one.name}: its columns are three different ones")


def _refuse(why: str) -> NoReturn:
    raise ExperimentMalformed(why)
