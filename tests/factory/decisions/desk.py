"""An engine that decides about payments between a few parties, with the registry, on a journal in memory."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import lightgbm
import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.clock import SimulatedClock
from formicary.base.purposes import Purpose
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import policy_findings
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import AGGREGATE_HEADER, Command, Decision, DomainEvent, Product
from formicary.factory.engine.requests import LedgerRequest, command_request
from formicary.factory.engine.state import FactoryState, Receipt
from formicary.factory.features.aggregates import count, time_since, total
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.kinds import EventKind, Transfers, amount, identifier, number, party, real
from formicary.factory.journal.rows import DECISION_ROW, REASONS
from formicary.factory.ledger import Account, AccountFlags, Transfer, account_array, transfer_array
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.forest import forest_of
from formicary.factory.models.model import Evidence, Model
from formicary.factory.models.scorecard_training import train_scorecard
from formicary.factory.registry import (
    Alias,
    ArmPolicy,
    DisarmPolicy,
    MoveAlias,
    SetTrial,
    registry_product,
)
from formicary.factory.registry.storing import parts_of, registration_of
from tests.factory.engine.null_journal import NullJournal

__all__ = [
    "CODE",
    "LARGE",
    "NOBODY",
    "POINT",
    "START",
    "Desk",
    "features_of",
    "made_model",
    "random_payments",
    "reasons_of",
    "rules_of",
]

START: Final = 1_700_000_000 * 10**9
SECOND: Final = 10**9
CODE: Final = 7
FEE: Final = 8
BANK: Final = 1
PARTIES: Final = 6
LARGE: Final = {"when": "amount > 900"}
NOBODY: Final = {"when": "amount < 0"}

PAYMENT: Final = EventKind(
    "payment",
    Transfers(codes=(CODE,)),
    payer=party("debit_party"),
    payee=party("credit_party"),
    wallet=identifier("debit_account"),
    till=identifier("credit_account"),
    reference=identifier("user_data_128"),
    payment=identifier("id"),
    amount=amount(),
    currency=number("ledger"),
    kind=number("code"),
    mark=number("user_data_64"),
    tag=number("user_data_32"),
    size=real("amount"),
)
"""Everything that a transfer tells."""

_VALUES: Final[dict[str, Any]] = {
    "asked": PAYMENT["amount"],
    "marked": PAYMENT["mark"] + PAYMENT["tag"] + PAYMENT["currency"] + PAYMENT["kind"],
    "paid_1d": total(PAYMENT["amount"], by="payer", over="1d"),
    "payments_1h": count(PAYMENT, by="payer", over="1h"),
    "received_1d": total(PAYMENT["amount"], by="payee", over="1d"),
    "since_pair": time_since(PAYMENT, by=("payer", "payee"), over="30d"),
    "from_wallet_1d": count(PAYMENT, by="wallet", over="1d"),
    "to_till_1d": total(PAYMENT["amount"], by="till", over="1d"),
}


def features_of(values: Mapping[str, Any], purpose: Purpose) -> list[Feature]:
    """Return features by name that may be read for a purpose."""
    return [
        Feature(
            name=name,
            value=value,
            unit="units",
            meaning=f"The {name} of it.",
            purposes=frozenset({purpose}),
        )
        for name, value in values.items()
    ]


RISK: Final = FeatureSet(
    name="risk",
    on=PAYMENT,
    owner="tests",
    features=features_of(_VALUES, Purpose.FRAUD),
)

POINT: Final = DecisionPoint(
    name="payment",
    on=PAYMENT,
    outcomes=("allow", "confirm", "hold", "reject"),
    effects=(Effect.ALLOW, Effect.STEP_UP, Effect.HOLD, Effect.REJECT),
    safe_outcome="hold",
    scores=("risk", "rival"),
    feature_set=RISK,
    purpose=Purpose.FRAUD,
    may_explore=True,
)


class _Nothing(DomainEvent, frozen=True):
    """What never happens."""


def _decides_nothing(*_: Any) -> Decision:
    return Decision()


TILL: Final = Product(
    name="till",
    aggregate=np.dtype(AGGREGATE_HEADER),
    commands=(),
    events=(_Nothing,),
    decide=_decides_nothing,
    evolve=_decides_nothing,  # type: ignore[arg-type]
    features=(RISK,),
    decision_points=(POINT,),
)
REGISTRY: Final = registry_product(lambda _, policy, rules: policy_findings(POINT, policy, rules))


def rules_of(version: int, *rules: Mapping[str, Any]) -> str:
    """Return a document of rules; each says what differs from a rejection."""
    told: list[dict[str, Any]] = [
        {
            "name": f"rule_{place}",
            "outcome": "reject",
            "reason": f"Because of {place}.",
            "if_unknown": "allow",
        }
        | dict(rule)
        for place, rule in enumerate(rules)
    ]
    return msgspec.json.encode(
        {"name": "tests", "version": version, "point": "payment", "rules": told}
    ).decode()


@functools.cache
def _scorecard() -> Any:
    numbers = np.linspace(0.0, 1.0, 60)
    labels = ((np.arange(60) % 3 == 0) | (numbers > 0.6)).astype(np.float64)
    return train_scorecard(
        numeric={"asked": numbers}, categorical={}, labels=labels, weights=np.ones(60), constraints={}, seed=1
    )


@functools.cache
def made_model(
    seed: int = 0,
    *,
    columns: tuple[str, ...] = ("paid_1d", "asked", "since_pair", "payments_1h"),
    calibration: Calibration = Calibration("platt", slope=2.0, intercept=-0.5),  # noqa: B008, it is frozen
    leaf: float = 0.0,
) -> Model:
    """Return a model of a dozen trees that learnt noise; all leaves are ``leaf`` if that is not zero."""
    chance = np.random.default_rng(seed)
    rows = chance.integers(0, 3_000, (800, len(columns))).astype(np.float64)
    rows[chance.random(rows.shape) < 0.2] = np.nan
    labels = (chance.random(800) < 0.4).astype(np.float64)
    parameters = {"objective": "binary", "num_leaves": 7, "verbose": -1, "num_threads": 1, "seed": seed}
    data = lightgbm.Dataset(rows, labels, feature_name=list(columns))
    booster = lightgbm.train(parameters | {"extra_trees": True, "min_data_in_leaf": 5}, data, 12)
    if leaf:
        for tree in range(booster.num_trees()):
            for place in range(7):
                booster.set_leaf_output(tree, place, leaf)
    return Model(
        name="risk_model",
        spec_hash="a" * 32,
        forest=forest_of(booster),
        calibration=calibration,
        categories={},
        scorecard=_scorecard(),
        evidence=Evidence(rows=800, positives=300, forest={}, scorecard={}, trials=1, suspected={}),
    )


class Desk:
    """The engine with its journal, its clock, and parties 100, 101, … with an account of the same number."""

    def __init__(self, folder: Path, *, rich: int = 10**9) -> None:
        self.folder = folder
        self.journal = NullJournal()
        self.clock = SimulatedClock(START)
        self.engine = Engine(self.journal, self.new_state, self.clock)
        self.engine.recover()
        self._commands = 0
        self._payments = 0
        floored = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
        accounts = [
            Account(id=number, ledger=978, code=1, flags=floored, user_data_128=number)
            for number in range(100, 100 + PARTIES)
        ]
        self.opens(Account(id=BANK, ledger=978, code=2, user_data_128=BANK), *accounts)
        self.asks(*(self.transfer(BANK, 100 + place, rich, code=9) for place in range(PARTIES)))

    def new_state(self) -> FactoryState:
        """Return the state before the first row."""
        return FactoryState(self.folder, (REGISTRY, TILL))

    @property
    def state(self) -> FactoryState:
        """The engine's state."""
        return self.engine.state

    @property
    def decisions(self) -> npt.NDArray[Any]:
        """The rows of all decisions in the journal."""
        return np.concatenate(
            [batch.decisions for batch in self.journal.batches] or [np.empty(0, DECISION_ROW)]
        )

    @property
    def transfers(self) -> npt.NDArray[Any]:
        """The rows of all transfers in the journal."""
        return np.concatenate([batch.transfers for batch in self.journal.batches])

    def balance(self, account: int) -> tuple[int, int]:
        """Return what an account has, and what of it is reserved."""
        machine = self.state.machine
        view = machine.account_view(machine.account_number(account))
        return int(view["credits_posted"] - view["debits_posted"]), int(view["debits_pending"])

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the bodies of the journal's events of a kind."""
        events = [event for batch in self.journal.batches for event in batch.events if event.kind == kind]
        return [msgspec.json.decode(event.body) for event in events]

    def opens(self, *accounts: Account) -> None:
        """Open accounts."""
        (answer,) = self.engine.execute([LedgerRequest(account_array(accounts))])
        assert not answer["status"].any()

    def transfer(self, debit: int, credit: int, moved: int, *, code: int = CODE, **other: Any) -> Transfer:
        """Return a transfer with an id of its own."""
        self._payments += 1
        fields: dict[str, Any] = {"id": self._payments, "ledger": 978, "code": code, "amount": moved}
        fields |= {"debit_account_id": debit, "credit_account_id": credit}
        return Transfer(**(fields | other))

    def asks(self, *transfers: Transfer) -> list[int]:
        """Ask for transfers in one request, a second after the last; return their statuses."""
        return [status for answer in self.asks_each([transfers]) for status in answer]

    def asks_each(self, requests: Sequence[Sequence[Transfer]]) -> list[list[int]]:
        """Ask for requests in one group; return the statuses of each."""
        self.clock.advance(SECOND)
        answers = self.engine.execute([LedgerRequest(transfer_array(request)) for request in requests])
        return [answer["status"].tolist() for answer in answers]

    def pays(self, moved: int, payer: int = 100, payee: int = 101, **other: Any) -> int:
        """Ask for one payment; return its status."""
        return self.asks(self.transfer(payer, payee, moved, **other))[0]

    def commands(self, command: Command) -> Receipt:
        """Carry out a command of the registry."""
        self._commands += 1
        request = command_request("registry", command, principal="house", key=f"command {self._commands}")
        receipt: Receipt = self.engine.execute([request])[0]
        return receipt

    def tries_to_arm(self, version: int, rules: str, **policy: Any) -> str:
        """Ask for a policy; return the code of a refusal, empty where it is armed."""
        text = msgspec.json.encode({"name": "tests", "version": version} | policy).decode()
        command = ArmPolicy(
            subject=text_id("payment"),
            point="payment",
            version=version,
            policy=text,
            rules=rules,
            reason="Tests.",
        )
        return self.commands(command).code

    def arms(self, version: int, rules: str, **policy: Any) -> None:
        """Arm a policy."""
        assert self.tries_to_arm(version, rules, **policy) == ""

    def disarms(self) -> None:
        """Let nothing decide any more."""
        command = DisarmPolicy(subject=text_id("payment"), point="payment", reason="Tests.")
        assert self.commands(command).code == ""

    def promotes(self, model: Model | None, alias: Alias = Alias.CHAMPION) -> None:
        """Register a model unless it is, and give it an alias; None takes the alias off."""
        if model is not None and model.hash not in self.state.decisions.registered:
            for command in (*parts_of(model), registration_of(model, manifest={}, note="")):
                assert self.commands(command).code == ""
        moved = MoveAlias(
            subject=text_id("risk_model"),
            model="risk_model",
            alias=alias,
            hash="" if model is None else model.hash,
            reason="Tests.",
        )
        assert self.commands(moved).code == ""

    def tries_out(self, share: int) -> str:
        """Let the challenger decide for millionths of parties; return the code of a refusal."""
        command = SetTrial(subject=text_id("risk_model"), model="risk_model", share=share, reason="Tests.")
        return self.commands(command).code


def random_payments(desk: Desk, seed: int, count: int) -> list[Any]:
    """Return payments between the parties, some of them marked."""
    chance = np.random.default_rng(seed)
    payments = []
    for _ in range(count):
        payer, payee = chance.choice(6, 2, replace=False).tolist()
        marks = {
            "user_data_64": int(chance.integers(0, 2**64, dtype=np.uint64)),
            "user_data_32": 7,
            "user_data_128": 5,
        }
        payments.append(desk.transfer(100 + payer, 100 + payee, int(chance.integers(1, 1_500)), **marks))
    return payments


def reasons_of(row: Any) -> list[int]:
    """Return the reasons of a decision."""
    return [int(row[f"reason_{place}"]) for place in range(REASONS) if row[f"reason_{place}"]]
