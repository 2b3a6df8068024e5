"""What the benchmark of decisions arms: sixty features, a forest of 200 trees, twenty rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import lightgbm
import numpy as np
import numpy.typing as npt

from benchmarks._feature_sets import feature_set
from benchmarks._loads import opening
from benchmarks.forest import trained
from formicary.base.purposes import Purpose
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import policy_findings
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import AGGREGATE_HEADER, Command, Decision, DomainEvent, Product
from formicary.factory.engine.requests import command_request
from formicary.factory.engine.state import Receipt
from formicary.factory.features.kinds import EventKind, Transfers, amount, party
from formicary.factory.models.calibration import identity
from formicary.factory.models.forest import forest_of
from formicary.factory.models.model import Evidence, Model
from formicary.factory.models.scorecard_training import train_scorecard
from formicary.factory.registry import Alias, ArmPolicy, MoveAlias, registry_product
from formicary.factory.registry.storing import parts_of, registration_of

__all__ = ["POINT", "PRODUCTS", "Registrar", "accounts", "model_of", "policy", "rules", "values_of"]

_KIND: Final = EventKind(
    "payment", Transfers(codes=(1,)), payer=party("debit_party"), payee=party("credit_party"), amount=amount()
)
_SET: Final = feature_set(60, on=_KIND)
POINT: Final = DecisionPoint(
    name="payment",
    on=_KIND,
    outcomes=("allow", "confirm", "hold", "reject"),
    effects=tuple(Effect),
    safe_outcome="hold",
    scores=("risk",),
    feature_set=_SET,
    purpose=Purpose.FRAUD,
)
_TREES: Final = 200
# Four operations each, on features that two rules seldom share; none of them ever holds.
_SHAPES: Final = (
    "amount > larger(otherwise({left}, {0}), {0}) * 1_000_000 and {right} - {0} > 1",
    "(score.risk + {0} > {left} * 1_000 and not {right} > {0}) and amount > 1_000_000",
    "-{0} <= {left} - {right} * {0} < amount - 1_000_000",
    "hour(at, 420) < {left} + {0} and {right} / {0} > 3_000_000_000",
)
_RULES: Final = 20


class _Nothing(DomainEvent, frozen=True):
    """What never happens."""


def _decides_nothing(*_: Any) -> Decision:
    return Decision()


def _evolves_nothing(_kind: str, _aggregates: npt.NDArray[Any], _events: Sequence[DomainEvent]) -> None:
    """Change nothing."""


PRODUCTS: Final = (
    registry_product(lambda _, policy, rules: policy_findings(POINT, policy, rules)),
    Product(
        name="bench",
        aggregate=np.dtype(AGGREGATE_HEADER),
        commands=(),
        events=(_Nothing,),
        decide=_decides_nothing,
        evolve=_evolves_nothing,
        features=(_SET,),
        decision_points=(POINT,),
    ),
)


def accounts() -> npt.NDArray[Any]:
    """Return the accounts of the load, each of a party of its own."""
    opened = opening()
    opened["user_data_128_low"] = opened["id_low"]
    return opened


def rules(
    version: int, features: Sequence[str], limit: float, *, point: str = "payment", score: str = "risk"
) -> str:
    """Return twenty rules, of which one rejects what scores above a limit."""
    told = [
        {
            "name": f"rule_{place}",
            "when": _SHAPES[place % len(_SHAPES)]
            .format(place + 1, left=features[place], right=features[(place * 3 + 1) % len(features)])
            .replace("score.risk", f"score.{score}"),
            "outcome": "hold",
            "reason": "The benchmark asks.",
            "if_unknown": "allow",
        }
        for place in range(_RULES - 1)
    ]
    scored = told[0] | {"name": "scored", "when": f"score.{score} > {limit!r}", "outcome": "reject"}
    return json.dumps({"name": "bench", "version": version, "point": point, "rules": [*told, scored]})


def policy(version: int, *, score: str = "risk") -> str:
    """Return a policy whose score is that of the champion."""
    return json.dumps({"name": "bench", "version": version, "scores": {score: {"model": "bench_model"}}})


def values_of(decisions: npt.NDArray[Any], count: int) -> npt.NDArray[np.float64]:
    """Return what decisions (n,) were told, (n, ``count``)."""
    return np.column_stack([decisions[f"value_{place:02}"] for place in range(count)])


def model_of(rows: npt.NDArray[np.float64], names: Sequence[str]) -> tuple[Model, lightgbm.Booster]:
    """Return a model of 200 trees that learnt nothing from rows (n, features), and its booster."""
    booster = trained(_TREES, rows, names)
    numbers = np.arange(200.0)
    card = train_scorecard(
        numeric={"number": numbers},
        categorical={},
        # Noise, so that there is a penalty under which it tells something.
        labels=((numbers > 90) ^ (numbers % 4 == 0)).astype(np.float64),  # noqa: PLR2004, any
        weights=np.ones(len(numbers)),
        constraints={},
        seed=1,
    )
    model = Model(
        name="bench_model",
        spec_hash="0" * 32,
        forest=forest_of(booster),
        calibration=identity(),
        categories={},
        scorecard=card,
        evidence=Evidence(rows=len(rows), positives=0, forest={}, scorecard={}, trials=1, suspected={}),
    )
    return model, booster


class Registrar:
    """Tells an engine which model and which policy decide."""

    def __init__(self, ask: Any) -> None:
        self._ask = ask
        self._asked = 0

    @classmethod
    def of(cls, engine: Engine, *, is_journaled: bool = True) -> Registrar:
        """Return one for an engine in this process; without a journal nothing can be journaled any more."""

        def ask(command: Command, key: str) -> Receipt:
            decided = engine.decide([command_request("registry", command, principal="bench", key=key)])
            if is_journaled:
                engine.commit(decided)
            receipt: Receipt = decided.answers[0]
            return receipt

        return cls(ask)

    def promote(self, model: Model) -> None:
        """Make a model the champion."""
        for command in (*parts_of(model), registration_of(model, manifest={}, note="")):
            self._do(command)
        self._do(
            MoveAlias(
                subject=text_id(model.name),
                model=model.name,
                alias=Alias.CHAMPION,
                hash=model.hash,
                reason="The benchmark asks.",
            )
        )

    def arm(self, version: int, policy: str, rules: str) -> None:
        """Let a policy decide at the decision point, which every point of a benchmark is named like."""
        self._do(
            ArmPolicy(
                subject=text_id(POINT.name),
                point=POINT.name,
                version=version,
                policy=policy,
                rules=rules,
                reason="The benchmark asks.",
            )
        )

    def _do(self, command: Command) -> None:
        self._asked += 1
        receipt = self._ask(command, f"{id(self)} {self._asked}")
        if receipt.code:
            message = f"{type(command).__name__}: {receipt.code}"
            raise SystemExit(message)
