"""Appeals: opened once, decided once, and the verdict is a fact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.appeals import (
    APPEAL_VERDICT,
    NAME,
    SOURCE,
    AppealStatus,
    DecideAppeal,
    OpenAppeal,
    Verdict,
    appeals_product,
)
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import find_aggregates
from formicary.factory.engine.requests import command_request
from formicary.factory.engine.state import FactoryState
from formicary.factory.facts import FACTS_PRODUCT, FactsRecorded
from tests.factory.engine.null_journal import NullJournal

PRODUCT = appeals_product(FACTS_PRODUCT, FactsRecorded)
PRODUCTS = (FACTS_PRODUCT, PRODUCT)
START = 1_700_000_000 * 10**9
PARTY, SOMEBODY = f"{2**127 + 3:032x}", f"{7:032x}"


class Queue:
    """An engine with appeals, on a journal in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = NullJournal()
        self.clock = SimulatedClock(START)
        self.engine = self.another()

    def another(self) -> Engine:
        """Return an engine that recovered from the journal."""
        engine = Engine(self.journal, lambda: FactoryState(self.folder, PRODUCTS), self.clock)
        engine.recover()
        return engine

    def does(self, command: Command, key: str) -> str:
        """Carry out a command an hour later; return the code."""
        self.clock.advance(3_600 * 10**9)
        (receipt,) = self.engine.execute([command_request(NAME, command, principal="test", key=key)])
        code: str = receipt.code
        return code

    def facts(self) -> list[FactsRecorded]:
        """Return the verdicts that were told."""
        return [
            msgspec.json.decode(event.body, type=FactsRecorded)
            for batch in self.journal.batches
            for event in batch.events
            if event.kind == "facts.FactsRecorded" and event.subject == SOURCE
        ]


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    """Give an empty queue."""
    return Queue(tmp_path)


def opened(subject: int, decision: int = 5) -> OpenAppeal:
    """Return the command that opens an appeal."""
    return OpenAppeal(subject=subject, decision=decision, party=PARTY)


def decided(subject: int, verdict: Verdict = Verdict.OVERTURNED) -> DecideAppeal:
    """Return the command that decides an appeal."""
    return DecideAppeal(subject=subject, verdict=verdict, by=SOMEBODY)


def test_the_product_keeps_its_contract() -> None:
    """The factory's own checks find nothing."""
    assert check_product(PRODUCT) == []


def test_a_verdict_is_a_fact(queue: Queue) -> None:
    """It names the transfer and says whether the decision was wrong; the appeal says who said so."""
    for subject, verdict in ((11, Verdict.OVERTURNED), (12, Verdict.UPHELD)):
        assert queue.does(opened(subject), f"open {subject}") == ""
        assert queue.facts() == [] or subject == 12
        assert queue.does(decided(subject, verdict), f"decide {subject}") == ""
    wrong, right = queue.facts()
    assert (wrong.kind, wrong.ids, wrong.numbers) == (
        APPEAL_VERDICT,
        {"transfer": [f"{11:032x}"]},
        {"overturned": [1]},
    )
    assert (right.ids, right.numbers, right.real_bits) == (
        {"transfer": [f"{12:032x}"]},
        {"overturned": [0]},
        {},
    )
    assert wrong.at == [START + 2 * 3_600 * 10**9]
    before = queue.engine.state.state_hash
    again = queue.another()
    assert again.state.state_hash == before
    record = again.state.aggregates[NAME].find(11)
    assert record is not None
    assert (int(record["status"]), int(record["decision"]), int(record["by_low"])) == (
        AppealStatus.OVERTURNED,
        5,
        7,
    )
    assert (int(record["opened"]), int(record["party_high"])) == (START + 3_600 * 10**9, 2**63)


@pytest.mark.parametrize("verdict", Verdict)
def test_each_is_opened_and_decided_once(queue: Queue, verdict: Verdict) -> None:
    """A verdict is final; a second one, and one of nothing, are refused."""
    assert queue.does(decided(11), "early") == "appeal_not_open"
    assert queue.does(opened(11), "first") == ""
    assert queue.does(opened(11), "second") == "appeal_exists"
    assert queue.does(decided(11, verdict), "verdict") == ""
    assert queue.does(decided(11, verdict), "verdict") == ""
    assert queue.does(decided(11), "another") == "appeal_not_open"
    assert queue.does(opened(11), "third") == "appeal_exists"
    assert len(queue.facts()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: OpenAppeal(subject=1, decision=0, party=PARTY),
        lambda: OpenAppeal(subject=1, decision=1, party="me"),
        lambda: DecideAppeal(subject=1, verdict=Verdict.UPHELD, by=""),
    ],
)
def test_what_is_malformed(queue: Queue, wrong: Callable[[], Command]) -> None:
    """A struct that was made by hand is looked at as one that was read."""
    assert queue.does(wrong(), "wrong") == "malformed_command"


def test_the_queue(queue: Queue) -> None:
    """Appeals of a status come in the order in which they were opened, page by page."""
    for subject in (5, 3, 9, 1):
        queue.does(opened(subject), f"open {subject}")
    queue.does(decided(3), "decide")

    def page(after: int, limit: int) -> tuple[list[int], int | None]:
        look = find_aggregates(NAME, "status", AppealStatus.OPEN, after=after, limit=limit)
        found = look(queue.engine.state)
        return [int(one["id"], 16) for one in found.items], found.next

    assert page(0, 2) == ([5, 9], 3)
    assert page(3, 2) == ([1], None)
    assert page(0, 3) == ([5, 9, 1], None)
    assert page(99, 3) == ([], None)
    assert find_aggregates(NAME, "status", 2**40, after=0, limit=1)(queue.engine.state).items == []
