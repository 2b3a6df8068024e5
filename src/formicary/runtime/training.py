"""From a product's declaration to a model's file, on this machine: read beside a running engine.

What learns loads LightGBM and Parquet, and is imported when it is asked for: the engine's process comes from
the same command line and must not carry them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from formicary import __version__
from formicary.factory.engine.products import Product
from formicary.factory.engine.state import known_events
from formicary.factory.features.compiler import compiled
from formicary.factory.models.errors import TrainerMissing, UnknownModel
from formicary.factory.models.model_manifest import (
    ModelManifest,
    ModelMetrics,
    TrainedModel,
    TrainedOn,
    TrainingReport,
)
from formicary.factory.models.spec import ModelSpec
from formicary.runtime.backfill import open_source
from formicary.runtime.products import products_of
from formicary.runtime.settings import Settings

if TYPE_CHECKING:
    from formicary.factory.models.model import Model
    from formicary.factory.models.table import TrainingTable
    from formicary.factory.models.training_set import LabelledRows

__all__ = ["TableOfRows", "WantedModel", "model_of", "train"]

Rows: TypeAlias = "tuple[TrainingTable, TrainedOn]"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOfRows:
    """Rows that never were events: a Parquet file, and which of its columns is the label."""

    file: Path
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedModel:
    """A model to be trained.

    Attributes
    ----------
    name
        Of a product's declaration.
    last
        The last position of the journal that is known; its end unless given.
    archive
        An archive to read in place of the journal.
    table
        Rows to learn from in place of the journal's.
    output
        The model's file; in the home, below ``models``, unless given.
    threads
        How many cores; the model does not depend on it.
    """

    name: str
    last: int | None = None
    archive: Path | None = None
    table: TableOfRows | None = None
    output: Path | None = None
    threads: int = 1


def train(
    settings: Settings,
    wanted: WantedModel,
    report: TrainingReport,
    *,
    products: Sequence[Product] | None = None,
) -> TrainedModel:
    """Train a model and write its file and manifest.

    Raises
    ------
    UnknownModel
        No product declares it.
    ModelRefused
        It cannot be learnt from these rows, or does not show what it must: see ``labelled_rows``,
        ``table_in`` and ``train_model``. Nothing is written then but the training set.
    TrainerMissing
        LightGBM, or a library that it needs, cannot be loaded.
    ModelNotWritten
        See ``write_model``.
    """
    from formicary.factory.models.model_files import write_model  # noqa: PLC0415, see above

    try:
        from formicary.factory.models.training import train_model  # noqa: PLC0415, see above
    except (ImportError, OSError) as error:
        # The loader's own words name the library, most often libgomp.so.1.
        message = f"LightGBM, which trains forests, cannot be loaded: {error}"
        raise TrainerMissing(message) from error
    products = products_of(settings) if products is None else products
    spec = model_of(products, wanted.name)
    table, trained_on = _rows(settings, wanted, spec, report, products)
    model = train_model(
        spec, table, threads=wanted.threads, report=lambda done, of: report("training", done, of)
    )
    manifest = _manifest(spec, model, trained_on)
    file = wanted.output or settings.models_folder / spec.name / f"{model.hash}.model"
    write_model(file, model, manifest)
    return TrainedModel(manifest=manifest, file=file)


def model_of(products: Sequence[Product], name: str) -> ModelSpec:
    """Return what a product declares of a model.

    Raises
    ------
    UnknownModel
        No product declares one of this name.
    """
    specs = {spec.name: spec for product in products for spec in product.models}
    if name not in specs:
        message = f"no product has a model called {name!r}, only {', '.join(specs) or 'none at all'}"
        raise UnknownModel(message)
    return specs[name]


def _rows(
    settings: Settings,
    wanted: WantedModel,
    spec: ModelSpec,
    report: TrainingReport,
    products: Sequence[Product],
) -> Rows:
    if wanted.table is not None:
        from formicary.factory.models.table_file import table_in  # noqa: PLC0415, see above

        table, digest = table_in(wanted.table.file, spec, wanted.table.label)
        return table, TrainedOn(hash=digest, rows=len(table.labels), positives=int(table.labels.sum()))
    from formicary.factory.models.training_set import labelled_rows  # noqa: PLC0415, see above

    # All sets together, as the engine compiles them: what a row tells does not depend on who asks.
    known = compiled(tuple(one for product in products for one in product.features))
    with open_source(settings, wanted.archive, known_events(products)) as source:
        rows = labelled_rows(
            source,
            known,
            spec,
            settings.training_folder,
            last=wanted.last,
            progress=lambda done, of: report("replaying", done, of),
        )
    return rows.table, _trained_on(rows)


def _trained_on(rows: LabelledRows) -> TrainedOn:
    request, labels = rows.features.request, rows.labels
    return TrainedOn(
        hash=labels.hash,
        rows=len(rows.table.labels),
        positives=labels.positive,
        set=request.set,
        purpose=request.purpose,
        first=labels.first,
        last=labels.last,
        features=request.features,
        features_hash=request.state,
        label_hash=labels.label,
        now=labels.now,
        immature=labels.immature,
        unnamed=labels.unnamed,
        outcomes=labels.outcomes,
        passed_over=labels.passed_over,
    )


def _manifest(spec: ModelSpec, model: Model, trained_on: TrainedOn) -> ModelManifest:
    evidence = model.evidence
    return ModelManifest(
        model=spec.name,
        hash=model.hash,
        spec_hash=spec.hash,
        columns=spec.names,
        code_version=__version__,
        seed=spec.seed,
        gates={
            "area_under_roc": spec.gates.area_under_roc,
            "calibration_error": spec.gates.calibration_error,
        },
        metrics=ModelMetrics(forest=dict(evidence.forest), scorecard=dict(evidence.scorecard)),
        trained_on=trained_on,
    )
