"""From a judgement to a file that is registered like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from formicary.factory.models.errors import UnknownModel
from formicary.factory.models.model_files import read_model
from formicary.factory.registry.storing import registration_of
from formicary.products.lending.underwriting.judgement import MERCHANT_JUDGEMENT
from formicary.runtime.judged import judge
from formicary.runtime.products import judgements
from formicary.runtime.settings import Settings


def test_a_file_and_its_manifest(tmp_path: Path) -> None:
    """The manifest says that nothing was learnt; the registry takes both."""
    settings = Settings(home=tmp_path)
    judged = judge(settings, "merchant_default", None, judgements())
    assert judged.file == tmp_path / "models" / "merchant_default" / f"{judged.manifest.hash}.model"
    model, manifest = read_model(judged.file)
    assert manifest == judged.manifest
    assert (manifest.trained_on.rows, manifest.gates, manifest.metrics.forest) == (0, {}, {})
    assert manifest.trained_on.hash == MERCHANT_JUDGEMENT.hash
    registration = registration_of(model, manifest={"rows": 0}, note="")
    assert registration.spec_hash == MERCHANT_JUDGEMENT.spec.hash
    elsewhere = judge(settings, "merchant_default", tmp_path / "first.model", judgements())
    assert elsewhere.file.read_bytes() == judged.file.read_bytes()


def test_what_nobody_declares(tmp_path: Path) -> None:
    """Names of those that are."""
    settings = Settings(home=tmp_path)
    with pytest.raises(UnknownModel, match="only merchant_default"):
        judge(settings, "payment_fraud", None, judgements())
    with pytest.raises(UnknownModel, match="none at all"):
        judge(settings, "payment_fraud", None, ())
