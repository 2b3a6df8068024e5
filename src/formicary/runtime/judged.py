"""From a product's judgement to a model's file: the first model of whoever has no outcomes to learn from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from formicary import __version__
from formicary.factory.models.errors import UnknownModel
from formicary.factory.models.judgement import Judgement
from formicary.factory.models.model_files import write_model
from formicary.factory.models.model_manifest import ModelManifest, ModelMetrics, TrainedModel, TrainedOn
from formicary.runtime.settings import Settings

__all__ = ["judge"]


def judge(
    settings: Settings, name: str, output: Path | None, judgements: Iterable[Judgement]
) -> TrainedModel:
    """Write the file and the manifest of a model that a product declares.

    Parameters
    ----------
    settings
        Where the home is; the file goes below ``models`` unless ``output`` says where.
    name
        Of the model.
    output
        The model's file.
    judgements
        All that are declared.

    Raises
    ------
    UnknownModel
        None is declared for a model of this name.
    ModelMalformed
        It contradicts itself.
    ModelNotWritten
        See ``write_model``.
    """
    known = {one.spec.name: one for one in judgements}
    if name not in known:
        message = f"no product judges {name!r} without outcomes, only {', '.join(known) or 'none at all'}"
        raise UnknownModel(message)
    judgement = known[name]
    model, spec = judgement.model(), judgement.spec
    manifest = ModelManifest(
        model=spec.name,
        hash=model.hash,
        spec_hash=spec.hash,
        columns=spec.names,
        code_version=__version__,
        seed=spec.seed,
        # It has to show nothing, for there is nothing to show it by.
        gates={},
        metrics=ModelMetrics(forest={}, scorecard={}),
        trained_on=TrainedOn(hash=judgement.hash, rows=0, positives=0),
    )
    file = output or settings.models_folder / spec.name / f"{model.hash}.model"
    write_model(file, model, manifest)
    return TrainedModel(file=file, manifest=manifest)
