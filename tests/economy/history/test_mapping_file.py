"""A mapping that makes no sense is refused with its file, line and field."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from formicary.economy.history.mapping import code_of
from formicary.economy.history.mapping_file import MappingFile, MappingMalformed
from formicary.economy.history.reading import read_history
from tests.economy.history.kit import MAPPING, SALES, history, written


def test_a_mapping_is_read(tmp_path: Path) -> None:
    """Texts stay texts: a country's code is no boolean, a date no object, a number no other number."""
    mapping = written(tmp_path, MAPPING.replace("equals: 1", "in: [no, 2020-01-01, 007]")).mapping
    assert mapping.events[1].where[0].one_of == ["no", "2020-01-01", "007"]
    assert [code_of(mapping, event) for event in mapping.events] == [1_000, 1_001]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "why"),
    [
        ("currency: EUR", "currenzy: EUR", 2, "currenzy", "unknown field"),
        ("currency: EUR", "currency: XXX", 2, "currency", "not the code of an active currency"),
        ("source: shop", "source: Our Shop", 1, "source", "snake case"),
        ("source: shop\n", "", 1, "the mapping", "missing required field `source`"),
        ("format: csv}", "format: xls}", 4, "files.sales.format", "Invalid enum value"),
        ("format: csv}", "format: csv, sep: ;}", 4, "files.sales.sep", "unknown field"),
        ("format: csv}", "format: csv, separator: ab}", 4, "files.sales.separator", "one character"),
        ("{kind: merchant}", "{kind: shop}", 7, "parties.seller.kind", "Invalid enum value"),
        ("{kind: merchant}", "{kind: merchant, key: a}", 7, "parties.seller", "together"),
        ("{kind: merchant}", "{kind: merchant, key: a, file: f}", 7, "parties.seller.file", "no file 'f'"),
        ("seller: {kind", "Seller: {kind", 7, "parties.Seller", "snake case"),
        ("kind: fraud", "kind: sale", 9, "events[0].kind", "another event"),
        ("file: sales\n    key: id\n    at", "file: x\n    key: id\n    at", 10, "events[0].file", "no file"),
        ("    key: id\n    at", "    key: []\n    at", 11, "events[0].key", "at least one"),
        ("at: {column: at}", "at: {}", 12, "events[0].at", "a start and nothing else"),
        ("at: {column: at}", "at: {column: at, start: 2020-01-01}", 12, "events[0].at", "needs a step"),
        ("at: {column: at}", "at: {column: at, step: 1y}", 12, "events[0].at.step", "a duration"),
        ("at: {column: at}", "at: {start: soon}", 12, "events[0].at.start", "RFC 3339"),
        ("at: {column: at}", "at: {column: at, format: x, step: 1s}", 12, "events[0].at", "either a format"),
        ("payer: {party: buyer, key: buyer}", "payer: {}", 14, "events[0].transfer.payer", "either party"),
        ("payer: {party: buyer,", "payer: {party: bayer,", 14, "events[0].transfer.payer.party", "no party"),
        ("{party: seller, key: seller}", "{party: seller}", 15, "events[0].transfer.payee", "key or a value"),
        (
            "{party: seller, key: seller}",
            "{external: bank, key: id}",
            15,
            "events[0].transfer.payee",
            "no other fields",
        ),
        (
            "{party: seller, key: seller}",
            "{external: A Bank}",
            15,
            "events[0].transfer.payee.external",
            "snake case",
        ),
        ("amount: {column: amount}\n", "amount: {}\n", 16, "events[0].transfer.amount", "missing required"),
        (
            "amount: {column: amount}\n",
            "amount: {column: a, decimals: 12}\n",
            16,
            "events[0].transfer.amount.decimals",
            "0 to 9",
        ),
        (
            "amount: {column: amount}\n",
            "amount: {column: a, decimals: two}\n",
            16,
            "events[0].transfer.amount.decimals",
            "Expected `int",
        ),
        (
            "amount: {column: amount}\n",
            "amount: {column: a, decimals: 2, unit: minor}\n",
            16,
            "events[0].transfer.amount",
            "no decimals",
        ),
        (
            "amount: {column: amount}\n",
            "amount: {column: a}\n      code: 70000\n",
            17,
            "events[0].transfer.code",
            "65,535",
        ),
        ("currency: EUR\n", "", 12, "events[0].transfer", "neither a currency"),
        ("equals: 1}", "equals: 1, prefix: 2}", 20, "events[1].where[0]", "exactly one"),
        (
            "{event: sale, key: id}",
            "{event: sales, key: id}",
            24,
            "events[1].fact.ids.sale.event",
            "no event",
        ),
        ("{event: sale, key: id}", "{event: sale}", 24, "events[1].fact.ids.sale", "has a key"),
        ("{event: sale, key: id}", "{key: id}", 24, "events[1].fact.ids.sale", "either party or event"),
        ("{event: sale, key: id}", "{evnt: sale, key: id}", 24, "events[1].fact.ids.sale.evnt", "unknown"),
        ("numbers: {fraud: fraud}", "numbers: {buyer: fraud}", 22, "events[1].fact", "of its own"),
        ("numbers: {fraud: fraud}", "numbers: {Fraud: fraud}", 26, "events[1].fact.numbers.Fraud", "snake"),
        ("known_after: 7d", "known_after: later", 28, "events[1].fact.known_after", "a duration"),
        ("    fact:", "    lines: true\n    fact:", 22, "events[1].lines", "add up"),
        ("    fact:\n      ids:", "    transfer:\n      ids:", 23, "events[1].transfer.ids", "unknown field"),
        ("source: shop", "source: shop\nsource: shop", 2, "source", "written twice"),
        ("source: shop", "source: [shop", 2, "the mapping", "expected"),
    ],
)
def test_a_fault_is_told_with_its_line(
    tmp_path: Path, *, old: str, new: str, line: int, field: str, why: str
) -> None:
    """Whoever wrote it finds it at once."""
    assert old in MAPPING
    with pytest.raises(MappingMalformed, match=f"line {line}, {re.escape(field)}: .*{re.escape(why)}"):
        written(tmp_path, MAPPING.replace(old, new, 1))


def test_amounts_of_a_fact_need_a_currency(tmp_path: Path) -> None:
    """Without it nobody knows what a minor unit is."""
    text = (
        MAPPING.replace("currency: EUR\n", "")
        .replace("amount: {column: amount}", "amount: {column: amount}\n      currency_column: currency", 1)
        .replace("numbers: {fraud: fraud}", "amounts: {lost: amount}")
        .replace("reals: {amount: amount}", "reals: {}")
    )
    with pytest.raises(MappingMalformed, match=r"events\[1\].fact.amounts: there is no currency"):
        written(tmp_path, text)


def test_two_events_of_one_code(tmp_path: Path) -> None:
    """Definitions tell events apart by their codes."""
    event = MAPPING[MAPPING.index("  - kind: sale") : MAPPING.index("  - kind: fraud")]
    other = event.replace("kind: sale", "kind: gift").rstrip() + "\n      code: 1000\n"
    with pytest.raises(MappingMalformed, match=r"events\[0\].transfer: another event's transfers"):
        written(tmp_path, MAPPING + other)


def test_two_sides_of_one_external_account(tmp_path: Path) -> None:
    """Money that goes in a circle outside is nothing that happened here."""
    text = MAPPING.replace(
        "{party: buyer, key: buyer}\n      payee: {party: seller, key: seller}",
        "{external: bank}\n      payee: {external: bank}",
    )
    with pytest.raises(MappingMalformed, match="payer and payee are the same"):
        written(tmp_path, text)


@pytest.mark.parametrize("text", ["source: a\nfiles: {}\nevents: []\n", "", "[1]", "7", "a: b: c", "\0"])
def test_what_is_no_mapping(tmp_path: Path, text: str) -> None:
    """Nothing, another document, or nothing to do."""
    with pytest.raises(MappingMalformed, match=r"line \d, "):
        written(tmp_path, text)


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file, no text, or far too much of it."""
    with pytest.raises(MappingMalformed, match="cannot be read"):
        MappingFile(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"source: caf\xe9")
    with pytest.raises(MappingMalformed, match="cannot be read"):
        MappingFile(tmp_path / "latin.yaml")
    monkeypatch.setattr("formicary.economy.history.mapping_file.MAPPING_BYTES_MAX", 10)
    with pytest.raises(MappingMalformed, match="more than 10 bytes"):
        written(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("key: buyer}", "key: customer}", r"events\[0\]: the file sales has no column 'customer'"),
        ("buyer: {kind: person}", "buyer: {kind: person, file: sales, key: who}", "parties.buyer"),
        (
            "path: sales.csv",
            'path: "${FORMICARY_DATA}/sales.csv"',
            "files.sales.path: FORMICARY_DATA is not set",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_its_files(tmp_path: Path, old: str, new: str, field: str) -> None:
    """A column or folder that is not there is the mapping's fault, and told as such."""
    mapping = written(tmp_path, MAPPING.replace(old, new, 1), sales=SALES)
    with pytest.raises(MappingMalformed, match=rf"line \d+, {field}"):
        read_history(mapping, data_sets=None, now=1)


def test_data_sets_are_found(tmp_path: Path) -> None:
    """``${FORMICARY_DATA}`` is the folder of data sets."""
    found = history(
        tmp_path, MAPPING.replace("path: sales.csv", 'path: "${FORMICARY_DATA}/sales.csv"'), sales=SALES
    )
    assert found.events[0].read == 4
