"""``formicary experiments power``: days, effects and power, of one look and of a look every day."""

from __future__ import annotations

import pytest

from formicary.factory.experiments.power import Plan, anytime_days, fixed_days
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.surfaces.cli.kit import Terminal

POWER = ("experiments", "power", "--per-day", "500")


def test_days_for_an_effect(terminal: Terminal) -> None:
    """By a deviation or by a proportion, which is one of it."""
    found = terminal.json(*POWER, "--proportion", "0.2", "--effect", "0.03")
    plan = Plan(parties_per_day=500, deviation=0.4)
    assert found["days"] == {"one_look": fixed_days(plan, 0.03), "any_time": anytime_days(plan, 0.03)}
    assert found["parties"]["any_time"] == 500 * found["days"]["any_time"]
    assert found["inflation"]["any_time"] > 1
    again = terminal.json(*POWER, "--deviation", "0.4", "--effect", "0.03")
    assert again["days"] == found["days"]
    known = terminal.json(*POWER, "--deviation", "0.4", "--effect", "0.03", "--correlation", "0.8")
    assert known["parties"]["one_look"] == pytest.approx(0.36 * again["parties"]["one_look"], abs=1)


def test_effect_and_power_of_days(terminal: Terminal) -> None:
    """Each from the other."""
    some = (*POWER, "--deviation", "1", "--days", "14")
    effect = terminal.json(*some)["effect"]
    assert effect["any_time"] > effect["one_look"]
    shown = terminal.json(*some, "--effect", str(effect["any_time"]))["power"]
    assert shown["any_time"] == pytest.approx(0.8, abs=1e-4)
    assert shown["one_look"] > 0.8
    assert terminal.run(*some) == ExitCode.DONE
    assert "effect" in terminal.out


def test_what_takes_too_long(terminal: Terminal) -> None:
    """It is said."""
    arguments = ("experiments", "power", "--per-day", "1", "--deviation", "1", "--effect", "0.01")
    assert terminal.run(*arguments) == ExitCode.DONE
    assert "over 400 days" in terminal.out
    assert terminal.json(*arguments)["inflation"]["any_time"] is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--effect", "1"), "a deviation or a proportion"),
        (("--effect", "1", "--deviation", "1", "--proportion", "0.5"), "a deviation or a proportion"),
        (("--effect", "1", "--proportion", "1.5"), "a proportion lies"),
        (("--effect", "1", "--deviation", "0"), "deviation is more than 0"),
        (("--deviation", "1"), "an effect, or days"),
    ],
)
def test_what_cannot_be_planned(terminal: Terminal, arguments: tuple[str, ...], said: str) -> None:
    """It is refused."""
    assert terminal.run(*POWER, *arguments) == ExitCode.REFUSED
    assert "plan_refused" in terminal.err
    assert said in " ".join(terminal.err.split())
