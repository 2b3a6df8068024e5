"""The real merchant's year, every line accounted for."""

from __future__ import annotations

from formicary.economy.invoices import LINES, documents
from formicary.economy.merchant_book import Kind, merchant_book
from formicary.economy.online_retail import DATA_SET, read_online_retail
from formicary.economy.reconciliation import reconcile, total_row
from tests.economy.kit import real_data


def test_every_line_of_the_year_is_accounted_for() -> None:
    """The kinds hold all 541,909 lines and sum to GBP 9,747,747.934, the file's published sum."""
    lines = read_online_retail(real_data(DATA_SET))
    assert lines.schema == LINES
    book = merchant_book("online_retail", documents(lines))
    rows = reconcile(book.documents)
    total = total_row(rows)
    assert (total.lines, total.documents, total.mills) == (541_909, 25_900, 9_747_747_934)
    assert (total.pence, total.left_over_mills) == (974_774_793, 4)
    found = {row.name: (row.lines, row.documents, row.pence) for row in rows}
    assert found == {
        Kind.PAYMENT: (397_917, 18_532, 891_140_790),
        Kind.GUEST_PAYMENT: (132_586, 1_427, 174_421_458),
        Kind.ESCROW_REFUND: (3_640, 1_622, -42_055_210),
        Kind.REFUND: (4_828, 1_825, -16_564_289),
        Kind.GOODWILL_REFUND: (437, 207, -2_514_710),
        Kind.GUEST_GOODWILL_REFUND: (383, 182, -28_547_040),
        Kind.ADJUSTMENT: (3, 3, -1_106_206),
        Kind.NOTHING_TO_PAY: (779, 766, 0),
        Kind.STOCK_CORRECTION: (1_336, 1_336, 0),
    }
    assert (book.customers, book.guests, book.credit_limit) == (4_371, 1_609, 63_467)
