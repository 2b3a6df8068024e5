"""One decision explained: what is told is what was recorded, adds up, and turns it where it says so."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.explanation import Explanation, path_words
from formicary.factory.decisions.judges import usable_at
from formicary.factory.journal.rows import REASONS
from formicary.factory.ledger import CreateTransferStatus as S
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.tree_shap import TreeShap
from formicary.factory.registry import Alias
from tests.factory.decisions.desk import POINT, made_model, rules_of
from tests.factory.decisions.explaining_kit import Explained
from tests.factory.decisions.shop import LOAN, Shop, goes_on

LARGE = {"when": "amount > 900"}
RISKY = {"when": "score.risk > 0.3", "if_unknown": "hold"}
SCORES: dict[str, Any] = {
    "risk": {"model": "risk_model"},
    "rival": {"model": "risk_model", "alias": "shadow"},
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Give a shop in which nothing happened."""
    return Shop(tmp_path)


def last(shop: Shop, **given: Any) -> Explanation:
    """Explain the latest decision."""
    return Explained(shop).explained(-1, **given)


# -- what was recorded ---------------------------------------------------------------------


def test_any_decision_is_explained_by_what_was_recorded(tmp_path: Path) -> None:
    """Rules, scores, features and outcomes come out again; each change that is told turns it."""
    shop = goes_on(tmp_path, seed=5, payments=500)
    kit = Explained(shop)
    outcomes = set()
    for place in range(0, len(kit.whole.decisions), 23):
        told, asked = kit.explained(place), kit.asked(place)
        assert told.disagreements == ()
        outcomes.add((told.point, told.outcome))
        wanted = asked.armed.point.outcomes[0]
        for one in told.turned_by:
            values = asked.values.copy()
            for name, (before, after) in one.changes.items():
                column = asked.names.index(name.removeprefix("feature "))
                if name.startswith("feature "):
                    column = len(asked.armed.point.on.numbers) + asked.armed.point.features.index(
                        name.removeprefix("feature ")
                    )
                assert values[column] == before != after
                values[column] = after
            assert asked.armed.point.outcomes[asked.ask(values[None]).outcomes[0]] == wanted
    assert len(outcomes) > 3


def test_all_of_it_is_a_document(shop: Shop) -> None:
    """Where it stands, what it was about and what decided it, with nothing that JSON cannot say."""
    shop.promotes(made_model(1))
    shop.promotes(made_model(2), Alias.SHADOW)
    shop.arms(1, rules_of(1, LARGE, RISKY, {"when": "since_pair < 0"}), scores=SCORES)
    assert shop.pays(950) in (S.DECLINED, S.HELD)
    told = last(shop, since=17, versions={made_model(1).hash: 4})
    document = msgspec.to_builtins(told)
    assert (document["point"], document["policy"], document["policy_name"]) == ("payment", 1, "tests")
    assert (document["policy_since"], document["propensity"], document["cap"]) == (17, 1.0, "")
    assert document["transfer"]["amount"] == 950
    assert document["transfer"]["status"] == "declined"
    assert document["transfer"]["debit_account_id"] == f"{100:032x}"
    assert [rule["rule"] for rule in document["rules"]] == ["rule_0", "rule_1", "rule_2"]
    assert document["rules"][0]["read"] == {"amount": 950.0}
    assert document["rules"][2] | {"read": None} == {
        "rule": "rule_2",
        "verdict": "unknown",
        "recorded": "unknown",
        "enabled": True,
        "outcome": "allow",
        "reason": "Because of 2.",
        "read": None,
    }
    assert document["rules"][2]["read"] == {"since_pair": None}
    assert "Because of 0." in document["reasons"]
    by_name = {one["feature"]: one for one in document["features"]}
    assert (by_name["asked"]["value"], by_name["since_pair"]["value"]) == (950.0, None)
    assert by_name["asked"]["meaning"] == "The asked of it."
    scores = {one["score"]: one for one in document["scores"]}
    assert (scores["risk"]["version"], scores["risk"]["decides"]) == (4, True)
    assert (scores["rival"]["version"], scores["rival"]["decides"]) == (0, False)
    assert scores["rival"]["model_hash"] == made_model(2).hash[:16]
    msgspec.json.encode(document)


def test_a_held_transfer_says_so(shop: Shop) -> None:
    """With the flags that a decision gave it."""
    shop.arms(1, rules_of(1, LARGE | {"outcome": "hold"}))
    shop.pays(950)
    assert (last(shop).transfer["flags"], last(shop).effect) == (["pending", "held"], "hold")


def test_paths_are_words() -> None:
    """Each bit is one."""
    assert path_words(0) == ()
    assert path_words(layout.TRUSTED | layout.NOT_TOLD) == ("trusted", "not_told")
    assert path_words(layout.NO_SCORE | layout.CAPPED) == ("no_score", "capped")
    assert path_words(layout.EXPLORED) == ("explored",)


# -- chance --------------------------------------------------------------------------------

EXPLORE: dict[str, Any] = {
    "share": 30_000,
    "of": ["reject"],
    "then": "confirm",
    "amount_max": 500,
    "count": 9,
}
ALWAYS = {"when": "score.risk > 0"}


@pytest.fixture
def explored(shop: Shop) -> Shop:
    """Give a shop in which some of what a score rejects came out as a check."""
    shop.promotes(made_model(1))
    shop.arms(1, rules_of(1, ALWAYS), scores={"risk": {"model": "risk_model"}}, explore=EXPLORE)
    shop.asks(*(shop.transfer(100, 101, 5) for _ in range(150)))
    return shop


def test_what_was_drawn_by_lot_is_told(explored: Shop) -> None:
    """What came out, in place of what, and how probable that was; and what could have come out."""
    explored.pays(501)
    kit = Explained(explored)
    paths = explored.decisions["path"]
    passed = kit.explained(int(np.flatnonzero(paths == layout.EXPLORED)[0]))
    assert (passed.outcome, passed.ruled, passed.path) == ("confirm", "reject", ("explored",))
    assert passed.drawn == "confirm in place of reject, to learn from it: the chance of it was 3 %"
    assert (passed.propensity, passed.disagreements) == (0.03, ())
    assert passed.reasons
    refused = kit.explained(int(np.flatnonzero(paths == 0)[0]))
    assert (refused.outcome, refused.path, refused.propensity) == ("reject", (), 0.97)
    told = "it could have been confirm, to learn from it, and was not: the chance of it was 97 %"
    assert (refused.drawn, refused.disagreements) == (told, ())
    large = kit.explained(-1)
    assert (large.outcome, large.propensity, large.drawn, large.disagreements) == ("reject", 1.0, "", ())


@pytest.mark.parametrize(
    ("field", "value", "was", "said"),
    [
        ("propensity", 0.5, layout.EXPLORED, "the chance of the outcome was not 0.5"),
        ("propensity", 0.03, 0, "the chance of the outcome was not 0.03"),
        ("propensity", 0.97, layout.EXPLORED, "the chance of the outcome was not 0.97"),
        ("outcome", 0, layout.EXPLORED, "the outcome is confirm, and allow was recorded"),
        ("path", layout.EXPLORED, 0, "the outcome is confirm, and reject was recorded"),
        ("path", 0, layout.EXPLORED, "the outcome is reject, and confirm was recorded"),
    ],
)
def test_a_chance_that_was_not_is_found(
    explored: Shop, field: str, value: float, was: int, said: str
) -> None:
    """The lot of the transfer and the policy say what can have come out."""
    whole = Explained(explored).whole
    decisions = whole.decisions.copy()
    place = int(np.flatnonzero(decisions["path"] == was)[0])
    decisions[field][place] = value
    told = Explained(explored, whole=replace(whole, decisions=decisions)).explained(place)
    assert any(said in one for one in told.disagreements)


def test_nothing_is_drawn_where_nothing_is_explored(shop: Shop) -> None:
    """An outcome is certain then, and a row that says otherwise is wrong."""
    shop.arms(1, rules_of(1, LARGE))
    shop.pays(5)
    whole = Explained(shop).whole
    decisions = whole.decisions.copy()
    decisions["propensity"] = 0.5
    told = Explained(shop, whole=replace(whole, decisions=decisions)).explained(-1)
    assert told.drawn == ""
    assert told.disagreements == ("the chance of the outcome was not 0.5, which was recorded",)


def test_a_score_on_trial_has_the_challengers_alias(shop: Shop) -> None:
    """Whoever found that out says so."""
    shop.promotes(made_model(1))
    shop.arms(1, rules_of(1, RISKY), scores={"risk": {"model": "risk_model"}})
    shop.pays(5)
    assert [one.alias for one in last(shop).scores] == ["champion"]
    assert [one.alias for one in last(shop, tried={"risk"}).scores] == ["challenger"]


# -- scores --------------------------------------------------------------------------------


def test_contributions_add_up(shop: Shop) -> None:
    """Along the ways and as Shapley values, from what is expected to the raw score; those of most first."""
    model = made_model(1)
    shop.promotes(model)
    shop.arms(1, rules_of(1, RISKY), scores=SCORES)
    for moved in (700, 2_000, 30):
        shop.pays(moved)
    score = last(shop).scores[0]
    assert score.raw is not None
    assert score.agrees
    parts = score.contributions
    assert len(parts) == len(model.forest.feature_names)
    ways = math.fsum(one.on_the_way for one in parts)
    assert ways + model.forest.expected_score == pytest.approx(score.raw, abs=1e-12)
    shapley = [one.shapley for one in parts if one.shapley is not None]
    expected = TreeShap(model.forest).expected_score
    assert math.fsum(shapley) + expected == pytest.approx(score.raw, abs=1e-12)
    assert [abs(one) for one in shapley] == sorted(map(abs, shapley), reverse=True)
    assert score.chance == pytest.approx(1 / (1 + math.exp(0.5 - 2 * score.raw)))


def test_a_forest_too_deep_for_shapley_values_has_ways_only(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be added up exactly is left out, not approximated."""

    def refuse(_: object) -> None:
        raise ModelRefused

    monkeypatch.setattr("formicary.factory.decisions.explaining.TreeShap", refuse)
    shop.promotes(made_model(1))
    shop.arms(1, rules_of(1, RISKY), scores=SCORES)
    shop.pays(700)
    parts = last(shop).scores[0].contributions
    assert {one.shapley for one in parts} == {None}
    ways = [abs(one.on_the_way) for one in parts]
    assert ways == sorted(ways, reverse=True)


def test_without_a_model_the_safe_outcome_is_explained(shop: Shop) -> None:
    """A champion that is not there gives no score, and nothing that would turn it is a lever."""
    shop.arms(1, rules_of(1, LARGE), scores=SCORES)
    shop.pays(10)
    told = last(shop)
    assert (told.outcome, told.ruled, told.path) == ("hold", "hold", ("no_score",))
    assert (told.scores[0].model_hash, told.scores[0].raw, told.scores[0].chance) == ("", None, None)
    assert told.turned_by == ()
    assert told.disagreements == ()


def test_a_model_that_cannot_score_here_says_why() -> None:
    """The same words as where it is armed."""
    names = replace(made_model(1), categories={"trade": ("baker",)})
    amounts = replace(made_model(1), calibration=None)
    elsewhere = made_model(7, columns=("height", "asked"))
    said = [usable_at(one, POINT) for one in (names, amounts, elsewhere)]
    assert said == [
        "risk_model reads names, where there are numbers: it cannot score at payment",
        "risk_model tells amounts, not chances: it cannot score at payment",
        "risk_model reads height: it cannot score at payment",
    ]


# -- reasons -------------------------------------------------------------------------------


def test_features_that_raised_the_score_are_reasons(shop: Shop) -> None:
    """In the words of the model's specification, else of the feature; each with its value."""
    shop.promotes(made_model(1))
    shop.arms(1, rules_of(1, RISKY | {"when": "score.risk > 0.01"}), scores=SCORES)
    shop.pays(700)
    told = last(shop)
    raised = [one.feature for one in told.scores[0].contributions if one.on_the_way > 0]
    assert 0 < len(told.reasons) == min(len(raised), REASONS)
    for reason in told.reasons:
        (own,) = [name for name in raised if reason.startswith(f"The {name} of it. ({name}: ")]
        assert own in raised
    said = last(shop, sentences={"risk_model": dict.fromkeys(raised, "It is unusual.")})
    assert all(reason.startswith("It is unusual. (") for reason in said.reasons)


def test_a_cap_is_a_reason_and_nothing_else_stood_against_it(shop: Shop) -> None:
    """It is told what the rules alone say; and there is nothing to be changed of the payment itself."""
    caps = [{"name": "few", "outcome": "allow", "seconds": 3_600, "count": 1, "then": "hold"}]
    shop.arms(1, rules_of(1, LARGE), caps=caps)
    shop.pays(5)
    shop.pays(5)
    told = last(shop)
    assert (told.outcome, told.ruled, told.cap, told.path) == ("hold", "allow", "few", ("capped",))
    assert told.reasons == ("The cap few was reached: what is beyond it is to be hold.",)
    assert (told.turned_by, told.turned_by_is_all, told.disagreements) == ((), True, ())


def test_consent_that_was_lacking_is_told(shop: Shop) -> None:
    """Of the features about the party that did not give it, and of no other."""
    shop.lends_by(1, "paid_7d > 10")
    shop.asks(shop.transfer(1, 100, 50, code=LOAN))
    told = {one.feature: one for one in last(shop).features}
    assert told["paid_7d"].withheld_for == ("taker",)
    assert (told["sum"].withheld_for, told["sum"].value) == ((), 50.0)


# -- what would have turned it -------------------------------------------------------------


def test_the_nearest_amount_is_told(shop: Shop) -> None:
    """A field that a rule compares, or a feature that follows from it."""
    shop.arms(1, rules_of(1, LARGE))
    shop.pays(1_000)
    assert [one.changes for one in last(shop).turned_by] == [{"amount": (1_000.0, 900.0)}]
    shop.arms(2, rules_of(2, {"when": "asked > 900"}))
    shop.pays(1_000)
    assert [one.changes for one in last(shop).turned_by] == [{"amount": (1_000.0, 900.0)}]


def test_a_feature_of_the_name_of_a_field_is_told_apart(shop: Shop) -> None:
    """What is known of the payer is a lever; what is asked is another."""
    shop.arms(1, rules_of(1, {"when": "paid_1d > 100 and amount > 10"}))
    shop.pays(90)
    shop.pays(90)
    assert shop.pays(90) == S.DECLINED
    nearest = {next(iter(one.changes)): one.changes for one in last(shop).turned_by}
    assert nearest["paid_1d"] == {"paid_1d": (180.0, 100.0)}
    assert nearest["amount"] == {"amount": (90.0, 10.0)}


def test_trust_may_turn_it(shop: Shop) -> None:
    """What is trusted is not scored: so a value that earns trust turns what the score said."""
    shop.promotes(made_model(1))
    shop.arms(1, rules_of(1, RISKY | {"when": "score.risk > 0.0"}), scores=SCORES, trusted="amount < 100")
    assert shop.pays(500) == S.DECLINED
    assert {"amount": (500.0, 99.0)} in [one.changes for one in last(shop).turned_by]
    assert shop.pays(50) == S.CREATED
    told = last(shop)
    assert (told.path, told.scores[0].raw, told.turned_by) == (("trusted",), None, ())
    assert told.disagreements == ()


# -- what does not agree -------------------------------------------------------------------


def test_what_is_not_as_recorded_is_told(shop: Shop) -> None:
    """A flipped verdict, another outcome, a feature that does not follow, a score of another model."""
    shop.promotes(made_model(1))
    shop.arms(1, rules_of(1, LARGE, RISKY | {"enabled": False}), scores=SCORES)
    shop.pays(1_000)

    def told(**changed: Any) -> tuple[str, ...]:
        kit = Explained(shop)
        kit.whole = replace(kit.whole, decisions=kit.whole.decisions.copy())
        for name, value in changed.items():
            kit.whole.decisions[name][-1] = value
        return kit.explained(-1).disagreements

    row = Explained(shop).whole.decisions[-1]
    verdicts = int(row["rules_true"])
    assert told() == ()
    assert told(rules_true=verdicts & ~1) == ("the rule rule_0 is true, and false was recorded",)
    assert told(rules_true=verdicts & ~1, rules_unknown=1) == (
        "the rule rule_0 is true, and unknown was recorded",
    )
    assert told(outcome=0) == ("the outcome is reject, and allow was recorded",)
    assert told(score_0=float(row["score_0"]) + 1) == (
        "the score risk is not what its model gives, or the model is not there",
    )
    assert told(value_00=1_001.0) == ("the feature asked does not follow from the others",)
    assert told(model_0=np.uint64(5))[-1].startswith("the score risk is not what its model gives")
    assert last(shop).disagreements == ()
