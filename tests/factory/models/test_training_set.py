"""Rows of a model out of a journal: as many as asked, the same again, and why some have no label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
import pytest

from formicary.base.purposes import Purpose
from formicary.factory.facts import RecordFacts
from formicary.factory.features.training import write_training_set
from formicary.factory.models.errors import LabelsTooFew
from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import Column
from formicary.factory.models.training_set import LabelledRows, labelled_rows
from tests.factory.features.training_kit import (
    HOUR,
    PARTIES,
    SOURCE,
    House,
    MemorySource,
    features_compiled,
    memory_house,
    source_of,
)
from tests.factory.models.questions_kit import LABEL, QUESTION, asking

DAY: Final = 24 * HOUR


@dataclass
class WatchedSource(MemorySource):
    """Notes what was read for labels."""

    asked_for: int = 0

    def events_of(self, kinds: Any, *, after: int, until: int) -> Iterator[Any]:
        """Count, and yield the same."""
        self.asked_for += 1
        return super().events_of(kinds, after=after, until=until)


def tells(house: House, transfers: list[int], *, days_ago: int = 0, **signs: int) -> None:
    """Tell how payments came out."""
    numbers = {name: [value] * len(transfers) for name, value in signs.items()}
    house.does(
        "facts",
        RecordFacts(
            subject=SOURCE,
            kind="outcome",
            at=[house.clock.now() - days_ago * DAY] * len(transfers),
            ids={"payment": [f"{one:032x}" for one in transfers]},
            numbers=numbers,
        ),
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Give a house with twelve payments a day apart, of which some went wrong; nobody changes it."""
    house = memory_house(tmp_path_factory.mktemp("house") / "state")
    paid = []
    for number in range(12):
        house.clock.advance(DAY)
        house.pays(PARTIES[number % 2], PARTIES[2 + number % 3], 100 + number)
        paid.append(house.transfers)
    house.clock.advance(10 * DAY)
    tells(house, [paid[0], paid[1], 10**9], charged_back=1)
    tells(house, [paid[1]], confirmed=1)
    house.clock.advance(5 * DAY)
    tells(house, [paid[2]], days_ago=5, charged_back=1)
    tells(house, [paid[11]], charged_back=1)
    house.clock.advance(7 * DAY + 12 * HOUR)
    tells(house, [paid[3]], charged_back=1)
    return house


def found(house: House, folder: Path, **more: Any) -> LabelledRows:
    """Return the rows of the kit's model."""
    given: dict[str, Any] = {"question": QUESTION} | more
    spec = asking(given.pop("question"))
    source = given.pop("source", source_of(house.journal))
    return labelled_rows(source, features_compiled(), spec, folder, **given)


def labels_in(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of the only file of labels."""
    (path,) = folder.glob("*/labels-*/labels.parquet")
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def test_rows_in_are_rows_out(house: House, tmp_path: Path) -> None:
    """The young are counted and have no label; late, reversed and stray outcomes are as they should be."""
    rows = found(house, tmp_path)
    written = labels_in(tmp_path)
    states = [row["state"] for row in written]
    # The second was taken back, and the fourth's came beyond its horizon.
    assert states == ["positive", "negative", "positive", "negative", *["immature"] * 8]
    assert [row["label"] for row in written] == [
        {"positive": 1, "negative": 0}.get(state) for state in states
    ]
    manifest = rows.labels
    assert manifest.rows == len(written) == rows.features.rows == 12
    assert (manifest.positive, manifest.negative, manifest.immature) == (2, 2, 8)
    assert (manifest.outcomes, manifest.passed_over, manifest.unnamed) == (7, 0, 0)
    assert manifest.now == house.clock.now()
    assert rows.table.labels.tolist() == [1, 0, 1, 0]
    assert rows.table.money is not None
    assert rows.table.money.tolist() == [100, 101, 102, 103]
    assert rows.table.values[:, 2].tolist() == [100, 101, 102, 103]
    assert rows.table.at is not None
    assert (np.diff(rows.table.at) >= DAY).all()
    assert (rows.table.weights == 1).all()


def test_the_same_again_is_used_again(house: House, tmp_path: Path) -> None:
    """Same journal and range, same hash and no reading; a damaged or another label is written anew."""
    source = WatchedSource(source_of(house.journal).whole)
    first = found(house, tmp_path, source=source)
    read = source.asked_for
    assert read > 0
    again = found(house, tmp_path, source=source)
    assert (again.labels, source.asked_for) == (first.labels, read)
    assert again.labels.hash == found(house, tmp_path / "other").labels.hash == first.labels.hash
    (path,) = tmp_path.glob("risk-*/labels-*/labels.parquet")
    kept = path.read_bytes()
    path.write_bytes(b"")
    assert found(house, tmp_path, source=source).labels == first.labels
    assert path.read_bytes() == kept
    assert source.asked_for == read + 1
    shorter = replace(QUESTION, label=replace(LABEL, horizon="29d"))
    other = found(house, tmp_path, question=shorter)
    assert other.features == first.features
    assert other.labels.hash != first.labels.hash
    assert len(list(tmp_path.glob("risk-*/labels-*"))) == 2
    earlier = found(house, tmp_path, last=source.head() - 1)
    assert earlier.labels.last == first.labels.last - 1
    assert earlier.labels.hash != first.labels.hash


def test_nothing_behind_the_cutoff_is_known(house: House, tmp_path: Path) -> None:
    """Before outcomes are told there is one class at most, which is refused with what became of the rows."""
    before = int(source_of(house.journal).whole.transfers["position"].max())
    with pytest.raises(LabelsTooFew, match="0 positives and 0 negatives; of 12 rows 12 are immature"):
        found(house, tmp_path, last=before)
    with pytest.raises(LabelsTooFew, match="of 0 rows 0"):
        found(house, tmp_path, last=2)


def test_early_outcomes(house: House, tmp_path: Path) -> None:
    """Where both outcomes are told as fast, a young row with one has its label."""
    early = replace(QUESTION, label=replace(LABEL, is_early=True))
    rows = found(house, tmp_path, question=early)
    assert labels_in(tmp_path)[11]["state"] == "positive"
    assert (rows.labels.positive, rows.table.labels[-1]) == (3, 1)


def test_weights(house: House, tmp_path: Path) -> None:
    """By a feature or a number of the event, and half as much for each half-life."""
    plain = found(house, tmp_path)
    by_amount = found(house, tmp_path, question=replace(QUESTION, weight="amount", money=""))
    assert by_amount.table.weights.tolist() == plain.table.values[:, 2].tolist()
    assert by_amount.table.money is None
    aged = found(house, tmp_path, question=replace(QUESTION, half_life="2d"))
    ratio = aged.table.weights[1:] / aged.table.weights[:-1]
    assert np.allclose(ratio, np.sqrt(2), rtol=1e-3)
    assert (aged.table.weights < 1).all()


def test_facts_that_ask(tmp_path: Path) -> None:
    """Events that are facts are named by an id of theirs, which several may share; nobody's is unnamed."""
    other = memory_house(tmp_path / "state")
    for applicant in (PARTIES[0], PARTIES[1], 0, PARTIES[0]):
        other.applies(applicant, 500)
        other.clock.advance(DAY)
    label = Label(fact="outcome", event="payment", positive=(("bad", 1),), horizon="3d", names="applicant")
    tells(other, [PARTIES[0]], bad=1)
    other.clock.advance(9 * DAY)
    tells(other, [PARTIES[1]], bad=1)
    question = Question(features="credit", purpose=Purpose.FRAUD, label=label, weight="amount")
    spec = replace(
        asking(question),
        columns=(
            Column(name="applications", reason="You applied often."),
            Column(name="last_amount", reason="You applied for another amount.", is_category=True),
        ),
    )
    rows = labelled_rows(source_of(other.journal), features_compiled(), spec, tmp_path / "sets")
    states = [row["state"] for row in labels_in(tmp_path / "sets")]
    assert states == ["negative", "negative", "unnamed", "positive"]
    assert rows.labels.unnamed == 1
    assert rows.table.categories == {"last_amount": ("500",)}
    assert rows.table.values[:, 1].tolist()[2] == 0
    assert rows.table.weights.tolist() == [500] * 3


def test_features_are_those_of_a_training_set(house: House, tmp_path: Path) -> None:
    """Nothing is told otherwise than ``write_training_set`` tells it."""
    rows = found(house, tmp_path / "model")
    manifest = write_training_set(
        source_of(house.journal), features_compiled(), "risk", Purpose.FRAUD, tmp_path / "set"
    )
    assert rows.features == manifest
