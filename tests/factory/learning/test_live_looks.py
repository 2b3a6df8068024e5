"""Looks within a day on a real journal: what is wrong is seen within the hour, and taken back at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from formicary.base.clock import SimulatedClock
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.products import Command
from formicary.factory.engine.state import Receipt, known_events
from formicary.factory.journal.reader import JournalReader
from formicary.factory.learning.live_looks import HOUR, LearningLook, LiveLooker
from formicary.factory.learning.messages import CandidateDropped, RecordDay, StageEntered, Told
from formicary.factory.learning.plan import DAY
from formicary.factory.learning.product import NAME
from formicary.factory.learning.standing import NONE, Stage
from formicary.factory.learning.worth import Worth
from formicary.factory.ledger import Account, Transfer, account_array, transfer_array
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.model import Model
from formicary.factory.registry import NAME as REGISTRY
from formicary.factory.registry import Alias, MoveAlias
from formicary.factory.registry.storing import parts_of, registration_of
from formicary.products.payments.postings import TransferCode
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.runtime.backfill import open_journal
from formicary.runtime.learner_process import LOOK
from formicary.runtime.products import PRODUCTS
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import Factory, open_factory
from tests.factory.decisions.desk import made_model
from tests.factory.learning.live_kit import MODEL, NAMES, PLAN, SPEC, AnswerLost, arming, ready_models, words

START: Final = 19_700 * DAY
NOW: Final = START + 9 * DAY + 15 * HOUR
PARTIES: Final = tuple(2**90 + number for number in range(1, 41))
EACH: Final = 250
GBP: Final = 826
CAUTIOUS: Final = replace(PLAN, worth=Worth(margin_bp=5_000))
"""Only what is probably bad is worth stopping."""


@dataclass
class Shop:
    """Forty people who pay each other the usual amount, a factory, and a reader beside it."""

    factory: Factory
    clock: SimulatedClock
    reader: JournalReader
    is_lost: bool = False
    """Whether who looks does not learn what becomes of the next move of an alias."""
    paid: int = 0
    days: int = 0
    kinds: list[str] = field(default_factory=list)

    def pay(self, until: int, *, times: int = 1) -> None:
        """Have payments asked for in the minutes before a time, of so many times the usual amount."""
        self.clock.set(until - HOUR // 10)
        made = []
        for _ in range(EACH):
            self.paid += 1
            payer = PARTIES[self.paid % len(PARTIES)]
            payee = PARTIES[(self.paid + 1) % len(PARTIES)]
            made.append(
                Transfer(
                    id=self.paid,
                    debit_account_id=payer,
                    credit_account_id=payee,
                    amount=1_000 * times,
                    ledger=GBP,
                    code=TransferCode.PERSON_PAYMENT,
                )
            )
        self.factory.execute([transfer_array(made)])
        self.clock.set(until)

    def command(self, product: str, command: Command, key: str) -> Receipt:
        """Carry out a command."""
        if self.is_lost and type(command).__name__ == "MoveAlias":
            self.is_lost = False
            raise AnswerLost
        self.kinds.append(type(command).__name__)
        return self.factory.command(product, command, principal="learner", key=key)

    def let_in(self, model: Model, *stages: tuple[Stage, int], at: int, before: Sequence[Told] = ()) -> None:
        """Store a model, and tell that it was let in so far; the registry follows at the next look."""
        registration = registration_of(model, manifest={}, note="test")
        for number, command in enumerate((*parts_of(model), registration)):
            assert self.command(REGISTRY, command, f"{model.hash} {number}").code == ""
        self.days += 1
        entered = [
            StageEntered(model=MODEL, at=at, hash=model.hash, stage=stage, share=share, reason="test")
            for stage, share in stages
        ]
        counts = {"rows": 1, "positives": 1, "decisions": 1}
        day = RecordDay(
            subject=text_id(MODEL), model=MODEL, at=at, day=self.days, happened=[*before, *entered], **counts
        )
        assert self.command(NAME, day, f"day {self.days}").code == ""
        self.looker().look(at)

    def looker(self) -> LiveLooker:
        """Return who looks, and knows nothing but the journal."""
        return LiveLooker(
            spec=SPEC,
            plan=CAUTIOUS,
            point=PAYMENT_POINT,
            source=self.reader,
            tell=self.command,
            clock=time.perf_counter_ns,
        )

    def look(self, now: int) -> LearningLook:
        """Look; what is told is in the journal."""
        return self.looker().look(now)

    def champion(self) -> str:
        """Return who has the alias of the champion."""
        return self.looker().known().aliases[Alias.CHAMPION]


@contextmanager
def open_shop(settings: Settings) -> Iterator[Shop]:
    """Yield a shop whose champion decided for a week, about as many payments each afternoon."""
    clock = SimulatedClock(START)
    with (
        open_factory(settings, clock=clock, products=PRODUCTS) as factory,
        open_journal(settings, known_events(PRODUCTS)) as reader,
    ):
        shop = Shop(factory, clock, reader)
        accounts = [Account(id=one, user_data_128=one, ledger=GBP, code=101) for one in PARTIES]
        factory.execute([account_array(accounts)])
        assert shop.look(START) == LearningLook(decisions=0)
        shop.let_in(FIRST, (Stage.SHADOW, 0), (Stage.CHAMPION, 0), at=START)
        assert shop.command(REGISTRY, arming(), "policy").code == ""
        for day in range(9):
            shop.pay(NOW - (9 - day) * DAY)
        yield shop


FIRST, SECOND = ready_models(2)
FEARFUL: Final = replace(SECOND, calibration=Calibration("platt", slope=1.0, intercept=30.0))
BOLD: Final = replace(FEARFUL, evidence=replace(FEARFUL.evidence, rows=99))
# A sum of such leaves is no number.
SILENT: Final = replace(made_model(columns=NAMES, leaf=1e308), name=MODEL, spec_hash=SECOND.spec_hash)
CHAMPION: Final = ((Stage.SHADOW, 0), (Stage.CHAMPION, 1_000_000))


def said(look: LearningLook) -> list[str]:
    """Return what was told at a look, in words."""
    return [one.alarm.name if hasattr(one, "alarm") else type(one).__name__ for one in look.happened]


def test_a_day_of_looks(hosted_home: Settings) -> None:
    """A quiet hour tells nothing; a surge is told once; bad champions and canaries are gone in one look."""
    with open_shop(hosted_home) as shop:
        shop.pay(NOW)
        position = shop.factory.engine.state.position
        assert shop.look(NOW) == LearningLook(decisions=EACH)
        assert shop.factory.engine.state.position == position
        # Something new, and it goes on.
        shop.pay(NOW + LOOK, times=8)
        assert "incoming amount_to_mean" in said(shop.look(NOW + LOOK))
        assert shop.looker().known().standing.is_alarmed(NOW + LOOK)
        shop.pay(NOW + 2 * LOOK, times=8)
        assert shop.look(NOW + 2 * LOOK).happened == ()
        # A champion that stops all that the one before lets pass; the move is lost, and done by the next.
        now = NOW + DAY
        shop.let_in(FEARFUL, *CHAMPION, at=now)
        assert shop.champion() == FEARFUL.hash
        shop.pay(now + LOOK)
        shop.is_lost = True
        with pytest.raises(AnswerLost):
            shop.look(now + LOOK)
        assert (shop.champion(), shop.kinds[-1]) == (FEARFUL.hash, "RecordLook")
        before = len(shop.kinds)
        assert shop.look(now + LOOK + 1).happened == ()
        assert shop.kinds[before:] == ["MoveAlias"]
        assert shop.champion() == FIRST.hash
        told = [type(one.event).__name__ for one in shop.looker().known().history]
        assert told.count("RolledBack") == 1
        shop.pay(now + 2 * LOOK)
        (last,) = shop.reader.decisions_between(first=now + LOOK, after=now + 2 * LOOK)[-1:]
        assert int(last["model_0"]) == next(words([FIRST]))
        # One that says nothing, as a champion, and another as a canary.
        now += DAY
        shop.let_in(SILENT, *CHAMPION, at=now)
        shop.pay(now + LOOK)
        assert said(shop.look(now + LOOK)) == ["missing", "RolledBack"]
        assert shop.champion() == FIRST.hash
        now += DAY
        shop.let_in(SECOND, (Stage.SHADOW, 0), (Stage.CANARY, 500_000), at=now)
        shop.pay(now + LOOK)
        assert "CandidateDropped" not in said(shop.look(now + LOOK))
        away = CandidateDropped(model=MODEL, at=now + LOOK, hash=SECOND.hash, reason="test")
        shop.let_in(BOLD, (Stage.SHADOW, 0), (Stage.CANARY, 500_000), at=now + LOOK, before=[away])
        shop.pay(now + 2 * LOOK)
        assert said(shop.look(now + 2 * LOOK)) == ["CandidateDropped"]
        assert shop.looker().known().aliases[Alias.CHALLENGER] == NONE


def test_a_champion_by_hand_is_taken_back_by_nobody_else(hosted_home: Settings) -> None:
    """It is not watched; a canary beside it is."""
    with open_shop(hosted_home) as shop:
        shop.let_in(FEARFUL, (Stage.SHADOW, 0), at=NOW)
        by_hand = MoveAlias(
            subject=text_id(MODEL), model=MODEL, alias=Alias.CHAMPION, hash=FEARFUL.hash, reason="by hand"
        )
        assert shop.command(REGISTRY, by_hand, "by hand").code == ""
        shop.pay(NOW + LOOK)
        assert "RolledBack" not in said(shop.look(NOW + LOOK))
        away = CandidateDropped(model=MODEL, at=NOW + LOOK, hash=FEARFUL.hash, reason="test")
        shop.let_in(BOLD, (Stage.SHADOW, 0), (Stage.CANARY, 500_000), at=NOW + LOOK, before=[away])
        shop.pay(NOW + 2 * LOOK)
        assert {"RolledBack", "CandidateDropped"}.isdisjoint(said(shop.look(NOW + 2 * LOOK)))
        assert shop.champion() == FEARFUL.hash


def test_who_looks_loads_no_trainer() -> None:
    """The learner's process, and a look in it, know neither LightGBM nor Parquet: they are there all day."""
    code = (
        "import sys, formicary.runtime.learner_process, formicary.factory.learning.live_looks\n"
        "print({'lightgbm', 'pyarrow', 'polars', 'sklearn'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
