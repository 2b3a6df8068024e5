"""The check of ``formicary doctor`` that is about models which learn by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Final

from formicary.base.errors import OperationalFault
from formicary.factory.engine.state import known_events
from formicary.factory.features.journal_fold import FACTS_RECORDED
from formicary.factory.features.sources import RowSource
from formicary.factory.journal.access import Access
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.supervisor import Supervisor
from formicary.factory.learning.messages import AlarmRaised, RolledBack
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.reading import Learnt, learning_events, learnt
from formicary.factory.models.outcomes import outcomes_of
from formicary.runtime.api_process import clock_of
from formicary.runtime.products import PRODUCTS, learning_plans, model_specs
from formicary.runtime.settings import Settings
from formicary.surfaces.cli.ports import Check, Outcome

__all__ = ["examine_learning"]

_NAME: Final = "learner"
_DAYS_MAX: Final = 2
"""A day is lived soon after it began; so many later nobody lives them."""


def examine_learning(settings: Settings) -> Iterator[Check]:
    """Yield a check for each model with a plan; without a journal there is nothing to look at."""
    if not settings.is_learning:
        yield Check(name=_NAME, outcome=Outcome.OK, found="switched off by FORMICARY_LEARNING=0")
        return
    supervisor = Supervisor(settings.postgres_folder)
    if settings.database_url is None and supervisor.pid is None:
        yield Check(name=_NAME, outcome=Outcome.OK, found="no server runs whose journal could be looked at")
        return
    # As the login: whoever asks for roles makes those that are missing.
    conninfo = settings.database_url or supervisor.conninfo("formicary")
    access, now = Access(conninfo=conninfo, roles=False), clock_of(settings).now()
    try:
        with closing(JournalReader(access, upcasters=known_events(PRODUCTS))) as reader:
            yield from _of_models(reader, now)
    except OperationalFault as fault:
        # A database that was made and never begun has no journal yet.
        yield Check(name=_NAME, outcome=Outcome.OK, found=f"no journal to look at: {fault}")


def _of_models(source: RowSource, now: int) -> Iterator[Check]:
    events = learning_events(source)
    for model in learning_plans():
        known = learnt(events, model)
        day = known.day
        told = (_lived(known), *_last(known, AlarmRaised), *_last(known, RolledBack))
        found = f"{model}: {'; '.join(told)}"
        is_late = now // DAY - (0 if day is None else day.day) > _DAYS_MAX
        if is_late and _is_labelled(source, model):
            advice = "Labels are there and nobody learns from them: see that `up` runs, and what it logs."
            yield Check(name=_NAME, outcome=Outcome.WARN, found=found, advice=advice)
        else:
            yield Check(name=_NAME, outcome=Outcome.OK, found=found)


def _lived(known: Learnt) -> str:
    return "no day yet" if known.day is None else f"last day {_date(known.day.at)}"


def _last(known: Learnt, kind: type[AlarmRaised | RolledBack]) -> Iterator[str]:
    """Yield when and why the latest event of a kind was, if one was."""
    said = {AlarmRaised: "alarm", RolledBack: "rollback"}[kind]
    for event in [one.event for one in known.history if isinstance(one.event, kind)][-1:]:
        why = event.alarm.said if isinstance(event, AlarmRaised) else event.reason
        yield f"last {said} {_date(event.at)} ({why})"


def _is_labelled(source: RowSource, model: str) -> bool:
    question = model_specs(PRODUCTS)[model].question
    facts = source.events_of([FACTS_RECORDED], after=0, until=source.head())
    return question is not None and bool(len(outcomes_of(facts, question.label).outcomes.at))


def _date(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 10**9, UTC):%Y-%m-%d}"
