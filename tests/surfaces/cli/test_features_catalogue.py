"""``formicary features``: what it lists, explains and finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.factory.features.aggregates import count
from formicary.factory.features.catalogue import catalogue_page
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.errors import DefinitionsUnusable
from formicary.products.payments.features import FEATURES, PAYMENT
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal

TEAM = Path("team.py")


def team(*features: Feature, key_bytes_max: int = 16_384) -> FeatureSet:
    """Return a team's own set."""
    return FeatureSet(name="team", on=PAYMENT, features=features, owner="us", key_bytes_max=key_bytes_max)


def paid(name: str, by: str = "payer") -> Feature:
    """Return a feature, wrong with a key that is no field."""
    return Feature(
        name=name, value=count(PAYMENT, by=by, over="7d"), unit="payments", meaning="Paid [often]."
    )


def test_list(terminal: Terminal) -> None:
    """Every feature has a row; a set alone can be asked for."""
    assert terminal.run("features", "list") == ExitCode.DONE
    assert all(feature.name in terminal.out for one in FEATURES for feature in one.features)
    found = terminal.json("features", "list", "--set", "party_flows")["features"]
    assert [one["name"] for one in found] == [feature.name for feature in FEATURES[1].features]
    assert {one["set"] for one in found} == {"party_flows"}


def test_list_of_an_unknown_set(terminal: Terminal) -> None:
    """A set that is not there is refused with its own code."""
    assert terminal.json("features", "list", "--set", "nothing")["error"]["code"] == "unknown_feature_set"


def test_show(terminal: Terminal, program: MemoryProgram) -> None:
    """All that is known of a feature is written as it is: no part of it is taken for markup."""
    assert terminal.run("features", "show", "payer_paid_1d") == ExitCode.DONE
    assert "How much the payer paid in the last day." in terminal.out
    assert "[payment from Transfers(codes=(101, 102))" in terminal.out
    assert "currency=number:ledger:0]" in " ".join(terminal.out.split())
    found = terminal.json("features", "show", "payment_risk.payer_paid_1d")
    assert (found["key"], found["resolution"], found["purposes"]) == ("payer", "1h", ["fraud"])
    program.sets[None] = [*FEATURES, team(paid("payer_paid_1d"))]
    assert terminal.json("features", "show", "payer_paid_1d")["error"]["code"] == "unknown_feature"
    assert terminal.json("features", "show", "team.payer_paid_1d")["owner"] == "us"


def test_lint_finds_nothing(terminal: Terminal) -> None:
    """What is right is one line for people, and an empty list for programs."""
    assert terminal.run("features", "lint") == ExitCode.DONE
    assert (terminal.out, "46 features of 2 sets" in terminal.err) == ("", True)
    assert terminal.json("features", "lint") == {"findings": []}


def test_lint_finds_everything(terminal: Terminal, program: MemoryProgram) -> None:
    """Each finding is a line with file, line and feature, as compilers write it."""
    wrong = [paid("first", by="nobody"), paid("second", by="nothing"), paid("third")]
    program.sets[TEAM] = [*FEATURES, team(*wrong)]
    assert terminal.run("features", "lint", "team.py") == ExitCode.FINDINGS
    lines = terminal.out.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["(unknown_field)"] * 2
    assert lines[0].startswith(f"{wrong[0].place}: first: payment has no field 'nobody'")
    found = terminal.json("features", "lint", "team.py")["findings"]
    assert [one["name"] for one in found] == ["first", "second"]
    assert found[1]["place"] == wrong[1].place
    assert found[1]["message"].startswith("payment has no field 'nothing'")


def test_lint_counts_bytes(terminal: Terminal, program: MemoryProgram) -> None:
    """A set that is right but too large is a finding as well."""
    program.sets[TEAM] = [*FEATURES, team(paid("right"), key_bytes_max=64)]
    found = terminal.json("features", "lint", "team.py")["findings"]
    assert [(one["code"], one["name"]) for one in found] == [("byte_budget_exceeded", "team")]


def test_lint_of_a_file_that_fails(terminal: Terminal, program: MemoryProgram) -> None:
    """A file that cannot be read to its end is a finding, not an error of the command."""
    program.sets[TEAM] = DefinitionsUnusable("NameError: no", place="team.py:3")
    assert terminal.run("features", "lint", "team.py") == ExitCode.FINDINGS
    assert terminal.out == "team.py:3: NameError: no (definitions_unusable)\n"


def test_what_is_wrong_is_not_listed(terminal: Terminal, program: MemoryProgram) -> None:
    """Where definitions do not compile, whoever asks for them is told so."""
    program.sets[None] = [team(paid("wrong", by="nobody"))]
    for command in (["list"], ["show", "wrong"], ["catalogue"]):
        assert terminal.run("features", *command) == ExitCode.REFUSED
        assert "unknown_field" in terminal.err


def test_catalogue(terminal: Terminal, tmp_path: Path) -> None:
    """The page goes to stdout or to a file; as JSON it has every feature."""
    assert terminal.run("features", "catalogue") == ExitCode.DONE
    assert terminal.out == catalogue_page(FEATURES)
    page = tmp_path / "page.md"
    assert terminal.run("features", "catalogue", "--output", str(page)) == ExitCode.DONE
    assert (terminal.out, page.read_text()) == ("", catalogue_page(FEATURES))
    assert len(terminal.json("features", "catalogue")["features"]) == 46


@pytest.mark.parametrize("place", [".", "nowhere/page.md"])
def test_a_catalogue_that_cannot_be_written(terminal: Terminal, tmp_path: Path, place: str) -> None:
    """A folder that is not there is a mistake of the command line."""
    assert terminal.run("features", "catalogue", "--output", str(tmp_path / place)) == ExitCode.USAGE
