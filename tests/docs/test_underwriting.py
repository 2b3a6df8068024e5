"""docs/underwriting.md and docs/portfolio.md name every setting, and their examples run."""

from __future__ import annotations

import dataclasses
import doctest
import re
from pathlib import Path

import msgspec
import pytest

from formicary.products.lending.servicing.close_rules import CloseRules
from formicary.products.lending.underwriting.capital import CapitalPolicy
from formicary.products.lending.underwriting.early_warning import WarningPolicy
from formicary.products.lending.underwriting.policy import CreditPolicy
from formicary.products.lending.underwriting.preapproval import Condition
from formicary.products.lending.underwriting.provisions import ProvisionPolicy

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "underwriting.md").read_text()


@pytest.mark.parametrize("page", ["underwriting", "portfolio"])
def test_examples_run(page: str) -> None:
    """What the pages show is what happens."""
    failures, examples = doctest.testfile(str(DOCS / f"{page}.md"), module_relative=False)
    assert examples > 0
    assert failures == 0


@pytest.mark.parametrize(
    ("heading", "policy"),
    [
        ("The credit policy", CreditPolicy),
        ("What stops lending", CapitalPolicy),
        ("Early warning", WarningPolicy),
        ("Provisions", ProvisionPolicy),
    ],
)
def test_every_setting_is_explained(heading: str, policy: type) -> None:
    """In the order in which it is declared, with its unit."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
    assert [name for name, _ in rows] == [field.name for field in dataclasses.fields(policy)]


def test_every_rule_of_the_close_is_explained() -> None:
    """With its unit and its default."""
    page = (DOCS / "lending.md").read_text()
    section = page.partition("\n## The rules of a close\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([0-9,]+) \|", section, re.MULTILINE)
    told = {name: int(default.replace(",", "")) for name, default in rows}
    assert told == msgspec.to_builtins(CloseRules())


def test_every_condition_is_named() -> None:
    """Whoever reads the bits of a decision finds them."""
    assert [one.name for one in Condition if f"`{one.name}`" not in TEXT] == []
