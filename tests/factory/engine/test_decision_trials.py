"""A challenger that decides for a share of parties: for whom, for how long, and when it never does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest

from formicary.base.lots import LOTS
from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.live import PART_STORED
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.features.kinds import EventKind, Transfers, amount
from formicary.factory.ledger import Account
from formicary.factory.ledger import CreateTransferStatus as S
from formicary.factory.registry import Alias
from tests.factory.decisions.desk import (
    CODE,
    LARGE,
    NOBODY,
    PARTIES,
    POINT,
    Desk,
    made_model,
    random_payments,
    reasons_of,
    rules_of,
)
from tests.factory.decisions.lot_kit import lot_of

CHAMPION: Final = made_model(1)
OTHER: Final = made_model(2)
RISK: Final = {"risk": {"model": "risk_model"}}


def lot_in_trial(party: int, challenger: str) -> int:
    """Return a party's lot in the trial of a challenger."""
    return lot_of(party, f"trial of risk_model {challenger}")


def word_of(hash_: str) -> int:
    """Return how a row names a model."""
    return int(hash_[:16], 16)


def on_trial(desk: Desk, share: int) -> None:
    """Let one model decide, and another for a share of parties."""
    desk.promotes(CHAMPION)
    desk.promotes(OTHER, Alias.CHALLENGER)
    assert desk.tries_out(share) == ""


def asked_of_each(desk: Desk) -> list[int]:
    """Let every party pay; return the models that were asked."""
    desk.asks(*(desk.transfer(100 + place, 1, 5) for place in range(PARTIES)))
    return [int(word) for word in desk.decisions["model_0"][-PARTIES:]]


# -- for whom ------------------------------------------------------------------------------


def test_a_challenger_scores_for_the_parties_of_its_share(desk: Desk) -> None:
    """Model, score, verdict and reasons are those of the model that a party's lot says."""
    share = sorted(lot_in_trial(100 + place, OTHER.hash) for place in range(PARTIES))[2] + 1
    on_trial(desk, share)
    desk.arms(1, rules_of(1, {"when": "score.risk > 0.3"}), scores=RISK)
    payments = random_payments(desk, 4, 120)
    desk.asks(*payments)
    models = {word_of(one.hash): one for one in (CHAMPION, OTHER)}
    reasons = 0
    for row, payment in zip(desk.decisions, payments, strict=True):
        is_tried = lot_in_trial(payment.debit_account_id, OTHER.hash) < share
        assert int(row["model_0"]) == word_of((OTHER if is_tried else CHAMPION).hash)
        model = models[int(row["model_0"])]
        places = [POINT.features.index(name) for name in model.forest.feature_names]
        told = model.forest.explain(np.array([[row[f"value_{place:02}"] for place in places]]))
        assert row["score_0"] == told.scores[0]
        chance = model.calibration.apply([row["score_0"]])[0] if model.calibration else np.nan
        assert int(row["rules_true"]) == int(chance > 0.3)
        if row["rules_true"]:
            raised = told.attributions[0]
            most = [int(place) for place in np.argsort(-raised, kind="stable") if raised[place] > 0]
            expected = [layout.REASON_FEATURE + places[place] + 1 for place in most]
            assert reasons_of(row) == expected[: len(reasons_of(row))]
            reasons += is_tried
    assert len(np.unique(desk.decisions["model_0"])) == 2
    assert reasons
    assert set(desk.decisions["propensity"].tolist()) == {1.0}


def test_a_larger_share_begins_with_the_smaller_one(desk: Desk) -> None:
    """Whoever is in a trial stays in it as it grows, through snapshots as well; all are in all of it."""
    on_trial(desk, 1)
    desk.arms(1, rules_of(1, NOBODY), scores=RISK)
    before = set[int]()
    for share in (150_000, 400_000, 700_000, LOTS):
        assert desk.tries_out(share) == ""
        asked = asked_of_each(desk)
        tried = {place for place, word in enumerate(asked) if word == word_of(OTHER.hash)}
        assert tried == {place for place in range(PARTIES) if lot_in_trial(100 + place, OTHER.hash) < share}
        assert before <= tried
        before = tried
        restored = desk.new_state()
        restored.restore(desk.state.sections())
        assert restored.decisions.trials == desk.state.decisions.trials == {"risk_model": share}
    assert len(before) == PARTIES
    assert desk.tries_out(0) == ""
    assert set(asked_of_each(desk)) == {word_of(CHAMPION.hash)}


def test_another_challenger_draws_other_lots(desk: Desk) -> None:
    """Who was in the trial of one is in that of another by chance alone; a shadow and its score look on."""
    on_trial(desk, 500_000)
    shadow = {"rival": {"model": "risk_model", "alias": "shadow"}}
    desk.promotes(OTHER, Alias.SHADOW)
    desk.arms(1, rules_of(1, NOBODY), scores=RISK | shadow)
    first = asked_of_each(desk)
    assert set(desk.decisions["model_1"].tolist()) == {word_of(OTHER.hash)}
    third = made_model(3)
    desk.promotes(third, Alias.CHALLENGER)
    assert desk.tries_out(500_000) == ""
    second = asked_of_each(desk)
    tried = [[word != word_of(CHAMPION.hash) for word in asked] for asked in (first, second)]
    assert tried[1] == [lot_in_trial(100 + place, third.hash) < 500_000 for place in range(PARTIES)]
    assert tried[0] != tried[1]


def test_nobody_is_in_no_trial(desk: Desk) -> None:
    """An account without a holder has no party whose lot could be drawn."""
    on_trial(desk, LOTS)
    desk.arms(1, rules_of(1, NOBODY), scores=RISK)
    desk.opens(Account(id=900, ledger=978, code=1))
    assert desk.pays(5, payer=900) == S.CREATED
    assert desk.pays(5, payer=100) == S.CREATED
    assert desk.decisions["model_0"].tolist() == [word_of(CHAMPION.hash), word_of(OTHER.hash)]


def test_the_party_is_the_one_that_the_point_names() -> None:
    """Its first id unless it says which; one whose events name nobody tries nothing out."""
    assert POINT.party_column == POINT.on.ids.index("payer") == 0
    assert replace(POINT, party="payee").party_column == POINT.on.ids.index("payee") == 1
    nobody = EventKind("sum", Transfers(codes=(5,)), amount=amount())
    point = DecisionPoint(name="sum", on=nobody, outcomes=("allow", "reject"), safe_outcome="reject")
    assert point.party_column == -1


# -- how long ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "alias"),
    [(made_model(3), Alias.CHALLENGER), (None, Alias.CHALLENGER), (OTHER, Alias.CHAMPION)],
    ids=["another challenger", "no challenger", "another champion"],
)
def test_a_trial_ends_with_what_it_compares(desk: Desk, model: Any, alias: Alias) -> None:
    """One event, and the champion decides about everybody; nothing goes on with the share."""
    on_trial(desk, LOTS)
    desk.arms(1, rules_of(1, NOBODY), scores=RISK)
    desk.promotes(made_model(3), Alias.SHADOW)
    assert set(asked_of_each(desk)) == {word_of(OTHER.hash)}
    desk.promotes(model, alias)
    champion = OTHER if alias == Alias.CHAMPION else CHAMPION
    assert set(asked_of_each(desk)) == {word_of(champion.hash)}
    assert desk.state.decisions.trials == {}
    assert desk.tries_out(0) == "trial_unchanged"


# -- when it never does --------------------------------------------------------------------


def test_a_challenger_that_cannot_score_never_decides(desk: Desk) -> None:
    """It reads what is not there: the champion decides about everybody, and it is said why."""
    stranger = made_model(2, columns=("asked", "age_of_the_moon"))
    desk.promotes(CHAMPION)
    desk.promotes(stranger, Alias.CHALLENGER)
    assert desk.tries_out(LOTS) == ""
    desk.arms(1, rules_of(1, LARGE), scores=RISK)
    assert set(asked_of_each(desk)) == {word_of(CHAMPION.hash)}
    assert "age_of_the_moon" in desk.state.decisions.unusable[stranger.hash]


def test_a_damaged_challenger_never_decides(desk: Desk) -> None:
    """Bytes that are not what their hash says, as after damage to the journal."""
    on_trial(desk, LOTS)
    desk.arms(1, rules_of(1, LARGE), scores=RISK)
    state = desk.new_state()
    for batch in desk.journal.batches:
        for event in batch.events:
            is_its = event.kind == PART_STORED and event.subject == int(OTHER.hash, 16)
            body = event.body.replace(b'"content":"', b'"content":"AAAA') if is_its else event.body
            state.decisions.apply(replace(event, body=body))
    desk.engine.state.decisions = state.decisions
    assert set(asked_of_each(desk)) == {word_of(CHAMPION.hash)}
    assert "not those of the model" in state.decisions.unusable[OTHER.hash]


def test_a_challenger_without_a_champion_decides_for_its_own(desk: Desk) -> None:
    """For everybody else there is no score, and so the safe outcome."""
    share = sorted(lot_in_trial(100 + place, OTHER.hash) for place in range(PARTIES))[2] + 1
    desk.promotes(OTHER, Alias.CHALLENGER)
    assert desk.tries_out(share) == ""
    desk.arms(1, rules_of(1, NOBODY), scores=RISK)
    asked = asked_of_each(desk)
    assert sorted(asked) == [0] * 3 + [word_of(OTHER.hash)] * 3
    effects = desk.decisions["outcome"].tolist()
    safe = POINT.outcomes.index(POINT.safe_outcome)
    assert effects == [0 if word else safe for word in asked]


def test_a_challenger_whose_score_is_no_number_gives_the_safe_outcome(desk: Desk) -> None:
    """As a champion's does: a model gone wrong lets nothing pass."""
    desk.promotes(CHAMPION)
    desk.promotes(made_model(3, leaf=1.7e308), Alias.CHALLENGER)
    desk.arms(1, rules_of(1, NOBODY), scores=RISK)
    assert desk.pays(5) == S.CREATED
    assert desk.tries_out(LOTS) == ""
    assert desk.pays(5) == S.HELD
    assert int(desk.decisions["path"][-1]) == layout.NO_SCORE
    assert desk.transfer(100, 101, 5).code == CODE
