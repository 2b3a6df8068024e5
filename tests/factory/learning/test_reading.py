"""What a journal says of a model's learning."""

from __future__ import annotations

import msgspec
import pytest

from formicary.factory.journal.events import Event
from formicary.factory.learning import standing
from formicary.factory.learning.guards import Alarm
from formicary.factory.learning.messages import DayEnded, said, told, untold
from formicary.factory.learning.reading import learnt
from formicary.factory.learning.standing import Stage, Standing
from formicary.factory.registry import Alias, AliasMoved
from formicary.factory.registry.messages import TrialSet
from tests.factory.learning.test_product import AT, MODEL, A, B, alarm, dropped, entered, judged, rolled


def event(position: int, kind: str, body: msgspec.Struct) -> Event:
    """Return an event of the journal."""
    return Event(
        position=position,
        timestamp=AT + position,
        kind=kind,
        version=1,
        subject=1,
        command_id=position,
        body=msgspec.json.encode(body),
    )


def moved(position: int, digest: str, alias: Alias = Alias.CHAMPION, model: str = MODEL) -> Event:
    """Return the move of an alias."""
    body = AliasMoved(model=model, alias=alias, hash=digest, previous="", reason="r")
    return event(position, "registry.AliasMoved", body)


def trial(position: int, model: str = MODEL) -> Event:
    """Return the share of a trial."""
    return event(position, "registry.TrialSet", TrialSet(model, B, 5, 0, "r"))


def test_the_learner_is_followed_and_others_are_obeyed() -> None:
    """A move that was told changes nothing; one by hand makes another champion, without one before it."""
    ended = DayEnded(model=MODEL, at=AT, day=3, rows=5, positives=1, decisions=4)
    events = [
        event(1, "learning.StageEntered", entered(A, Stage.CHAMPION)),
        moved(2, A),
        event(3, "learning.StageEntered", entered(B, Stage.CHAMPION)),
        event(4, "learning.DayEnded", ended),
        moved(5, B),
        moved(6, "c" * 32, Alias.SHADOW),
        moved(7, "c" * 32, model="another"),
        trial(8, "another"),
        event(8, "learning.CandidateDropped", msgspec.structs.replace(dropped(A), model="another")),
    ]
    known = learnt(events, MODEL)
    assert known.standing == Standing(champion=B, champion_since=AT, previous=A)
    assert known.aliases == {Alias.CHAMPION: B, Alias.CHALLENGER: "", Alias.SHADOW: "c" * 32}
    assert known.moved == 5
    assert learnt([*events, trial(9)], MODEL).moved == 9
    assert (known.day, [one.position for one in known.history]) == (ended, [1, 3, 4])
    assert known.latest == [entered(A, Stage.CHAMPION), entered(B, Stage.CHAMPION)]
    by_hand = learnt([*events, moved(9, A)], MODEL).standing
    assert by_hand == Standing(champion=A, champion_since=AT + 9, by_hand=A)


def test_nothing_was_told() -> None:
    """A model of which nothing is known stands nowhere."""
    known = learnt([], MODEL)
    assert (known.standing, known.day, known.latest) == (Standing(), None, [])


@pytest.mark.parametrize(
    "one",
    [judged(), entered(A, Stage.CANARY, 5), dropped(A), alarm(A), rolled(A, B)],
    ids=lambda one: type(one).__name__,
)
def test_what_is_told_is_what_happened(one: object) -> None:
    """There and back, nothing is another."""
    happened = untold(one)  # type: ignore[arg-type]
    assert type(happened) is getattr(standing, type(one).__name__)
    assert told(happened, AT) == one


def test_figures_are_bounded() -> None:
    """What the journal does not keep is told as the nearest that it does."""
    alarmed = standing.AlarmRaised(
        model=MODEL, hash=A, alarm=Alarm(name="money", figure=float("inf"), bound=-0.0, said="a\n b")
    )
    event = told(alarmed, AT)
    assert event.alarm.figure == 1e15  # type: ignore[union-attr]
    assert event.alarm.said == "a b"  # type: ignore[union-attr]
    assert said("x" * 201) == "x" * 199 + "…"
    assert said("\n") == "…"
