"""A run cuts what is not drawn of lines whose parties' sales fall, wherever it is cut or killed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from formicary.products.lending.product import LOANS
from formicary.products.lending.servicing.schemas import Draw, Repay
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.early_warning import WarningPolicy
from formicary.products.lending.underwriting.errors import CreditPolicyMalformed
from formicary.products.lending.watching import watch_run
from formicary.products.lending.watching.borrowers import WATCHED
from formicary.products.lending.watching.watch_run import watch_product
from formicary.products.lending.watching.weeks import monday_of, week_of
from tests.products.lending.servicing.bank import INSTALMENTS
from tests.products.lending.servicing.test_exposure import book, walked
from tests.products.lending.watching.lines import Watcher

STEADY, FALLING, LENT = 11, 12, 13
USUAL = {STEADY: 40, FALLING: 40, LENT: 40}


def watcher_of(folder: Path, weeks: int = 13) -> Watcher:
    """Return a watcher of two shops with lines, one of which has two, half drawn, for some weeks."""
    watcher = Watcher(folder)
    watcher.has(STEADY, FALLING, LENT)
    watcher.takes_line(1, STEADY, 100_000)
    watcher.takes_line(2, FALLING, 100_000)
    watcher.takes_line(3, FALLING, 50_001)
    watcher.lends(4, LENT, 60_000, INSTALMENTS)
    assert watcher.asks(Draw(subject=2, amount=40_000)).code == ""
    for _ in range(weeks):
        watcher.week(USUAL)
    return watcher


@pytest.fixture
def watcher(tmp_path: Path) -> Watcher:
    """Return it, with a past and a week after it."""
    return watcher_of(tmp_path)


def test_a_fall_cuts_half_and_then_all_of_what_is_not_drawn(watcher: Watcher) -> None:
    """By what its weeks say, and each cut tells why; nothing else changes, and good weeks raise nothing."""
    assert watcher.cuts() == []
    loans = watcher.columns()
    assert watcher.week(USUAL | {FALLING: 22}) == {"watched": 0, "warned": 1, "cut": 2}
    assert [watcher.limit(loan) for loan in (1, 2, 3, 4)] == [100_000, 70_000, 25_001, 60_000]
    (half,) = watcher.cuts()
    assert half == {
        "loans": [2, 3],
        "limits_before": [100_000, 50_001],
        "limits": [70_000, 25_001],
        "evidence": [20_000_000 - 22 * 693_147] * 2,
        "usual": [40_000_000] * 2,
        "counts": [22] * 2,
        "fallen": [1] * 2,
        "shares": [500_000] * 2,
    }
    assert int(watcher.loan(2)["balance"]) == 40_000
    assert book(watcher) == walked(watcher)
    assert watcher.week(USUAL | {FALLING: 22}) == {"watched": 0, "warned": 1, "cut": 2}
    assert [watcher.limit(loan) for loan in (2, 3)] == [40_000, 0]
    told = watcher.cuts()[1]
    assert (told["fallen"], told["shares"], told["limits"]) == ([2, 2], [1_000_000] * 2, [40_000, 0])
    assert watcher.asks(Draw(subject=3, amount=1)).code == "draw_out_of_range"
    # What is paid back cannot be drawn again while the fall goes on.
    watcher.earns(FALLING, 10_000)
    assert watcher.asks(Repay(subject=2, amount=10_000)).code == ""
    assert watcher.week(USUAL | {FALLING: 22})["cut"] == 1
    assert watcher.limit(2) == int(watcher.loan(2)["balance"])
    for _ in range(3):
        watcher.week(USUAL | {FALLING: 80})
    assert int(watcher.borrower(FALLING)["is_warned"]) == 0
    assert watcher.limit(3) == 0
    assert [watcher.columns()[place] for place in (0, 3)] == [loans[place] for place in (0, 3)]
    watcher.is_sound()
    watcher.recovers()


def test_a_share_is_taken_once(watcher: Watcher) -> None:
    """Evidence that stays between the first and the last cut takes half, and not half of the rest."""
    watcher.week(USUAL | {FALLING: 22})
    assert watcher.week(USUAL | {FALLING: 28}) == {"watched": 0, "warned": 1, "cut": 0}
    assert watcher.limit(2) == 70_000


def test_a_run_that_is_cut_and_killed_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of one, each told twice and followed by another engine."""
    whole, cut = watcher_of(tmp_path / "whole"), watcher_of(tmp_path / "cut")
    for one in (whole, cut):
        one.sells(USUAL | {FALLING: 5})
        one.later(5)
    whole.watches()
    for name in ("WATCH_PARTIES_MAX", "WATCH_LOANS_MAX"):
        monkeypatch.setattr(watch_run, name, 1)
    parts, is_ended = 0, False
    while not is_ended:
        receipt = cut.goes_on(key=f"part {parts}")
        assert cut.goes_on(key=f"part {parts}") == receipt
        parts, is_ended = parts + 1, receipt.answer["is_ended"]
        cut.recovers()
    assert parts == 1 + 2 + 4
    for product in (LOANS.name, WATCHED.name, "credit_watch"):
        assert cut.columns(product) == whole.columns(product)
    assert cut.limit(2) == 40_000


def test_a_run_has_its_week(watcher: Watcher) -> None:
    """It begins within it, once the one before is over, and ends once."""
    week = week_of(day_at(watcher.clock.now()))
    assert watcher.goes_on().code == "credit_watch_ended"
    assert watcher.goes_on(week + 1).code == "credit_watch_not_due"
    watcher.later(7)
    assert watcher.goes_on(week + 2).code == "credit_watch_not_due"
    assert watcher.goes_on(week + 1).code == ""
    watcher.later(7)
    assert watcher.goes_on(week + 2).code == "credit_watch_not_due"
    watcher.watches(week + 1)
    assert watcher.goes_on(week + 2).code == ""
    assert [week_of(monday_of(week) + day) for day in (-1, 0, 6, 7)] == [week - 1, week, week, week + 1]


def test_what_its_own_week_said_is_cut_later(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that a week overtakes notes nothing more, watches nobody new, and cuts what was noted."""
    monkeypatch.setattr(watch_run, "WATCH_PARTIES_MAX", 1)
    watcher.sells({STEADY: 5, FALLING: 5})
    watcher.later(5)
    watcher.takes_line(5, LENT, 30_000)
    week = week_of(day_at(watcher.clock.now()))
    assert [watcher.goes_on().answer["noted"] for _ in range(2)] == [0, 1]
    watcher.later(7)
    assert watcher.watches(week)["watched"] == 0
    noted = {int(watcher.borrower(party)["week"]): party for party in (STEADY, FALLING)}
    assert sorted(noted) == [week - 1, week]
    assert watcher.limit(1) == (0 if noted[week] == STEADY else 100_000)
    assert watcher.limit(2) == (40_000 if noted[week] == FALLING else 100_000)
    assert watcher.borrower(LENT) is None


def test_who_is_watched(watcher: Watcher) -> None:
    """Parties with lines that agree, from the week on in which they are found."""
    assert watcher.borrower(LENT) is None
    assert int(watcher.borrower(STEADY)["weeks"]) == 13
    watcher.takes_line(5, LENT, 30_000)
    watcher.disagrees(STEADY)
    assert watcher.week(USUAL)["watched"] == 1
    assert (int(watcher.borrower(LENT)["weeks"]), int(watcher.borrower(STEADY)["weeks"])) == (1, 0)
    assert watcher.limit(1) == 100_000


def test_nobody_is_watched_whose_sales_cannot_be_told(tmp_path: Path) -> None:
    """A line of a party that does not agree begins no ring."""
    watcher = Watcher(tmp_path)
    watcher.has(STEADY)
    watcher.takes_line(1, STEADY, 100_000)
    watcher.disagrees(STEADY)
    assert watcher.watches()["watched"] == 0
    assert watcher.borrower(STEADY) is None


def test_a_past_that_is_not_kept_is_refused() -> None:
    """Such a policy would never warn."""
    with pytest.raises(CreditPolicyMalformed, match="26 weeks"):
        watch_product(LOANS, replace(WarningPolicy(), past_weeks=26))
