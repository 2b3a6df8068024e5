"""Decisions on a home: taken by one engine, explained and taken again beside another one and without any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from formicary.base.ids import format_id
from formicary.products.payments.postings import TransferCode
from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import Settings
from formicary.surfaces.cli import run
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.runtime.test_ledgers import running_engine
from tests.runtime.test_program import document

RULES = """
name: payment_rules
version: 1
point: payment
rules:
  - {name: large, when: amount > 100_00, outcome: reject, reason: The amount is large.}
"""
PAYMENT = ("--from", "1", "--to", "2", "--ledger", "GBP", "--code", str(int(TransferCode.PERSON_PAYMENT)))


def test_decisions_on_a_home(
    hosted_home: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Listed, explained by id and by position, and the same bit for bit."""

    def told(*arguments: str) -> Any:
        return document(capsys, hosted_home, *arguments)

    for number in ("1", "2"):
        told("ledger", "create-account", "--id", number, "--ledger", "GBP")
    (tmp_path / "policy.yaml").write_text("name: payment_policy\nversion: 1\n")
    (tmp_path / "rules.yaml").write_text(RULES)
    files = (str(tmp_path / "policy.yaml"), str(tmp_path / "rules.yaml"))
    with running_engine(hosted_home):
        told("policies", "arm", "payment", *files, "--reason", "Tests.")
        told("ledger", "transfer", *PAYMENT, "--id", "7", "--amount", "50")
        large = ("ledger", "transfer", *PAYMENT, "--id", "8", "--amount", "150")
        assert run(LocalProgram(hosted_home), large) == ExitCode.REFUSED
        found = told("decisions", "list")["decisions"]
        explained = told("decisions", "explain", format_id(8))
        replayed = told("decisions", "replay", "--cuts", "3")
    assert [one["outcome"] for one in found] == ["reject", "allow"]
    assert explained["reasons"] == ["The amount is large."]
    assert explained["transfer"]["status"] == "declined"
    assert [one["changes"] for one in explained["turned_by"]] == [{"amount": [15_000.0, 10_000.0]}]
    assert (replayed["decisions"], replayed["identical"]) == (2, True)
    assert told("decisions", "explain", str(found[0]["position"])) == explained
    assert told("decisions", "replay")["identical"]
