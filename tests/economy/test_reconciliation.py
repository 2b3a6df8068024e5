"""Where every line went."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from formicary.economy.invoices import documents
from formicary.economy.merchant_book import Kind, merchant_book
from formicary.economy.reconciliation import ReconciliationRow, reconcile, total_row
from tests.economy.kit import lines
from tests.economy.test_invoices import LINE


def test_kinds_that_did_not_occur_are_shown() -> None:
    """A reader sees that there was none, instead of wondering."""
    rows = reconcile(merchant_book("shop", documents(lines())).documents)
    assert [row.name for row in rows] == [kind.value for kind in Kind]
    assert total_row(rows) == ReconciliationRow(name="total", lines=0, documents=0, mills=0, pence=0)


@given(st.lists(LINE, max_size=30))
def test_the_rows_sum_to_the_file(rows: list[tuple[str, int | None, int, int]]) -> None:
    """No line is in two kinds or in none, and what moved plus what was left over is the sum."""
    found = total_row(reconcile(merchant_book("shop", documents(lines(*rows))).documents))
    assert found.lines == len(rows)
    assert found.mills == sum(quantity * price for _, _, quantity, price in rows)
    assert found.mills == 10 * found.pence + found.left_over_mills
