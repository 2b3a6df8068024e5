"""From a journal with planted frauds to a model's file, by the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from formicary import __version__
from formicary.factory.engine.products import Product
from formicary.factory.models.errors import LabelsTooFew, ModelMalformed, TrainerMissing, UnknownModel
from formicary.factory.models.model_files import read_model
from formicary.factory.models.spec import Gates, ModelSpec
from formicary.products.payments.fraud import PAYMENT_FRAUD
from formicary.runtime import program as program_module
from formicary.runtime.backfill import archive_journal
from formicary.runtime.products import PRODUCTS
from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import Settings
from formicary.runtime.training import TableOfRows, WantedModel, model_of, train
from formicary.surfaces.cli import run
from formicary.surfaces.cli.exit_codes import ExitCode
from tests.runtime.fraud_kit import fill

NAMES: Final = {"amount", "pair_payments_90d", "pair_is_new", "amount_to_mean"}
SMALL: Final = replace(
    PAYMENT_FRAUD,
    columns=tuple(column for column in PAYMENT_FRAUD.columns if column.name in NAMES),
    trials=1,
    gates=Gates(area_under_roc=0.7, calibration_error=0.1),
)
ROWS: Final = 2_000


def nobody(_stage: str, _done: int, _of: int) -> None:
    """Take no notice."""


def with_model(spec: ModelSpec) -> Sequence[Product]:
    """Return the products, with this model in place of those that they declare."""
    return [replace(product, models=(spec,) if product.models else ()) for product in PRODUCTS]


def test_from_the_journal_to_a_file(
    hosted_home: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A forest finds planted frauds; again, from an archive, it is the same; too early there is none."""
    last = fill(hosted_home, count=ROWS)

    def small(settings: Settings, wanted: WantedModel, report: Any) -> Any:
        return train(settings, wanted, report, products=with_model(SMALL))

    monkeypatch.setattr(program_module, "train", small)
    command = ("train", "payment_fraud", "--json")
    assert run(LocalProgram(hosted_home), command) == ExitCode.DONE
    told = json.loads(capsys.readouterr().out)
    model, manifest = read_model(Path(told["file"]))
    assert Path(told["file"]) == hosted_home.models_folder / "payment_fraud" / f"{model.hash}.model"
    assert (manifest.hash, manifest.spec_hash, manifest.code_version) == (model.hash, SMALL.hash, __version__)
    learnt = manifest.trained_on
    assert (learnt.set, learnt.purpose, learnt.first, learnt.last) == ("payment_risk", "fraud", 1, last)
    assert learnt.rows + learnt.immature + learnt.unnamed == ROWS
    assert learnt.rows == model.evidence.rows > 1_000
    assert learnt.positives == model.evidence.positives > 50
    assert (learnt.unnamed, learnt.passed_over) == (0, 0)
    assert manifest.metrics.forest == model.evidence.forest
    assert manifest.metrics.forest["area_under_roc"] > SMALL.gates.area_under_roc
    assert 0 < manifest.metrics.forest["money_found"] < 1
    archive_journal(hosted_home, tmp_path / "archive", lambda _done, _of: None)
    elsewhere = WantedModel(
        name="payment_fraud", archive=tmp_path / "archive", output=tmp_path / "a" / "b.model", threads=2
    )
    archived = train(
        replace(hosted_home, home=tmp_path / "home"), elsewhere, nobody, products=with_model(SMALL)
    )
    assert archived.manifest == manifest
    assert read_model(archived.file)[0].hash == model.hash
    early = WantedModel(name="payment_fraud", last=ROWS)
    with pytest.raises(LabelsTooFew, match=r"0 positives and [0-9]+ negatives; of 1878 rows"):
        train(hosted_home, early, nobody, products=with_model(SMALL))


def test_a_table_is_learnt_from_without_a_journal(tmp_path: Path) -> None:
    """Rows that never were events give a model as well; its manifest knows the file and no positions."""
    chance = np.random.default_rng(3)
    columns = {name: chance.normal(size=500) for name in SMALL.names}
    columns["label"] = (columns["amount_to_mean"] + chance.normal(size=500) > 1).astype(np.float64)
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    spec = replace(SMALL, gates=Gates())
    wanted = WantedModel(
        name="payment_fraud", table=TableOfRows(file=tmp_path / "rows.parquet", label="label")
    )
    steps: list[tuple[str, int, int]] = []
    done = train(Settings(home=tmp_path), wanted, lambda *step: steps.append(step), products=with_model(spec))
    assert steps == [("training", 1, 1)]
    assert done.file.parent == tmp_path / "models" / "payment_fraud"
    learnt = done.manifest.trained_on
    assert (learnt.rows, learnt.positives) == (500, int(columns["label"].sum()))
    assert (learnt.set, learnt.last, learnt.features) == ("", 0, {})


def test_what_trains_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without LightGBM the fault says so, and names what the loader missed."""
    for name in ("leaks", "trainer", "training"):
        monkeypatch.delitem(sys.modules, f"formicary.factory.models.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(TrainerMissing, match=r"cannot be loaded: .*lightgbm"):
        train(Settings(home=tmp_path), WantedModel(name="payment_fraud"), nobody)


def test_what_cannot_be_trained(shared_home: Settings) -> None:
    """A model that nobody declares, and one whose rows are no events, are refused."""
    with pytest.raises(UnknownModel, match="only payment_fraud"):
        train(shared_home, WantedModel(name="nothing"), nobody)
    with pytest.raises(UnknownModel, match="none at all"):
        model_of((), "nothing")
    spec = replace(SMALL, question=None)
    with pytest.raises(ModelMalformed, match="train it on a table"):
        train(shared_home, WantedModel(name="payment_fraud"), nobody, products=with_model(spec))
