"""The registry on a home: in this process, beside a running engine, and again after both have gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.base.errors import Refusal
from formicary.base.times import time_text
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.client import EngineRefused
from formicary.factory.experiments import StartExperiment, experiment_id
from formicary.factory.experiments.errors import ExperimentRunning
from formicary.factory.experiments.reading import experiment_events, experiments, exposures_of
from formicary.factory.facts import RecordFacts
from formicary.factory.registry import Alias, DisarmPolicy, MoveAlias
from formicary.factory.registry.errors import PolicyNotArmed
from formicary.factory.registry.reading import model_bytes, model_events, versions
from formicary.runtime.ledgers import open_ledger
from formicary.runtime.program import LocalProgram
from formicary.runtime.registry import open_experiments, open_registry
from formicary.runtime.settings import Settings
from formicary.surfaces.cli import run
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.factory.experiments.kit import DAY_NS, document_of
from tests.runtime.test_ledgers import running_engine
from tests.runtime.test_policy_findings import POLICY, RULES
from tests.runtime.test_program import document
from tests.surfaces.cli.registry_kit import stored_model, trained_model

REASON = ("--reason", "It orders more pairs rightly.")


def test_one_registry_for_both(
    hosted_home: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What one engine was told another one knows, and the journal says the same to all."""
    assert document(capsys, hosted_home, "models", "list") == {"models": []}
    first = document(capsys, hosted_home, "models", "register", str(stored_model(tmp_path)))
    moved = document(capsys, hosted_home, "models", "promote", "repayment", "1", *REASON)
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY)
    (tmp_path / "rules.yaml").write_text(RULES)
    armed = ("policies", "arm", "payment", str(policy), str(tmp_path / "rules.yaml"), *REASON)
    with running_engine(hosted_home):
        assert document(capsys, hosted_home, "models", "register", str(tmp_path / "repayment.model")) == (
            first | {"status": "exists"}
        )
        second = document(capsys, hosted_home, "models", "register", str(stored_model(tmp_path, "churn")))
        document(capsys, hosted_home, *armed)
        assert document(capsys, hosted_home, "models", "which", "repayment")["found"] == moved
        assert run(LocalProgram(hosted_home), [*armed]) == ExitCode.REFUSED
        assert "policy_outdated" in capsys.readouterr().err
    assert document(capsys, hosted_home, "verify")["sound"]
    assert run(LocalProgram(hosted_home), ["policies", "disarm", "sign_in", *REASON]) == ExitCode.REFUSED
    assert document(capsys, hosted_home, "policies", "list")["policies"][0]["point"] == "payment"
    with open_registry(hosted_home) as registry:
        found = versions(model_events(registry.source))
        assert [one.hash for one in found] == [first["hash"], second["hash"]]
        assert model_bytes(registry.source, found[0]) == trained_model().to_bytes()
        assert LocalProgram(hosted_home).model_specs().keys() == {"payment_fraud", "merchant_default"}


def test_experiments_are_a_registry_as_well(
    hosted_home: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what is tried out: one engine's are another one's, and the journal says who met them."""
    (tmp_path / "short_form.yaml").write_text(document_of(lots="{count: 1_000_000}", outcome_days=1))
    document(capsys, hosted_home, "experiments", "define", str(tmp_path / "short_form.yaml"))
    with running_engine(hosted_home):
        document(capsys, hosted_home, "experiments", "start", "short_form", *REASON)
        now = LocalProgram(hosted_home).now()
        rows = "".join(f"{number:032x},{now}\n" for number in range(1, 1_201))
        (tmp_path / "met.csv").write_text("party,at\n" + rows)
        met = ("experiments", "expose", "short_form", str(tmp_path / "met.csv"))
        assert document(capsys, hosted_home, *met)["told"] == 1_200
    assert document(capsys, hosted_home, *met)["told"] == 1_200
    assert document(capsys, hosted_home, "experiments", "show", "short_form")["exposures"] == 1_200
    ordered = RecordFacts(
        subject=1,
        kind="order",
        at=[now + 1] * 600,
        ids={"party": [f"{number:032x}" for number in range(2, 1_202, 2)]},
        numbers={"ordered": [1] * 600},
    )
    with open_ledger(hosted_home) as ledger:
        assert ledger.command("facts", ordered, principal="test", key="one").code == ""
    tomorrow = ("--until", time_text(now + 2 * DAY_NS))
    results = ("experiments", "results", "short_form", "--facts", "order", *tomorrow)
    (orders,) = document(capsys, hosted_home, *results)["comparisons"]
    assert (orders["control"], orders["treatment"]) == pytest.approx((0.5, 0.5), abs=0.08)
    assert document(capsys, hosted_home, "verify")["sound"]
    with open_experiments(hosted_home) as known:
        (found,) = experiments(experiment_events(known.source))
        assert len(exposures_of(known.source, found).at) == 1_200
        with pytest.raises(ExperimentRunning):
            known.command(StartExperiment(subject=experiment_id("short_form"), reason="Again."))


def test_refusals_are_those_of_the_registry(hosted_home: Settings) -> None:
    """By their class where there is one; the key says whether it is the same command."""
    disarm = DisarmPolicy(subject=text_id("payment"), point="payment", reason="No.")
    with open_registry(hosted_home) as registry:
        for _ in range(2):
            with pytest.raises(PolicyNotArmed):
                registry.command(disarm, key="one")
        wrong = MoveAlias(subject=1, model="churn", alias=Alias.SHADOW, hash="", reason="No.")
        with pytest.raises(Refusal, match="not what its type says"):
            registry.command(wrong)
        assert registry.entry(1) is None


def test_a_code_that_is_not_the_registrys(hosted_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as the engine's."""
    monkeypatch.setattr("formicary.runtime.registry._REFUSALS", {})
    disarm = DisarmPolicy(subject=text_id("payment"), point="payment", reason="No.")
    with open_registry(hosted_home) as registry, pytest.raises(EngineRefused) as refused:
        registry.command(disarm)
    assert refused.value.reason == PolicyNotArmed.code
