"""Caps, trust and shadows, and what comes out where a part of a decision fails."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.live import CAP_TRIPPED, PART_STORED
from formicary.factory.journal.rows import REASONS
from formicary.factory.ledger import CreateTransferStatus as S
from formicary.factory.models.calibration import Calibration
from formicary.factory.registry import Alias
from tests.factory.decisions.desk import (
    CODE,
    LARGE,
    NOBODY,
    POINT,
    RISK,
    SECOND,
    START,
    Desk,
    made_model,
    random_payments,
    reasons_of,
    rules_of,
)

# -- caps ----------------------------------------------------------------------------------


def test_a_cap_gives_way_to_its_own_outcome_and_says_so_once(desk: Desk) -> None:
    """Beyond so many rejections in a minute the rest is held; the next minute begins anew."""
    caps = [{"name": "rejects", "outcome": "reject", "seconds": 60, "count": 2, "then": "hold"}]
    desk.arms(1, rules_of(1, LARGE), caps=caps)
    desk.clock.advance(60 * SECOND - desk.clock.now() % (60 * SECOND))
    assert [desk.pays(1_000) for _ in range(5)] == [S.DECLINED] * 2 + [S.HELD] * 3
    (tripped,) = desk.events(CAP_TRIPPED)
    assert (tripped["cap"], tripped["then"], tripped["count"], tripped["amount"]) == (
        "rejects",
        "hold",
        2,
        2_000,
    )
    assert tripped["period"] % (60 * SECOND) == 0
    rows = desk.decisions
    assert (rows["path"] & layout.CAPPED != 0).tolist() == [False, False, True, True, True]
    assert rows["cap"].tolist() == [0, 0, 1, 1, 1]
    assert reasons_of(rows[2]) == [layout.REASON_CAP + 1, 1]
    desk.clock.advance(60 * SECOND)
    assert desk.pays(1_000) == S.DECLINED
    assert len(desk.events(CAP_TRIPPED)) == 1


def test_a_cap_on_money_and_on_a_segment(desk: Desk) -> None:
    """A rule that is not armed makes a segment; its cap lets only so much money pass in a minute."""
    segment = {"when": "payer == id('103')", "enabled": False}
    caps = [{"name": "of_103", "rule": "rule_0", "outcome": "allow", "amount": 1_000, "then": "confirm"}]
    desk.arms(1, rules_of(1, segment, LARGE), caps=caps)
    desk.clock.advance(60 * SECOND - desk.clock.now() % (60 * SECOND))
    paid = [desk.pays(moved, payer=103) for moved in (600, 500, 400, 1)]
    assert paid == [S.CREATED, S.STEP_UP_REQUIRED, S.CREATED, S.STEP_UP_REQUIRED]
    assert desk.pays(800, payer=100) == S.CREATED
    assert [body["amount"] for body in desk.events(CAP_TRIPPED)] == [600]


def test_a_trip_in_the_middle_of_a_group_stands_where_it_happened(desk: Desk) -> None:
    """The event comes right after the decision that tripped the cap, and the group goes on."""
    caps = [{"name": "rejects", "outcome": "reject", "count": 1, "then": "hold"}]
    desk.arms(1, rules_of(1, LARGE), caps=caps)
    statuses = desk.asks(*(desk.transfer(100, 101, moved) for moved in (1_000, 1_000, 5, 1_000)))
    assert statuses == [S.DECLINED, S.HELD, S.CREATED, S.HELD]
    batch = desk.journal.batches[-1]
    assert [event.position for event in batch.events] == [batch.first + 4]
    assert batch.transfers["position"].tolist() == [batch.first + place for place in (1, 3, 6, 8)]


# -- what fails is safe --------------------------------------------------------------------

SAFE = POINT.safe_outcome
LOW = rules_of(1, {"when": "score.risk > 0.99"})


def test_without_a_champion_the_safe_outcome_answers(desk: Desk) -> None:
    """No model of that name, or an alias that was taken off: nothing is approved in silence."""
    desk.arms(1, rules_of(1, NOBODY), scores={"risk": {"model": "risk_model"}})
    assert desk.pays(5) == S.HELD
    desk.promotes(made_model())
    assert desk.pays(5) == S.CREATED
    desk.promotes(None)
    assert desk.pays(5) == S.HELD
    assert desk.decisions["path"].tolist() == [layout.NO_SCORE, 0, layout.NO_SCORE]
    assert [POINT.outcomes[place] for place in desk.decisions["outcome"]] == [SAFE, "allow", SAFE]


def test_a_damaged_champion_cannot_decide(desk: Desk) -> None:
    """A model whose bytes are not what its hash says, as after damage to the journal, is no champion."""
    desk.promotes(made_model())
    desk.arms(1, LOW, scores={"risk": {"model": "risk_model"}})
    assert desk.pays(5) == S.CREATED
    state = desk.new_state()
    for batch in desk.journal.batches:
        for event in batch.events:
            body = (
                event.body.replace(b'"content":"', b'"content":"AAAA')
                if event.kind == PART_STORED
                else event.body
            )
            state.decisions.apply(replace(event, body=body))
    digest = made_model().hash
    assert state.decisions.model(digest) is None
    assert "not those of the model" in state.decisions.unusable[digest]
    desk.engine.state.decisions = state.decisions
    assert desk.pays(5) == S.HELD


def test_a_champion_that_reads_what_is_not_there_cannot_decide(desk: Desk) -> None:
    """A model of other features than the decision point's scores nothing."""
    stranger = made_model(2, columns=("asked", "age_of_the_moon"))
    desk.promotes(stranger)
    desk.arms(1, LOW, scores={"risk": {"model": "risk_model"}})
    assert desk.pays(5) == S.HELD
    assert "age_of_the_moon" in desk.state.decisions.unusable[stranger.hash]


def test_a_score_that_is_no_number_is_no_score(desk: Desk) -> None:
    """Leaves that add up beyond all numbers, as of a model gone wrong: the safe outcome, on record."""
    desk.promotes(made_model(3, leaf=1.7e308))
    desk.arms(1, LOW, scores={"risk": {"model": "risk_model"}})
    assert desk.pays(5) == S.HELD
    row = desk.decisions[-1]
    assert np.isnan(row["score_0"])
    assert row["path"] & layout.NO_SCORE


def test_a_rule_that_cannot_be_told_gives_the_safe_outcome(desk: Desk) -> None:
    """A missing value makes no verdict; what the rule says then, or the decision point, comes out."""
    desk.arms(1, rules_of(1, {"when": "since_pair > 5", "if_unknown": "hold"}))
    assert desk.pays(5) == S.HELD
    row = desk.decisions[-1]
    assert (row["path"], row["rules_unknown"], row["rules_true"]) == (layout.NOT_TOLD, 1, 0)
    assert reasons_of(row) == [1]


def test_a_policy_that_does_not_compile_any_more_closes_its_point(desk: Desk) -> None:
    """A release may read other features: the policy that names the old ones lets nothing pass."""
    desk.arms(1, rules_of(1, NOBODY))
    assert desk.pays(5) == S.CREATED
    armed = next(event for batch in desk.journal.batches for event in batch.events if b"rules" in event.body)
    desk.state.decisions.apply(replace(armed, body=armed.body.replace(b"amount < 0", b"gone_away > 0")))
    assert desk.pays(5) == S.HELD
    assert "gone_away" in desk.state.decisions.unusable["payment"]


def test_what_is_wrong_with_a_policy_is_refused_and_the_one_before_stays(desk: Desk) -> None:
    """A type error, an unknown name, an unknown score: a clear refusal."""
    desk.arms(1, rules_of(1, LARGE))
    for rules, policy in (
        (rules_of(2, {"when": "amount > true"}), {}),
        (rules_of(2, {"when": "amout > 5"}), {}),
        (rules_of(2, LARGE), {"scores": {"mood": {"model": "risk_model"}}}),
        (rules_of(2, LARGE), {"caps": [{"name": "a", "outcome": "reject", "then": "explode"}]}),
        (rules_of(2, LARGE), {"trusted": "score.risk < 0.1"}),
        (rules_of(2, LARGE), {"hold_seconds": 0}),
    ):
        assert desk.tries_to_arm(2, rules, **policy) == "policy_refused"
    assert desk.pays(1_000) == S.DECLINED
    assert desk.decisions["policy"].tolist() == [1]


def test_disarmed_nothing_is_decided(desk: Desk) -> None:
    """A policy that is taken back decides nothing more; a later one has a larger version."""
    desk.arms(1, rules_of(1, LARGE))
    desk.disarms()
    assert desk.pays(1_000) == S.CREATED
    desk.arms(2, rules_of(2, LARGE))
    assert desk.pays(1_000) == S.DECLINED


# -- trust, shadows, calibration -----------------------------------------------------------


def test_what_is_trusted_skips_the_score_and_says_so(desk: Desk) -> None:
    """No model is asked, rules that read a score say nothing, and all others decide as ever."""
    desk.promotes(made_model())
    rules = rules_of(1, {"when": "score.risk > 0"}, LARGE)
    desk.arms(1, rules, scores={"risk": {"model": "risk_model"}}, trusted="payee == id('101')")
    assert desk.pays(5, payee=101) == S.CREATED
    assert desk.pays(5, payee=102) == S.DECLINED
    assert desk.pays(1_000, payee=101) == S.DECLINED
    rows = desk.decisions
    assert rows["path"].tolist() == [layout.TRUSTED, 0, layout.TRUSTED]
    assert rows["model_0"].tolist() == [0, int(made_model().hash[:16], 16), 0]
    assert np.isnan(rows["score_0"]).tolist() == [True, False, True]


def test_a_shadow_is_recorded_and_changes_nothing(desk: Desk) -> None:
    """Its score stands in the row; where it is missing nothing happens, and its rules are looked at only."""
    watched = {"when": "score.rival > 0", "enabled": False}
    desk.arms(1, rules_of(1, watched), scores={"rival": {"model": "risk_model", "alias": "shadow"}})
    assert desk.pays(5) == S.CREATED
    desk.promotes(made_model(1), Alias.SHADOW)
    assert desk.pays(5) == S.CREATED
    rows = desk.decisions
    assert np.isnan(rows["score_1"]).tolist() == [True, False]
    assert rows["rules_true"].tolist() == [0, 1]


def test_an_isotonic_chance_is_that_of_its_calibration(desk: Desk) -> None:
    """Rules read the calibrated chance: a limit between two chances parts them."""
    steps = Calibration("isotonic", scores=(-0.4, 0.0, 0.4), probabilities=(0.1, 0.5, 0.9))
    desk.promotes(made_model(4, calibration=steps))
    desk.arms(1, rules_of(1, {"when": "score.risk > 0.5"}), scores={"risk": {"model": "risk_model"}})
    desk.asks(*random_payments(desk, 11, 60))
    rows = desk.decisions
    chances = steps.apply(rows["score_0"])
    assert (rows["rules_true"] == (chances > 0.5)).all()
    assert 0 < int((chances > 0.5).sum()) < len(rows)


def test_reasons_are_true(desk: Desk) -> None:
    """Every feature that is told as a reason did raise the score; there are four at most, rules first."""
    desk.promotes(made_model())
    rules = rules_of(1, *({"when": f"amount > {least}"} for least in (1, 2, 3)), {"when": "score.risk > 0"})
    desk.arms(1, rules, scores={"risk": {"model": "risk_model"}})
    desk.pays(5)
    reasons = reasons_of(desk.decisions[-1])
    assert reasons[:3] == [1, 2, 3]
    assert len(reasons) == REASONS
    assert reasons[3] > layout.REASON_FEATURE


def test_the_point_must_be_able_to_decide(desk: Desk) -> None:
    """Everything that is told is a known feature set, purpose, and one effect for each outcome."""
    assert POINT.codes == (CODE,)
    assert POINT.reads[0] is RISK
    assert desk.state.decisions.policy_of("payment") is None
    assert desk.clock.now() > START
