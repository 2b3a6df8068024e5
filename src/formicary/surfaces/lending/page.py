"""What became of what was lent: one page of HTML with charts, with nothing beside it.

The page has no script, and a browser is told to run and to load none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from formicary.base.currencies import currency
from formicary.base.money import Money
from formicary.products.lending.portfolio.report import CurrencyPortfolio, Portfolio, Vintage
from formicary.products.lending.portfolio.returns import RATES
from formicary.surfaces.lending.words import BUCKETS, curve_texts, share_text

__all__ = ["portfolio_page"]

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_WIDTH: Final = 600
_HEIGHT: Final = 200
_LEFT: Final = 70
_EDGE: Final = 12
# More lines than that are one blot; the latest months are those that somebody can still act on.
_COHORTS_MAX: Final = 12
# Nearly all that goes bad does so within three years.
_AGES_MAX: Final = 36
_MONTHS_MAX: Final = 3


def portfolio_page(portfolio: Portfolio) -> str:
    """Return the page."""
    return _TEMPLATES.get_template("page.html").render(
        as_of=portfolio.as_of,
        currencies=[_currency(one) for one in portfolio.currencies],
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_WIDTH - _EDGE,
        bottom=_HEIGHT - _EDGE,
    )


def _currency(one: CurrencyPortfolio) -> dict[str, Any]:
    cohorts = [list(rows) for _, rows in groupby(one.vintages, key=lambda row: row.cohort)][-_COHORTS_MAX:]
    allowance = sum(
        (one.books.allowance_performing, one.books.allowance_increased, one.books.allowance_impaired)
    )
    return {
        "code": one.currency,
        "buckets": [
            (BUCKETS[row.bucket], f"{row.loans:,}", _money(row.owed, one.currency)) for row in one.buckets
        ],
        "allowance": _money(allowance, one.currency),
        "own_funds": _money(one.books.own_funds, one.currency),
        "borrowed": _money(one.books.borrowed, one.currency),
        "cash": _money(one.books.cash, one.currency),
        "returns": [
            (told.days, *(share_text(getattr(told, name)) for name in RATES)) for told in one.returns.values()
        ],
        "vintages": _chart(cohorts),
        "cohorts": [
            (
                rows[-1].cohort,
                f"{rows[-1].loans:,}",
                _money(rows[-1].amount, one.currency),
                rows[-1].age,
                share_text(rows[-1].share),
            )
            for rows in cohorts
        ],
        "rolls": [
            (
                table.month,
                [BUCKETS[name] for name in table.to],
                [(BUCKETS[name], list(map(share_text, row))) for name, row in table.rows.items()],
            )
            for table in one.roll_rates[-_MONTHS_MAX:]
            if table.rows
        ],
        "curves": [
            (
                curve.cohort,
                f"{curve.loans:,}",
                f"{curve.defaults:,}",
                curve_texts(curve),
            )
            for curve in one.default_curves[-_COHORTS_MAX:]
        ],
    }


def _money(amount: int, code: str) -> str:
    return f"{code} {Money(amount, currency(code)).format(grouped=True)}"


def _chart(cohorts: Sequence[Sequence[Vintage]]) -> dict[str, Any] | None:
    """Return a line for each cohort of its share in default by age; None where all have one month or none."""
    cohorts = [[row for row in rows if row.age <= _AGES_MAX] for rows in cohorts]
    oldest = max((row.age for rows in cohorts for row in rows), default=0)
    most = max((row.share for rows in cohorts for row in rows), default=0)
    if not oldest:
        return None
    across, down = (_WIDTH - _LEFT - _EDGE) / oldest, (_HEIGHT - 2 * _EDGE) / max(most, 1)
    lines = [
        " ".join(f"{_LEFT + row.age * across:.1f},{_HEIGHT - _EDGE - row.share * down:.1f}" for row in rows)
        for rows in cohorts
    ]
    return {"lines": lines, "top": share_text(most), "oldest": oldest}
