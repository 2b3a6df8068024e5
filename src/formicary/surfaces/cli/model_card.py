"""A model's card: one page of HTML on what it is, what it showed and when it decided, with nothing beside it.

Names, reasons and notes are other people's words: all of them are escaped, the page has no script, and a
browser is told to run and to load none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from formicary.base.times import time_text
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.model import Model
from formicary.factory.models.scorecard import BinOfTable, Scorecard
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry.reading import AliasChange, ModelVersion

__all__ = ["card_page"]

_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_MAY_ONLY: Final = {1: "raise it", -1: "lower it", 0: ""}


def card_page(
    model: Model, version: ModelVersion, history: Sequence[AliasChange], spec: ModelSpec | None
) -> str:
    """Return the page.

    Parameters
    ----------
    model, version
        What was registered, and what was said of it then.
    history
        Of the aliases of the model.
    spec
        What is declared of the model here; None where nothing is. Of another specification than the version's
        the page says so.
    """
    return _TEMPLATES.get_template("model_card.html").render(
        version=version,
        model=model,
        spec=spec,
        spec_says="" if spec is None or spec.hash == version.spec_hash else ", which is not the present one",
        registered=time_text(version.at),
        columns=list(_columns(version, spec)),
        categories=[(name, _coded(names)) for name, names in model.categories.items()],
        manifest=json.dumps(version.manifest, indent=2, ensure_ascii=False) if version.manifest else "",
        metrics=list(_metrics(version)),
        suspected=list(model.evidence.suspected.items()),
        **_calibrated(model.calibration),
        **_scored(model.scorecard),
        history=[
            (time_text(one.at), one.position, one.alias, one.version or "none", one.reason) for one in history
        ],
    )


def _calibrated(calibration: Calibration | None) -> dict[str, Any]:
    if calibration is None:
        return {"knots": []}
    pairs = zip(calibration.scores, calibration.probabilities, strict=True)
    return {
        "knots": [(f"{score:.4f}", f"{chance:.2%}") for score, chance in pairs],
        "slope": f"{calibration.slope:.4f}",
        "intercept": f"{calibration.intercept:.4f}",
    }


def _scored(card: Scorecard | None) -> dict[str, Any]:
    if card is None:
        return {"bins": []}
    start = card.scale.points(np.array([card.intercept]))[0]
    return {"start": f"{start:.1f}", "bins": [_bin(one) for one in card.bins()]}


def _columns(version: ModelVersion, spec: ModelSpec | None) -> Iterator[tuple[str, str, str]]:
    declared = {} if spec is None else {column.name: column for column in spec.columns}
    for name in version.columns:
        column = declared.get(name)
        yield (name, _MAY_ONLY[column.monotone], column.reason) if column else (name, "", "")


def _coded(names: Sequence[str]) -> str:
    return ", ".join(f"{code} {name}" for code, name in enumerate(names))


def _metrics(version: ModelVersion) -> Iterator[tuple[str, str, str]]:
    forest, scorecard = version.metrics.forest, version.metrics.scorecard
    for name in sorted({*forest, *scorecard}):
        yield name, _figure(forest, name), _figure(scorecard, name)


def _figure(metrics: Mapping[str, float], name: str) -> str:
    return f"{metrics[name]:.4f}" if name in metrics else ""


def _bin(one: BinOfTable) -> tuple[str, ...]:
    rate = "" if math.isnan(one.rate) else f"{one.rate:.1%}"
    weight, points = f"{one.weight:+.2f}", f"{one.points:+.1f}"
    return one.column, one.bin, f"{one.rows:,}", f"{one.share:.1%}", rate, weight, points
