"""Many parties are told together what each is told alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from formicary.base.purposes import Purpose
from formicary.factory.engine.columnar import ids_of
from formicary.factory.engine.feature_reads import UnknownFeatureSet, tell_all, tell_features
from formicary.factory.models.errors import UnknownModel
from formicary.products.lending.underwriting.features import MERCHANT_CREDIT
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from tests.products.lending.nightly.lender import CUSTOMER, Lender

SHOPS = (11, 12, 13)
GONE = 14


def test_features_and_chances_are_those_of_one(tmp_path: Path) -> None:
    """To the bit, with what is withheld; a stranger is told nothing."""
    lender = Lender(tmp_path)
    lender.has(*SHOPS, GONE)
    lender.has(CUSTOMER, amount=10_000_000_00)
    lender.opens_for_business()
    lender.trades((*SHOPS, GONE), 9)
    lender.disagrees(GONE)
    parties = (*SHOPS, GONE, 77)
    state, now = lender.engine.state, lender.clock.now()
    told = tell_all(
        state,
        MERCHANT_CREDIT.name,
        purpose=Purpose.CREDIT,
        at=now,
        asking={"party": ids_of(parties), "amount": np.full(len(parties), 5)},
    )
    chances = state.assessors.assess_all(MERCHANT_DEFAULT.name, told.names, told.values)
    assert chances is not None
    assert chances.hash == lender.model.hash
    for place, party in enumerate(parties):
        one = tell_features(
            state, MERCHANT_CREDIT.name, purpose=Purpose.CREDIT, at=now, asking={"party": party, "amount": 5}
        )
        row = [None if np.isnan(value) else value for value in told.values[place].tolist()]
        assert row == list(one.values.values())
        assert bool(told.withheld[place]) == bool(one.withheld)
        alone = state.assessors.assess(MERCHANT_DEFAULT.name, one.values)
        assert alone is not None
        assert chances.chances[place] == alone.chance
    assert told.withheld.tolist() == [0, 0, 0, 1, 1]


def test_what_nobody_declares(tmp_path: Path) -> None:
    """Sets and models that are not there are refused; a model whose columns are not told is not asked."""
    lender = Lender(tmp_path)
    state, asking = lender.engine.state, {"party": ids_of([11])}
    with pytest.raises(UnknownFeatureSet):
        tell_all(state, "merchants", purpose=Purpose.CREDIT, at=lender.clock.now(), asking=asking)
    with pytest.raises(UnknownModel):
        state.assessors.assess_all("merchants", (), np.zeros((1, 0)))
    assert state.assessors.assess_all(MERCHANT_DEFAULT.name, ("sales_90d",), np.zeros((1, 1))) is None
    lender.opens_for_business()
    assert state.assessors.assess_all(MERCHANT_DEFAULT.name, ("sales_90d",), np.zeros((1, 1))) is None
