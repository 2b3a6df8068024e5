"""Training sets: what was known at the time, for everybody, and not a word of who takes consent back."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from formicary.base.errors import ProgrammingError
from formicary.base.purposes import Purpose
from formicary.factory.features import _layout as layout
from formicary.factory.features import training as training_module
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.definitions import Feature
from formicary.factory.features.errors import DuplicateFeature, PurposeNotDeclared
from formicary.factory.features.journal_fold import fold_rows
from formicary.factory.features.sources import PositionsNotThere
from formicary.factory.features.store import FeatureStore
from formicary.factory.features.training import write_training_set
from formicary.factory.features.training_manifest import (
    TrainingManifest,
    TrainingRowsLost,
    TrainingSetDiffers,
)
from formicary.factory.journal.blocks import Block, part_of
from formicary.factory.journal.rows import ACCOUNT_ROW, TRANSFER_ROW
from tests.factory.features.training_kit import (
    AMOUNT,
    HOUR,
    PARTIES,
    PRODUCTS,
    RISK,
    SETS,
    House,
    MemorySource,
    features_compiled,
    memory_house,
    source_of,
)

PART = 40
PAYER, PAYEE, THIRD = PARTIES[:3]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Give a house in which a lot happened; nobody changes it."""
    house = memory_house(tmp_path_factory.mktemp("house") / "state")
    house.works(7, steps=260)
    return house


def written(source: Any, folder: Path, **wanted: Any) -> TrainingManifest:
    """Write a set in small parts."""
    given: dict[str, Any] = {"view": "risk", "purpose": Purpose.FRAUD, "part_positions": PART} | wanted
    view, purpose = given.pop("view"), given.pop("purpose")
    return write_training_set(source, features_compiled(), view, purpose, folder, **given)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a set."""
    tables = [pq.read_table(path) for path in sorted(folder.glob("part-*.parquet"))]
    rows: list[dict[str, Any]] = pa.concat_tables(tables).to_pylist()
    return rows


def files_of(folder: Path) -> dict[str, bytes]:
    """Return all files of a finished set."""
    assert all(path.is_file() for path in folder.iterdir())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("view", ["risk", "credit"])
@pytest.mark.parametrize("block_rows", [1, 7, 10_000])
def test_rows_are_what_was_told(house: House, tmp_path: Path, view: str, block_rows: int) -> None:
    """Bit for bit, late labels and first-timers included, however the journal is cut."""
    source = replace(source_of(house.journal), block_rows=block_rows)
    manifest = written(source, tmp_path, view=view)
    told = {at: one for at, one in house.told["FRAUD"].items() if one.set == view}
    rows = rows_of(tmp_path)
    assert [row["position"] for row in rows] == list(told)
    assert manifest.rows == len(rows) > 20
    for row, reading in zip(rows, told.values(), strict=True):
        assert {name: row[name] for name in reading.values} == reading.values
        assert row["withheld"] == []


def test_consent_counts_when_asked_and_at_the_end(house: House, tmp_path: Path) -> None:
    """A value is there where it was told then, and the parties it tells about still agree."""
    written(source_of(house.journal), tmp_path, purpose=Purpose.CREDIT)
    assert 0 < len(house.agreeing) < len(PARTIES)
    about = {"payer": ("payer", "pair", "since", "age"), "payee": ("payee", "pair")}
    rows = rows_of(tmp_path)
    kept = 0
    for row in rows:
        reading = house.told["CREDIT"][row["position"]]
        expected = dict(reading.values)
        withheld = set(reading.withheld)
        for side, names in about.items():
            if int.from_bytes(row[f"asking_{side}"]) not in house.agreeing:
                withheld.add(side)
                expected |= {name: None for name in expected if name.startswith(names)}
        assert {name: row[name] for name in expected} == expected
        assert set(row["withheld"]) == withheld
        kept += row["payer_count"] is not None
    assert 0 < kept < len(rows)


def test_columns(house: House, tmp_path: Path) -> None:
    """The asking event's own fields are there, numbers are numbers, ids are 16 bytes."""
    manifest = written(source_of(house.journal), tmp_path)
    table = pq.read_table(tmp_path / manifest.parts[-1].name)
    names = [feature.name for feature in RISK.features]
    own = ["asking_payer", "asking_payee", "asking_amount"]
    assert table.column_names == ["position", "at", "transfer", *own, *names, "withheld"]
    assert table.schema.field("asking_payer").type == pa.binary(16)
    assert {table.schema.field(name).type for name in names} == {pa.float64()}
    row = table.to_pylist()[0]
    assert row["amount"] == row["asking_amount"]
    assert int.from_bytes(row["asking_payer"]) in PARTIES
    journaled = source_of(house.journal).whole.transfers
    ids = dict(zip(journaled["position"].tolist(), journaled["id_low"].tolist(), strict=True))
    assert [int.from_bytes(row["transfer"]) for row in rows_of(tmp_path)] == [
        ids[row["position"]] for row in rows_of(tmp_path)
    ]
    written(source_of(house.journal), tmp_path / "credit", view="credit")
    assert "transfer" not in rows_of(tmp_path / "credit")[0]
    assert not np.isnan(table.column("payer_mean").to_numpy()[table.column("payer_mean").is_valid()]).any()


def test_first_timers_and_late_facts(tmp_path: Path) -> None:
    """Who comes for the first time has a row; a fact changes nothing that was told before it was known."""
    house = memory_house(tmp_path / "state")
    house.pays(PAYER, PAYEE, 5)
    house.clock.advance(5 * HOUR)
    house.pays(PAYER, PAYEE, 6)
    house.labels(PAYEE, hours_ago=4)
    house.pays(PAYER, PAYEE, 7)
    written(source_of(house.journal), tmp_path / "set")
    first, second, third = rows_of(tmp_path / "set")
    assert [first[name] for name in ("payer_count", "payer_mean", "since", "pair_count")] == [
        0,
        None,
        None,
        0,
    ]
    assert [row["payee_frauds"] for row in (first, second, third)] == [0, 0, 1]
    assert second["payer_mean"] == 5


def test_revocation_reaches_the_next_set(tmp_path: Path) -> None:
    """Before consent there is nothing, then there is, and after revocation all of history is missing."""
    house = memory_house(tmp_path / "state")
    house.pays(PAYER, PAYEE, 5)
    house.agrees(PAYER)
    house.pays(PAYER, PAYEE, 6)
    house.pays(THIRD, PAYER, 6)
    before = house.engine.state.position
    house.revokes(PAYER)
    source = source_of(house.journal)
    written(source, tmp_path / "before", purpose=Purpose.CREDIT, last=before)
    told = rows_of(tmp_path / "before")
    assert [row["payer_count"] for row in told] == [None, 1, None]
    assert [row["withheld"] for row in told] == [["payer", "payee"], ["payee"], ["payer"]]
    assert [row["payee_received"] for row in told] == [None, None, 0]
    written(source, tmp_path / "after", purpose=Purpose.CREDIT)
    after = rows_of(tmp_path / "after")
    assert len(after) == len(told)
    assert all(row["withheld"] == ["payer", "payee"] for row in after)
    about = [name for name in told[0] if name.startswith(("payer", "payee", "pair", "since", "age"))]
    assert {row[name] for row in after for name in about} == {None}
    written(source, tmp_path / "fraud", purpose=Purpose.FRAUD)
    assert [row["payer_count"] for row in rows_of(tmp_path / "fraud")] == [0, 1, 0]


@pytest.mark.parametrize("purpose", [Purpose.FRAUD, Purpose.CREDIT])
def test_interrupted_and_gone_on_with(house: House, tmp_path: Path, purpose: Purpose) -> None:
    """However often it breaks off, the files are those of a run that did not, to the byte."""
    source = source_of(house.journal)
    whole = written(source, tmp_path / "whole", purpose=purpose)
    steps: list[tuple[int, int]] = []
    for fails_after in (PART // 2, 3 * PART, 3 * PART + 5, 5 * PART):
        broken = replace(source, block_rows=11, fails_after=fails_after)
        with pytest.raises(ConnectionError):
            written(broken, tmp_path / "broken", purpose=purpose, progress=lambda *step: steps.append(step))
    source.whole = replace_until(source, source.head())
    done = written(source, tmp_path / "broken", purpose=purpose, progress=lambda *step: steps.append(step))
    assert done == whole
    assert files_of(tmp_path / "broken") == files_of(tmp_path / "whole")
    assert all(first[0] < second[0] for first, second in pairwise(steps))
    assert steps[-1] == (source.head(), source.head())
    again = written(source, tmp_path / "broken", purpose=purpose, progress=lambda *_: pytest.fail("done"))
    assert again == whole


def replace_until(source: MemorySource, until: int) -> Any:
    """Return the rows of a source up to a position."""
    return part_of(source.whole, after=0, until=until)


def test_parts_end_where_they_are_full(house: House, tmp_path: Path) -> None:
    """A part ends with its rows, wherever blocks end; all parts together are the same rows."""
    source = source_of(house.journal)
    few = written(source, tmp_path / "few", part_positions=1_000)
    many = written(source, tmp_path / "many", part_positions=1_000, part_rows=10)
    assert {part.rows for part in many.parts[:-1]} == {10}
    assert [part.after for part in many.parts] == [0, *(part.until for part in many.parts[:-1])]
    assert rows_of(tmp_path / "few") == rows_of(tmp_path / "many")
    assert few.state_hash == many.state_hash
    other = written(replace(source, block_rows=1_000), tmp_path / "other", part_positions=1_000, part_rows=10)
    assert other == many


def test_damaged_parts_are_made_again(house: House, tmp_path: Path) -> None:
    """A file that is not as it was written is found, in a finished set and in one that is not."""
    source = source_of(house.journal)
    whole = written(source, tmp_path / "set")
    expected = files_of(tmp_path / "set")
    (tmp_path / "set" / whole.parts[2].name).write_bytes(b"other")
    assert written(source, tmp_path / "set") == whole
    assert files_of(tmp_path / "set") == expected
    with pytest.raises(ConnectionError):
        written(replace(source, fails_after=5 * PART), tmp_path / "other")
    (tmp_path / "other" / whole.parts[3].name).unlink()
    for state in (tmp_path / "other" / "unfinished").glob("*.snapshot"):
        state.write_bytes(state.read_bytes()[:-1])
    assert written(source, tmp_path / "other") == whole
    assert files_of(tmp_path / "other") == expected


def test_a_range(house: House, tmp_path: Path) -> None:
    """Rows are of the range alone; what they tell is of all history before it."""
    source = source_of(house.journal)
    written(source, tmp_path / "whole")
    first, last = 101, 203
    manifest = written(source, tmp_path / "range", first=first, last=last)
    inside = [row for row in rows_of(tmp_path / "whole") if first <= row["position"] <= last]
    assert rows_of(tmp_path / "range") == inside
    assert (manifest.request.first, manifest.request.last) == (first, last)
    store = FeatureStore(features_compiled())
    rows = part_of(source.whole, after=0, until=last)
    fold_rows(store, accounts=rows.accounts, transfers=rows.transfers, events=rows.events, until=last)
    assert manifest.state_hash == f"{store.state_hash:016x}"
    for wrong in ({"first": 0}, {"first": 9, "last": 8}, {"last": source.head() + 1}):
        with pytest.raises(PositionsNotThere):
            written(source, tmp_path / "wrong", **wrong)


def test_another_set_in_the_same_folder(house: House, tmp_path: Path) -> None:
    """A folder holds one set; a growing journal alone does not make it another."""
    source = source_of(house.journal)
    short = replace(source, whole=replace_until(source, 150))
    for number, begun in enumerate((replace(short, fails_after=2 * PART), short)):
        folder = tmp_path / str(number)
        try:
            written(begun, folder)
        except ConnectionError:
            assert number == 0
        for other in ({"purpose": Purpose.CREDIT}, {"first": 2}, {"last": 149}, {"view": "credit"}):
            with pytest.raises(TrainingSetDiffers):
                written(source, folder, **other)
        assert written(source, folder).request.last == 150
    (tmp_path / "1" / "manifest.json").write_text("{")
    with pytest.raises(TrainingSetDiffers, match=r"manifest\.json"):
        written(source, tmp_path / "1")


def test_what_may_not_be_read(house: House, tmp_path: Path) -> None:
    """Purposes are those of the definitions, and no column hides another."""
    source = source_of(house.journal)
    narrow = replace(RISK.features[0], purposes=frozenset({Purpose.FRAUD}))
    known = compile_sets([replace(RISK, features=[narrow])])
    with pytest.raises(PurposeNotDeclared):
        write_training_set(source, known, "risk", Purpose.CREDIT, tmp_path)
    hiding = Feature(name="position", value=AMOUNT * 2, unit="units", meaning="Asked.")
    known = compile_sets([replace(RISK, features=[hiding])])
    with pytest.raises(DuplicateFeature, match=r"test_training\.py"):
        write_training_set(source, known, "risk", Purpose.FRAUD, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_lost_rows_are_noticed(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that come out are compared with the journal's own, by position."""
    source = source_of(house.journal)
    monkeypatch.setattr(
        training_module, "positions_of_kind", lambda *_, **__: np.array([10**9, 10**9 + 1], np.int64)
    )
    with pytest.raises(TrainingRowsLost):
        written(source, tmp_path)
    assert issubclass(TrainingRowsLost, ProgrammingError)


def test_a_large_state_is_kept_now_and_then(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept for an interruption stays small beside what is read; the rest is folded again."""
    monkeypatch.setattr(training_module, "_STATE_BYTES_MIN", 0)
    monkeypatch.setattr(training_module, "_STATE_BYTES_PER_POSITION_MAX", 1)
    source = source_of(house.journal)
    with pytest.raises(ConnectionError):
        written(replace(source, fails_after=4 * PART), tmp_path / "broken")
    assert list((tmp_path / "broken" / "unfinished").glob("*.snapshot")) == []
    assert written(source, tmp_path / "broken") == written(source, tmp_path / "whole")


def test_nothing_is_told_as_a_number_that_is_none(house: House) -> None:
    """The kit's own expectation: some of what was told is missing, and nothing is NaN."""
    values = [value for one in house.told["FRAUD"].values() for value in one.values.values()]
    assert None in values
    assert not any(math.isnan(value) for value in values if value is not None)
    assert len(PRODUCTS) > len(SETS)


def test_rows_are_dropped_alike_however_blocks_end() -> None:
    """Whose accounts are is noted ahead of a block's events; what is dropped when does not depend on it."""
    keys = np.random.default_rng(5).integers(1, 3_000, (2, 20_000))
    accounts = np.zeros(3_000, ACCOUNT_ROW)
    accounts["position"] = np.arange(1, 3_001) * 7
    accounts["id_low"] = accounts["user_data_128_low"] = np.arange(1, 3_001)
    transfers = np.zeros(20_000, TRANSFER_ROW)
    transfers["position"] = np.setdiff1d(np.arange(1, 23_001), accounts["position"])[:20_000]
    transfers["timestamp"] = 10**18 + np.arange(20_000) * HOUR
    # Nobody pays or is paid before the account is there.
    opened = np.maximum(transfers["position"] // 7, 1)
    transfers["debit_account_id_low"], transfers["credit_account_id_low"] = 1 + keys % opened
    transfers["code"], transfers["amount"] = 101, 5
    found = []
    for step in (20, 1_000, 23_000):
        store = FeatureStore(features_compiled())
        whole = Block(accounts=accounts, transfers=transfers[8:], events=(), after=0, until=23_000)
        for block in MemorySource(whole, block_rows=step).read(after=0, until=whole.until):
            fold_rows(store, accounts=block.accounts, transfers=block.transfers, events=(), until=block.until)
        found.append((store.state.numbers.tolist(), store.state_hash, store.keys))
    assert found[0] == found[1] == found[2]
    assert store.state.numbers[layout.SWEPT_UNTIL] > 0
