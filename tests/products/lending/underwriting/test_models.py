"""The model of loans that are not paid back, and by what the house lends before it can be learnt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from formicary.factory.models.asked import findings_of
from formicary.factory.models.conformance import check_judgement, check_model
from formicary.factory.models.table import TrainingTable, table_of
from formicary.products.lending.underwriting.features import FEATURES
from formicary.products.lending.underwriting.judgement import JUDGEMENTS, MERCHANT_JUDGEMENT
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT, MODELS


def drawn(rows: int = 500) -> TrainingTable:
    """Return merchants that are made up, and whether each defaults: by growth and what it owes."""
    chance = np.random.default_rng(7)
    sales = np.exp(chance.normal(14.0, 1.2, rows)).round()
    growth = np.exp(chance.normal(-0.1, 0.4, rows))
    columns: dict[str, Any] = {
        "sales_90d": sales,
        "sales_365d": sales * 4,
        "growth_30d": np.where(sales > 0, growth, np.nan),
        "payers_90d": chance.integers(1, 200, rows),
        "sales_per_payer_90d": 1 + chance.random(rows),
        "refunds_to_sales_90d": chance.beta(1, 30, rows),
        "frauds_to_sales_365d": np.where(chance.random(rows) < 0.9, 0, chance.beta(1, 80, rows)),
        "days_known": chance.integers(10, 2_000, rows),
        "days_since_sale": chance.exponential(3, rows),
        "debits_to_sales_90d": chance.gamma(3, 0.3, rows),
        "debt_service_to_sales_90d": np.where(chance.random(rows) < 0.1, np.nan, chance.beta(1, 12, rows)),
        "loans_late_365d": chance.poisson(0.1, rows),
        "loans_lost_365d": chance.poisson(0.03, rows),
        "obligations_late_365d": chance.poisson(0.3, rows),
    }
    odds = -1.2 - 2 * (growth - 1) + 1.5 * columns["loans_late_365d"] + columns["obligations_late_365d"]
    labels = (chance.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    return table_of(MERCHANT_DEFAULT, columns, labels)


def test_it_asks_what_is_there() -> None:
    """Specification, question and features fit each other."""
    assert MODELS == (MERCHANT_DEFAULT,)
    assert findings_of(MERCHANT_DEFAULT, FEATURES) == []


def test_it_keeps_the_promises_of_a_model() -> None:
    """Learnt from merchants that are made up: so few that chances may be off by more than the gate."""
    few = replace(MERCHANT_DEFAULT.gates, calibration_error=0.08)
    assert check_model(replace(MERCHANT_DEFAULT, trials=1, gates=few), drawn()) == []


def test_the_first_champion_keeps_them_too() -> None:
    """Declared points move as a person expects, and are finite where nothing is known."""
    assert JUDGEMENTS == (MERCHANT_JUDGEMENT,)
    assert check_judgement(MERCHANT_JUDGEMENT, drawn(200)) == []


def test_who_is_usual_has_the_chance_that_was_stated() -> None:
    """587 points: two shy of a doubling below 50 to 1; the best and the worst are far from it."""
    usual: dict[str, float] = {
        "sales_90d": 30_000_00,
        "sales_365d": 120_000_00,
        "growth_30d": 1.0,
        "payers_90d": 20,
        "sales_per_payer_90d": 2,
        "refunds_to_sales_90d": 0.04,
        "frauds_to_sales_365d": 0,
        "days_known": 300,
        "days_since_sale": 5,
        "debits_to_sales_90d": 0.8,
        "debt_service_to_sales_90d": 0,
        "loans_late_365d": 0,
        "loans_lost_365d": 0,
        "obligations_late_365d": 0,
    }
    better = usual | {"payers_90d": 500, "days_known": 2_000, "days_since_sale": 1, "growth_30d": 1.3}
    worse = usual | {"loans_late_365d": 2, "growth_30d": 0.4}
    columns = {name: [one[name] for one in (usual, better, worse)] for name in usual}
    chances = MERCHANT_JUDGEMENT.model().chances(MERCHANT_DEFAULT, columns)
    odds = (1 / chances - 1).round(6).tolist()
    expected = [50 * 2 ** ((points - 600) / 20) for points in (587, 587 + 10 + 14 + 4 + 3, 587 - 90 - 15)]
    assert odds == [round(one, 6) for one in expected]
