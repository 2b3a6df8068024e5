"""``formicary models``: registered, promoted, rolled back, and asked who decided when."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

from formicary.base.limits import MODEL_PART_BYTES_MAX
from formicary.factory.registry import StoreModelPart
from formicary.factory.registry.storing import parts_of
from formicary.surfaces.cli import models
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import MemoryProgram, Terminal
from tests.surfaces.cli.registry_kit import SPEC, stored_model, trained_model

MANIFEST = {"range": [1, 900], "feature_fingerprint": "ab", "seed": 5, "share": 0.25}
REASON = ("--reason", "It orders more pairs rightly.")


def evidence(trials: int) -> dict[str, Any]:
    """Return a change that makes another model of it."""
    return {"evidence": replace(trained_model().evidence, trials=trials)}


@pytest.fixture
def two(terminal: Terminal, tmp_path: Path) -> list[str]:
    """Register two versions of a model, and one of another; return the hashes."""
    (tmp_path / "first").mkdir()
    files = [
        stored_model(tmp_path / "first"),
        stored_model(tmp_path, **evidence(7)),
        stored_model(tmp_path, "churn"),
    ]
    (tmp_path / "first" / "repayment.json").write_text(json.dumps(MANIFEST))
    return [str(terminal.json("models", "register", str(file))["hash"]) for file in files]


def test_a_model_is_registered_once(terminal: Terminal, program: MemoryProgram, tmp_path: Path) -> None:
    """Its bytes and what it shows; the same file again is there already, and nothing is sent."""
    file = str(stored_model(tmp_path))
    assert terminal.run("models", "register", file, "--note", "The [first] one.") == ExitCode.DONE
    assert "registered" in terminal.out
    sent = program.models.commands
    assert sent == -(-len(trained_model().to_bytes()) // MODEL_PART_BYTES_MAX) + 1
    again = terminal.json("models", "register", file)
    assert again == {"model": "repayment", "version": 1, "hash": trained_model().hash, "status": "exists"}
    assert program.models.commands == sent
    assert terminal.run("models", "list") == ExitCode.DONE
    assert "The [first] one." in terminal.out


def test_a_model_that_came_whole_needs_its_registration_only(
    terminal: Terminal, program: MemoryProgram, tmp_path: Path
) -> None:
    """Somebody stored a part of something else, then all of it, and was interrupted."""
    parts = parts_of(trained_model())
    other = StoreModelPart(subject=parts[0].subject, part=0, parts=9, content="AAAA" * (16 << 10))
    program.models.command(other)
    file = str(stored_model(tmp_path))
    assert terminal.json("models", "register", file)["version"] == 1
    changed = replace(trained_model(), **evidence(9))
    for part in parts_of(changed):
        program.models.command(part)
    sent = program.models.commands
    assert terminal.json("models", "register", str(stored_model(tmp_path, **evidence(9))))["version"] == 2
    assert program.models.commands == sent + 1


@pytest.mark.parametrize(
    ("stored", "manifest", "said"),
    [
        (None, None, "cannot be read"),
        (b"no model", None, "model_corrupt"),
        (b"", "[1, 2]", "is no manifest"),
        (b"", '{"far": 1e300}', "document_malformed"),
    ],
)
def test_what_cannot_be_registered(
    terminal: Terminal, tmp_path: Path, stored: bytes | None, manifest: str, said: str
) -> None:
    """Nothing of it reaches the journal."""
    file = stored_model(tmp_path)
    if stored is None:
        file.unlink()
    elif stored:
        file.write_bytes(stored)
    if manifest:
        file.with_suffix(".json").write_text(manifest)
    assert terminal.run("models", "register", str(file)) in {ExitCode.USAGE, ExitCode.REFUSED}
    assert said in " ".join(terminal.err.split())
    assert terminal.program.models.commands == 0


def test_a_manifest_is_no_manifest_of_itself(terminal: Terminal, tmp_path: Path) -> None:
    """A stored model that is called .json has none beside it."""
    file = stored_model(tmp_path).rename(tmp_path / "repayment.json")
    assert terminal.json("models", "register", str(file))["version"] == 1
    assert terminal.json("models", "show", "repayment")["manifest"] == {}


def test_versions_are_listed_and_shown(terminal: Terminal, two: list[str]) -> None:
    """All of them, those of one model, one of them, the newest."""
    listed = terminal.json("models", "list")["models"]
    assert [(one["model"], one["version"], one["hash"]) for one in listed] == [
        ("repayment", 1, two[0]),
        ("repayment", 2, two[1]),
        ("churn", 1, two[2]),
    ]
    assert len(terminal.json("models", "list", "--model", "churn")["models"]) == 1
    first = terminal.json("models", "show", "repayment@1")
    assert first == listed[0]
    assert (first["manifest"], first["columns"]) == (MANIFEST, list(SPEC.names))
    assert first["metrics"]["forest"] == dict(trained_model().evidence.forest)
    assert (first["spec_hash"], first["aliases"]) == (SPEC.hash, [])
    assert terminal.json("models", "show", "repayment")["version"] == 2
    assert terminal.run("models", "show", "repayment") == ExitCode.DONE
    assert "area_under_roc" in terminal.out


@pytest.mark.parametrize("name", ["repayment@3", "fraud"])
def test_what_is_not_registered(terminal: Terminal, two: list[str], name: str) -> None:
    """A version or a model that there is none of."""
    assert two
    assert terminal.run("models", "show", name) == ExitCode.REFUSED
    assert "model_not_found" in terminal.err
    assert terminal.run("models", "history", name) == ExitCode.REFUSED
    assert terminal.run("models", "which", name) == ExitCode.REFUSED
    assert terminal.run("models", "demote", name, *REASON) == ExitCode.REFUSED


@pytest.mark.parametrize("name", ["repayment@", "repayment@0", "repayment@x", "repayment@²"])
def test_what_is_no_version(name: str) -> None:
    """A wrong command line."""
    with pytest.raises(typer.BadParameter, match="no model like NAME or NAME@2"):
        models._version([], name)


def test_who_decided_when(terminal: Terminal, two: list[str]) -> None:
    """A promotion, another one, a rollback, and none at all; by time and by position."""
    moves = [
        terminal.json("models", "promote", "repayment", "1", *REASON),
        terminal.json("models", "promote", "repayment", "2", "--reason", "Better [by far]."),
        terminal.json("models", "promote", "repayment", "1", "--reason", "Worse after all."),
        terminal.json("models", "demote", "repayment", "--reason", "None is good."),
    ]
    assert [move["version"] for move in moves] == [1, 2, 1, None]
    assert [move["previous"] for move in moves] == ["", two[0], two[1], two[0]]
    assert terminal.json("models", "history", "repayment") == {"history": moves, "trials": []}
    for move in moves[:3]:
        for when in (("--at", move["at"]), ("--position", str(move["position"]))):
            assert terminal.json("models", "which", "repayment", *when)["found"] == move
    assert terminal.json("models", "which", "repayment")["found"] is None
    for arguments in (("history", "repayment"), ("which", "repayment", "--at", moves[1]["at"])):
        terminal.run("models", *arguments)
        assert "Better [by far]." in terminal.out
    assert terminal.run("models", "which", "repayment") == ExitCode.DONE
    assert "none" in terminal.out
    assert terminal.run("models", "which", "repayment", "--at", "2011", "--position", "5") == ExitCode.USAGE


def test_aliases_are_apart(terminal: Terminal, two: list[str]) -> None:
    """A champion of one model is none of another; a shadow is no champion."""
    assert two
    assert terminal.run("models", "promote", "repayment", "2", "--alias", "shadow", *REASON) == ExitCode.DONE
    assert terminal.run("models", "promote", "churn", "1", *REASON) == ExitCode.DONE
    aliases = [one["aliases"] for one in terminal.json("models", "list")["models"]]
    assert aliases == [[], ["shadow"], ["champion"]]
    assert terminal.json("models", "which", "repayment")["found"] is None
    assert terminal.json("models", "which", "repayment", "--alias", "shadow")["found"]["version"] == 2


def test_a_repeated_promotion(terminal: Terminal, two: list[str]) -> None:
    """With the same key it is the same one; without, nothing would change."""
    assert two
    first = terminal.json("models", "promote", "churn", "1", *REASON, "--key", "one")
    assert terminal.json("models", "promote", "churn", "1", *REASON, "--key", "one") == first
    assert terminal.run("models", "promote", "churn", "1", *REASON) == ExitCode.REFUSED
    assert "alias_unchanged" in terminal.err


def test_a_challenger_is_tried_out(terminal: Terminal, two: list[str]) -> None:
    """For a share of parties, more of them, and none; each is one event, and history tells all."""
    terminal.json("models", "promote", "repayment", "2", "--alias", "challenger", *REASON)
    trials = [
        terminal.json("models", "trial", "repayment", "--share", share, "--reason", f"[{share}] of all.")
        for share in ("0.01", "1", "0.123456", "0")
    ]
    assert [(one["share"], one["previous"]) for one in trials] == [
        (0.01, 0.0),
        (1.0, 0.01),
        (0.123456, 1.0),
        (0.0, 0.123456),
    ]
    assert {(one["model"], one["version"], one["hash"]) for one in trials} == {("repayment", 2, two[1])}
    assert terminal.json("models", "history", "repayment")["trials"] == trials
    assert terminal.run("models", "history", "repayment") == ExitCode.DONE
    for text in ("challenger", "trials", "0.123456", "[1] of all."):
        assert text in terminal.out
    assert terminal.run("models", "trial", "repayment", "--share", "0.5", *REASON) == ExitCode.DONE
    assert "0.5" in terminal.out
    assert terminal.run("models", "trial", "repayment", "--share", "0.5", *REASON) == ExitCode.REFUSED
    assert "trial_unchanged" in terminal.err


def test_nothing_is_tried_out_without_a_challenger(terminal: Terminal, two: list[str]) -> None:
    """A refusal that says what is missing."""
    assert two
    assert terminal.run("models", "trial", "churn", "--share", "0.5", *REASON) == ExitCode.REFUSED
    assert "no_challenger" in terminal.err


@pytest.mark.parametrize("share", ["-0.1", "1.000001", "0.0000001", "much", "nan", "inf"])
def test_what_is_no_share(terminal: Terminal, share: str) -> None:
    """What is finer than lots are is no smaller share but none, and so refused."""
    assert terminal.run("models", "trial", "churn", "--share", share, *REASON) == ExitCode.USAGE
    assert "at most six decimals" in " ".join(terminal.err.replace("│", " ").split())


def test_a_reason_is_one_line(terminal: Terminal) -> None:
    """And there is one."""
    assert terminal.run("models", "demote", "churn", "--reason", "two\nlines") == ExitCode.USAGE
    assert "one line of 1 to 200 characters" in " ".join(terminal.err.split())


def test_a_card_is_written(
    terminal: Terminal, program: MemoryProgram, two: list[str], tmp_path: Path
) -> None:
    """Of what is declared here, or of a model that nobody declares."""
    program.specs = {"repayment": SPEC}
    out = tmp_path / "card.html"
    written = terminal.json("models", "card", "repayment@1", "--out", str(out))
    assert written == {"model": "repayment", "version": 1, "hash": two[0], "file": str(out)}
    assert SPEC.predicts in out.read_text()
    assert terminal.run("models", "card", "churn", "--out", str(out)) == ExitCode.DONE
    assert SPEC.predicts not in out.read_text()
    assert terminal.run("models", "card", "churn", "--out", str(tmp_path / "no" / "x.html")) == ExitCode.USAGE
