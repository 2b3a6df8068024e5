"""The command line on a real journal."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from formicary.factory.engine.products import Product
from formicary.runtime import demo_factory
from formicary.runtime import program as program_module
from formicary.runtime.products import PRODUCTS
from formicary.runtime.program import KeyNotSet, LocalProgram
from formicary.runtime.settings import Settings
from formicary.surfaces.cli import demo_lending, demo_sources, run
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.runtime.test_ledgers import running_engine
from tests.runtime.test_training import SMALL

INVOICES = 60
PAYMENTS = 2_000
DAYS = 80
CUSTOMERS = 40


def document(capsys: pytest.CaptureFixture[str], settings: Settings, *arguments: str) -> Any:
    """Run a command with ``--json`` and return what it wrote."""
    capsys.readouterr()
    assert run(LocalProgram(settings), [*arguments, "--json"]) == ExitCode.DONE
    return json.loads(capsys.readouterr().out)


def _has_small(product: Product) -> bool:
    return any(spec.name == SMALL.name for spec in product.models)


def test_demo_twice(
    new_home: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small merchant balances on a real PostgreSQL; kept and run again, everything exists already."""
    monkeypatch.setattr(demo_sources, "_INVENTED_INVOICES", INVOICES)
    monkeypatch.setattr(demo_sources, "_INVENTED_PAYMENTS", PAYMENTS)
    monkeypatch.setattr(demo_sources, "_INVENTED_DAYS", DAYS)
    monkeypatch.setattr(demo_sources, "_INVENTED_CUSTOMERS", CUSTOMERS)
    monkeypatch.setattr(demo_lending, "_NIGHTS", 40)
    monkeypatch.setattr(demo_lending, "_PEOPLE", 6)
    # Only the one that declares it: products know their neighbours.
    products = tuple(replace(one, models=(SMALL,)) if _has_small(one) else one for one in PRODUCTS)
    monkeypatch.setattr(demo_factory, "PRODUCTS", products)
    first = document(capsys, new_home, "demo")
    assert first["balances"]
    assert first["proof"]["live_hash"] == first["proof"]["refolded"]["state_hash"]
    assert first["merchant"]["existing"] == first["cards"]["existing"] == 0
    again = document(capsys, new_home, "demo", "--keep")
    assert again["balances"]
    # Learnt from the journal as far as it was at first, the model is the same; nothing is decided again.
    for name in ("model", "outcomes", "received", "held", "decisions"):
        assert again["checked"][name] == first["checked"][name]
    assert first["checked"]["model"]["positives"] > 20
    outcomes = first["checked"]["outcomes"]
    stopped = sum(outcomes[name]["thefts"] for name in ("step_up", "hold", "reject"))
    assert stopped > outcomes["allow"]["thefts"]
    assert again["merchant"]["transfers"] == again["cards"]["transfers"] == 0
    assert again["proof"]["live_hash"] == first["proof"]["live_hash"]
    assert again["merchant"]["merchant_balance"] == first["merchant"]["merchant_balance"]
    fresh = document(capsys, new_home, "demo", "--no-cards", "--no-checked")
    assert fresh["checked"] is None
    assert fresh["merchant"]["existing"] == 0


def test_ledger_and_verify(hosted_home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """What the command line books is verified, with and without a running engine."""
    for number in ("1", "2"):
        document(capsys, hosted_home, "ledger", "create-account", "--id", number, "--ledger", "GBP")
    transfer = ("--from", "1", "--to", "2", "--amount", "5", "--ledger", "GBP")
    with running_engine(hosted_home):
        document(capsys, hosted_home, "ledger", "transfer", *transfer)
        verified = document(capsys, hosted_home, "verify")
        assert (verified["sound"], verified["accounts"]) == (True, 2)
    assert document(capsys, hosted_home, "verify")["state_hash"] == verified["state_hash"]


def test_doctor(shared_home: Settings, hosted_home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded server and somebody else's are both looked at."""
    for settings in (shared_home, hosted_home):
        checks = {check["name"]: check for check in document(capsys, settings, "doctor")["checks"]}
        assert checks["durability"]["outcome"] == "ok"
        assert checks["lost machine"]["outcome"] == "warn"


def test_up(
    shared_home: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``up`` runs the processes of these settings."""
    seen = []

    def run_processes(settings: Settings, *, on_change: Any, products: Any) -> None:
        assert products == PRODUCTS
        seen.append(settings)
        on_change({"engine": 7})

    monkeypatch.setattr(program_module, "run_processes", run_processes)
    assert document(capsys, shared_home, "up") == {"ended": ["engine"]}
    assert seen == [shared_home]
    assert LocalProgram(shared_home).home == shared_home.home
    assert LocalProgram(shared_home).data_sets is None


def test_the_first_key(hosted_home: Settings) -> None:
    """Whoever may use the engine's socket gets a key of the house; commands that ask the API need one."""
    with running_engine(hosted_home):
        keys = [LocalProgram(hosted_home).issue_house_key() for _ in range(2)]
    assert all(key.startswith("fk_live_") for key in keys)
    assert len(set(keys)) == 2
    with pytest.raises(KeyNotSet):
        LocalProgram(hosted_home).client()
    with LocalProgram(replace(hosted_home, key=keys[0])).client() as client:
        assert client is not None
