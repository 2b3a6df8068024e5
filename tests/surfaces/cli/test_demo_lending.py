"""The demo's year of lending, shortened, on a ledger in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from formicary.economy import borrowers
from formicary.economy.invoices import documents
from formicary.economy.merchant_book import merchant_book
from formicary.economy.moments import ReplayRefused
from formicary.economy.small_merchant import small_merchant
from formicary.factory.engine.requests import command_request
from formicary.products.lending.applications.house import SetCreditPolicy, house_id
from formicary.products.lending.product import POLICIES
from formicary.surfaces.cli import demo_lending
from formicary.surfaces.cli.demo_lending import LendingYear, Line
from formicary.surfaces.cli.demo_lending_tables import lending_document, lending_result, write_lending
from formicary.surfaces.cli.demo_merchant import replay_merchant
from tests.surfaces.cli.factory_kit import MemoryFactory

BOOK = merchant_book("small", documents(small_merchant(seed=1, invoices=400)))
"""Some weeks of sales."""
NIGHTS = 150


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few people, an offer after a month, and losses soon."""
    monkeypatch.setattr(demo_lending, "_PEOPLE", 40)
    monkeypatch.setattr(demo_lending, "_PREAPPROVED_AT", 20)
    monkeypatch.setattr(demo_lending, "_DRAWN_AT", {20: 50, 24: 25})
    monkeypatch.setattr(borrowers, "_STOP_PERCENT", 60)
    credit = demo_lending._SETTINGS.credit | {"history_days_min": 0}
    close = {"charge_off_days": 20, "line_charge_off_days": 20}
    settings = structs.replace(demo_lending._SETTINGS, credit=credit, close=close)
    monkeypatch.setattr(demo_lending, "_SETTINGS", settings)


@pytest.fixture
def factory(tmp_path: Path) -> MemoryFactory:
    """Return an empty factory at the merchant's first moment."""
    return MemoryFactory(BOOK.moments[0].at, tmp_path)


def test_a_line_is_offered_drawn_collected_and_paid_back(
    factory: MemoryFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    """The merchant's balance is the file's sum and what lending gave less what it took; nothing differs."""
    year = LendingYear(factory, "small", BOOK, nights=NIGHTS)
    merchant = replay_merchant(factory, BOOK, year.moments())
    result = lending_result(year)
    assert merchant.reconciles
    assert result.reconciles
    assert (result.closed, result.differences) == (NIGHTS, 0)
    line = result.line
    assert 0 < line.drawn == result.merchant.lent == line.limit * 50 // 100 + line.limit * 25 // 100
    assert line.effective_rate > 0
    assert result.merchant.owed == 0
    assert result.merchant.repaid == line.drawn
    collected = result.merchant.repaid + result.merchant.paid - line.repaid_at_once
    assert collected > 0
    assert merchant.lent == -result.merchant.paid < 0
    town = result.town
    assert sum(result.states.values()) == 40
    assert result.states["charged_off"] > 0
    assert town.lent + town.earned == town.repaid + town.paid + town.owed + town.lost
    assert town.allowance > 0
    document = lending_document(result)
    assert document["reconciles"] is True
    assert document["portfolio"]["as_of"]
    write_lending(result)
    write_lending(replace(result, line=Line()))
    out = capsys.readouterr().out
    assert "effective annual rate" in out
    assert "business dates closed" in out
    assert "it has not sold for long enough" in out


def test_what_other_data_refuse_ends_the_replay(factory: MemoryFactory) -> None:
    """A house that lends by other settings under the same names is not the demo's."""
    year = LendingYear(factory, "small", BOOK, nights=9)
    other = SetCreditPolicy(subject=house_id(826), currency=826, settings=demo_lending._SETTINGS)
    key = "small lending policy 826"
    changed = structs.replace(other, settings=structs.replace(other.settings, loss=1))
    factory.execute([command_request(POLICIES.name, changed, principal="demo", key=key)])
    with pytest.raises(ReplayRefused, match="refused"):
        list(year.moments())
