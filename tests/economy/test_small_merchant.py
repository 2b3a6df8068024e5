"""The invented merchant."""

from __future__ import annotations

from formicary.economy.invoices import LINES, documents
from formicary.economy.merchant_book import merchant_book
from formicary.economy.reconciliation import reconcile
from formicary.economy.small_merchant import small_merchant


def test_it_is_repeated() -> None:
    """The same seed gives the same lines, another seed others."""
    lines = small_merchant(seed=1, invoices=50)
    assert lines.schema == LINES
    assert lines.equals(small_merchant(seed=1, invoices=50))
    assert not lines.equals(small_merchant(seed=2, invoices=50))


def test_every_kind_occurs() -> None:
    """A demo without the real data still shows each rule."""
    book = merchant_book("small", documents(small_merchant(seed=1, invoices=500)))
    rows = reconcile(book.documents)
    assert [row.name for row in rows if row.documents == 0] == []
    assert book.credit_limit > 0


def test_rounding_occurs() -> None:
    """Some invoice has thousandths that rounding leaves over."""
    rows = reconcile(merchant_book("small", documents(small_merchant(seed=1, invoices=500))).documents)
    assert sum(row.left_over_mills for row in rows) != 0
