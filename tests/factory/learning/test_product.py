"""Learning as a product: what may be told of a model, and what does not follow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Command
from formicary.factory.engine.reads import read_aggregates
from formicary.factory.engine.requests import ReadRequest, command_request
from formicary.factory.engine.state import FactoryState, known_events
from formicary.factory.journal.events import Event
from formicary.factory.learning import standing
from formicary.factory.learning.gates import Gate, Shown
from formicary.factory.learning.messages import (
    AlarmRaised,
    AlarmTold,
    CandidateDropped,
    ChallengerJudged,
    GateTold,
    RecordDay,
    RecordLook,
    RecordRollback,
    RolledBack,
    StageEntered,
    Told,
    told,
    untold,
)
from formicary.factory.learning.product import LEARNING_PRODUCT, NAME
from formicary.factory.learning.standing import Stage
from tests.factory.engine.null_journal import NullJournal

MODEL, A, B = "card_risk", "a" * 32, "b" * 32
AT = 1_700_000_000 * 10**9


def judged(digest: str = A, **changed: Any) -> ChallengerJudged:
    """Return a challenger that passed."""
    gate = GateTold(name="money", is_passed=True, figure=1.5, bound=0.0, said="more")
    fields: dict[str, Any] = {
        "window_days": 0,
        "learnt": 9,
        "positives": 2,
        "until": AT,
        "gates": [gate],
        "is_passed": True,
    }
    return ChallengerJudged(model=MODEL, at=AT, hash=digest, **fields | changed)


def entered(digest: str, stage: Stage, share: int = 0) -> StageEntered:
    """Return a stage."""
    return StageEntered(model=MODEL, at=AT, hash=digest, stage=stage, share=share, reason="well")


def dropped(digest: str) -> CandidateDropped:
    """Return the end of a candidate."""
    return CandidateDropped(model=MODEL, at=AT, hash=digest, reason="ill")


def rolled(digest: str, to: str) -> RolledBack:
    """Return a rollback."""
    return RolledBack(model=MODEL, at=AT, hash=digest, to=to, reason="ill")


def alarm(digest: str) -> AlarmRaised:
    """Return an alarm."""
    seen = AlarmTold(name="scores", figure=0.5, bound=0.25, said="not as before")
    return AlarmRaised(model=MODEL, at=AT, hash=digest, alarm=seen)


def day(number: int, *happened: Told, **changed: Any) -> RecordDay:
    """Return the command that records a day."""
    fields: dict[str, Any] = {"subject": text_id(MODEL), "model": MODEL, "at": AT}
    counts = {"rows": 9, "positives": 2, "decisions": 5}
    return RecordDay(**fields | counts | {"day": number, "happened": list(happened)} | changed)


def test_what_was_shown_is_kept_with_its_challenger() -> None:
    """What happened, told and untold, is what it was; of the first version nothing was shown."""
    shown = Shown(name="scores", figure=0.25, said="not as before")
    gate = Gate(name="money", is_passed=True, figure=1.5, bound=0.0, said="more")
    happened = standing.ChallengerJudged(
        model=MODEL, hash=A, window_days=0, learnt=9, positives=2, until=AT, gates=[gate], is_passed=True,
        shown=[shown],
    )  # fmt: skip
    kept = told(happened, AT)
    assert untold(kept) == happened
    body = msgspec.to_builtins(kept)
    del body["shown"]
    known = known_events([LEARNING_PRODUCT])
    known.check()
    for kind, first in (
        ("ChallengerJudged", body),
        ("StageEntered", msgspec.to_builtins(entered(A, Stage.SHADOW))),
    ):
        event = Event(
            position=1, timestamp=AT, kind=f"{NAME}.{kind}", version=1, command_id=1, subject=1,
            body=msgspec.json.encode(first),
        )  # fmt: skip
        found = known.apply(event)
        assert (found.version, msgspec.json.decode(found.body).get("shown")) == (
            2,
            [] if first is body else None,
        )


class Book:
    """An engine with the product on a journal in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.journal, self.keys = folder, NullJournal(), 0
        self.engine = self.another()

    def another(self) -> Engine:
        """Return an engine that recovered from the journal."""
        state = lambda: FactoryState(self.folder, [LEARNING_PRODUCT])  # noqa: E731
        engine = Engine(self.journal, state, SimulatedClock(AT))
        engine.recover()
        return engine

    def does(self, command: Command) -> str:
        """Carry out a command; return the code."""
        self.keys += 1
        request = command_request(NAME, command, principal="test", key=str(self.keys))
        (receipt,) = self.engine.execute([request])
        code: str = receipt.code
        return code

    def entry(self) -> dict[str, Any]:
        """Return what is known of the model, by an engine that folded it anew."""
        (found,) = self.another().execute([ReadRequest(read_aggregates(NAME, [text_id(MODEL)]))])[0]
        entry: dict[str, Any] = found
        return entry

    def kinds(self) -> list[str]:
        """Return the kinds of what was told."""
        events = [event for batch in self.journal.batches for event in batch.events]
        return [event.kind.removeprefix("learning.") for event in events if event.kind.startswith(NAME)]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """Give an empty book."""
    return Book(tmp_path)


def test_the_product_keeps_its_contract() -> None:
    """The factory's own checks find nothing."""
    assert check_product(LEARNING_PRODUCT) == []


def test_a_model_goes_its_way(book: Book) -> None:
    """All that may happen, over some days, each told once; a fold gives the same."""
    shadow, champion = Stage.SHADOW, Stage.CHAMPION
    assert book.does(day(1, judged(), entered(A, shadow))) == ""
    assert book.does(day(2, entered(A, champion), judged(B), entered(B, shadow))) == ""
    assert book.does(day(3, entered(B, Stage.CANARY, 10))) == ""
    assert book.entry()["share"] == 10
    assert book.does(day(5, entered(B, Stage.CANARY, 20))) == ""
    assert book.does(day(6, dropped(B))) == ""
    assert book.does(day(7, entered(B, shadow))) == ""
    assert book.does(day(8, entered(B, champion))) == ""
    assert book.does(day(9, alarm(B), rolled(B, A))) == ""
    back = RecordRollback(subject=text_id(MODEL), model=MODEL, at=AT, hash=A, to="", reason="by hand")
    assert book.does(back) == ""
    entry = book.entry()
    assert [entry[name] for name in ("day", "judged", "rollbacks", "share")] == [9, 2, 2, 0]
    assert {int(str(entry[name]), 16) for name in ("champion", "candidate")} == {0}
    assert book.kinds().count("DayEnded") == 8
    assert book.kinds()[-3:] == ["RolledBack", "DayEnded", "RolledBack"]


@pytest.mark.parametrize(
    "happened",
    [
        [entered(B, Stage.CHAMPION)],
        [entered(B, Stage.CANARY, 50)],
        [entered(A, Stage.CANARY, 10)],
        [entered(B, Stage.SHADOW)],
        [dropped(B)],
        [rolled(B, A)],
        [dropped(A), dropped(A)],
        [entered(A, Stage.CHAMPION), rolled(A, A)],
    ],
)
def test_what_does_not_follow(book: Book, happened: list[Told]) -> None:
    """Where A is on trial for 10 lots, nothing of a day is told where one of it does not follow."""
    assert book.does(day(1, entered(A, Stage.SHADOW), entered(A, Stage.CANARY, 10))) == ""
    before = len(book.kinds())
    assert book.does(day(2, judged(B), *happened)) == "learning_unexpected"
    assert len(book.kinds()) == before
    assert book.entry()["judged"] == 0


def test_a_day_is_lived_once(book: Book) -> None:
    """The same day, or one before it, is refused; so is one of another model, or time, or too large."""
    assert book.does(day(5)) == ""
    assert [book.does(day(number)) for number in (5, 4)] == ["learning_day_known"] * 2
    assert book.does(day(6, subject=7)) == "malformed_command"
    assert book.does(day(6, msgspec.structs.replace(dropped(A), model="other"))) == "malformed_command"
    assert book.does(day(6, judged(), at=AT + 1)) == "malformed_command"
    back = RecordRollback(subject=7, model=MODEL, at=AT, hash=A, to=B, reason="by hand")
    assert book.does(back) == "malformed_command"
    gate = GateTold(name="g" * 200, is_passed=True, figure=0.0, bound=0.0, said="s" * 200)
    large = day(6, *[judged(gates=[gate] * 32)] * 5)
    assert book.does(large) == "learning_day_too_large"


def look(at: int, *happened: Any, **changed: Any) -> RecordLook:
    """Return the command that records a look."""
    told = [msgspec.structs.replace(one, at=at) for one in happened]
    fields: dict[str, Any] = {"subject": text_id(MODEL), "model": MODEL, "at": at, "happened": told}
    return RecordLook(**fields | changed)


def test_a_look_within_a_day(book: Book) -> None:
    """It takes back, as often as something is wrong; a day that began before it does not know of it."""
    champions = [entered(A, Stage.SHADOW), entered(A, Stage.CHAMPION)]
    assert book.does(day(1, *champions, entered(B, Stage.SHADOW), entered(B, Stage.CHAMPION))) == ""
    assert book.does(look(AT + 5, alarm(B))) == ""
    assert book.does(look(AT + 6, alarm(B), rolled(B, A))) == ""
    assert book.entry()["told_at"] == AT + 6
    assert book.does(look(AT + 7, rolled(B, A))) == "learning_unexpected"
    assert book.does(look(AT + 5, alarm(A))) == "learning_unexpected"
    assert book.does(day(2, entered(B, Stage.SHADOW))) == "learning_unexpected"
    later = msgspec.structs.replace(entered(B, Stage.SHADOW), at=AT + 8)
    assert book.does(day(2, later, at=AT + 8)) == ""
    assert book.does(look(AT + 9, dropped(B))) == ""
    assert book.does(look(AT + 9, alarm(A), subject=7)) == "malformed_command"
    assert book.does(look(AT + 9)) == "malformed_command"
    assert book.kinds()[-4:] == ["RolledBack", "StageEntered", "DayEnded", "CandidateDropped"]
