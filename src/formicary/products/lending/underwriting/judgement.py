"""By what this house lends before a loan of its own has come out: points that a lender would give.

Six hundred points are odds of 50 to 1 that a loan is paid back, and twenty more double them; who is usual in
everything has 587, which is a chance of default of some 3 %. That is the middle of what lenders to small
merchants tell of, and a statement of this file, not a measurement. Nothing here was fitted to anything: the
bins and points are what a person expects, and ``formicary train merchant_default`` replaces them as soon as
there are outcomes.

Amounts are minor units of a currency like the yuan, the euro or the dollar, and how large sales are counts
for little: nearly all of it is about shares and days, which have no currency.
"""

from __future__ import annotations

from typing import Final

from formicary.factory.models.judgement import JudgedColumn, Judgement
from formicary.factory.models.scorecard import PointsScale
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT

__all__ = ["JUDGEMENTS", "MERCHANT_JUDGEMENT"]

_SALES: Final = (
    JudgedColumn(
        name="sales_90d",
        ends=(3_000_00, 15_000_00, 60_000_00, 300_000_00),
        points=(-20, -6, 0, 5, 9),
        missing=-20,
        shares=(15, 30, 30, 15, 5),
    ),
    JudgedColumn(
        name="growth_30d",
        ends=(0.3, 0.6, 0.85, 1.2),
        points=(-35, -15, -4, 0, 3),
        missing=-25,
        shares=(5, 10, 20, 40, 20),
    ),
    JudgedColumn(
        name="payers_90d",
        ends=(3, 10, 30, 100),
        points=(-25, -10, 0, 6, 10),
        missing=-25,
        shares=(15, 20, 25, 25, 15),
    ),
    JudgedColumn(
        name="refunds_to_sales_90d",
        ends=(0.02, 0.06, 0.15),
        points=(3, 0, -8, -25),
        missing=0,
        shares=(60, 20, 10, 5),
    ),
    JudgedColumn(
        name="frauds_to_sales_365d",
        ends=(0.0, 0.001, 0.01),
        points=(0, -6, -25, -80),
        missing=0,
        shares=(90, 4, 2, 1),
    ),
)

_SINCE: Final = (
    JudgedColumn(
        name="days_known",
        ends=(90, 180, 365, 1_095),
        points=(-30, -12, 0, 8, 14),
        missing=-30,
        shares=(10, 15, 20, 35, 15),
    ),
    JudgedColumn(
        name="days_since_sale",
        ends=(2, 7, 14, 30),
        points=(4, 0, -10, -25, -45),
        missing=-45,
        shares=(60, 20, 8, 4, 3),
    ),
)

_OWED: Final = (
    JudgedColumn(
        name="debits_to_sales_90d",
        ends=(0.5, 0.95, 1.2),
        points=(6, 0, -8, -18),
        missing=-10,
        shares=(40, 35, 12, 8),
    ),
    JudgedColumn(
        name="debt_service_to_sales_90d",
        ends=(0.03, 0.08, 0.15, 0.3),
        points=(0, -4, -12, -25, -40),
        missing=0,
        shares=(70, 12, 7, 4, 2),
    ),
    JudgedColumn(name="loans_late_365d", ends=(0, 1), points=(0, -45, -90), missing=0, shares=(96, 3, 1)),
    JudgedColumn(name="loans_lost_365d", ends=(0,), points=(0, -150), missing=0, shares=(99, 1)),
    JudgedColumn(
        name="obligations_late_365d",
        ends=(0, 1, 3),
        points=(0, -15, -35, -60),
        missing=0,
        shares=(86, 8, 4, 2),
    ),
)

MERCHANT_JUDGEMENT: Final = Judgement(
    spec=MERCHANT_DEFAULT,
    scale=PointsScale(base=600.0, odds=50.0, to_double=20.0),
    start=587.0,
    columns=(*_SALES, *_SINCE, *_OWED),
)
"""The first model of ``merchant_default``."""

JUDGEMENTS: Final = (MERCHANT_JUDGEMENT,)
"""The models of the lending business that are declared and not learnt."""
