"""The demo's third part: a model learns from the journal which payments were thefts, and checks others.

Nothing here is the demo's own but the payments: facts, training, registry, policy and the engine's step are
those of a deployment. A payment's record is read back from the journal, so that a demo that is kept and run
again shows what was decided at first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
import polars as pl

from formicary.economy.card_book import CARD_CURRENCY
from formicary.economy.checked_book import asked_payment, found_out, opening, past_payments, payment_id
from formicary.economy.moments import ReplayRefused, replay
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.policies import ArmedPolicy, compile_policy
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.ledger import CreateTransferStatus
from formicary.factory.models.errors import TrainerMissing
from formicary.factory.models.model import Model
from formicary.factory.models.model_manifest import ModelManifest
from formicary.factory.registry import ArmPolicy
from formicary.products.payments.postings import AccountCode
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.surfaces.cli.demo_promoted import done, promoted, registered
from formicary.surfaces.cli.output import Stages, progress
from formicary.surfaces.cli.ports import DemoFactory

__all__ = ["EFFECTS", "Checked", "CheckedResult", "LeftOut", "check_payments"]

_MODEL: Final = "payment_fraud"
_HASH_WORD_DIGITS: Final = 16
_REASON: Final = "The demo shows how payments are checked."
_STATUSES: Final = {
    Effect.ALLOW: (CreateTransferStatus.CREATED, CreateTransferStatus.EXISTS),
    Effect.STEP_UP: (CreateTransferStatus.STEP_UP_REQUIRED, CreateTransferStatus.ID_ALREADY_FAILED),
    Effect.HOLD: (CreateTransferStatus.HELD, CreateTransferStatus.HELD),
    Effect.REJECT: (CreateTransferStatus.DECLINED, CreateTransferStatus.ID_ALREADY_FAILED),
}
"""What the ledger answers to a payment with each effect at first, and to the same one again."""

EFFECTS: Final = {
    Effect.ALLOW: "allowed",
    Effect.STEP_UP: "stepped up: a check of the payer first",
    Effect.HOLD: "held for a person to look",
    Effect.REJECT: "declined",
}
"""What came of payments, in words."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The part was left out, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A payment that was checked.

    ``decision`` is its row of ``DECISION_ROW``, ``answer`` the ledger's status in this run, ``again`` that of
    the same request once more.
    """

    id: int
    row: Mapping[str, Any]
    decision: Any
    answer: CreateTransferStatus
    again: CreateTransferStatus

    @property
    def effect(self) -> Effect:
        """What came of it."""
        return Effect(int(self.decision["effect"]))

    @property
    def agrees(self) -> bool:
        """Whether both answers are what was decided."""
        first, later = _STATUSES[self.effect]
        return self.answer in (first, later) and self.again == later


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedResult:
    """What came of the checks; amounts are cents, seconds are wall time.

    Attributes
    ----------
    manifest, model, version
        What learnt, and which version of the model it became.
    policy
        What was armed.
    past, thefts, found_out
        The payments that nobody checked, the thefts among them, and how many of these were told as facts.
    payments
        Those that were checked.
    decisions
        How many decisions the journal has about them.
    received, held, wallets
        The shops' balance in the ledger, what is reserved in the customers' wallets, and what is in them.
    deposited, past_paid
        What the customers' wallets should have got, and paid to shops before.
    training_seconds, checking_seconds
        How long both took; each payment was asked for, and committed, alone and twice.
    """

    manifest: ModelManifest
    model: Model
    version: int
    policy: ArmedPolicy
    past: int
    thefts: int
    found_out: int
    payments: Sequence[Checked]
    decisions: int
    received: int
    held: int
    wallets: int
    deposited: int
    past_paid: int
    training_seconds: float
    checking_seconds: float

    @property
    def reconciles(self) -> bool:
        """Whether each payment was decided once, answered so, and money moved as decided and not else."""
        to_shops = [one.row for one in self.payments if one.effect == Effect.ALLOW and one.row["is_shop"]]
        paid = self.past_paid + sum(row["cents"] for row in to_shops)
        return (
            self.decisions == len(self.payments)
            and all(payment.agrees for payment in self.payments)
            and (self.received, self.wallets) == (paid, self.deposited - paid)
            and self.held == self.sums(Effect.HOLD)[1]
        )

    def sums(self, *effects: Effect) -> tuple[int, int, int, int]:
        """Return how many payments had these effects, their cents, and both of the thefts among them."""
        rows = [payment.row for payment in self.payments if payment.effect in effects]
        stolen = [row["cents"] for row in rows if row["is_theft"]]
        return len(rows), sum(row["cents"] for row in rows), len(stolen), sum(stolen)

    def chance(self, payment: Checked) -> float:
        """Return the chance of a fraud that rules saw; a record keeps what the trees said."""
        calibration = self.model.calibration
        assert calibration is not None  # noqa: S101, it is a classification
        return float(calibration.apply(payment.decision["score_0"]))

    @property
    def example(self) -> Checked | None:
        """The largest payment that was declined, None where none was."""
        declined = [payment for payment in self.payments if payment.effect == Effect.REJECT]
        return max(declined, key=lambda payment: payment.row["cents"], default=None)


def check_payments(factory: DemoFactory, name: str, payments: pl.DataFrame) -> CheckedResult | LeftOut:
    """Learn from the payments that are not checked, and have the others (n, ``STOLEN_CARDS``) checked.

    ``name`` says where they come from and is part of every id.

    Raises
    ------
    ReplayRefused
        The ledger or the registry refused something that only other data in this folder can refuse.
    ModelRefused
        Nothing can be learnt from these payments.
    """
    past, checked = payments.filter(~pl.col("is_checked")), payments.filter("is_checked")
    moments = [opening(name, payments), *past_payments(name, past)]
    with progress("replaying payments that nobody checks", sum(map(len, moments))) as step:
        replay(moments, factory.execute, set_time=factory.set_time, done=step.advance)
    learnt_to = _tell(factory, name, past, checked["at"][0] - 1)
    began = time.perf_counter()
    try:
        with Stages(_MODEL) as stages:
            trained = factory.train(_MODEL, last=learnt_to, report=stages.tell)
    except TrainerMissing as missing:
        return LeftOut(str(missing))
    trained_at = time.perf_counter()
    model, version = promoted(factory, name, trained, _REASON)
    policy = _arm(factory, name)
    asking_at = time.perf_counter()
    answers = _ask(factory, name, checked)
    checked_at = time.perf_counter()
    decisions = _decisions(factory, learnt_to)
    wallets, shops = (
        factory.sums(ledger=CARD_CURRENCY.number, code=code)
        for code in (AccountCode.PERSON_WALLET, AccountCode.MERCHANT_WALLET)
    )
    return CheckedResult(
        manifest=trained.manifest,
        model=model,
        version=version,
        policy=policy,
        past=len(past),
        thefts=int(past["is_theft"].sum()),
        found_out=trained.manifest.trained_on.outcomes,
        payments=_recorded(name, checked, answers, decisions, model),
        decisions=len(decisions),
        received=shops["credits_posted"] - shops["debits_posted"],
        held=wallets["debits_pending"],
        wallets=wallets["credits_posted"] - wallets["debits_posted"],
        deposited=int(payments["cents"].sum()),
        past_paid=int(past.filter("is_shop")["cents"].sum()),
        training_seconds=trained_at - began,
        checking_seconds=checked_at - asking_at,
    )


def _tell(factory: DemoFactory, name: str, past: pl.DataFrame, now: int) -> int:
    """Tell which payments (n) were charged back by now; return the position up to which that is known."""
    told = found_out(name, past, now)
    factory.set_time(now)
    for request in told:
        done(factory, request)
    return factory.answered_at(told[-1])


def _arm(factory: DemoFactory, name: str) -> ArmedPolicy:
    """Let the demo's policy decide about payments from now on; return it."""
    folder = resources.files(__package__)
    policy, rules = (folder.joinpath(f"demo_{kind}.yaml").read_text() for kind in ("policy", "rules"))
    armed = compile_policy(PAYMENT_POINT, policy, rules)
    point, version = PAYMENT_POINT.name, armed.policy.version
    command = ArmPolicy(
        subject=text_id(point), point=point, version=version, policy=policy, rules=rules, reason=_REASON
    )
    registered(factory, command, f"{name} policy {version}")
    return armed


def _ask(factory: DemoFactory, name: str, checked: pl.DataFrame) -> list[list[CreateTransferStatus]]:
    """Ask for each payment (n) at its time, alone, and once more; return both answers to each."""
    answers = []
    with progress("checking payments", len(checked)) as step:
        for row in checked.iter_rows(named=True):
            factory.set_time(row["at"])
            asked = asked_payment(name, row)
            both = [factory.execute([asked])[0]["status"][0] for _ in range(2)]
            answers.append([CreateTransferStatus(int(status)) for status in both])
            step.advance(1)
    return answers


def _decisions(factory: DemoFactory, after: int) -> dict[int, Any]:
    """Return the rows of the journal's decisions by the id of the transfer that each is about."""
    decisions, transfers = factory.decided(after=after)
    # A decision stands just before the transfer that it is about.
    about = transfers[np.searchsorted(transfers["position"], decisions["position"])]
    ids = zip(about["id_high"].tolist(), about["id_low"].tolist(), strict=True)
    return {(high << 64) | low: decision for (high, low), decision in zip(ids, decisions, strict=True)}


def _recorded(
    name: str,
    checked: pl.DataFrame,
    answers: Sequence[Sequence[CreateTransferStatus]],
    decisions: Mapping[int, Any],
    model: Model,
) -> tuple[Checked, ...]:
    """Return the payments (n) with what was decided of each.

    Raises
    ------
    ReplayRefused
        One was refused before it came to a decision, or was decided by another model.
    """
    by_this = int(model.hash[:_HASH_WORD_DIGITS], 16)
    made = []
    for row, (answer, again) in zip(checked.iter_rows(named=True), answers, strict=True):
        payment = payment_id(name, row["number"])
        decision = decisions.get(payment)
        if decision is None:
            message = f"a part of the replay was refused: {answer.name.lower()}"
            raise ReplayRefused(message)
        if int(decision["model_0"]) != by_this:
            message = "the payments in this folder were checked by another model"
            raise ReplayRefused(message)
        made.append(Checked(id=payment, row=row, decision=decision, answer=answer, again=again))
    return tuple(made)
