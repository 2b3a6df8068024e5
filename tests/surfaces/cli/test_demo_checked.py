"""The demo's checked payments on a ledger in memory; ``tests/runtime`` trains the model that it has here."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest

from formicary.economy.moments import ReplayRefused
from formicary.economy.stolen_cards import stolen_cards
from formicary.factory.decisions.policies import policy_findings
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.requests import command_request
from formicary.factory.ledger import CreateTransferStatus
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.forest import forest_of
from formicary.factory.models.model import Model
from formicary.factory.registry import ArmPolicy
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.surfaces.cli import demo_checked, demo_lending, demo_sources
from formicary.surfaces.cli.demo_checked import CheckedResult, check_payments
from formicary.surfaces.cli.demo_checked_tables import checked_document, write_checked
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.factory.decisions.desk import made_model
from tests.surfaces.cli.factory_kit import MemoryFactory
from tests.surfaces.cli.kit import NOON, MemoryProgram, Terminal

DAYS, CUSTOMERS = 40, 20


@functools.cache
def model() -> Model:
    """Return a forest that fears very large payments to somebody new."""
    chance = np.random.default_rng(7)
    times, is_new = chance.uniform(0.0, 8.0, 800), chance.integers(0, 2, 800)
    data = lightgbm.Dataset(
        np.column_stack([times, is_new]),
        (times * is_new > 4).astype(np.float64),
        feature_name=["amount_to_mean", "pair_is_new"],
    )
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 20)
    return replace(
        made_model(),
        name="payment_fraud",
        forest=forest_of(booster),
        calibration=Calibration("platt", slope=0.5, intercept=0.0),
    )


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_sources, "_INVENTED_INVOICES", 5)
    monkeypatch.setattr(demo_sources, "_INVENTED_DAYS", DAYS)
    monkeypatch.setattr(demo_lending, "_NIGHTS", 9)
    monkeypatch.setattr(demo_lending, "_PEOPLE", 2)
    monkeypatch.setattr(demo_sources, "_INVENTED_CUSTOMERS", CUSTOMERS)


def checked(factory: MemoryFactory, days: int = DAYS) -> CheckedResult:
    """Have the small world's payments checked."""
    result = check_payments(factory, "cards", stolen_cards(seed=1, days=days, customers=CUSTOMERS))
    assert isinstance(result, CheckedResult)
    return result


@pytest.fixture
def factory(tmp_path: Path) -> MemoryFactory:
    """Give a factory where a model can be trained."""
    return MemoryFactory(NOON, tmp_path, model())


def test_the_policy_is_one() -> None:
    """What the package carries can be armed where payments are decided about."""
    folder = Path(demo_checked.__file__).parent
    texts = [(folder / f"demo_{kind}.yaml").read_text() for kind in ("policy", "rules")]
    assert policy_findings(PAYMENT_POINT, *texts) == []


def test_money_moves_as_decided(factory: MemoryFactory) -> None:
    """Each payment is decided once; the journal, the answers and the balances say the same; again, too."""
    result = checked(factory)
    document = checked_document(result)
    asked = stolen_cards(seed=1, days=DAYS, customers=CUSTOMERS).filter("is_checked")
    counts = document["outcomes"]
    assert sum(one["payments"] for one in counts.values()) == len(asked) == document["decisions"]
    assert sum(one["cents"] for one in counts.values()) == asked["cents"].sum()
    assert sum(one["thefts"] for one in counts.values()) == asked["is_theft"].sum()
    assert all(one["payments"] for one in counts.values())
    assert document["held"] == counts["hold"]["cents"]
    assert result.reconciles
    hashed, (accounts, transfers) = factory.state_hash, (factory.journal.batches, factory.position)
    again = checked(factory)
    assert again.reconciles
    assert (factory.state_hash, factory.position) == (hashed, transfers)
    assert factory.journal.batches is accounts
    kept = checked_document(again)
    differ = {"training_seconds", "checking_seconds", "example"}
    assert {name: kept[name] for name in kept if name not in differ} == {
        name: document[name] for name in document if name not in differ
    }
    assert kept["example"] == document["example"] | {"answer": "id_already_failed"}


def test_a_declined_payment_has_its_reasons(factory: MemoryFactory) -> None:
    """It is the largest one; rules and features speak, the chance is what the rules saw."""
    result = checked(factory)
    example = checked_document(result)["example"]
    reject = [one for one in result.payments if PAYMENT_POINT.outcomes[one.decision["outcome"]] == "reject"]
    assert example["cents"] == max(one.row["cents"] for one in reject)
    assert example["rules"]["likely_fraud"] == "The payment resembles payments that were frauds."
    assert set(example["reasons"]) <= set(PAYMENT_POINT.sentences.values())
    assert example["reasons"]
    # By hand, from the recorded score.
    best = next(one for one in reject if one.row["cents"] == example["cents"])
    assert example["chance"] == pytest.approx(1 / (1 + np.exp(-0.5 * best.decision["score_0"])))
    assert example["chance"] >= 0.7
    assert (example["answer"], example["again"]) == ("declined", "id_already_failed")
    assert example["same_answer"] is True


def test_as_tables_and_as_a_document(terminal: Terminal, program: MemoryProgram) -> None:
    """Outcomes, money and the declined payment are shown; the demo balances with them."""
    program.demo_model = model()
    assert terminal.run("demo", "--no-cards") == ExitCode.DONE
    for words in ("stepped up", "declined", "likely_fraud", "asked again", "left in the wallets"):
        assert words in terminal.out
    document = terminal.json("demo", "--no-cards")
    assert document["checked"]["reconciles"] is document["balances"] is True
    assert document["checked"]["example"]["model_version"] == 1
    assert document["proof"]["trial_balance"] == {"GBP": 0, "CHF": 0, "EUR": 0}


def test_without_what_trains(terminal: Terminal, program: MemoryProgram) -> None:
    """The part is left out, and it is said why."""
    assert program.demo_model is None
    assert terminal.run("demo", "--no-cards") == ExitCode.DONE
    assert "checked payments: LEFT OUT" in terminal.out
    assert "libgomp.so.1 is not there" in terminal.out
    assert terminal.json("demo", "--no-cards")["checked"] == {"left_out": "libgomp.so.1 is not there"}


def test_nothing_is_declined(factory: MemoryFactory, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was declined, that is said."""
    assert factory.model is not None
    factory.model = replace(factory.model, calibration=Calibration("platt", slope=0.5, intercept=-20.0))
    result = checked(factory)
    assert result.reconciles
    assert checked_document(result)["example"] is None
    write_checked(result)
    assert "None was declined." in capsys.readouterr().out


def test_what_does_not_agree_is_no_balance(
    factory: MemoryFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another answer to the same payment, a decision too many, or money elsewhere is found."""
    result = checked(factory)
    example = result.example
    assert example is not None
    other = replace(example, again=CreateTransferStatus.CREATED)
    payments = [other if one is example else one for one in result.payments]
    wrong = replace(result, payments=payments)
    assert not wrong.reconciles
    write_checked(wrong)
    assert "ANOTHER ANSWER: created" in capsys.readouterr().out
    for field in ("decisions", "received", "wallets", "held"):
        assert not replace(result, **{field: getattr(result, field) + 1}).reconciles


def test_another_folder(factory: MemoryFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was decided by another model, or not decided, ends the replay."""
    decided = factory.decided

    def by_another(*, after: int) -> tuple[Any, Any]:
        decisions, transfers = decided(after=after)
        decisions["model_0"] += 1
        return decisions, transfers

    def by_nobody(*, after: int) -> tuple[Any, Any]:
        decisions, transfers = decided(after=after)
        return decisions[1:], transfers

    for other, message in ((by_another, "by another model"), (by_nobody, "part of the replay was refused")):
        monkeypatch.setattr(factory, "decided", other)
        with pytest.raises(ReplayRefused, match=message):
            checked(factory)


def test_a_later_policy_stays(factory: MemoryFactory) -> None:
    """What the registry refuses ends the replay."""
    folder = Path(demo_checked.__file__).parent
    policy, rules = ((folder / f"demo_{kind}.yaml").read_text() for kind in ("policy", "rules"))
    later = ArmPolicy(
        subject=text_id("payment"), point="payment", version=2, policy=policy, rules=rules, reason="Tests."
    )
    (receipt,) = factory.execute([command_request("registry", later, principal="tests", key="later")])
    assert receipt.code == ""
    with pytest.raises(ReplayRefused, match="refused: policy_outdated"):
        checked(factory)
