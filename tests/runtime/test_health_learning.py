"""What ``formicary doctor`` says of the learner: when it lived last, and what went wrong."""

from __future__ import annotations

from dataclasses import replace

from formicary.base.clock import LiveClock
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.facts import RecordFacts
from formicary.factory.learning.messages import (
    AlarmRaised,
    AlarmTold,
    RecordDay,
    RecordLook,
    RolledBack,
    StageEntered,
    Told,
)
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.product import NAME
from formicary.factory.learning.standing import Stage
from formicary.runtime.health_learning import examine_learning
from formicary.runtime.products import PRODUCTS, learning_plans
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import open_factory
from formicary.surfaces.cli.ports import Check, Outcome

(MODEL,) = learning_plans()
A, B = "a" * 32, "b" * 32


def check(settings: Settings) -> Check:
    """Return the one line of the learner."""
    (found,) = examine_learning(settings)
    return found


def test_where_there_is_nothing_to_look_at(hosted_home: Settings, new_home: Settings) -> None:
    """Switched off, without a server, or in a database without a journal, all is well."""
    off = check(replace(hosted_home, is_learning=False))
    assert (off.outcome, "switched off" in off.found) == (Outcome.OK, True)
    assert "no server" in check(new_home).found
    assert "no journal" in check(hosted_home).found


def test_days_that_nobody_lives(hosted_home: Settings) -> None:
    """Without labels nobody waits; with them a day that is too long ago is a warning, until one is lived."""
    now = LiveClock().now()

    def entered(digest: str, at: int) -> list[Told]:
        return [
            StageEntered(model=MODEL, at=at, hash=digest, stage=stage, share=0, reason="well")
            for stage in (Stage.SHADOW, Stage.CHAMPION)
        ]

    def day(at: int, happened: list[Told]) -> RecordDay:
        counts = {"rows": 1, "positives": 1, "decisions": 1}
        return RecordDay(
            subject=text_id(MODEL), model=MODEL, at=at, day=at // DAY, happened=happened, **counts
        )

    with open_factory(hosted_home, clock=LiveClock(), products=PRODUCTS) as factory:

        def does(product: str, command: RecordDay | RecordLook | RecordFacts, key: str) -> None:
            assert factory.command(product, command, principal="test", key=key).code == ""

        assert (check(hosted_home).outcome, check(hosted_home).found) == (
            Outcome.OK,
            f"{MODEL}: no day yet",
        )
        outcome = RecordFacts(
            subject=1,
            kind="payment_outcome",
            at=[now],
            ids={"payment": [f"{7:032x}"]},
            numbers={"charged_back": [1]},
        )
        does("facts", outcome, "outcome")
        late = check(hosted_home)
        assert (late.outcome, bool(late.advice)) == (Outcome.WARN, True)
        at = now - 3 * DAY
        does(NAME, day(at, [*entered(A, at), *entered(B, at)]), "day")
        alarm = AlarmTold(name="missing", figure=1.0, bound=0.0, said="no score")
        look = RecordLook(
            subject=text_id(MODEL),
            model=MODEL,
            at=at + 1,
            happened=[
                AlarmRaised(model=MODEL, at=at + 1, hash=B, alarm=alarm),
                RolledBack(model=MODEL, at=at + 1, hash=B, to=A, reason="it was silent"),
            ],
        )
        does(NAME, look, "look")
        late = check(hosted_home)
        assert late.outcome == Outcome.WARN
        for said in ("last day 20", "last alarm 20", "(no score)", "last rollback 20", "(it was silent)"):
            assert said in late.found
        does(NAME, day(now, []), "now")
        assert check(hosted_home).outcome == Outcome.OK
