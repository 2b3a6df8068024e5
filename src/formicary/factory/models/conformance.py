"""``check_model`` tells whether a model of a specification and a table would keep its promises.

Everything is looked at, and all that is wrong is said: a check that fails does not end the others. A model's
tests hold one line: ``assert check_model(MY_SPEC, table) == []``. It trains twice, so the table is a small
one, or it takes as long as two trainings do.
"""

from __future__ import annotations

from formicary.factory.models import _check_trained as checks
from formicary.factory.models._check_trained import Finding
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.judgement import Judgement
from formicary.factory.models.model import Model
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import TrainingTable
from formicary.factory.models.trainer import train_forest
from formicary.factory.models.training import model_of

__all__ = ["Finding", "check_judgement", "check_model"]


def check_model(spec: ModelSpec, table: TrainingTable, *, threads: int = 1) -> list[Finding]:
    """Return what is wrong with a model; nothing is as it should be.

    - The specification does not contradict itself, and every column has a sentence to tell.
    - No column tells the label, unless the specification says why it is known before.
    - Two trainings from one seed give one model, which passes its gates.
    - The flat forest has the bits of LightGBM's raw scores, also of rows with missing values and names that
      were never seen; stored and read again it is the same.
    - Predictions move as declared along every column with a direction, also beyond what was seen, and are
      finite where a value is missing.
    - Chances are between 0 and 1, and never fall where scores rise.

    Parameters
    ----------
    spec, table
        What is learnt, from what.
    threads
        How many cores; what is found does not depend on it.

    Examples
    --------
    >>> from formicary.factory.models.conformance import check_model
    >>> check_model(spec, table)  # doctest: +SKIP
    []
    """
    findings = [*checks.check_spec(spec), *checks.check_reasons(spec)]
    try:
        spec.require()
        table.require_labels(spec)
        findings += checks.check_leaks(spec, table)
        trained = train_forest(spec, table, threads=threads)
        model = model_of(spec, table, trained)
        again = model_of(spec, table, train_forest(spec, table, threads=threads))
    except ModelRefused as refusal:
        # Nothing was trained that could be looked at.
        return [*findings, Finding("a model can be learnt", spec.name, str(refusal))]
    rows = checks.odd_rows(spec, table)
    findings += checks.check_same(model, again)
    findings += checks.check_gates(spec, model)
    findings += checks.check_bits(model, trained.booster, rows)
    return [*findings, *_check_made(spec, model, table)]


def check_judgement(judgement: Judgement, table: TrainingTable) -> list[Finding]:
    """Return what is wrong with a model that is declared and not learnt: all that needs no training.

    Parameters
    ----------
    judgement
        What is declared.
    table
        Rows as they will be scored; their labels are not looked at.
    """
    spec = judgement.spec
    findings = [*checks.check_spec(spec), *checks.check_reasons(spec)]
    try:
        model = judgement.model()
    except ModelRefused as refusal:
        return [*findings, Finding("a judgement does not contradict itself", spec.name, str(refusal))]
    return [*findings, *_check_made(spec, model, table)]


def _check_made(spec: ModelSpec, model: Model, table: TrainingTable) -> list[Finding]:
    rows = checks.odd_rows(spec, table)
    return [
        *checks.check_stored(model, rows),
        *checks.check_directions(spec, model, table),
        *checks.check_missing(spec, model, table),
        *checks.check_chances(model, rows),
    ]
