"""How long before defaults lines are cut, measured in the engine: sales, runs and closes of each date."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from formicary.products.lending.servicing.schemas import Draw
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.early_warning import report
from formicary.products.lending.watching.weeks import week_of
from tests.products.lending.watching.lines import Watcher

MERCHANTS = range(100, 120)
FAILING = range(100, 108)
DRAWN, WEEKS = 15, 46
"""The week in which all draw, and how many there are; dates are closed from the draw on."""


def drawn_by_all(folder: Path) -> Watcher:
    """Return a watcher of merchants with money and lines of which nothing is drawn yet."""
    watcher = Watcher(folder)
    watcher.has(*MERCHANTS, amount=2_000_00)
    for merchant in MERCHANTS:
        watcher.takes_line(merchant, merchant, 1_000_00)
    return watcher


def goes_by(watcher: Watcher, *, is_closed: bool) -> None:
    """Let a week pass from Wednesday to Wednesday: a run on Monday, and each date closed or none."""
    for _ in range(7):
        day = day_at(watcher.clock.now())
        if is_closed:
            watcher.closes(day)
        else:
            watcher.later(1)
        if week_of(day + 1) != week_of(day):
            watcher.watches()


def test_lines_are_cut_before_defaults(tmp_path: Path) -> None:
    """Weeks from the cut of all that is not drawn to 90 days late.

    Twenty merchants sell some 25 to 60 times a week. Eight of them lose 15 % of what is left of sales each
    week, and from the sixth on nothing is left in their wallets: what falls due stays unpaid.
    """
    random = np.random.default_rng(11)
    watcher = drawn_by_all(tmp_path)
    usual = {merchant: int(random.integers(25, 60)) for merchant in MERCHANTS}
    begins = {merchant: int(random.integers(DRAWN + 1, DRAWN + 8)) for merchant in FAILING}
    cut, defaulted = dict.fromkeys(MERCHANTS, -1), dict.fromkeys(MERCHANTS, -1)
    for week in range(WEEKS):
        gone = {one: max(week - begins.get(one, WEEKS) + 1, 0) for one in MERCHANTS}
        watcher.sells({one: int(random.poisson(usual[one] * 0.85 ** gone[one])) for one in MERCHANTS})
        if week == DRAWN:
            assert all(watcher.asks(Draw(subject=one, amount=400_00)).code == "" for one in MERCHANTS)
        for one in FAILING:
            if gone[one] > 5:
                watcher.earns(one, -watcher.wallet(one))
        goes_by(watcher, is_closed=week >= DRAWN)
        for one in MERCHANTS:
            loan = watcher.loan(one)
            if cut[one] < 0 and loan["limit"] == loan["balance"]:
                cut[one] = week
            if defaulted[one] < 0 and loan["is_non_accrual"]:
                defaulted[one] = week
    told = report(alarmed=list(cut.values()), defaulted=list(defaulted.values()), first=12, weeks=WEEKS)
    # The figures of docs/underwriting.md.
    assert (told.defaults, told.warned, told.lead_weeks) == (8, 8, (14, 15, 19))
    assert (told.healthy_weeks, told.false_alarms) == (408, 0)
