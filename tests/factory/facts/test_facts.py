"""Facts: taken down as they were told, counted by source, and never dated ahead."""

from __future__ import annotations

import msgspec

from formicary.base.limits import BLOCK_ROWS, FACT_FIELDS_MAX, FACTS_BYTES_MAX, FACTS_PER_EVENT_MAX
from formicary.factory.engine.conformance import check_product
from formicary.factory.facts import FACTS_PRODUCT, FactInTheFuture, MalformedFact
from formicary.factory.journal.fact_columns import facts_of
from tests.factory.facts.kit import SOURCE, START, Archive, hexed, told


def test_the_product_keeps_the_contract() -> None:
    """Names, types, no free text, and what it does with samples."""
    assert check_product(FACTS_PRODUCT) == []


def test_facts_are_taken_down_as_told(archive: Archive) -> None:
    """The event says of whom, what and when; its columns are those of the command."""
    assert archive.source() is None
    assert archive.records(told()) == ""
    (event,) = archive.events()
    assert (event.subject, event.version) == (SOURCE, 1)
    found = facts_of(event.body)
    assert (found.kind, found.at.tolist()) == ("label", [5, 6])
    assert found.ids["payment"].tolist() == [[2**63, 1], [0, 2]]
    assert found.numbers["is_fraud"].tolist() == [0, 1]
    assert [value.hex() for value in found.reals["share"].tolist()] == [(0.5).hex(), (-0.0).hex()]
    archive.require_refolds()


def test_a_missing_real_is_no_number(archive: Archive) -> None:
    """Whoever folds it finds NaN, always of the same bits."""
    assert archive.records(told(reals={"share": [None, 0.5]})) == ""
    shares = facts_of(archive.events()[0].body).reals["share"]
    assert shares.view("u8").tolist() == [0x7FF8 << 48, 0x3FE0 << 48]
    archive.require_refolds()


def test_a_source_is_counted(archive: Archive) -> None:
    """How many facts, in how many events, and the latest time, whatever order they come in."""
    for times in ([7, 9], [8, 3]):
        assert archive.records(told(at=times)) == ""
    known = archive.source()
    assert known is not None
    assert (known["facts"], known["events"], known["latest"]) == (4, 2, 9)
    archive.engine.recover()
    assert archive.source() == known


def test_a_fact_needs_no_fields(archive: Archive) -> None:
    """That it was so, and when, may be all there is to tell."""
    assert archive.records(told(at=[5], ids={}, numbers={}, reals={})) == ""
    archive.require_refolds()


def test_nothing_is_told_ahead(archive: Archive) -> None:
    """What is so now is told at the earliest now; a source with a wrong clock is told so."""
    assert archive.records(told(at=[5, START])) == ""
    assert archive.records(told(at=[5, START + 3_600 * 10**9])) == FactInTheFuture.code
    assert len(archive.events()) == 1


def test_a_malformed_fact_leaves_nothing(archive: Archive) -> None:
    """It is refused like any other command, and the engine goes on."""
    assert archive.records(told(at=[])) == MalformedFact.code
    assert archive.events() == []
    assert archive.records(told()) == ""


def test_a_full_event(archive: Archive) -> None:
    """As many facts as there may be, of an id and a small number, fit."""
    rows = range(FACTS_PER_EVENT_MAX)
    full = told(
        at=[START - row for row in rows],
        ids={"payment": [hexed(2**128 - 1 - row) for row in rows]},
        numbers={"is_fraud": [row % 2 for row in rows]},
        reals={},
    )
    assert archive.records(full) == ""
    (event,) = archive.events()
    assert len(event.body) <= FACTS_BYTES_MAX


def test_an_event_that_is_too_large(archive: Archive) -> None:
    """Wide facts come with fewer rows at a time: the journal is read in blocks, and a block is one value."""
    numbers = {f"field_{number}": [2**62] * 200 for number in range(FACT_FIELDS_MAX)}
    assert archive.records(told(at=[5] * 200, ids={}, numbers=numbers, reals={})) == MalformedFact.code
    narrower = {name: column[:90] for name, column in numbers.items()}
    assert archive.records(told(at=[5] * 90, ids={}, numbers=narrower, reals={})) == ""


def test_a_block_of_facts_can_be_read() -> None:
    """Every second row is an answer; with the database's spaces a block of them stays below 1 GiB."""
    digits = {f"field_{number}": [1] * FACTS_PER_EVENT_MAX for number in range(FACT_FIELDS_MAX - 1)}
    body = msgspec.json.encode(digits)
    spaced = msgspec.json.format(body, indent=0)
    assert len(spaced) < 1.51 * len(body)
    assert 1.51 * FACTS_BYTES_MAX * BLOCK_ROWS / 2 < 2**30
