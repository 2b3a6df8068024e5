"""Every reason to reject a row is reached, with its row and column; what is good is read exactly."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from formicary.economy.history.rejections import Reason
from formicary.factory.engine.requests import CommandRequest
from formicary.factory.facts import RecordFacts
from tests.economy.history.kit import HEADER, MAPPING, NOW, SALES, history, rejected

GOOD = "1,2020-01-01,ann,s1,12.50,0\n"


@pytest.mark.parametrize(
    ("row", "event", "column", "reason"),
    [
        (",2020-01-01,ann,s1,1,0", "sale", "id", Reason.MISSING_VALUE),
        ("2,,ann,s1,1,0", "sale", "at", Reason.MISSING_VALUE),
        ("2,2020-01-01,,s1,1,0", "sale", "buyer", Reason.MISSING_VALUE),
        ("2,2020-01-01,ann,s1,,0", "sale", "amount", Reason.MISSING_VALUE),
        ("2,2020-01-01,ann,s1,1 200,0", "sale", "amount", Reason.NOT_A_NUMBER),
        ("2,2020-01-01,ann,s1,1.,0", "sale", "amount", Reason.NOT_A_NUMBER),
        ("2,2020-01-01,ann,s1,1e3,0", "sale", "amount", Reason.NOT_A_NUMBER),
        ("2,2020-01-01,ann,s1,1.000,0", "sale", "amount", Reason.TOO_MANY_DECIMALS),
        (f"2,2020-01-01,ann,s1,{2**63},0", "sale", "amount", Reason.NUMBER_TOO_LARGE),
        ("2,2020-01-01,ann,s1,-1,0", "sale", "amount", Reason.NEGATIVE_AMOUNT),
        ("2,01.02.2020,ann,s1,1,0", "sale", "at", Reason.UNPARSABLE_TIME),
        ("2,2020-02-30,ann,s1,1,0", "sale", "at", Reason.UNPARSABLE_TIME),
        ("2,1969-12-31,ann,s1,1,0", "sale", "at", Reason.BEFORE_1970),
        ("2,2026-01-01T00:00:01Z,ann,s1,1,0", "sale", "at", Reason.IN_THE_FUTURE),
        ("2,9999-12-31,ann,s1,1,0", "sale", "at", Reason.IN_THE_FUTURE),
        ("1,2020-01-02,bob,s1,1,0", "sale", "id", Reason.DUPLICATE_KEY),
        ("2,2025-12-30,ann,s1,1,1", "fraud", "at", Reason.NOT_KNOWN_YET),
    ],
)
def test_a_row_is_rejected(tmp_path: Path, row: str, event: str, column: str, reason: Reason) -> None:
    """The first thing that is wrong is told; the rows around it come through."""
    found = history(tmp_path, sales=f"{HEADER}{GOOD}{row}\n3,2020-01-03,bob,s1,3,0\n")
    assert (event, 2, column, reason) in rejected(found.rejected)
    assert len([one for one in rejected(found.rejected) if one[0] == event]) == 1
    assert {1, 3} <= set(found.events[0].frame["row"].to_list())


@pytest.mark.parametrize(
    ("amount", "reason"),
    [("1.5", Reason.NOT_A_NUMBER), ("inf", Reason.NOT_A_NUMBER), ("", Reason.MISSING_VALUE)],
)
def test_a_number_of_a_fact_is_rejected(tmp_path: Path, amount: str, reason: Reason) -> None:
    """Integers are integers, reals are finite, and neither is guessed."""
    text = MAPPING.replace("numbers: {fraud: fraud}", "numbers: {cents: amount}").replace(
        "reals: {amount: amount}", "reals: {}"
    )
    row = f"{HEADER}1,2020-01-01,ann,s1,{amount},1\n"
    assert rejected(history(tmp_path, text, sales=row).events[1].rejected) == [("fraud", 1, "amount", reason)]
    if amount != "1.5":
        found = history(tmp_path, sales=row).events[1]
        assert rejected(found.rejected) == [("fraud", 1, "amount", reason)]


def test_an_amount_of_a_fact_is_kept_in_minor_units(tmp_path: Path) -> None:
    """Among the fact's numbers, and below zero where a balance is; a fraction of a cent is no amount."""
    text = MAPPING.replace("numbers: {fraud: fraud}", "amounts: {left: amount}").replace(
        "reals: {amount: amount}", "reals: {}"
    )
    rows = "".join(
        f"{key},2020-01-01,ann,s1,{amount},1\n" for key, amount in enumerate(("1.5", "-20", "0.005"))
    )
    found = history(tmp_path, text, sales=HEADER + rows)
    assert found.events[1].frame["number.left"].to_list() == [150, -2_000]
    assert rejected(found.events[1].rejected) == [("fraud", 3, "amount", Reason.TOO_MANY_DECIMALS)]
    told = [
        asked.numbers
        for step in found.plan.steps(0)
        for one in step.requests
        if isinstance(one, CommandRequest) and isinstance(asked := one.command, RecordFacts)
    ]
    assert told == [{"left": [150, -2_000]}]


def test_a_number_of_a_fact_that_is_too_large(tmp_path: Path) -> None:
    """64 bits are what a fact holds."""
    text = MAPPING.replace("numbers: {fraud: fraud}", "numbers: {cents: amount}")
    found = history(tmp_path, text, sales=f"{HEADER}1,2020-01-01,ann,s1,{2**64},1\n")
    assert rejected(found.events[1].rejected) == [("fraud", 1, "amount", Reason.NUMBER_TOO_LARGE)]


def test_sides_that_are_the_same(tmp_path: Path) -> None:
    """Nobody pays themselves; a buyer and a seller of one key are two parties."""
    text = MAPPING.replace("{party: seller, key: seller}", "{party: buyer, key: seller}")
    rows = f"{HEADER}1,2020-01-01,ann,ann,1,0\n"
    assert rejected(history(tmp_path, text, sales=rows).rejected) == [
        ("sale", 1, "seller", Reason.PAYER_IS_PAYEE)
    ]
    assert rejected(history(tmp_path, sales=rows).rejected) == []


def test_a_party_that_no_file_declares(tmp_path: Path) -> None:
    """Where a file lists the parties, a key that is not in it is a mistake; a list may name one twice."""
    text = MAPPING.replace("files:\n", "files:\n  people: {path: people.csv, format: csv}\n").replace(
        "buyer: {kind: person}", "buyer: {kind: person, file: people, key: name}"
    )
    found = history(tmp_path, text, sales=SALES, people='name\nann\nann\n""\ncid\n')
    assert rejected(found.rejected) == [
        ("buyer", 3, "name", Reason.MISSING_VALUE),
        ("fraud", 2, "buyer", Reason.UNKNOWN_PARTY),
        ("sale", 2, "buyer", Reason.UNKNOWN_PARTY),
        ("sale", 4, "buyer", Reason.UNKNOWN_PARTY),
    ]
    # Two buyers of the file, whether they bought or not, and two sellers.
    assert len(found.plan.parties) == 4


def test_currencies_of_a_column(tmp_path: Path) -> None:
    """Each has its own decimals, its own ledger and wallet; an unknown one is rejected."""
    text = MAPPING.replace("currency: EUR\n", "").replace(
        "amount: {column: amount}", "amount: {column: amount}\n      currency_column: fraud"
    )
    rows = [("EUR", "1.50"), ("JPY", "150"), ("JPY", "1.5"), ("KWD", "1.234"), ("eur", "1"), ("", "1")]
    text = text[: text.index("  - kind: fraud")]
    sales = HEADER + "".join(
        f"{n},2020-01-01,ann,s1,{amount},{code}\n" for n, (code, amount) in enumerate(rows)
    )
    found = history(tmp_path, text, sales=sales)
    assert found.events[0].frame.select("ledger", "amount").rows() == [(978, 150), (392, 150), (414, 1_234)]
    assert rejected(found.rejected) == [
        ("sale", 3, "amount", Reason.TOO_MANY_DECIMALS),
        ("sale", 5, "fraud", Reason.UNKNOWN_CURRENCY),
        ("sale", 6, "fraud", Reason.MISSING_VALUE),
    ]
    assert len(found.plan.accounts) == 6


@pytest.mark.parametrize(
    ("amount", "value", "minor", "turned"),
    [
        ("{column: amount, unit: minor}", "-5", None, False),
        ("{column: amount, unit: minor, sign: absolute}", "-5", 5, False),
        ("{column: amount, unit: minor, sign: reverse}", "-5", 5, True),
        ("{column: amount, sign: reverse}", "1.5", 150, False),
        ("{column: amount, decimals: 0}", "3", 300, False),
        ("{column: amount, decimals: 4}", "1.2300", 123, False),
        ("{column: amount, decimals: 4}", "1.2345", None, False),
        ("{column: amount, decimals: 4, round: half_even}", "1.2350", 124, False),
        ("{column: amount, decimals: 4, round: half_even}", "1.2250", 122, False),
        ("{column: amount, decimals: 4, round: half_even, sign: reverse}", "-1.2250", 122, True),
        ("{column: amount, decimals: 4, round: half_even, sign: reverse}", "-1.2250001", None, False),
        ("{column: amount, times: fraud}", "1.50", 450, False),
        ("{column: amount, decimals: 0}", str(2**60), None, False),
    ],
)
def test_what_a_number_says(
    tmp_path: Path, *, amount: str, value: str, minor: int | None, turned: bool
) -> None:
    """Units, signs, factors and named roundings."""
    text = MAPPING.replace("amount: {column: amount}", f"amount: {amount}")
    text = text[: text.index("  - kind: fraud")]
    frame = history(tmp_path, text, sales=f"{HEADER}1,2020-01-01,ann,s1,{value},3\n").events[0].frame
    assert frame["amount"].to_list() == ([] if minor is None else [minor])
    if minor is not None:
        assert (frame["payer_kind"][0] == 2) == turned


LINES = """\
source: shop
currency: EUR
files:
  sales: {path: sales.csv, format: csv}
parties:
  buyer: {kind: person}
  seller: {kind: merchant}
events:
  - kind: invoice
    file: sales
    key: id
    lines: true
    at: {column: at}
    transfer:
      payer: {party: buyer, key: buyer, or_external: guests}
      payee: {party: seller, value: us}
      amount: {column: amount, decimals: 3, times: fraud, round: half_even}
"""


def test_lines_add_up(tmp_path: Path) -> None:
    """An invoice is rounded once, at the time of its first line; it is good whole or not at all."""
    rows = [
        ("1", "2020-01-02", "ann", "0.125", 1),
        ("1", "2020-01-01", "ann", "0.005", 4),
        ("2", "2020-01-01", "", "1", 1),
        ("3", "2020-01-01", "ann", "1", 1),
        ("3", "2020-01-01", "ann", "x", 1),
        ("4", "2020-01-01", "ann", "1", 1),
        ("4", "2020-01-01", "bob", "1", 1),
        ("5", "2020-01-01", "ann", "1", 1),
        ("5", "2020-01-01", "ann", "2", -1),
        ("6", "2020-01-01", "ann", "9000000000000000", 1),
        ("6", "2020-01-01", "ann", "9000000000000000", 1),
    ]
    sales = HEADER + "".join(f"{key},{at},{who},s,{amount},{n}\n" for key, at, who, amount, n in rows)
    found = history(tmp_path, LINES, sales=sales)
    [invoices] = found.events
    assert invoices.read == len(rows)
    good = invoices.frame.sort("number").select("number", "row", "amount", "payer_kind").rows()
    assert good == [(1, 2, 14, 1), (2, 3, 100, 0)]
    assert rejected(found.rejected) == [
        ("invoice", 4, "id", Reason.LINE_REJECTED),
        ("invoice", 5, "amount", Reason.NOT_A_NUMBER),
        ("invoice", 6, "id", Reason.LINES_DIFFER),
        ("invoice", 7, "id", Reason.LINES_DIFFER),
        ("invoice", 8, "amount", Reason.NEGATIVE_AMOUNT),
        ("invoice", 9, "amount", Reason.NEGATIVE_AMOUNT),
        ("invoice", 10, "id", Reason.NUMBER_TOO_LARGE),
        ("invoice", 11, "id", Reason.NUMBER_TOO_LARGE),
    ]


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("{column: buyer, equals: ann}", [1, 3]),
        ("{column: buyer, equals: ann, not: true}", [2, 4]),
        ("{column: id, in: [1, 4]}", [1, 4]),
        ("{column: seller, prefix: s1}", [1, 2]),
        ("{column: seller, prefix: [s2, x]}", [3, 4]),
        ("{column: fraud, positive: true}", [2]),
        ("{column: fraud, positive: false}", [1, 3, 4]),
        ("{column: fraud, missing: true}", []),
        ("{column: fraud, missing: false}", [1, 2, 3, 4]),
    ],
)
def test_conditions(tmp_path: Path, where: str, rows: list[int]) -> None:
    """Rows of another kind are no rows of this event, and nothing is wrong with them."""
    text = MAPPING.replace("    key: id\n", f"    key: id\n    where: [{where}]\n", 1)
    found = history(tmp_path, text, sales=SALES).events[0]
    assert (found.frame["row"].to_list(), found.read) == (rows, len(rows))


def test_nothing_of_a_kind(tmp_path: Path) -> None:
    """A file without rows, or without such rows, is no mistake."""
    for sales in (HEADER, SALES.replace(",1\n", ",0\n")):
        found = history(tmp_path, sales=sales)
        assert len(found.events[1].frame) == 0
        assert len(found.rejected) == 0


def test_a_file_in_batches_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file is cut changes nothing: not the duplicates, not the row numbers."""
    sales = HEADER + "".join(f"{n % 40},2020-01-01,b{n % 3},s1,{n},{n % 2}\n" for n in range(100))
    whole = history(tmp_path, sales=sales)
    monkeypatch.setattr("formicary.economy.history.sources.IMPORT_BATCH_ROWS", 7)
    cut = history(tmp_path, sales=sales)
    assert cut.plan.events.equals(whole.plan.events)
    assert rejected(cut.rejected) == rejected(whole.rejected)


def test_the_same_rows_from_every_format(tmp_path: Path) -> None:
    """An id depends on what a key says, not on whether text, integers or binary fractions say it."""
    csv = history(tmp_path, sales=SALES).events[0].frame
    text = MAPPING.replace("path: sales.csv, format: csv", "path: sales.parquet, format: parquet")
    frame = pl.read_csv(tmp_path / "sales.csv").with_columns(
        pl.col("id").cast(pl.Float64), pl.col("at").str.slice(0, 10).str.to_date()
    )
    frame.write_parquet(tmp_path / "sales.parquet")
    parquet = history(tmp_path, text).events[0].frame
    same = ["row", "id_high", "id_low", "number", "payer_low", "payee_low", "ledger", "amount"]
    assert parquet.select(same).equals(csv.select(same))
    assert (parquet["at"] <= NOW).all()
