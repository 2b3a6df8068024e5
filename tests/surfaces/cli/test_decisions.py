"""``formicary decisions``: listed, explained, taken again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from formicary.base.ids import format_id
from formicary.base.public_ids import Prefix, encode
from formicary.factory.decisions.explanation import Changed, Explanation
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import point_id
from formicary.factory.decisions.replay import Difference
from formicary.factory.history.decision_search import DecisionFilter
from formicary.factory.registry import Alias
from formicary.factory.registry.decided import DecidedTransfer
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.factory.decisions.desk import POINT, made_model, rules_of
from tests.factory.decisions.explaining_kit import Explained
from tests.factory.decisions.shop import LENDING, LOAN, Shop
from tests.surfaces.cli.kit import IDENTICAL, MemoryProgram, Terminal

PAYMENT_NUMBER, LENDING_NUMBER = point_id("payment"), point_id("lending")


@dataclass
class Decided:
    """Decisions in memory; what is asked for is kept."""

    kit: Explained
    points: Mapping[int, DecisionPoint] = field(
        default_factory=lambda: {PAYMENT_NUMBER: POINT, LENDING_NUMBER: LENDING}
    )
    asked: list[Any] = field(default_factory=list)
    change: Mapping[str, Any] = field(default_factory=dict)

    def newest(self, wanted: DecisionFilter) -> list[DecidedTransfer]:
        """Return all, the newest first."""
        self.asked.append(wanted)
        return [self._at(place) for place in range(len(self.kit.whole.decisions))][::-1]

    def of_transfer(self, transfer_id: int) -> DecidedTransfer:
        """Return the latest."""
        self.asked.append(transfer_id)
        return self._at(-1)

    def at(self, position: int) -> DecidedTransfer:
        """Return the first."""
        self.asked.append(("at", position))
        return self._at(0)

    def explain(self, found: DecidedTransfer) -> Explanation:
        """Explain it, with what is changed."""
        (place,) = [
            place
            for place, row in enumerate(self.kit.whole.decisions)
            if row["position"] == found.decision["position"]
        ]
        return replace(self.kit.explained(place, since=3), **self.change)

    def _at(self, place: int) -> DecidedTransfer:
        decision, transfer = self.kit.rows(place)
        point = self.points.get(int(decision["point"]))
        named = {"point": point.name, "outcome": point.outcomes[decision["outcome"]]} if point else {}
        return DecidedTransfer(decision=decision, transfer=transfer, **({"point": "", "outcome": ""} | named))


@pytest.fixture
def decided(tmp_path: Path, program: MemoryProgram) -> Decided:
    """Give a program with a loan without consent, and a payment that was rejected."""
    shop = Shop(tmp_path)
    shop.promotes(made_model(1))
    shop.promotes(made_model(2), Alias.SHADOW)
    scores = {"risk": {"model": "risk_model"}, "rival": {"model": "risk_model", "alias": "shadow"}}
    rules = rules_of(
        1,
        {"when": "amount > 900"},
        {"when": "score.risk > 0.99", "enabled": False},
        {"when": "since_pair < 0"},
    )
    shop.arms(1, rules, scores=scores)
    shop.lends_by(4, "paid_7d > 10")
    shop.asks(shop.transfer(1, 100, 50, code=LOAN))
    shop.pays(1_000)
    program.decided = Decided(Explained(shop))
    return program.decided  # type: ignore[no-any-return]


# -- list ----------------------------------------------------------------------------------


def test_decisions_are_listed(terminal: Terminal, decided: Decided) -> None:
    """The newest first, with what came of them and the transfer that they are about."""
    found = terminal.json("decisions", "list")["decisions"]
    assert [one["point"] for one in found] == ["payment", "lending"]
    kit = decided.kit
    assert found[0] == {
        "position": int(kit.whole.decisions["position"][-1]),
        "time": found[0]["time"],
        "point": "payment",
        "policy": 1,
        "outcome": "reject",
        "effect": "reject",
        "path": [],
        "transfer": format_id(int(kit.rows(-1)[1]["id_low"])),
        "amount": 1_000,
        "ledger": 978,
    }
    assert found[1]["path"] == ["not_told"]
    assert terminal.run("decisions", "list") == ExitCode.DONE
    assert "10.00" in terminal.out
    assert "not_told" in terminal.out


def test_what_is_wanted_of_a_list(terminal: Terminal, decided: Decided) -> None:
    """Points and outcomes by their names; an outcome at every point that has it."""
    terminal.run("decisions", "list", "--policy", "3", "--since", "1970-01-01T00:00:01Z", "--limit", "7")
    terminal.run("decisions", "list", "--outcome", "reject")
    terminal.run("decisions", "list", "--point", "lending", "--outcome", "allow")
    assert decided.asked == [
        DecisionFilter(policy=3, timestamp_min=10**9, limit=7),
        DecisionFilter(outcomes=((PAYMENT_NUMBER, 3), (LENDING_NUMBER, 1))),
        DecisionFilter(points=(LENDING_NUMBER,), outcomes=((LENDING_NUMBER, 0),)),
    ]
    assert terminal.run("decisions", "list", "--point", "none") == ExitCode.USAGE
    assert "only payment, lending" in " ".join(terminal.err.replace("│", " ").split())
    assert terminal.run("decisions", "list", "--outcome", "none") == ExitCode.USAGE
    assert "only allow, confirm, hold, reject" in " ".join(terminal.err.replace("│", " ").split())


def test_a_point_of_another_release_is_listed(terminal: Terminal, decided: Decided) -> None:
    """By its number, and its outcome by its place."""
    decided.points = {LENDING_NUMBER: LENDING}
    found = terminal.json("decisions", "list")["decisions"][0]
    assert (found["point"], found["outcome"]) == (f"{PAYMENT_NUMBER:016x}", "3")


# -- explain -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identifier", "asked"),
    [
        (encode(Prefix.PAYMENT, 77), 77),
        (format_id(77), 77),
        ("18", ("at", 18)),
        (str(10**18), 10**18),
    ],
)
def test_a_decision_is_asked_for_in_several_ways(
    terminal: Terminal, decided: Decided, identifier: str, asked: Any
) -> None:
    """A payment, any transfer, or a position; a number too large for one is an id."""
    assert terminal.json("decisions", "explain", identifier)["position"] > 0
    assert decided.asked == [asked]


def test_a_decision_is_explained_in_tables(terminal: Terminal, decided: Decided) -> None:
    """What was decided, by which rules, scores and features, and what would have turned it."""
    assert terminal.run("decisions", "explain", encode(Prefix.PAYMENT, 77)) == ExitCode.DONE
    for text in (
        "tests 1, armed at position 3",
        "Because of 0.",
        "declined",
        "10.00",
        "amount = 1,000",
        "reject",
        "since_pair = missing",
        "(not armed)",
        "risk_model (shadow)",
        "looks on",
        made_model(1).hash[:16],
        "what made the score risk",
        "The asked of it.",
        "amount 900 in place of 1,000",
    ):
        assert text in terminal.out
    assert terminal.err == ""
    document = terminal.json("decisions", "explain", encode(Prefix.PAYMENT, 77))
    assert document["at"].endswith("Z")
    assert document["turned_by"][0]["changes"] == {"amount": [1000.0, 900.0]}
    assert decided.asked == [77, 77]


def test_what_was_withheld_or_not_asked_is_told(terminal: Terminal, decided: Decided) -> None:
    """A loan has no score, and what is known of its taker was withheld."""
    assert terminal.run("decisions", "explain", "5") == ExitCode.DONE
    assert "withheld, no consent: taker" in terminal.out
    assert "Shapley" not in terminal.out
    decided.change = {"rules": (), "turned_by_is_all": False}
    assert terminal.run("decisions", "explain", "5") == ExitCode.DONE
    assert "paid_7d >" not in terminal.out


def test_what_does_not_agree_ends_with_its_code(terminal: Terminal, decided: Decided) -> None:
    """Each is told, in a document too."""
    told = decided.kit.explained(-1)
    rule = replace(told.rules[0], recorded="false")
    decided.change = {
        "disagreements": ("the rule rule_0 is true, and false was recorded",),
        "rules": (rule, *told.rules[1:]),
        "ruled": "allow",
        "turned_by": (Changed(changes={"amount": (1.0, 2.0)}, distance=0.25),),
        "turned_by_is_all": False,
        "scores": (replace(told.scores[0], version=7), replace(told.scores[1], contributions=())),
    }
    assert terminal.run("decisions", "explain", format_id(77)) == ExitCode.FINDINGS
    assert "found: the rule rule_0 is true" in terminal.err
    assert "There may be nearer changes" in terminal.err
    for text in ("true, recorded false", "reject, not allow", "0.250"):
        assert text in terminal.out
    document = terminal.json("decisions", "explain", format_id(77))
    assert document["disagreements"] == ["the rule rule_0 is true, and false was recorded"]


def test_what_chance_had_a_part_in_is_told(terminal: Terminal, decided: Decided) -> None:
    """A challenger that was tried out, and an outcome that was drawn by lot."""
    told = decided.kit.explained(-1)
    decided.change = {
        "scores": (replace(told.scores[0], alias="challenger"), *told.scores[1:]),
        "drawn": "allow in place of reject, to learn from it: the chance of it was 3 %",
        "path": ("explored",),
        "propensity": 0.03,
    }
    assert terminal.run("decisions", "explain", format_id(77)) == ExitCode.DONE
    for text in (
        "risk_model (challenger)",
        "decides on trial",
        "allow in place of reject",
        "3 %",
        "explored",
    ):
        assert text in " ".join(terminal.out.split())
    document = terminal.json("decisions", "explain", format_id(77))
    assert (document["propensity"], document["path"]) == (0.03, ["explored"])
    assert document["drawn"].startswith("allow in place of reject")


# -- replay --------------------------------------------------------------------------------


def test_a_replay_that_is_the_same(terminal: Terminal, program: MemoryProgram) -> None:
    """How many were compared, and how fast."""
    assert terminal.run("decisions", "replay") == ExitCode.DONE
    assert "Every bit is the same." in terminal.err
    document = terminal.json("decisions", "replay", "--first", "2", "--last", "9", "--cuts", "5")
    assert document == {
        "first": 1,
        "last": 9,
        "after": 0,
        "decisions": 4,
        "untold": 0,
        "different": 0,
        "seconds": 0.5,
        "decisions_per_second": 8,
        "differences": [],
        "identical": True,
    }
    assert program.replays == [
        {"first": 1, "last": None, "cuts": None},
        {"first": 2, "last": 9, "cuts": 5},
    ]


def test_a_replay_that_differs(terminal: Terminal, program: MemoryProgram) -> None:
    """The first differences are told, and the exit code says that there are some."""
    one = Difference(position=7, field="value_03", recorded="1.0", recomputed="2.0")
    program.replayed = replace(IDENTICAL, different=3, differences=(one,))
    assert terminal.run("decisions", "replay") == ExitCode.FINDINGS
    assert "value_03" in terminal.out
    assert "3 rows differ." in terminal.err
    document = terminal.json("decisions", "replay")
    assert document["differences"] == [
        {"position": 7, "field": "value_03", "recorded": "1.0", "recomputed": "2.0"}
    ]
    assert not document["identical"]
