"""docs/ledger.md is complete, its examples run, and its order of precedence is the one tested."""

from __future__ import annotations

import doctest
import re
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import pytest

from formicary.factory.ledger import (
    TRANSIENT,
    AccountFlags,
    CreateAccountStatus,
    CreateTransferStatus,
    MalformedRequest,
    RequestTooLarge,
    TransferFlags,
)
from tests.factory.ledger import violations

DOCUMENT: Final = Path(__file__).parents[3] / "docs" / "ledger.md"
TABLES: Final[dict[str, Mapping[Any, violations.Violation]]] = {
    "Accounts: the event itself": violations.ACCOUNT_ENVELOPE,
    "Accounts: an id that exists": violations.ACCOUNT_RETRY,
    "Accounts: a new account": violations.NEW_ACCOUNT,
    "Transfers: the event itself": violations.ENVELOPE,
    "Transfers: an id that exists": violations.RETRY,
    "Transfers: a burnt id": violations.BURNT_ID,
    "Transfers: a plain or pending transfer": violations.PLAIN_TRANSFER,
    "Transfers: a post or void": violations.RESOLUTION,
}


def documented(heading: str) -> list[tuple[str, str]]:
    """Return the rows (status, when) of the table under a heading."""
    section = DOCUMENT.read_text().partition(f"### {heading}\n")[2].partition("\n#")[0]
    return re.findall(r"^\| `([a-z0-9_]+)` \| (.*) \|$", section, re.MULTILINE)


@pytest.mark.parametrize("heading", TABLES)
def test_documented_precedence_is_the_tested_one(heading: str) -> None:
    """The rows of each table are the statuses the tests exercise, in that order."""
    names = [name for name, _ in documented(heading) if name != "created"]
    assert names == [status.name.lower() for status in TABLES[heading]]


@pytest.mark.parametrize(
    ("kind", "statuses"), [("Accounts", CreateAccountStatus), ("Transfers", CreateTransferStatus)]
)
def test_every_status_is_documented(kind: str, statuses: type[IntEnum]) -> None:
    """Every status stands in a table of its kind; what the ledger does not judge by itself, in the text."""
    names = {name for heading in TABLES if heading.startswith(kind) for name, _ in documented(heading)}
    others = {"expired", "held", "step_up_required", "declined"}
    assert {status.name.lower() for status in statuses} - others == names
    assert all(f"`{name}`" in DOCUMENT.read_text() for name in others)


def test_every_status_that_burns_is_marked() -> None:
    """The table says for each status whether it burns the id, and says it of no other."""
    rows = [row for heading in TABLES for row in documented(heading)]
    burning = {name for name, when in rows if when.endswith("burns")}
    decided = {"declined", "step_up_required"}
    assert burning | decided == {status.name.lower() for status in TRANSIENT}


@pytest.mark.parametrize("flags", [AccountFlags, TransferFlags])
def test_every_flag_is_documented(flags: type[AccountFlags | TransferFlags]) -> None:
    """Every flag is named."""
    assert all(f"`{flag.name}`" in DOCUMENT.read_text() for flag in flags)


def test_every_refusal_of_a_request_is_documented() -> None:
    """A request that is refused as a whole has a documented code."""
    for refusal in (MalformedRequest, RequestTooLarge):
        assert f"`{refusal.code}`" in DOCUMENT.read_text()


def test_examples_run() -> None:
    """The examples print what they say."""
    failures, examples = doctest.testfile(str(DOCUMENT), module_relative=False)
    assert examples > 0
    assert failures == 0
