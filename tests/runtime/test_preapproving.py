"""The run over all parties by itself: in every currency that is lent in, as far as it was not done."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.factory.engine.client import EngineRefused
from formicary.products.lending.nightly import preapproval_run
from formicary.products.lending.servicing.terms import DAY
from formicary.runtime.preapproving import lending_currencies, preapprove
from tests.products.lending.nightly.lender import CUSTOMER, Lender
from tests.products.lending.servicing.bank import EUR
from tests.runtime.test_closing import Asked

SHOPS = (11, 12, 13)


def test_all_parties_are_looked_at_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Part by part; asked again, the run of the day is what it was."""
    monkeypatch.setattr(preapproval_run, "PREAPPROVE_PARTIES_MAX", 2)
    lender = Lender(tmp_path)
    engine, told = Asked(lender), list[tuple[str, int, int]]()
    assert lending_currencies(engine) == []
    assert preapprove(engine, lender.clock.now(), lambda *one: told.append(one)) == []
    lender.has(*SHOPS)
    lender.has(CUSTOMER, amount=10_000_000_00)
    lender.opens_for_business()
    lender.trades(SHOPS, 40)
    lender.clock.set(lender.clock.now() + DAY // 5)
    lender.has_champion("")
    assert preapprove(engine, lender.clock.now(), lambda *one: told.append(one)) == [{"currency": "EUR"}]
    assert told == []
    lender.has_champion(lender.model.hash)
    (run,) = preapprove(engine, lender.clock.now(), lambda *one: told.append(one))
    assert run == {"currency": "EUR", "offers": 0, "parties": 4, "offered": 3, "limits": run["limits"]}
    assert run["limits"] == sum(int(lender.standing(shop)["limit"]) for shop in SHOPS)
    assert told == [("EUR", 0, 4), ("EUR", 2, 4)]
    assert preapprove(engine, lender.clock.now(), lambda *one: told.append(one), currency=EUR) == [run]
    with pytest.raises(EngineRefused):
        preapprove(engine, lender.clock.now() + 2 * DAY, lambda *one: told.append(one), currency=EUR)
