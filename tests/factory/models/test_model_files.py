"""A model's file and the manifest beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.models.model_files import ModelNotWritten, read_model, write_model
from formicary.factory.models.model_manifest import ModelManifest, ModelMetrics, TrainedOn, manifest_file
from formicary.factory.models.training import train_model
from tests.factory.models.kit import made_spec, made_table


def test_written_and_read(tmp_path: Path) -> None:
    """What was written comes back; what is not there, or not what it was, is refused."""
    spec = made_spec(trials=1)
    model = train_model(spec, made_table(300))
    manifest = ModelManifest(
        model=spec.name,
        hash=model.hash,
        spec_hash=spec.hash,
        columns=spec.names,
        code_version="1",
        seed=spec.seed,
        gates={"area_under_roc": 0.5},
        metrics=ModelMetrics(forest=dict(model.evidence.forest), scorecard={}),
        trained_on=TrainedOn(hash="00", rows=300, positives=1),
    )
    file = tmp_path / "models" / f"{model.hash}.model"
    write_model(file, model, manifest)
    assert {path.name for path in file.parent.iterdir()} == {f"{model.hash}.model", f"{model.hash}.json"}
    again, told = read_model(file)
    assert (again.hash, told) == (model.hash, manifest)
    file.write_bytes(b"other")
    with pytest.raises(ModelCorrupt, match=model.hash):
        read_model(file)
    manifest_file(file).write_text("{}")
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        read_model(file)
    with pytest.raises(ModelCorrupt, match="cannot be read"):
        read_model(tmp_path / "nowhere.model")
    with pytest.raises(ModelNotWritten, match=r"File exists|Not a directory"):
        write_model(file / "inside.model", model, manifest)


def test_where_a_manifest_is() -> None:
    """It never is the model's own file."""
    for name, beside in (("a.model", "a.json"), ("a.json", "a.json.json"), ("a", "a.json")):
        assert manifest_file(Path(name)) == Path(beside)
